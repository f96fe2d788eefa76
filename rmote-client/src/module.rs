//! The Python modules that a session may send, and what each of them needs.

mod text;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rmote_agent::Module;
use rmote_wire::{EncodeError, Frame, Limits, Load};

use self::text::{along, imports, is_identifier};
pub(crate) use self::text::{content_hash, dedent, function_of};

/// Sources from this size on are compressed.
const COMPRESS: usize = 512;

/// The agent's own package.
const OWN: &str = "rmote";

/// Why a tool's source is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleError {
    /// Another source was loaded under this name.
    #[error("a module named {0} with another source was loaded before; give this one another name")]
    Conflict(String),
    /// The name is no module name.
    #[error("{0:?} is no name for a Python module: dotted identifiers are")]
    Name(String),
    /// The source defines no function at its outermost level.
    #[error("the source defines no function; begin it with `def` or `async def`")]
    NoFunction,
    /// The tool's file could not be read.
    #[error("the tool's file {} could not be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// A module as it is sent: once a session, on first use.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    file: String,
    body: Body,
}

#[derive(Debug)]
enum Body {
    /// Nothing but a place for the modules below it.
    Package,
    /// Packed when the program was built.
    Packed(&'static Module),
    /// The user's own.
    Text(String),
}

impl Source {
    /// Whether it is one of the agent's own modules.
    pub(crate) fn is_own(&self) -> bool {
        let own = |module: &&Module| module.name == self.name;
        rmote_agent::MODULES.iter().any(own)
    }

    /// The frame that brings it to the host.
    pub(crate) fn load(&self, limits: &Limits) -> Result<Frame, EncodeError> {
        let (source, compressed) = match &self.body {
            Body::Package => (Bytes::new(), false),
            Body::Packed(module) => (Bytes::from_static(module.packed), true),
            Body::Text(text) if text.len() < COMPRESS => (Bytes::from(text.clone()), false),
            Body::Text(text) => (rmote_agent::pack::deflate(text.as_bytes()).into(), true),
        };
        let load = Load {
            name: self.name.clone(),
            source,
            file: self.file.clone(),
            package: matches!(self.body, Body::Package),
        };
        let mut frame = load.encode(limits)?;
        frame.flags = if compressed {
            rmote_wire::FLAG_COMPRESSED
        } else {
            0
        };
        Ok(frame)
    }
}

/// All modules that a session knows.
#[derive(Debug)]
pub(crate) struct Library(Mutex<HashMap<String, Arc<Source>>>);

impl Library {
    pub(crate) fn new(modules: &[&'static Module]) -> Self {
        let library = Self(Mutex::default());
        for module in rmote_agent::MODULES.iter().chain(modules) {
            library.add_packed(module);
        }
        library
    }

    /// Adds a module that was packed when the program was built, with those it requires.
    pub(crate) fn add_packed(&self, module: &'static Module) {
        for required in module.requires {
            self.add_packed(required);
        }
        self.lock()
            .entry(module.name.to_owned())
            .or_insert_with(|| {
                Arc::new(Source {
                    name: module.name.to_owned(),
                    file: module.file.to_owned(),
                    body: Body::Packed(module),
                })
            });
    }

    /// Adds a source under a name, or under one made of its content.
    pub(crate) fn add(
        &self,
        name: Option<&str>,
        file: Option<&str>,
        source: &str,
    ) -> Result<String, ModuleError> {
        let name = name.map_or_else(|| format!("tool_{}", content_hash(source)), str::to_owned);
        if !name.split('.').all(is_identifier) {
            return Err(ModuleError::Name(name));
        }
        if name.split('.').next() == Some(OWN) {
            return Err(ModuleError::Conflict(name));
        }
        let file = file.map_or_else(|| format!("{}.py", name.replace('.', "/")), str::to_owned);
        let mut sources = self.lock();
        let known = sources.entry(name.clone()).or_insert_with(|| {
            Arc::new(Source {
                name: name.clone(),
                file,
                body: Body::Text(source.to_owned()),
            })
        });
        match &known.body {
            Body::Text(text) if text == source => Ok(name),
            _ => Err(ModuleError::Conflict(name)),
        }
    }

    /// A module with all that it imports of the library, itself last.
    pub(crate) fn with_imports(&self, name: &str) -> Arc<[Arc<Source>]> {
        let sources = self.lock();
        let mut found = Vec::new();
        let mut open = vec![name.to_owned()];
        while let Some(name) = open.pop() {
            let Some(source) = sources.get(&name) else {
                continue;
            };
            if found.iter().any(|known: &Arc<Source>| known.name == name) {
                continue;
            }
            found.push(source.clone());
            // The packages that it lies in, if nobody has loaded them.
            for (at, _) in name.rmatch_indices('.') {
                let parent = &name[..at];
                let known = found.iter().any(|known| known.name == parent);
                if parent != OWN && !known && !sources.contains_key(parent) {
                    found.push(Arc::new(Source {
                        name: parent.to_owned(),
                        file: String::new(),
                        body: Body::Package,
                    }));
                }
            }
            match &source.body {
                Body::Package => {}
                Body::Packed(module) => open.extend(
                    module
                        .requires
                        .iter()
                        .map(|required| required.name.to_owned()),
                ),
                Body::Text(text) => {
                    open.extend(imports(text));
                    open.extend(along(text).map(str::to_owned));
                }
            }
        }
        found.reverse();
        found.into()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Source>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_brings_what_it_imports_first() {
        let library = Library::new(&[]);
        library
            .add(
                Some("base"),
                None,
                "from rmote.protocol import Tool, process\n",
            )
            .unwrap();
        library
            .add(
                Some("audit"),
                None,
                "\"\"\"Looks\nfrom afar (no import\n\"\"\"\nfrom base import (  # (all)\n    Base,  # one\n    Other)\n",
            )
            .unwrap();
        let names: Vec<_> = library
            .with_imports("audit")
            .iter()
            .map(|source| source.name.clone())
            .collect();
        assert_eq!(names.last().map(String::as_str), Some("audit"));
        for name in ["base", "rmote.protocol", "rmote.process", "rmote.template"] {
            assert!(
                names.iter().any(|known| known == name),
                "{name} in {names:?}"
            );
        }
        assert!(library.with_imports("os").is_empty());
    }

    #[test]
    fn a_dotted_name_brings_the_packages_that_it_lies_in() {
        let library = Library::new(&[]);
        library
            .add(Some("a.b.tool"), None, "import a.b.base, logging")
            .unwrap();
        library.add(Some("a.b.base"), None, "").unwrap();
        let sent = library.with_imports("a.b.tool");
        let names: Vec<_> = sent.iter().map(|source| source.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "a.b.base",
                "rmote.further",
                "rmote.logs",
                "a",
                "a.b",
                "a.b.tool"
            ]
        );
        let frame = sent[3].load(&Limits::default()).unwrap();
        assert!(Load::decode(&frame, &Limits::default()).unwrap().package);
    }

    #[test]
    fn the_names_of_the_agent_are_taken() {
        let library = Library::new(&[]);
        for name in ["rmote", "rmote.agent", "rmote.process"] {
            let error = library.add(Some(name), None, "").unwrap_err();
            assert!(matches!(error, ModuleError::Conflict(_)), "{error:?}");
        }
        library.add(Some("rmote_tool"), None, "").unwrap();
    }

    #[test]
    fn one_name_has_one_source() {
        let library = Library::new(&[]);
        assert_eq!(
            library.add(Some("audit"), None, "a = 1\n").unwrap(),
            "audit"
        );
        assert_eq!(
            library.add(Some("audit"), None, "a = 1\n").unwrap(),
            "audit"
        );
        assert!(matches!(
            library.add(Some("audit"), None, "a = 2\n"),
            Err(ModuleError::Conflict(_))
        ));
        assert!(matches!(
            library.add(Some("a-b"), None, ""),
            Err(ModuleError::Name(_))
        ));
        assert_ne!(
            library.add(None, None, "a = 1\n").unwrap(),
            library.add(None, None, "a = 2\n").unwrap()
        );
    }
}

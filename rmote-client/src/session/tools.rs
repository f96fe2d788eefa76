//! The sources that a session takes, and the tools that they become.

use std::path::Path;
use std::sync::Arc;

use rmote_agent::Module;

use super::Session;
use crate::description::ToolDescription;
use crate::error::CallError;
use crate::module::{ModuleError, content_hash, dedent, function_of};
use crate::tool::{Function, Tool};

impl Session {
    /// Takes the source of a tool; it is sent with the first call that needs it.
    ///
    /// Its module gets a name made of its content, so any number of sources can be loaded beside each other.
    ///
    /// # Errors
    ///
    /// None today; the name of the content may clash once in 2^64.
    pub fn load(&self, source: &str) -> Result<Tool, ModuleError> {
        let name = self.inner.library.add(None, None, source)?;
        Ok(Tool::new(self.clone(), name))
    }

    /// Takes the source of a tool as a module of this name, which other tools may import.
    ///
    /// # Errors
    ///
    /// The name is none for a module, or belongs to another source already.
    pub fn load_as(&self, name: &str, source: &str) -> Result<Tool, ModuleError> {
        let name = self.inner.library.add(Some(name), None, source)?;
        Ok(Tool::new(self.clone(), name))
    }

    /// Takes a tool's file; the module bears the file's name, and tracebacks show its path.
    ///
    /// # Errors
    ///
    /// The file cannot be read, its name is none for a module, or another source bears it.
    pub fn load_file(&self, path: impl AsRef<Path>) -> Result<Tool, ModuleError> {
        let path = path.as_ref();
        let read = std::fs::read_to_string(path);
        let source = read.map_err(|source| ModuleError::Read {
            path: path.to_owned(),
            source,
        })?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let file = path.to_string_lossy();
        let name = self.inner.library.add(Some(&name), Some(&file), &source)?;
        Ok(Tool::new(self.clone(), name))
    }

    /// Takes a module that was packed when the program was built, as tools with a stub have it.
    pub fn module(&self, module: &'static Module) -> Tool {
        self.inner.library.add_packed(module);
        Tool::new(self.clone(), module.name.to_owned())
    }

    /// Takes a source that a stub brings: the module's name is made of this one and of the content.
    ///
    /// # Errors
    ///
    /// The name is none for a module.
    pub fn load_stub(&self, name: &str, source: &str) -> Result<Tool, ModuleError> {
        let unique = format!("{name}_{}", content_hash(source));
        let name = self
            .inner
            .library
            .add(Some(&unique), Some(&format!("{name}.py")), source)?;
        Ok(Tool::new(self.clone(), name))
    }

    /// Takes a function as source text: the one that it defines last. What it needs it must import itself.
    ///
    /// # Errors
    ///
    /// The text defines no function.
    pub fn function(&self, source: &str) -> Result<Function, ModuleError> {
        let source = dedent(source);
        let name = function_of(&source)?.to_owned();
        Ok(Function::new(self.load(&source)?, name))
    }

    /// Lists what the modules of tools define, as the host knows it.
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call); what a module raises when it is imported is told, too.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn describe(&self, tools: &[Tool]) -> Result<Vec<ToolDescription>, CallError> {
        let function = Arc::from("rmote.describe:describe");
        let names: Vec<&str> = tools.iter().map(Tool::module).collect();
        let mut sources = self.sources("rmote.describe").to_vec();
        for tool in tools {
            sources.extend_from_slice(&self.sources(tool.module()));
        }
        let arguments = self.arguments(&function, &(names,))?;
        self.run(function, &sources.into(), arguments).await
    }
}

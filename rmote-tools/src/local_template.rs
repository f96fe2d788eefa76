//! Templates that are rendered here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use rmote_client::{CallError, Value, escape};

use crate::values::Values;

const STEPS: u64 = 1_000_000;
const SIZE: usize = 16 << 20;

/// A Jinja template, parsed once and rendered on this machine, so that a host sees only what becomes of it.
///
/// [`FileSystem::template`](crate::FileSystem::template) writes it to a file of a host. See
/// [`Template`](crate::Template#here-or-there) for templates that the host renders, and what is different there.
///
/// The language is that of [MiniJinja](https://docs.rs/minijinja), so Jinja without Python's methods: `values | items`
/// instead of `values.items()`. Of a template that is one file, all is there but `include`, `import` and `extends`. As
/// configuration files want it:
///
/// - Line ends stay as they are, and so does the last one. A block or a comment that is alone on its line leaves nothing of
///   that line.
/// - A name that is missing is an error, `default(..)` and `is defined` aside. Nothing is escaped for HTML.
/// - Maps are gone through in the order of their keys, see [`Values`].
///
/// A rendering ends with an error after a number of [steps](Self::steps), which bounds its time and memory, and when the
/// text is [too long](Self::size).
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rmote_tools::{LocalTemplate, Values};
///
/// let template = LocalTemplate::new("{% for port in ports %}\nlisten {{ port }};\n{% endfor %}\n")?;
/// let text = template.render(Values::new().set("ports", &[80, 443]))?;
/// assert_eq!(text, "listen 80;\nlisten 443;\n");
///
/// let error = template.render(&()).unwrap_err();
/// assert_eq!(error.to_string(), "template: line 1, column 16: undefined value: ports");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct LocalTemplate {
    name: String,
    environment: Environment<'static>,
    size: usize,
    secret: bool,
}

impl LocalTemplate {
    /// Parses a text.
    ///
    /// # Errors
    ///
    /// It is no template: with the line and the column.
    pub fn new(text: impl Into<String>) -> Result<Self, TemplateError> {
        Self::parse("template".to_owned(), &text.into())
    }

    /// Reads and parses a file of this machine, which is UTF-8.
    ///
    /// # Errors
    ///
    /// It cannot be read, or it is no template: with the line and the column.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, TemplateError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|source| TemplateError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(escape(&path.to_string_lossy()), &text)
    }

    fn parse(name: String, text: &str) -> Result<Self, TemplateError> {
        let syntax = SyntaxConfig::builder()
            .keep_trailing_newline(true)
            .lstrip_blocks(true)
            .trim_blocks(true)
            .build()
            .expect("the delimiters are the usual ones");
        let mut environment = Environment::new();
        environment.set_syntax(syntax);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(STEPS));
        // Its errors would show all values.
        environment.set_debug(false);
        if let Err(error) = environment.add_template_owned(name.clone(), text.to_owned()) {
            return Err(mistake(&name, text, &error, false));
        }
        Ok(Self {
            name,
            environment,
            size: SIZE,
            secret: false,
        })
    }

    /// How many steps a rendering may make; defaults to a million. A step is about one operation, or 64 bytes of text.
    pub fn steps(mut self, steps: u64) -> Self {
        self.environment.set_fuel(Some(steps));
        self
    }

    /// How many bytes the text may have; defaults to 16 MiB.
    pub fn size(mut self, size: usize) -> Self {
        self.size = size;
        self
    }

    /// Whether errors withhold what may be of the values; defaults to no.
    pub fn secret(mut self, secret: bool) -> Self {
        self.secret = secret;
        self
    }

    /// Renders the text with values.
    ///
    /// # Errors
    ///
    /// A value is no plain data, or the rendering failed: with the line and the column.
    pub fn render(&self, values: impl Into<Values>) -> Result<String, TemplateError> {
        let values = values.into();
        let context = values
            .get()
            .map_err(str::to_owned)
            .and_then(|values| {
                let pairs = values.iter().map(|(name, value)| {
                    let value = convert(value).map_err(|error| format!("{name}: {error}"))?;
                    Ok((name.clone(), value))
                });
                pairs.collect::<Result<BTreeMap<_, _>, String>>()
            })
            .map_err(TemplateError::Values)?;
        self.fill(context.into())
    }

    fn fill(&self, context: minijinja::Value) -> Result<String, TemplateError> {
        let template = self
            .environment
            .get_template(&self.name)
            .expect("it was added when this was made");
        let mut output = Bounded {
            bytes: Vec::new(),
            room: self.size,
            full: false,
        };
        match template.render_captured_to(context, &mut output) {
            Ok(_) => {
                Ok(String::from_utf8(output.bytes).expect("what MiniJinja writes are strings"))
            }
            Err(_) if output.full => Err(TemplateError::TooLong {
                name: self.name.clone(),
                size: self.size,
            }),
            Err(error) => Err(mistake(&self.name, template.source(), &error, self.secret)),
        }
    }
}

impl fmt::Debug for LocalTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalTemplate")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Why a template was not rendered, or not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The host could not write what was rendered, or the link was lost.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The template's file cannot be read.
    #[error("{}: {source}", escape(&path.to_string_lossy()))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said; of a file that is not UTF-8 the kind is `InvalidData`.
        #[source]
        source: io::Error,
    },
    /// It is no template, it failed, or it took too many steps.
    #[error("{name}: line {line}, column {column}: {message}")]
    Template {
        /// The file, safe to print, or `template`.
        name: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1, in characters.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// The text became too long.
    #[error("{name}: more than {size} bytes of text")]
    TooLong {
        /// The file, safe to print, or `template`.
        name: String,
        /// The limit.
        size: usize,
    },
    /// The values are no plain data, or have no names.
    #[error("values: {0}")]
    Values(String),
}

/// What MiniJinja says, in our form.
fn mistake(name: &str, text: &str, error: &Error, secret: bool) -> TemplateError {
    let kind = error.kind();
    let message = match kind {
        ErrorKind::OutOfFuel => "stopped: it takes too many steps".to_owned(),
        ErrorKind::UndefinedError => {
            let culprit = error.range().and_then(|range| text.get(range));
            let culprit = culprit.map_or_else(String::new, |code| format!(": {code}"));
            format!("{kind}{culprit}")
        }
        // These speak of the template alone.
        ErrorKind::SyntaxError
        | ErrorKind::UnknownFilter
        | ErrorKind::UnknownFunction
        | ErrorKind::UnknownTest => full(error),
        _ if secret => format!("{kind} (the rest is hidden)"),
        _ => full(error),
    };
    let line = error.line().unwrap_or(1);
    let before = error.range().and_then(|range| text.get(..range.start));
    let start = before.unwrap_or("").rsplit('\n').next().unwrap_or("");
    TemplateError::Template {
        name: name.to_owned(),
        line,
        column: start.chars().count() + 1,
        message,
    }
}

fn full(error: &Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {}", error.kind(), escape(detail)),
        None => error.kind().to_string(),
    }
}

/// A value as MiniJinja has it.
fn convert(value: &Value) -> Result<minijinja::Value, Cow<'static, str>> {
    Ok(match value {
        Value::None => ().into(),
        Value::Bool(value) => (*value).into(),
        Value::Int(number) => (*number).into(),
        Value::BigInt(number) => i128::try_from(number)
            .map_or_else(|_| number.to_string().into(), minijinja::Value::from),
        Value::Float(number) => (*number).into(),
        Value::Text(text) => text.into(),
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
            let items = items.iter().map(convert);
            items.collect::<Result<Vec<_>, _>>()?.into()
        }
        Value::Map(pairs) => {
            let pairs = pairs
                .iter()
                .map(|(key, value)| Ok((convert(key)?, convert(value)?)));
            pairs
                .collect::<Result<BTreeMap<_, _>, Cow<'static, str>>>()?
                .into()
        }
        Value::Record(record) => {
            let fields = record
                .fields
                .iter()
                .map(|(name, value)| Ok((name.clone(), convert(value)?)));
            fields
                .collect::<Result<BTreeMap<_, _>, Cow<'static, str>>>()?
                .into()
        }
        Value::Enum(member) => convert(&member.value)?,
        other => return Err(format!("{} cannot stand in a text", other.type_name()).into()),
    })
}

/// Takes so many bytes.
struct Bounded {
    bytes: Vec<u8>,
    room: usize,
    full: bool,
}

impl Write for Bounded {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if data.len() > self.room {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.room -= data.len();
        self.bytes.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

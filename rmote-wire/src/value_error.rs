use std::fmt;

use serde::de::{Expected, Unexpected};

use crate::value_path::{PathSegment, Prefix, ValuePath};

/// A value that does not fit a Rust type, or a Rust value that is no plain data.
///
/// ```
/// use rmote_wire::{Value, from_value};
///
/// let value = Value::List(vec!["x".into()]);
/// let error = from_value::<Vec<u32>>(value).unwrap_err();
/// assert_eq!(error.to_string(), "[0]: expected integer, found text");
/// assert_eq!(error.path().to_string(), "[0]");
/// ```
#[derive(Debug)]
pub struct ValueError {
    // Boxed, so that success stays cheap to hand on.
    inner: Box<(ValueErrorKind, ValuePath)>,
}

impl ValueError {
    /// What is wrong.
    pub fn kind(&self) -> &ValueErrorKind {
        &self.inner.0
    }

    /// Where in the value.
    pub fn path(&self) -> &ValuePath {
        &self.inner.1
    }

    pub(crate) fn expected(expected: impl Into<String>, found: impl Into<String>) -> Self {
        let (expected, found) = (expected.into(), found.into());
        ValueErrorKind::Type { expected, found }.into()
    }

    pub(crate) fn at(mut self, segment: PathSegment) -> Self {
        self.inner.1.enclose(segment);
        self
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Prefix(self.path()), self.kind())
    }
}

impl std::error::Error for ValueError {}

impl From<ValueErrorKind> for ValueError {
    fn from(kind: ValueErrorKind) -> Self {
        Self {
            inner: Box::new((kind, ValuePath::default())),
        }
    }
}

impl serde::ser::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        ValueErrorKind::Message(message.to_string()).into()
    }
}

impl serde::de::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        ValueErrorKind::Message(message.to_string()).into()
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(expected.to_string(), describe(&found))
    }

    fn invalid_length(found: usize, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        ValueErrorKind::Length { expected, found }.into()
    }

    fn missing_field(field: &'static str) -> Self {
        ValueErrorKind::MissingField { field }.into()
    }
}

/// Why a value and a Rust type do not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueErrorKind {
    /// Another type was expected.
    #[error("expected {expected}, found {found}")]
    Type {
        /// The type that was expected.
        expected: String,
        /// The type that is there.
        found: String,
    },
    /// An integer that does not fit.
    #[error("{found} is out of range of {expected}")]
    Range {
        /// The Rust type.
        expected: &'static str,
        /// The integer.
        found: String,
    },
    /// Too many or too few elements.
    #[error("expected {expected}, found {found} elements")]
    Length {
        /// What was expected.
        expected: String,
        /// The number of elements.
        found: usize,
    },
    /// A field without a default is not there.
    #[error("missing field `{field}`")]
    MissingField {
        /// The field.
        field: &'static str,
    },
    /// Raw text, where the Rust type holds only UTF-8.
    #[error("the text is not valid UTF-8; a path is read as HostPath, other text as RawText")]
    RawText,
    /// Collections lie too deep in each other.
    #[error("more than {limit} collections lie in each other")]
    Depth {
        /// The limit.
        limit: usize,
    },
    /// What the Rust type's own code says.
    #[error("{0}")]
    Message(String),
}

/// The words of `Value::type_name` for what serde calls by its own names.
fn describe(found: &Unexpected<'_>) -> String {
    let name = match found {
        Unexpected::Unit => "none",
        Unexpected::Bool(_) => "bool",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "integer",
        Unexpected::Float(_) => "float",
        Unexpected::Str(_) | Unexpected::Char(_) => "text",
        Unexpected::Bytes(_) => "bytes",
        Unexpected::Seq => "list",
        Unexpected::Map => "map",
        other => return other.to_string(),
    };
    name.to_owned()
}

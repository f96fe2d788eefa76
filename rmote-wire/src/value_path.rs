use std::fmt;

use crate::value::Value;

/// Where in a value something is, such as `[3].items["x"]`.
///
/// The alternate form `{:#}` keeps a leading dot, so that it can follow a name: `result` and `.items` rather than
/// `items`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ValuePath {
    /// Innermost first: a path is made while an error unwinds.
    reversed: Vec<PathSegment>,
}

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathSegment {
    /// An element of a list, a tuple or a set.
    Index(usize),
    /// A field of a record.
    Field(String),
    /// The value of a map's key, as the key is shown: `"x"`, `7`.
    Key(String),
    /// The pair at a place in a map: its key, or its value when the key is not simple enough to be shown.
    Pair(usize),
    /// Some item of a list that came as columns: `[*]`.
    Each,
}

impl ValuePath {
    /// The steps from the outermost value.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &PathSegment> {
        self.reversed.iter().rev()
    }

    /// Whether the place is the outermost value itself.
    pub fn is_empty(&self) -> bool {
        self.reversed.is_empty()
    }

    pub(crate) fn enclose(&mut self, segment: PathSegment) {
        self.reversed.push(segment);
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.segments().enumerate() {
            match segment {
                PathSegment::Index(index) => write!(f, "[{index}]")?,
                PathSegment::Key(key) => write!(f, "[{key}]")?,
                PathSegment::Each => f.write_str("[*]")?,
                PathSegment::Pair(index) => write!(f, "{{{index}}}")?,
                PathSegment::Field(name) if index == 0 && !f.alternate() => f.write_str(name)?,
                PathSegment::Field(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}

impl PathSegment {
    pub(crate) fn field(name: &str) -> Self {
        Self::Field(shorten(name))
    }

    pub(crate) fn text_key(key: &str) -> Self {
        Self::Key(format!("{:?}", shorten(key)))
    }

    pub(crate) fn key(key: &Value, index: usize) -> Self {
        match key {
            Value::Text(key) => Self::text_key(key),
            Value::Int(key) => Self::Key(key.to_string()),
            _ => Self::Pair(index),
        }
    }
}

/// A prefix for messages: empty for an empty path.
pub(crate) struct Prefix<'a>(pub(crate) &'a ValuePath);

impl fmt::Display for Prefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            Ok(())
        } else {
            write!(f, "{}: ", self.0)
        }
    }
}

/// A name may be a hostile peer's, and an error goes to logs.
fn shorten(name: &str) -> String {
    match name.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}...", &name[..end]),
        None => name.to_owned(),
    }
}

const SHOWN_CHARS: usize = 80;

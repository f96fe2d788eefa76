use std::borrow::Cow;

use bytes::Bytes;

use crate::big_int::BigInt;
use crate::decode::DecodeError;
use crate::raw_text::RawText;

/// A value one level deep: a scalar, or a collection whose parts are still to be read.
///
/// What is made of values, be it a tree or Rust types, is made of these, wherever they come from.
pub(crate) enum Node<'de, P> {
    None,
    Bool(bool),
    Int(i64),
    BigInt(BigInt),
    Float(f64),
    Text(Cow<'de, str>),
    RawText(RawText),
    Bytes(Blob<'de>),
    List(P),
    Tuple(P),
    Set(P),
    Map(P),
    Record(P),
    Enum(P),
}

/// The parts of a collection, one after another. Those that nobody asks for are passed over.
pub(crate) trait Parts<'de>: Sized {
    /// The parts of a part.
    type Inner<'a>: Parts<'de>
    where
        Self: 'a;

    /// How many elements, pairs or fields have not been begun.
    fn left(&self) -> usize;

    /// The name of a record's or a member's type. Asked for once.
    fn title(&mut self) -> Cow<'de, str>;

    /// The name of a record's next field, or of a member. Its value is the next part.
    fn name(&mut self) -> Result<Cow<'de, str>, DecodeError>;

    /// The next element, a pair's key, or the value after a key or a name.
    fn part(&mut self) -> Result<Node<'de, Self::Inner<'_>>, DecodeError>;

    /// The only value that is left: a member's, or that of a map's only pair.
    fn last(self) -> Result<Node<'de, Self>, DecodeError>;

    /// Whether these are a record's and one field named 0, as of a variant with one value.
    fn is_wrapped(&self) -> bool;
}

/// Bytes, which may be a part of the input.
pub(crate) enum Blob<'de> {
    Owned(Bytes),
    Lent { input: &'de Bytes, part: &'de [u8] },
}

impl Blob<'_> {
    /// The bytes, without a copy.
    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::Owned(bytes) => bytes,
            Self::Lent { input, part } => input.slice_ref(part),
        }
    }
}

impl<'de, P> Node<'de, P> {
    /// What this is, in words for an error message.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::BigInt(_) => "integer",
            Self::Float(_) => "float",
            Self::Text(_) => "text",
            Self::RawText(_) => "raw text",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Set(_) => "set",
            Self::Map(_) => "map",
            Self::Record(_) => "record",
            Self::Enum(_) => "enum",
        }
    }

    /// The same with other parts.
    pub(crate) fn map<Q>(self, parts: impl FnOnce(P) -> Q) -> Node<'de, Q> {
        match self {
            Self::None => Node::None,
            Self::Bool(value) => Node::Bool(value),
            Self::Int(value) => Node::Int(value),
            Self::BigInt(value) => Node::BigInt(value),
            Self::Float(value) => Node::Float(value),
            Self::Text(value) => Node::Text(value),
            Self::RawText(value) => Node::RawText(value),
            Self::Bytes(value) => Node::Bytes(value),
            Self::List(of) => Node::List(parts(of)),
            Self::Tuple(of) => Node::Tuple(parts(of)),
            Self::Set(of) => Node::Set(parts(of)),
            Self::Map(of) => Node::Map(parts(of)),
            Self::Record(of) => Node::Record(parts(of)),
            Self::Enum(of) => Node::Enum(parts(of)),
        }
    }
}

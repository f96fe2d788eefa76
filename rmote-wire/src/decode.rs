use std::fmt;

use bytes::Bytes;

use crate::limits::{DEFAULT_DEPTH, Limits};
use crate::node::{Node, Parts};
use crate::reader::Reader;
use crate::value::{EnumMember, Record, Value};
use crate::value_path::{PathSegment, ValuePath};

impl Value {
    /// Reads a payload that is one value.
    ///
    /// Input from a hostile peer costs no more than memory in proportion to its length, and at most the limits.
    /// [`Value::Bytes`] are parts of `input`, without a copy.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the value takes parts of the input"
    )]
    pub fn decode(input: Bytes, limits: &Limits) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(&input, limits)?;
        let value = reader.open(0).and_then(|node| build(node, usize::MAX))?;
        reader.end()?;
        Ok(value)
    }
}

/// Makes a tree of a node that lies under the rest of `room` collections.
pub(crate) fn build<'de, P: Parts<'de>>(
    node: Node<'de, P>,
    room: usize,
) -> Result<Value, DecodeError> {
    Ok(match node {
        Node::None => Value::None,
        Node::Bool(value) => Value::Bool(value),
        Node::Int(value) => Value::Int(value),
        Node::BigInt(value) => Value::BigInt(value),
        Node::Float(value) => Value::Float(value),
        Node::Text(value) => Value::Text(value.into_owned()),
        Node::RawText(value) => Value::RawText(value),
        Node::Bytes(value) => Value::Bytes(value.into_bytes()),
        Node::List(parts) => Value::List(elements(parts, room)?),
        Node::Tuple(parts) => Value::Tuple(elements(parts, room)?),
        Node::Set(parts) => Value::Set(elements(parts, room)?),
        Node::Map(parts) => Value::Map(pairs(parts, room)?),
        Node::Record(parts) => Value::Record(record(parts, room)?),
        Node::Enum(mut parts) => {
            let room = less(room)?;
            let (name, member) = (parts.title(), parts.name()?);
            let value = parts
                .last()
                .and_then(|value| build(value, room))
                .map_err(|error| error.at(PathSegment::field("value")))?;
            Value::Enum(EnumMember::new(name, member, value))
        }
    })
}

fn elements<'de, P: Parts<'de>>(mut parts: P, room: usize) -> Result<Vec<Value>, DecodeError> {
    let room = less(room)?;
    let count = parts.left();
    let mut values = Vec::with_capacity(count.min(RESERVED_ITEMS));
    for index in 0..count {
        let value = parts.part().and_then(|node| build(node, room));
        values.push(value.map_err(|error| error.at(PathSegment::Index(index)))?);
    }
    Ok(values)
}

fn pairs<'de, P: Parts<'de>>(
    mut parts: P,
    room: usize,
) -> Result<Vec<(Value, Value)>, DecodeError> {
    let room = less(room)?;
    let count = parts.left();
    let mut pairs = Vec::with_capacity(count.min(RESERVED_ITEMS));
    for index in 0..count {
        let key = parts.part().and_then(|node| build(node, room));
        let key = key.map_err(|error| error.at(PathSegment::Pair(index)))?;
        let value = parts.part().and_then(|node| build(node, room));
        let value = value.map_err(|error| error.at(PathSegment::key(&key, index)))?;
        pairs.push((key, value));
    }
    Ok(pairs)
}

fn record<'de, P: Parts<'de>>(mut parts: P, room: usize) -> Result<Record, DecodeError> {
    let room = less(room)?;
    let name = parts.title().into_owned();
    let count = parts.left();
    let mut fields = Vec::with_capacity(count.min(RESERVED_ITEMS));
    for index in 0..count {
        let field = parts.name();
        let field = field.map_err(|error| error.at(PathSegment::Pair(index)))?;
        let value = parts.part().and_then(|node| build(node, room));
        let value = value.map_err(|error| error.at(PathSegment::field(&field)))?;
        fields.push((field.into_owned(), value));
    }
    Ok(Record { name, fields })
}

/// The room within a collection.
fn less(room: usize) -> Result<usize, DecodeError> {
    let limit = DEFAULT_DEPTH;
    room.checked_sub(1)
        .ok_or_else(|| error_at(0, DecodeErrorKind::Depth { limit }))
}

pub(crate) fn error_at(offset: usize, kind: DecodeErrorKind) -> DecodeError {
    DecodeError {
        inner: Box::new(Inner {
            offset,
            kind,
            path: ValuePath::default(),
        }),
    }
}

/// A payload that is no value, or one above a limit. The peer is to blame, or the stream is damaged.
#[derive(Debug)]
pub struct DecodeError {
    // Boxed, so that success stays cheap to hand on.
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    offset: usize,
    kind: DecodeErrorKind,
    path: ValuePath,
}

impl DecodeError {
    /// What is wrong.
    pub fn kind(&self) -> &DecodeErrorKind {
        &self.inner.kind
    }

    /// The byte of the payload at which it is wrong.
    pub fn offset(&self) -> usize {
        self.inner.offset
    }

    /// The value in which it is wrong.
    pub fn path(&self) -> &ValuePath {
        &self.inner.path
    }

    pub(crate) fn at(mut self, segment: PathSegment) -> Self {
        self.inner.path.enclose(segment);
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.kind(), self.offset())?;
        if !self.path().is_empty() {
            write!(f, " in {}", self.path())?;
        }
        Ok(())
    }
}

impl std::error::Error for DecodeError {}

/// Why a payload is no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The payload ends within a value.
    #[error("unexpected end")]
    End,
    /// Bytes follow the value.
    #[error("{left} bytes follow the value")]
    Trailing {
        /// How many.
        left: usize,
    },
    /// No variant has this number.
    #[error("unknown variant {byte}")]
    Variant {
        /// The number.
        byte: u8,
    },
    /// A bool that is neither 0 nor 1.
    #[error("a bool of {byte}")]
    Bool {
        /// The byte.
        byte: u8,
    },
    /// A varint of more than 64 bits, or longer than it has to be.
    #[error("a varint that is too long")]
    Varint,
    /// A count or length for which too little is left.
    #[error("a count of {count} with {left} bytes left")]
    Count {
        /// The count.
        count: u64,
        /// The bytes left.
        left: usize,
    },
    /// Text that is no UTF-8, or raw text that is no WTF-8.
    #[error("text that is no UTF-8")]
    Utf8,
    /// Raw text without a surrogate.
    #[error("raw text that is UTF-8")]
    RawText,
    /// A big integer that is too long, or short enough for an int.
    #[error("a big integer that is not in its shortest form")]
    BigInt,
    /// More than [`Limits::depth`].
    #[error("more than {limit} collections in each other")]
    Depth {
        /// The limit.
        limit: usize,
    },
    /// More than [`Limits::items`].
    #[error("more than {limit} items")]
    Items {
        /// The limit.
        limit: usize,
    },
    /// More than [`Limits::text`].
    #[error("a text of {length} bytes, above {limit}")]
    Text {
        /// Its length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// A list as columns, or a column in it, is of a kind that is not known or not allowed there.
    #[error("no column has the number {byte}")]
    Column {
        /// The number.
        byte: u8,
    },
    /// The numbers of a column, or its lengths, cannot be of so many bytes.
    #[error("no number of a column takes {byte} bytes")]
    Width {
        /// How many.
        byte: u8,
    },
    /// A column of records, or of lists of one length, has no columns in it.
    #[error("a column of nothing")]
    NoColumns,
    /// The names that are written once for many records would take more than [`Limits::payload`] if each had its own.
    #[error("the names of a column's records take more than {limit} bytes together")]
    Names {
        /// The limit.
        limit: usize,
    },
    /// More than [`Limits::payload`].
    #[error("a payload of {length} bytes, above {limit}")]
    Payload {
        /// Its length.
        length: usize,
        /// The limit.
        limit: usize,
    },
}

/// A count is a claim: room for more is made as the elements come.
const RESERVED_ITEMS: usize = 1024;

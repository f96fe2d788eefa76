use std::fmt;

use bytes::Bytes;

use crate::big_int::{self, BigInt};
use crate::encode::tag;
use crate::limits::Limits;
use crate::raw_text::{RawText, RawTextError};
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
        let limit = limits.payload();
        let mut decoder = Decoder {
            input: &input,
            at: 0,
            limits,
            items: 0,
        };
        if input.len() > limit {
            return Err(decoder.error(DecodeErrorKind::Payload {
                length: input.len(),
                limit,
            }));
        }
        let value = decoder.value(0)?;
        match decoder.left() {
            0 => Ok(value),
            left => Err(decoder.error(DecodeErrorKind::Trailing { left })),
        }
    }
}

/// Reads values; `depth` counts the collections around the one to be read.
struct Decoder<'a> {
    input: &'a Bytes,
    at: usize,
    limits: &'a Limits,
    items: usize,
}

impl<'a> Decoder<'a> {
    fn value(&mut self, depth: usize) -> Result<Value, DecodeError> {
        let start = self.at;
        Ok(match self.byte()? {
            tag::NONE => Value::None,
            tag::BOOL => match self.byte()? {
                0 => Value::Bool(false),
                1 => Value::Bool(true),
                byte => return Err(error_at(start + 1, DecodeErrorKind::Bool { byte })),
            },
            tag::INT => {
                let zigzag = self.varint()?;
                Value::Int((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
            }
            tag::BIG_INT => Value::BigInt(self.big_int()?),
            tag::FLOAT => Value::Float(f64::from_le_bytes(self.array()?)),
            tag::TEXT => Value::Text(self.text()?.to_owned()),
            tag::RAW_TEXT => Value::RawText(self.raw_text()?),
            tag::BYTES => {
                let length = self.count(1)?;
                let bytes = self.input.slice(self.at..self.at + length);
                self.at += length;
                Value::Bytes(bytes)
            }
            tag::LIST => Value::List(self.sequence(depth)?),
            tag::TUPLE => Value::Tuple(self.sequence(depth)?),
            tag::SET => Value::Set(self.sequence(depth)?),
            tag::MAP => Value::Map(self.map(depth)?),
            tag::RECORD => Value::Record(self.record(depth)?),
            tag::ENUM => Value::Enum(self.member(depth)?),
            byte => return Err(error_at(start, DecodeErrorKind::Variant { byte })),
        })
    }

    fn sequence(&mut self, depth: usize) -> Result<Vec<Value>, DecodeError> {
        let depth = self.open(depth)?;
        let count = self.items(1)?;
        let mut values = Vec::with_capacity(count.min(RESERVED_ITEMS));
        for index in 0..count {
            let value = self.value(depth);
            values.push(value.map_err(|error| error.at(PathSegment::Index(index)))?);
        }
        Ok(values)
    }

    fn map(&mut self, depth: usize) -> Result<Vec<(Value, Value)>, DecodeError> {
        let depth = self.open(depth)?;
        let count = self.items(2)?;
        let mut pairs = Vec::with_capacity(count.min(RESERVED_ITEMS));
        for index in 0..count {
            let key = self
                .value(depth)
                .map_err(|error| error.at(PathSegment::Pair(index)))?;
            let value = self
                .value(depth)
                .map_err(|error| error.at(PathSegment::key(&key, index)))?;
            pairs.push((key, value));
        }
        Ok(pairs)
    }

    fn record(&mut self, depth: usize) -> Result<Record, DecodeError> {
        let depth = self.open(depth)?;
        let name = self.text()?.to_owned();
        let count = self.items(2)?;
        let mut fields = Vec::with_capacity(count.min(RESERVED_ITEMS));
        for index in 0..count {
            let field = self
                .text()
                .map_err(|error| error.at(PathSegment::Pair(index)))?;
            let value = self
                .value(depth)
                .map_err(|error| error.at(PathSegment::field(field)))?;
            fields.push((field.to_owned(), value));
        }
        Ok(Record { name, fields })
    }

    fn member(&mut self, depth: usize) -> Result<EnumMember, DecodeError> {
        let depth = self.open(depth)?;
        self.count_items(1)?;
        let name = self.text()?.to_owned();
        let member = self.text()?.to_owned();
        let value = self
            .value(depth)
            .map_err(|error| error.at(PathSegment::field("value")))?;
        Ok(EnumMember {
            name,
            member,
            value: Box::new(value),
        })
    }

    fn big_int(&mut self) -> Result<BigInt, DecodeError> {
        let start = self.at;
        let length = self.count(1)?;
        let bytes = self.take(length)?;
        // Eight bytes or less fit an int, which is the only way to write them.
        if bytes.len() <= 8 || !big_int::is_shortest(bytes) {
            return Err(error_at(start, DecodeErrorKind::BigInt));
        }
        Ok(BigInt::from_le_bytes(bytes))
    }

    fn raw_text(&mut self) -> Result<RawText, DecodeError> {
        let (start, bytes) = self.text_bytes()?;
        RawText::from_wtf8(bytes.to_vec()).map_err(|error| match error {
            RawTextError::Utf8 => error_at(start, DecodeErrorKind::RawText),
            RawTextError::Invalid { offset } => error_at(start + offset, DecodeErrorKind::Utf8),
        })
    }

    fn text(&mut self) -> Result<&'a str, DecodeError> {
        let (start, bytes) = self.text_bytes()?;
        std::str::from_utf8(bytes)
            .map_err(|error| error_at(start + error.valid_up_to(), DecodeErrorKind::Utf8))
    }

    /// A text's bytes, and where they start.
    fn text_bytes(&mut self) -> Result<(usize, &'a [u8]), DecodeError> {
        let start = self.at;
        let length = self.count(1)?;
        let limit = self.limits.text;
        if length > limit {
            return Err(error_at(start, DecodeErrorKind::Text { length, limit }));
        }
        let start = self.at;
        Ok((start, self.take(length)?))
    }

    fn open(&self, depth: usize) -> Result<usize, DecodeError> {
        let limit = self.limits.depth;
        if depth >= limit {
            // The variant's byte is already read.
            return Err(error_at(self.at - 1, DecodeErrorKind::Depth { limit }));
        }
        Ok(depth + 1)
    }

    /// The count of a collection whose elements are `weight` items, of at least one byte each.
    fn items(&mut self, weight: usize) -> Result<usize, DecodeError> {
        let count = self.count(weight)?;
        self.count_items(count.saturating_mul(weight))?;
        Ok(count)
    }

    fn count_items(&mut self, more: usize) -> Result<(), DecodeError> {
        self.items = self.items.saturating_add(more);
        let limit = self.limits.items;
        if self.items > limit {
            return Err(self.error(DecodeErrorKind::Items { limit }));
        }
        Ok(())
    }

    /// A count of things that take at least `size` bytes, checked against what is left.
    fn count(&mut self, size: usize) -> Result<usize, DecodeError> {
        let start = self.at;
        let count = self.varint()?;
        let left = self.left();
        match usize::try_from(count) {
            Ok(fits) if fits <= left / size => Ok(fits),
            _ => Err(error_at(start, DecodeErrorKind::Count { count, left })),
        }
    }

    fn varint(&mut self) -> Result<u64, DecodeError> {
        let start = self.at;
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            // The tenth byte has room for one bit, and no byte but the first may add nothing.
            if (shift == 63 && byte > 1) || (shift > 0 && byte == 0) {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(error_at(start, DecodeErrorKind::Varint))
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        self.array().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.input.get(self.at..).and_then(<[u8]>::first_chunk) {
            Some(&array) => {
                self.at += N;
                Ok(array)
            }
            None => Err(error_at(self.input.len(), DecodeErrorKind::End)),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let input: &'a [u8] = self.input;
        match input.get(self.at..self.at + length) {
            Some(bytes) => {
                self.at += length;
                Ok(bytes)
            }
            None => Err(error_at(self.input.len(), DecodeErrorKind::End)),
        }
    }

    fn left(&self) -> usize {
        self.input.len() - self.at
    }

    fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        error_at(self.at, kind)
    }
}

fn error_at(offset: usize, kind: DecodeErrorKind) -> DecodeError {
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

    fn at(mut self, segment: PathSegment) -> Self {
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

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::limits::Limits;
use crate::value::Value;
use crate::value_path::{PathSegment, Prefix, ValuePath};

impl Value {
    /// Writes the value as the payload of a frame.
    pub fn encode(&self, limits: &Limits) -> Result<Bytes, EncodeError> {
        let mut out = BytesMut::new();
        self.encode_into(&mut out, limits)?;
        Ok(out.freeze())
    }

    /// Appends the value to a buffer, which after an error is as it was.
    pub fn encode_into(&self, out: &mut BytesMut, limits: &Limits) -> Result<(), EncodeError> {
        encode_with(out, limits, |encoder| encoder.value(self, 0))
    }
}

/// Runs `write` on an encoder and undoes it after an error.
pub(crate) fn encode_with(
    out: &mut BytesMut,
    limits: &Limits,
    write: impl FnOnce(&mut Encoder<'_>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = out.len();
    let mut encoder = Encoder {
        out,
        start,
        limits,
        items: 0,
    };
    let done = write(&mut encoder).and_then(|()| encoder.room(0));
    if done.is_err() {
        out.truncate(start);
    }
    done
}

/// Writes values; `depth` counts the collections around the one to be written.
pub(crate) struct Encoder<'a> {
    out: &'a mut BytesMut,
    start: usize,
    limits: &'a Limits,
    items: usize,
}

impl Encoder<'_> {
    pub(crate) fn value(&mut self, value: &Value, depth: usize) -> Result<(), EncodeError> {
        match value {
            Value::None => self.out.put_u8(tag::NONE),
            Value::Bool(value) => self.out.put_slice(&[tag::BOOL, u8::from(*value)]),
            Value::Int(value) => self.int(*value),
            Value::BigInt(value) => match i64::try_from(value) {
                Ok(value) => self.int(value),
                Err(_) => self.bytes(tag::BIG_INT, value.as_le_bytes())?,
            },
            Value::Float(value) => {
                self.out.put_u8(tag::FLOAT);
                self.out.put_f64_le(*value);
            }
            Value::Text(value) => self.text(value)?,
            Value::RawText(value) => {
                self.check_text(value.as_wtf8().len())?;
                self.bytes(tag::RAW_TEXT, value.as_wtf8())?;
            }
            Value::Bytes(value) => self.bytes(tag::BYTES, value)?,
            Value::List(values) => self.sequence(tag::LIST, values, depth)?,
            Value::Tuple(values) => self.sequence(tag::TUPLE, values, depth)?,
            Value::Set(values) => self.sequence(tag::SET, values, depth)?,
            Value::Map(pairs) => {
                let depth = self.open(depth, pairs.len(), 2)?;
                self.out.put_u8(tag::MAP);
                self.count(pairs.len());
                for (index, (key, value)) in pairs.iter().enumerate() {
                    self.value(key, depth)
                        .map_err(|error| error.at(PathSegment::Pair(index)))?;
                    self.value(value, depth)
                        .map_err(|error| error.at(PathSegment::key(key, index)))?;
                }
            }
            Value::Record(record) => {
                let depth = self.open(depth, record.fields.len(), 2)?;
                self.out.put_u8(tag::RECORD);
                self.name(&record.name)?;
                self.count(record.fields.len());
                for (name, value) in &record.fields {
                    self.name(name)
                        .and_then(|()| self.value(value, depth))
                        .map_err(|error| error.at(PathSegment::field(name)))?;
                }
            }
            Value::Enum(member) => {
                let depth = self.open(depth, 1, 1)?;
                self.out.put_u8(tag::ENUM);
                self.name(&member.name)?;
                self.name(&member.member)?;
                self.value(&member.value, depth)
                    .map_err(|error| error.at(PathSegment::field("value")))?;
            }
        }
        Ok(())
    }

    pub(crate) fn int(&mut self, value: i64) {
        self.out.put_u8(tag::INT);
        // Zigzag: the sign goes to the lowest bit, so that small negative numbers are short.
        self.varint((value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned());
    }

    pub(crate) fn text(&mut self, value: &str) -> Result<(), EncodeError> {
        self.check_text(value.len())?;
        self.bytes(tag::TEXT, value.as_bytes())
    }

    /// Starts a collection and gives the depth of its elements.
    pub(crate) fn start(
        &mut self,
        tag: u8,
        count: usize,
        weight: usize,
        depth: usize,
    ) -> Result<usize, EncodeError> {
        let depth = self.open(depth, count, weight)?;
        self.out.put_u8(tag);
        self.count(count);
        Ok(depth)
    }

    pub(crate) fn sequence(
        &mut self,
        tag: u8,
        values: &[Value],
        depth: usize,
    ) -> Result<(), EncodeError> {
        let depth = self.start(tag, values.len(), 1, depth)?;
        for (index, value) in values.iter().enumerate() {
            self.value(value, depth)
                .map_err(|error| error.at(PathSegment::Index(index)))?;
        }
        Ok(())
    }

    fn bytes(&mut self, tag: u8, bytes: &[u8]) -> Result<(), EncodeError> {
        self.room(bytes.len())?;
        self.out.reserve(bytes.len() + 11);
        self.out.put_u8(tag);
        self.count(bytes.len());
        self.out.put_slice(bytes);
        Ok(())
    }

    fn name(&mut self, name: &str) -> Result<(), EncodeError> {
        self.check_text(name.len())?;
        self.room(name.len())?;
        self.count(name.len());
        self.out.put_slice(name.as_bytes());
        Ok(())
    }

    fn count(&mut self, count: usize) {
        // No usize is wider than 64 bits.
        self.varint(count as u64);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.put_u8(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.out.put_u8(value.to_le_bytes()[0]);
    }

    fn open(&mut self, depth: usize, count: usize, weight: usize) -> Result<usize, EncodeError> {
        if depth >= self.limits.depth {
            return Err(EncodeErrorKind::Depth {
                limit: self.limits.depth,
            }
            .into());
        }
        self.items = self.items.saturating_add(count.saturating_mul(weight));
        if self.items > self.limits.items {
            return Err(EncodeErrorKind::Items {
                limit: self.limits.items,
            }
            .into());
        }
        Ok(depth + 1)
    }

    fn check_text(&self, length: usize) -> Result<(), EncodeError> {
        let limit = self.limits.text;
        if length > limit {
            return Err(EncodeErrorKind::Text { length, limit }.into());
        }
        Ok(())
    }

    fn room(&self, more: usize) -> Result<(), EncodeError> {
        let limit = self.limits.payload();
        if (self.out.len() - self.start).saturating_add(more) > limit {
            return Err(EncodeErrorKind::Payload { limit }.into());
        }
        Ok(())
    }
}

/// A value that a peer would reject.
#[derive(Debug)]
pub struct EncodeError {
    // Boxed, so that success stays cheap to hand on.
    inner: Box<(EncodeErrorKind, ValuePath)>,
}

impl EncodeError {
    /// What is wrong.
    pub fn kind(&self) -> &EncodeErrorKind {
        &self.inner.0
    }

    /// Where in the value.
    pub fn path(&self) -> &ValuePath {
        &self.inner.1
    }

    pub(crate) fn at(mut self, segment: PathSegment) -> Self {
        self.inner.1.enclose(segment);
        self
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Prefix(self.path()), self.kind())
    }
}

impl std::error::Error for EncodeError {}

impl From<EncodeErrorKind> for EncodeError {
    fn from(kind: EncodeErrorKind) -> Self {
        Self {
            inner: Box::new((kind, ValuePath::default())),
        }
    }
}

/// The limit that a value exceeds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeErrorKind {
    /// [`Limits::depth`].
    #[error("more than {limit} collections lie in each other")]
    Depth {
        /// The limit.
        limit: usize,
    },
    /// [`Limits::items`].
    #[error("the value has more than {limit} items")]
    Items {
        /// The limit.
        limit: usize,
    },
    /// [`Limits::text`].
    #[error("a text of {length} bytes is longer than {limit}")]
    Text {
        /// Its length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// [`Limits::payload`].
    #[error("the value takes more than {limit} bytes")]
    Payload {
        /// The limit.
        limit: usize,
    },
}

/// The bytes that name a value's variant.
pub(crate) mod tag {
    pub(crate) const NONE: u8 = 0;
    pub(crate) const BOOL: u8 = 1;
    pub(crate) const INT: u8 = 2;
    pub(crate) const BIG_INT: u8 = 3;
    pub(crate) const FLOAT: u8 = 4;
    pub(crate) const TEXT: u8 = 5;
    pub(crate) const RAW_TEXT: u8 = 6;
    pub(crate) const BYTES: u8 = 7;
    pub(crate) const LIST: u8 = 8;
    pub(crate) const TUPLE: u8 = 9;
    pub(crate) const SET: u8 = 10;
    pub(crate) const MAP: u8 = 11;
    pub(crate) const RECORD: u8 = 12;
    pub(crate) const ENUM: u8 = 13;
    /// A list, a tuple or a set as columns, which is read and never written here.
    pub(crate) const COLUMN: u8 = 14;
}

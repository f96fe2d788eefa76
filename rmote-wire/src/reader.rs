use std::borrow::Cow;

use bytes::Bytes;

use crate::big_int::{self, BigInt};
use crate::column::Column;
use crate::cursor::{Cursor, Plain, Shape};
use crate::decode::{DecodeError, DecodeErrorKind, error_at};
use crate::encode::tag;
use crate::limits::Limits;
use crate::node::{Blob, Node};
use crate::raw_text::{RawText, RawTextError};

/// Reads values from a payload, one level at a time; `depth` counts the collections around the one to be read.
pub(crate) struct Reader<'de> {
    pub(crate) input: &'de Bytes,
    pub(crate) at: usize,
    pub(crate) limits: Limits,
    items: usize,
    /// Bytes of names that stand once for many records, counted for each of those.
    names: usize,
    /// Whether columns may come. Among the values of a column they may not, so that nothing is read more than twice.
    pub(crate) columns: bool,
    /// Set by the first error; nothing can be read after it.
    pub(crate) failed: bool,
    /// The error that was met where nobody could be told: when a part was passed over.
    passed: Option<DecodeError>,
}

/// What was read of a collection before its parts.
pub(crate) enum Head<'de> {
    Plain {
        shape: Shape,
        title: &'de str,
        left: usize,
    },
    Column(Box<Column<'de>>, usize),
}

impl<'de> Reader<'de> {
    pub(crate) fn new(input: &'de Bytes, limits: &Limits) -> Result<Self, DecodeError> {
        let (length, limit) = (input.len(), limits.payload());
        if length > limit {
            return Err(error_at(0, DecodeErrorKind::Payload { length, limit }));
        }
        Ok(Self {
            input,
            at: 0,
            limits: limits.clone(),
            items: 0,
            names: 0,
            columns: true,
            failed: false,
            passed: None,
        })
    }

    /// A reader of the values that are next, which this one has checked or is about to.
    pub(crate) fn of_plain_values(&self) -> Self {
        Self {
            input: self.input,
            at: self.at,
            limits: self.limits.clone(),
            items: 0,
            names: 0,
            columns: false,
            failed: false,
            passed: None,
        }
    }

    /// Reads a scalar, or the beginning of a collection.
    pub(crate) fn open<'a>(
        &'a mut self,
        depth: usize,
    ) -> Result<Node<'de, Cursor<'a, 'de>>, DecodeError> {
        match self.head(depth) {
            Ok(head) => Ok(head.map(|head| match head {
                Head::Plain { shape, title, left } => Cursor::plain(Plain {
                    reader: self,
                    shape,
                    title,
                    left,
                    value_is_next: false,
                    depth: depth + 1,
                }),
                Head::Column(column, left) => Cursor::whole(column, left),
            })),
            Err(error) => {
                self.failed = true;
                Err(error)
            }
        }
    }

    /// Passes over a value, which is checked all the same.
    pub(crate) fn skip(&mut self, depth: usize) -> Result<(), DecodeError> {
        drop(self.open(depth)?);
        match self.passed.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    pub(crate) fn fail(&mut self, error: DecodeError) {
        self.failed = true;
        self.passed.get_or_insert(error);
    }

    /// Checks that the payload was read to its end.
    pub(crate) fn end(&mut self) -> Result<(), DecodeError> {
        if let Some(error) = self.passed.take() {
            return Err(error);
        }
        match self.left() {
            0 => Ok(()),
            left => Err(error_at(self.at, DecodeErrorKind::Trailing { left })),
        }
    }

    fn head(&mut self, depth: usize) -> Result<Node<'de, Head<'de>>, DecodeError> {
        let start = self.at;
        Ok(match self.byte()? {
            tag::NONE => Node::None,
            tag::BOOL => match self.byte()? {
                0 => Node::Bool(false),
                1 => Node::Bool(true),
                byte => return Err(error_at(start + 1, DecodeErrorKind::Bool { byte })),
            },
            tag::INT => {
                let zigzag = self.varint()?;
                Node::Int((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
            }
            tag::BIG_INT => Node::BigInt(self.big_int()?),
            tag::FLOAT => Node::Float(f64::from_le_bytes(self.array()?)),
            tag::TEXT => Node::Text(Cow::Borrowed(self.text()?)),
            tag::RAW_TEXT => Node::RawText(self.raw_text()?),
            tag::BYTES => {
                let length = self.count(1)?;
                let (input, part) = (self.input, self.take(length)?);
                Node::Bytes(Blob::Lent { input, part })
            }
            tag::LIST => Node::List(self.elements(depth)?),
            tag::TUPLE => Node::Tuple(self.elements(depth)?),
            tag::SET => Node::Set(self.elements(depth)?),
            tag::MAP => {
                self.check_depth(depth)?;
                Node::Map(head(Shape::Pairs, "", self.items(2)?))
            }
            tag::RECORD => {
                self.check_depth(depth)?;
                let title = self.text()?;
                Node::Record(head(Shape::Fields, title, self.items(2)?))
            }
            tag::ENUM => {
                self.check_depth(depth)?;
                self.count_items(1)?;
                Node::Enum(head(Shape::Member, self.text()?, 1))
            }
            tag::COLUMN if self.columns => {
                self.check_depth(depth)?;
                let kind = self.byte()?;
                if !matches!(kind, tag::LIST | tag::TUPLE | tag::SET) {
                    return Err(error_at(start + 1, DecodeErrorKind::Column { byte: kind }));
                }
                let count = self.items(1)?;
                let column = Box::new(self.list_column(count, depth)?);
                sequence(kind, Head::Column(column, count))
            }
            byte => return Err(error_at(start, DecodeErrorKind::Variant { byte })),
        })
    }

    fn elements(&mut self, depth: usize) -> Result<Head<'de>, DecodeError> {
        self.check_depth(depth)?;
        Ok(head(Shape::Elements, "", self.items(1)?))
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

    pub(crate) fn text(&mut self) -> Result<&'de str, DecodeError> {
        let (start, bytes) = self.text_bytes()?;
        utf8(bytes, start)
    }

    /// A text's bytes, and where they start.
    fn text_bytes(&mut self) -> Result<(usize, &'de [u8]), DecodeError> {
        let start = self.at;
        let length = self.count(1)?;
        self.check_text(length, start)?;
        let start = self.at;
        Ok((start, self.take(length)?))
    }

    pub(crate) fn check_text(&self, length: usize, start: usize) -> Result<(), DecodeError> {
        let limit = self.limits.text;
        if length > limit {
            return Err(error_at(start, DecodeErrorKind::Text { length, limit }));
        }
        Ok(())
    }

    /// A name that stands for one in each of `times` records.
    pub(crate) fn repeated_name(&mut self, times: usize) -> Result<&'de str, DecodeError> {
        let start = self.at;
        let name = self.text()?;
        let all = (self.at - start).saturating_mul(times);
        self.names = self.names.saturating_add(all);
        let limit = self.limits.payload();
        if self.names > limit {
            return Err(error_at(start, DecodeErrorKind::Names { limit }));
        }
        Ok(name)
    }

    pub(crate) fn check_depth(&self, depth: usize) -> Result<(), DecodeError> {
        let limit = self.limits.depth;
        if depth >= limit {
            // The variant's byte is already read.
            return Err(error_at(self.at - 1, DecodeErrorKind::Depth { limit }));
        }
        Ok(())
    }

    /// The count of a collection whose elements are `weight` items, of at least one byte each.
    fn items(&mut self, weight: usize) -> Result<usize, DecodeError> {
        let count = self.count(weight)?;
        self.count_items(count.saturating_mul(weight))?;
        Ok(count)
    }

    pub(crate) fn count_items(&mut self, more: usize) -> Result<(), DecodeError> {
        self.items = self.items.saturating_add(more);
        let limit = self.limits.items;
        if self.items > limit {
            return Err(error_at(self.at, DecodeErrorKind::Items { limit }));
        }
        Ok(())
    }

    /// A count of things that take at least `size` bytes, checked against what is left.
    pub(crate) fn count(&mut self, size: usize) -> Result<usize, DecodeError> {
        let start = self.at;
        let count = self.varint()?;
        self.check_count(count, size, start)
    }

    pub(crate) fn check_count(
        &self,
        count: u64,
        size: usize,
        start: usize,
    ) -> Result<usize, DecodeError> {
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

    pub(crate) fn byte(&mut self) -> Result<u8, DecodeError> {
        self.array().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.input.get(self.at..).and_then(<[u8]>::first_chunk) {
            Some(&array) => {
                self.at += N;
                Ok(array)
            }
            None => Err(self.cut_off()),
        }
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'de [u8], DecodeError> {
        let input: &'de [u8] = self.input;
        match self.at.checked_add(length) {
            Some(end) if end <= input.len() => {
                let taken = &input[self.at..end];
                self.at = end;
                Ok(taken)
            }
            _ => Err(self.cut_off()),
        }
    }

    fn cut_off(&self) -> DecodeError {
        error_at(self.input.len(), DecodeErrorKind::End)
    }

    fn left(&self) -> usize {
        self.input.len() - self.at
    }
}

pub(crate) fn utf8(bytes: &[u8], start: usize) -> Result<&str, DecodeError> {
    std::str::from_utf8(bytes)
        .map_err(|error| error_at(start + error.valid_up_to(), DecodeErrorKind::Utf8))
}

/// A list, a tuple or a set, by the number of its variant.
pub(crate) fn sequence<'de, P>(kind: u8, parts: P) -> Node<'de, P> {
    match kind {
        tag::TUPLE => Node::Tuple(parts),
        tag::SET => Node::Set(parts),
        _ => Node::List(parts),
    }
}

fn head(shape: Shape, title: &str, left: usize) -> Head<'_> {
    Head::Plain { shape, title, left }
}

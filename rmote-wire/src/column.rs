use std::borrow::Cow;
use std::collections::VecDeque;

use bytes::Bytes;

use crate::cursor::{Cursor, no_part};
use crate::decode::{DecodeError, DecodeErrorKind, error_at};
use crate::encode::tag;
use crate::node::{Blob, Node};
use crate::reader::{Reader, sequence, utf8};
use crate::value_path::PathSegment;

/// Items of one kind beside each other, and how far they have been read. What is wrong in them was found when the column
/// was made.
pub(crate) enum Column<'de> {
    /// Of no items.
    Empty,
    /// None among others: which are there, and those.
    Some(&'de [u8], Box<Self>),
    Bool(&'de [u8]),
    Int(Width, &'de [u8]),
    Float(&'de [u8]),
    Text(Lengths<'de>, &'de str),
    Bytes {
        lengths: Lengths<'de>,
        input: &'de Bytes,
        rest: &'de [u8],
    },
    /// Lists, tuples or sets, by the number of the variant, and all of their items.
    Sequence(u8, Lengths<'de>, Box<Self>),
    /// Lists or tuples of one length: a column for each place.
    Even(u8, Vec<Self>),
    /// Maps or records.
    Fields(Box<Fields<'de>>),
    /// Members of one enumeration: its name, their names and their values.
    Enum(&'de str, Box<[Self; 2]>),
    /// Columns of so many items one after another: a long list.
    Parts(VecDeque<(usize, Self)>),
    /// Whatever they are.
    Values {
        reader: Box<Reader<'de>>,
        depth: usize,
    },
}

/// Maps with the same keys, or records with the same names.
pub(crate) struct Fields<'de> {
    /// The name of the records.
    pub(crate) title: Option<&'de str>,
    pub(crate) names: Vec<&'de str>,
    pub(crate) columns: Vec<Column<'de>>,
}

/// The bytes of a number.
#[derive(Clone, Copy)]
pub(crate) enum Width {
    One,
    Two,
    Four,
    Eight,
}

/// How long each of some items is.
#[derive(Clone)]
pub(crate) struct Lengths<'de> {
    width: Width,
    rest: &'de [u8],
}

/// The kinds of columns that are no variant.
mod kind {
    pub(super) const SOME: u8 = 0;
    pub(super) const EVEN_LISTS: u8 = 14;
    pub(super) const EVEN_TUPLES: u8 = 15;
    pub(super) const VALUES: u8 = 16;
    pub(super) const PARTS: u8 = 17;
}

impl<'de> Reader<'de> {
    /// Reads and checks the column of a list, which lies `depth` deep. It alone may be in parts.
    pub(crate) fn list_column(
        &mut self,
        count: usize,
        depth: usize,
    ) -> Result<Column<'de>, DecodeError> {
        if count == 0 || self.input.get(self.at) != Some(&kind::PARTS) {
            return self.items_of_lists(count, depth);
        }
        self.at += 1;
        let mut parts = VecDeque::new();
        let mut left = count;
        while left > 0 {
            let start = self.at;
            let part = self.count(1)?;
            if part == 0 {
                return Err(error_at(start, DecodeErrorKind::NoColumns));
            }
            left = left.checked_sub(part).ok_or_else(|| {
                let count = part as u64;
                error_at(start, DecodeErrorKind::Count { count, left })
            })?;
            parts.push_back((part, self.items_of_lists(part, depth)?));
        }
        Ok(Column::Parts(parts))
    }

    /// Reads and checks a column of so many items, which lie `depth` deep.
    fn column(&mut self, count: usize, depth: usize) -> Result<Column<'de>, DecodeError> {
        if count == 0 {
            return Ok(Column::Empty);
        }
        match self.byte()? {
            kind::SOME => {
                let there = self.bools(count)?;
                let others = ones(there);
                if self.input.get(self.at) == Some(&kind::SOME) && others > 0 {
                    return Err(error_at(self.at, DecodeErrorKind::Column { byte: 0 }));
                }
                let others = self.column(others, depth)?;
                Ok(Column::Some(there, Box::new(others)))
            }
            kind => self.column_of(kind, count, depth),
        }
    }

    fn column_of(
        &mut self,
        kind: u8,
        count: usize,
        depth: usize,
    ) -> Result<Column<'de>, DecodeError> {
        let start = self.at - 1;
        Ok(match kind {
            tag::BOOL => Column::Bool(self.bools(count)?),
            tag::INT => {
                let width = self.width()?;
                let length = self.check_count(count as u64, width.bytes(), start)? * width.bytes();
                Column::Int(width, self.take(length)?)
            }
            tag::FLOAT => {
                let length = self.check_count(count as u64, 8, start)? * 8;
                Column::Float(self.take(length)?)
            }
            tag::TEXT => self.texts(count)?,
            tag::BYTES => {
                let (lengths, total) = self.lengths(count)?;
                Column::Bytes {
                    lengths,
                    input: self.input,
                    rest: self.take(total)?,
                }
            }
            tag::LIST | tag::TUPLE | tag::SET => {
                self.check_depth(depth)?;
                let (lengths, total) = self.lengths(count)?;
                self.count_items(total)?;
                let items = self.items_of_lists(total, depth)?;
                Column::Sequence(kind, lengths, Box::new(items))
            }
            kind::EVEN_LISTS | kind::EVEN_TUPLES => {
                self.check_depth(depth)?;
                let width = self.columns_of(count, 1)?;
                let mut columns = Vec::new();
                for place in 0..width {
                    let column = self.column(count, depth + 1);
                    columns.push(column.map_err(|error| error.at(PathSegment::Index(place)))?);
                }
                let kind = [tag::LIST, tag::TUPLE][usize::from(kind - kind::EVEN_LISTS)];
                Column::Even(kind, columns)
            }
            tag::MAP => {
                self.check_depth(depth)?;
                Column::Fields(Box::new(self.fields(None, count, depth + 1)?))
            }
            tag::RECORD => {
                self.check_depth(depth)?;
                let title = self.repeated_name(count)?;
                Column::Fields(Box::new(self.fields(Some(title), count, depth + 1)?))
            }
            tag::ENUM => {
                self.check_depth(depth)?;
                self.count_items(count)?;
                let title = self.repeated_name(count)?;
                let at = self.at;
                match self.byte()? {
                    tag::TEXT => {}
                    byte => return Err(error_at(at, DecodeErrorKind::Column { byte })),
                }
                let names = self.texts(count)?;
                let values = self
                    .column(count, depth + 1)
                    .map_err(|error| error.at(PathSegment::field("value")))?;
                Column::Enum(title, Box::new([names, values]))
            }
            kind::VALUES => {
                let reader = Box::new(self.of_plain_values());
                let columns = std::mem::replace(&mut self.columns, false);
                for _ in 0..count {
                    self.skip(depth)?;
                }
                self.columns = columns;
                Column::Values { reader, depth }
            }
            byte => return Err(error_at(start, DecodeErrorKind::Column { byte })),
        })
    }

    /// The items of lists, which lie `depth` deep, as one column.
    fn items_of_lists(&mut self, count: usize, depth: usize) -> Result<Column<'de>, DecodeError> {
        self.column(count, depth + 1)
            .map_err(|error| error.at(PathSegment::Each))
    }

    fn texts(&mut self, count: usize) -> Result<Column<'de>, DecodeError> {
        let start = self.at;
        let (lengths, total) = self.lengths(count)?;
        let text = utf8(self.take(total)?, self.at - total)?;
        let mut end = 0;
        for length in lengths.clone() {
            self.check_text(length, start)?;
            end += length;
            if !text.is_char_boundary(end) {
                let offset = self.at - total + end;
                return Err(error_at(offset, DecodeErrorKind::Utf8));
            }
        }
        Ok(Column::Text(lengths, text))
    }

    fn fields(
        &mut self,
        title: Option<&'de str>,
        count: usize,
        depth: usize,
    ) -> Result<Fields<'de>, DecodeError> {
        let width = self.columns_of(count, 2)?;
        let mut fields = Fields {
            title,
            names: Vec::new(),
            columns: Vec::new(),
        };
        for index in 0..width {
            let name = self
                .repeated_name(count)
                .map_err(|error| error.at(PathSegment::Pair(index)))?;
            let column = self.column(count, depth).map_err(|error| {
                error.at(match title {
                    Some(_) => PathSegment::field(name),
                    None => PathSegment::text_key(name),
                })
            })?;
            fields.names.push(name);
            fields.columns.push(column);
        }
        Ok(fields)
    }

    /// How many columns there are side by side, of so many items, each of which counts `weight`.
    fn columns_of(&mut self, count: usize, weight: usize) -> Result<usize, DecodeError> {
        let start = self.at;
        // Each has its kind, perhaps a name, and a byte for each item at least.
        let width = self.count(count.saturating_add(weight))?;
        if width == 0 {
            return Err(error_at(start, DecodeErrorKind::NoColumns));
        }
        self.count_items(width.saturating_mul(count).saturating_mul(weight))?;
        Ok(width)
    }

    fn bools(&mut self, count: usize) -> Result<&'de [u8], DecodeError> {
        let start = self.at;
        let bools = self.take(count)?;
        match bools.iter().position(|&byte| byte > 1) {
            None => Ok(bools),
            Some(at) => {
                let byte = bools[at];
                Err(error_at(start + at, DecodeErrorKind::Bool { byte }))
            }
        }
    }

    fn width(&mut self) -> Result<Width, DecodeError> {
        let start = self.at;
        Ok(match self.byte()? {
            1 => Width::One,
            2 => Width::Two,
            4 => Width::Four,
            8 => Width::Eight,
            byte => return Err(error_at(start, DecodeErrorKind::Width { byte })),
        })
    }

    /// The lengths of so many items, and all of them together, which are not more than what is left.
    fn lengths(&mut self, count: usize) -> Result<(Lengths<'de>, usize), DecodeError> {
        let start = self.at;
        let width = self.width()?;
        if let Width::Eight = width {
            return Err(error_at(start, DecodeErrorKind::Width { byte: 8 }));
        }
        let bytes = self.check_count(count as u64, width.bytes(), start)? * width.bytes();
        let rest = self.take(bytes)?;
        let lengths = Lengths { width, rest };
        // Not more than 2^32 each, of less items than bytes can be had.
        let total = lengths.clone().map(|length| length as u64).sum();
        let total = self.check_count(total, 1, start)?;
        Ok((lengths, total))
    }
}

impl<'de> Column<'de> {
    /// Reads the next item.
    pub(crate) fn next(&mut self) -> Result<Node<'de, Cursor<'_, 'de>>, DecodeError> {
        Ok(match self {
            Self::Empty => return Err(no_part()),
            Self::Some(there, others) => match there.split_off_first() {
                Some(1) => return others.next(),
                Some(_) => Node::None,
                None => return Err(no_part()),
            },
            Self::Bool(rest) => Node::Bool(*rest.split_off_first().ok_or_else(no_part)? == 1),
            Self::Int(width, rest) => Node::Int(width.signed(rest).ok_or_else(no_part)?),
            Self::Float(rest) => {
                let (bytes, after) = rest.split_first_chunk().ok_or_else(no_part)?;
                *rest = after;
                Node::Float(f64::from_le_bytes(*bytes))
            }
            Self::Text(lengths, rest) => {
                let length = lengths.next().ok_or_else(no_part)?;
                let (text, after) = rest.split_at_checked(length).ok_or_else(no_part)?;
                *rest = after;
                Node::Text(Cow::Borrowed(text))
            }
            Self::Bytes {
                lengths,
                input,
                rest,
            } => {
                let length = lengths.next().ok_or_else(no_part)?;
                let part = rest.split_off(..length).ok_or_else(no_part)?;
                Node::Bytes(Blob::Lent { input, part })
            }
            Self::Sequence(kind, lengths, items) => {
                let length = lengths.next().ok_or_else(no_part)?;
                sequence(*kind, Cursor::cells(items, length))
            }
            Self::Even(kind, columns) => sequence(*kind, Cursor::row(columns)),
            Self::Fields(fields) => match fields.title {
                Some(_) => Node::Record(Cursor::fields(fields)),
                None => Node::Map(Cursor::fields(fields)),
            },
            Self::Enum(title, columns) => {
                let [name, value] = &mut **columns;
                Node::Enum(Cursor::member(title, name, value))
            }
            Self::Parts(parts) => {
                if parts.front().is_some_and(|(left, _)| *left == 0) {
                    parts.pop_front();
                }
                let (left, column) = parts.front_mut().ok_or_else(no_part)?;
                *left = left.saturating_sub(1);
                return column.next();
            }
            Self::Values { reader, depth } => return reader.open(*depth),
        })
    }

    /// Passes over so many items.
    pub(crate) fn skip(&mut self, count: usize) {
        match self {
            Self::Empty => {}
            Self::Some(there, others) => {
                let passed = there.split_off(..count).unwrap_or_default();
                others.skip(ones(passed));
            }
            Self::Bool(rest) => _ = rest.split_off(..count),
            Self::Int(width, rest) => _ = rest.split_off(..count * width.bytes()),
            Self::Float(rest) => _ = rest.split_off(..count * 8),
            Self::Text(lengths, rest) => {
                let passed = lengths.take(count).sum();
                *rest = rest.get(passed..).unwrap_or_default();
            }
            Self::Bytes { lengths, rest, .. } => {
                let passed: usize = lengths.take(count).sum();
                _ = rest.split_off(..passed);
            }
            Self::Sequence(_, lengths, items) => items.skip(lengths.take(count).sum()),
            Self::Even(_, columns) => columns.iter_mut().for_each(|column| column.skip(count)),
            Self::Fields(fields) => fields
                .columns
                .iter_mut()
                .for_each(|column| column.skip(count)),
            Self::Enum(_, columns) => columns.iter_mut().for_each(|column| column.skip(count)),
            // A list's own, which nobody else reads on.
            Self::Parts(parts) => parts.clear(),
            Self::Values { reader, depth } => {
                for _ in 0..count {
                    // They were checked before.
                    _ = reader.skip(*depth);
                }
            }
        }
    }
}

impl Width {
    fn bytes(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// Takes a number from its place.
    fn signed(self, rest: &mut &[u8]) -> Option<i64> {
        Some(match self {
            Self::One => i8::from_le_bytes(take(rest)?).into(),
            Self::Two => i16::from_le_bytes(take(rest)?).into(),
            Self::Four => i32::from_le_bytes(take(rest)?).into(),
            Self::Eight => i64::from_le_bytes(take(rest)?),
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*bytes)
}

/// How many of some bools are true.
fn ones(bools: &[u8]) -> usize {
    bools.iter().map(|&byte| usize::from(byte)).sum()
}

impl Iterator for Lengths<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        match self.width {
            Width::One => take(&mut self.rest).map(|bytes| u8::from_le_bytes(bytes).into()),
            Width::Two => take(&mut self.rest).map(|bytes| u16::from_le_bytes(bytes).into()),
            Width::Four | Width::Eight => {
                take(&mut self.rest).map(|bytes| u32::from_le_bytes(bytes) as usize)
            }
        }
    }
}

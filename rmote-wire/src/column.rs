mod lengths;
mod reading;

use std::borrow::Cow;
use std::collections::VecDeque;

use bytes::Bytes;

use self::lengths::{Lengths, Width};
use crate::cursor::{Cursor, no_part};
use crate::decode::DecodeError;
use crate::node::{Blob, Node};
use crate::reader::{Reader, sequence};

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

/// How many of some bools are true.
fn ones(bools: &[u8]) -> usize {
    bools.iter().map(|&byte| usize::from(byte)).sum()
}

use std::borrow::Cow;

use crate::column::{Column, Fields};
use crate::decode::{DecodeError, DecodeErrorKind, error_at};
use crate::node::{Node, Parts};
use crate::reader::Reader;

/// The parts of a collection in a payload. Dropped, it passes over what was not read.
pub(crate) struct Cursor<'a, 'de>(Place<'a, 'de>);

/// Where the parts are.
enum Place<'a, 'de> {
    Nowhere,
    /// One after another in the payload.
    Plain(Plain<'a, 'de>),
    /// The next of a list's items, which are a column of their own.
    Whole(Box<Column<'de>>, usize),
    /// So many of a column that several lists share.
    Cells(&'a mut Column<'de>, usize),
    /// One of each column: a list or a tuple among others of its length.
    Row(&'a mut [Column<'de>]),
    /// One of each column: a map or a record.
    Fields {
        fields: &'a mut Fields<'de>,
        index: usize,
        value_is_next: bool,
    },
    Member {
        title: &'de str,
        name: Option<&'a mut Column<'de>>,
        value: Option<&'a mut Column<'de>>,
    },
}

pub(crate) struct Plain<'a, 'de> {
    pub(crate) reader: &'a mut Reader<'de>,
    pub(crate) shape: Shape,
    pub(crate) title: &'de str,
    /// Elements, pairs or fields that have not been begun; 1 for a member whose name is next.
    pub(crate) left: usize,
    pub(crate) value_is_next: bool,
    pub(crate) depth: usize,
}

/// What the parts of a collection are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Elements,
    Pairs,
    Fields,
    Member,
}

impl<'a, 'de> Cursor<'a, 'de> {
    pub(crate) fn plain(parts: Plain<'a, 'de>) -> Self {
        Self(Place::Plain(parts))
    }

    pub(crate) fn whole(column: Box<Column<'de>>, count: usize) -> Self {
        Self(Place::Whole(column, count))
    }

    pub(crate) fn cells(column: &'a mut Column<'de>, count: usize) -> Self {
        Self(Place::Cells(column, count))
    }

    pub(crate) fn row(columns: &'a mut [Column<'de>]) -> Self {
        Self(Place::Row(columns))
    }

    pub(crate) fn fields(fields: &'a mut Fields<'de>) -> Self {
        Self(Place::Fields {
            fields,
            index: 0,
            value_is_next: false,
        })
    }

    pub(crate) fn member(
        title: &'de str,
        name: &'a mut Column<'de>,
        value: &'a mut Column<'de>,
    ) -> Self {
        Self(Place::Member {
            title,
            name: Some(name),
            value: Some(value),
        })
    }
}

impl<'de> Plain<'_, 'de> {
    fn name(&mut self) -> Result<&'de str, DecodeError> {
        self.left = self.left.saturating_sub(1);
        self.value_is_next = true;
        let name = self.reader.text();
        self.reader.failed |= name.is_err();
        name
    }

    /// Notes what the next value is.
    fn advance(&mut self) {
        match self.shape {
            Shape::Elements => self.left = self.left.saturating_sub(1),
            Shape::Pairs if !self.value_is_next => {
                self.left = self.left.saturating_sub(1);
                self.value_is_next = true;
            }
            Shape::Pairs | Shape::Fields | Shape::Member => self.value_is_next = false,
        }
    }

    fn skip(&mut self) -> Result<(), DecodeError> {
        while self.left > 0 || self.value_is_next {
            if matches!(self.shape, Shape::Fields | Shape::Member) && !self.value_is_next {
                self.name()?;
            }
            self.advance();
            self.reader.skip(self.depth)?;
        }
        Ok(())
    }
}

impl<'de> Parts<'de> for Cursor<'_, 'de> {
    type Inner<'b>
        = Cursor<'b, 'de>
    where
        Self: 'b;

    fn left(&self) -> usize {
        match &self.0 {
            Place::Plain(plain) => plain.left,
            Place::Whole(_, left) | Place::Cells(_, left) => *left,
            Place::Row(columns) => columns.len(),
            Place::Fields {
                fields,
                index,
                value_is_next,
            } => fields.names.len() - index - usize::from(*value_is_next),
            Place::Member { name, .. } => usize::from(name.is_some()),
            Place::Nowhere => 0,
        }
    }

    fn title(&mut self) -> Cow<'de, str> {
        Cow::Borrowed(match &self.0 {
            Place::Plain(plain) => plain.title,
            Place::Fields { fields, .. } => fields.title.unwrap_or_default(),
            Place::Member { title, .. } => title,
            _ => "",
        })
    }

    fn name(&mut self) -> Result<Cow<'de, str>, DecodeError> {
        match &mut self.0 {
            Place::Plain(plain) => plain.name().map(Cow::Borrowed),
            Place::Fields {
                fields,
                index,
                value_is_next,
            } => {
                *value_is_next = true;
                let name = fields.names.get(*index).copied();
                name.map(Cow::Borrowed).ok_or_else(no_part)
            }
            Place::Member { name, .. } => match name.take().ok_or_else(no_part)?.next()? {
                Node::Text(name) => Ok(name),
                _ => Err(no_part()),
            },
            _ => Err(no_part()),
        }
    }

    fn part(&mut self) -> Result<Node<'de, Cursor<'_, 'de>>, DecodeError> {
        match &mut self.0 {
            Place::Plain(plain) => {
                plain.advance();
                plain.reader.open(plain.depth)
            }
            Place::Whole(column, left) => {
                *left = left.saturating_sub(1);
                column.next()
            }
            Place::Cells(column, left) => {
                *left = left.saturating_sub(1);
                column.next()
            }
            Place::Row(columns) => {
                let rest = std::mem::take(columns);
                let (first, rest) = rest.split_first_mut().ok_or_else(no_part)?;
                *columns = rest;
                first.next()
            }
            Place::Fields {
                fields,
                index,
                value_is_next,
            } => {
                // The keys of a map are values too; a record's names are asked for as such.
                if fields.title.is_none() && !*value_is_next {
                    *value_is_next = true;
                    let name = fields.names.get(*index).copied();
                    return name.map(|name| Node::Text(name.into())).ok_or_else(no_part);
                }
                let column = fields.columns.get_mut(*index).ok_or_else(no_part)?;
                *index += 1;
                *value_is_next = false;
                column.next()
            }
            Place::Member { value, .. } => value.take().ok_or_else(no_part)?.next(),
            Place::Nowhere => Err(no_part()),
        }
    }

    fn last(mut self) -> Result<Node<'de, Self>, DecodeError> {
        match std::mem::replace(&mut self.0, Place::Nowhere) {
            Place::Plain(mut plain) => {
                if plain.shape == Shape::Member && !plain.value_is_next {
                    plain.name()?;
                }
                plain.reader.open(plain.depth)
            }
            Place::Fields { fields, index, .. } => {
                let column = fields.columns.get_mut(index).ok_or_else(no_part)?;
                column.next()
            }
            Place::Member { name, value, .. } => {
                if let Some(name) = name {
                    name.skip(1);
                }
                value.ok_or_else(no_part)?.next()
            }
            Place::Nowhere | Place::Whole(..) | Place::Cells(..) | Place::Row(_) => Err(no_part()),
        }
    }

    fn is_wrapped(&self) -> bool {
        match &self.0 {
            Place::Plain(plain) => {
                let next = plain.reader.input.get(plain.reader.at..);
                plain.left == 1 && next.is_some_and(|next| next.starts_with(b"\x010"))
            }
            Place::Fields { fields, .. } => fields.names == ["0"],
            _ => false,
        }
    }
}

impl Drop for Cursor<'_, '_> {
    fn drop(&mut self) {
        match &mut self.0 {
            Place::Plain(plain) => {
                if !plain.reader.failed
                    && let Err(error) = plain.skip()
                {
                    plain.reader.fail(error);
                }
            }
            // Nobody reads on there.
            Place::Whole(..) | Place::Nowhere => {}
            Place::Cells(column, left) => column.skip(*left),
            Place::Row(columns) => columns.iter_mut().for_each(|column| column.skip(1)),
            Place::Fields { fields, index, .. } => {
                let rest = fields.columns.iter_mut().skip(*index);
                rest.for_each(|column| column.skip(1));
            }
            Place::Member { name, value, .. } => {
                for column in [name, value].into_iter().flatten() {
                    column.skip(1);
                }
            }
        }
    }
}

/// Who asks has counted what is left.
pub(crate) fn no_part() -> DecodeError {
    error_at(0, DecodeErrorKind::End)
}

//! Columns out of a payload, checked as they are read.

use std::collections::VecDeque;

use super::{Column, Fields, ones};
use crate::decode::{DecodeError, DecodeErrorKind, error_at};
use crate::encode::tag;
use crate::reader::{Reader, utf8};
use crate::value_path::PathSegment;

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
}

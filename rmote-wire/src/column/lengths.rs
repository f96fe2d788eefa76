//! Numbers of one width beside each other.

use crate::decode::{DecodeError, DecodeErrorKind, error_at};
use crate::reader::Reader;

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

impl<'de> Reader<'de> {
    pub(super) fn width(&mut self) -> Result<Width, DecodeError> {
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
    pub(super) fn lengths(&mut self, count: usize) -> Result<(Lengths<'de>, usize), DecodeError> {
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

impl Width {
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// Takes a number from its place.
    pub(super) fn signed(self, rest: &mut &[u8]) -> Option<i64> {
        Some(match self {
            Self::One => i8::from_le_bytes(take(rest)?).into(),
            Self::Two => i16::from_le_bytes(take(rest)?).into(),
            Self::Four => i32::from_le_bytes(take(rest)?).into(),
            Self::Eight => i64::from_le_bytes(take(rest)?),
        })
    }
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

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*bytes)
}

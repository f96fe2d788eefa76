use std::fmt;

use crate::value::Value;

/// Text with lone surrogates, in WTF-8: UTF-8, and three bytes for each lone surrogate.
///
/// Python keeps bytes of a path that are no UTF-8 as lone surrogates: byte `0xNN` is U+DCNN. This type brings them
/// back. It always holds a surrogate; text without one is a [`Value::Text`].
///
/// ```
/// use rmote_wire::{RawText, Value};
///
/// let Value::RawText(raw) = RawText::from_os_bytes(b"caf\xe9") else { unreachable!() };
/// assert_eq!(raw.as_wtf8(), b"caf\xed\xb3\xa9");
/// assert_eq!(raw.to_os_bytes(), b"caf\xe9");
/// assert_eq!(RawText::from_os_bytes("café".as_bytes()), Value::from("café"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RawText {
    wtf8: Vec<u8>,
}

impl RawText {
    /// Reads the bytes of a path, an argument or an environment variable, as Python's `os.fsdecode` does: text when
    /// they are UTF-8, else raw text.
    pub fn from_os_bytes(bytes: &[u8]) -> Value {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return text.into();
        }
        let mut wtf8 = Vec::with_capacity(bytes.len() + 16);
        for chunk in bytes.utf8_chunks() {
            wtf8.extend_from_slice(chunk.valid().as_bytes());
            for &byte in chunk.invalid() {
                // The three bytes of U+DC00 plus the byte, which is at least 0x80.
                let middle = if byte < 0xc0 { 0xb2 } else { 0xb3 };
                wtf8.extend_from_slice(&[0xed, middle, 0x80 | (byte & 0x3f)]);
            }
        }
        Value::RawText(Self { wtf8 })
    }

    /// Takes WTF-8 that is not UTF-8.
    ///
    /// Two surrogates that would make a pair stay two, since Python has such texts and tells them from the character.
    ///
    /// # Errors
    ///
    /// When the bytes are UTF-8, or neither UTF-8 nor surrogates.
    pub fn from_wtf8(wtf8: Vec<u8>) -> Result<Self, RawTextError> {
        let mut raw = false;
        for piece in Pieces::new(&wtf8) {
            match piece {
                Piece::Text(_) => {}
                Piece::Surrogate(_) => raw = true,
                Piece::Invalid(offset) => return Err(RawTextError::Invalid { offset }),
            }
        }
        if raw {
            Ok(Self { wtf8 })
        } else {
            Err(RawTextError::Utf8)
        }
    }

    /// The text in WTF-8.
    pub fn as_wtf8(&self) -> &[u8] {
        &self.wtf8
    }

    /// The bytes of the path: U+DC80 to U+DCFF become the bytes 0x80 to 0xFF. Other lone surrogates, which no path
    /// has, keep their three bytes.
    pub fn to_os_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.wtf8.len());
        for piece in Pieces::new(&self.wtf8) {
            match piece {
                Piece::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                Piece::Surrogate([0xed, middle @ (0xb2 | 0xb3), last]) => {
                    bytes.push((middle & 1) << 6 | 0x80 | (last & 0x3f));
                }
                Piece::Surrogate(other) => bytes.extend_from_slice(&other),
                Piece::Invalid(_) => {}
            }
        }
        bytes
    }

    /// The text with U+FFFD for each lone surrogate, to be shown.
    pub fn to_string_lossy(&self) -> String {
        let pieces = Pieces::new(&self.wtf8).map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Surrogate(_) | Piece::Invalid(_) => "\u{fffd}",
        });
        pieces.collect()
    }
}

impl fmt::Debug for RawText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawText(b\"{}\")", self.wtf8.escape_ascii())
    }
}

/// Bytes that are no raw text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RawTextError {
    /// They are a text.
    #[error("the raw text is UTF-8 and has to be a text")]
    Utf8,
    /// They are neither UTF-8 nor surrogates.
    #[error("the raw text is no WTF-8 at byte {offset}")]
    Invalid {
        /// The first byte that does not fit.
        offset: usize,
    },
}

enum Piece<'a> {
    Text(&'a str),
    Surrogate([u8; 3]),
    /// The place where WTF-8 ends; always the last piece.
    Invalid(usize),
}

/// WTF-8, split at its surrogates.
struct Pieces<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Pieces<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        let chunk = rest.utf8_chunks().next()?;
        if !chunk.valid().is_empty() {
            self.at += chunk.valid().len();
            return Some(Piece::Text(chunk.valid()));
        }
        if let Some(&surrogate @ [0xed, 0xa0..=0xbf, 0x80..=0xbf]) = rest.first_chunk::<3>() {
            self.at += 3;
            return Some(Piece::Surrogate(surrogate));
        }
        let invalid = self.at;
        self.at = self.bytes.len();
        Some(Piece::Invalid(invalid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        let Value::RawText(raw) = RawText::from_os_bytes(&all) else {
            panic!("not raw");
        };
        assert_eq!(raw.to_os_bytes(), all);
        assert_eq!(RawText::from_wtf8(raw.as_wtf8().to_vec()), Ok(raw));
    }

    #[test]
    fn bytes_that_look_like_a_surrogate_are_bytes() {
        let bytes = b"\xed\xb2\x80";
        let Value::RawText(raw) = RawText::from_os_bytes(bytes) else {
            panic!("not raw");
        };
        assert_eq!(raw.as_wtf8().len(), 9);
        assert_eq!(raw.to_os_bytes(), bytes);
    }

    #[test]
    fn only_wtf8_that_is_not_utf8() {
        assert_eq!(RawText::from_wtf8(Vec::new()), Err(RawTextError::Utf8));
        assert_eq!(RawText::from_wtf8("ü".into()), Err(RawTextError::Utf8));
        let offset = 2;
        let invalid = Err(RawTextError::Invalid { offset });
        assert_eq!(RawText::from_wtf8(b"ab\xff".to_vec()), invalid);
        assert_eq!(RawText::from_wtf8(b"ab\xed\xa0".to_vec()), invalid);
        // Two halves of a pair stay two: Python tells them from the whole character.
        let halves = b"\xed\xa0\xbd\xed\xb8\x80";
        let raw = RawText::from_wtf8(halves.to_vec()).unwrap();
        assert_eq!(raw.to_string_lossy(), "\u{fffd}\u{fffd}");
        assert_eq!(raw.to_os_bytes(), halves);
    }
}

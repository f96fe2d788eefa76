mod deserializer;
mod visits;

use bytes::Bytes;
use serde::de::{Deserialize, DeserializeOwned};

use crate::decode::{DecodeError, DecodeErrorKind};
use crate::limits::{DEFAULT_DEPTH, Limits};
use crate::node::Node;
use crate::reader::Reader;
use crate::value::Value;
use crate::value_error::{ValueError, ValueErrorKind};

/// Turns what travelled into a Rust value.
///
/// | Rust | value |
/// | --- | --- |
/// | structs | record, map with text keys, or list or tuple by position; unknown fields are ignored |
/// | sequences, tuples | list, tuple, set, or the values of a record's fields; bytes for a sequence of `u8` |
/// | maps | map or record |
/// | unit variants | enum by its member's name or else by its text value, or text |
/// | other variants | record with the variant's name, or a map with it as only key |
/// | integers | integers that fit |
/// | floats | float or int |
/// | strings, `char` | text |
/// | bytes through `serde_bytes` | bytes |
/// | `Option` | none, or the content |
/// | `()`, unit structs | none; a record without fields for a struct |
/// | [`HostPath`](crate::HostPath) | text, raw text or bytes |
/// | [`Value`] | anything, unchanged |
///
/// Anything but a [`Value`] or a variant sees an enum member as its value. Collections nested more than 128 deep are an
/// error.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, ValueError> {
    let node = Node::from(value);
    T::deserialize(Deserializer { node, depth: 0 })
}

/// Turns a payload into a Rust value, as [`Value::decode`] and [`from_value`] do, but without the tree between them.
///
/// The two ways have the same result, and the same error: a payload that is damaged is told before a type that does not
/// fit. Texts and bytes may be borrowed from the payload, and bytes in a [`Value`] are parts of it.
///
/// ```
/// use bytes::Bytes;
/// use rmote_wire::{Limits, from_bytes};
///
/// let payload = Bytes::from_static(b"\x08\x02\x05\x01a\x05\x02bc");
/// let words: Vec<&str> = from_bytes(&payload, &Limits::default())?;
/// assert_eq!(words, ["a", "bc"]);
/// # Ok::<(), rmote_wire::FromBytesError>(())
/// ```
///
/// # Errors
///
/// The payload is no value within the limits, or one of another type.
pub fn from_bytes<'de, T: Deserialize<'de>>(
    payload: &'de Bytes,
    limits: &Limits,
) -> Result<T, FromBytesError> {
    let mut reader = Reader::new(payload, limits)?;
    let node = reader.open(0)?;
    let result = T::deserialize(Deserializer { node, depth: 0 });
    if reader.failed || reader.end().is_err() {
        // Read again for the sake of its path, since not every part was asked for by one who knows it.
        Value::decode(payload.clone(), limits)?;
    }
    Ok(result?)
}

/// Why [`from_bytes`] gives no Rust value: one of its two steps failed, and there is no third.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum FromBytesError {
    /// The payload is damaged, or over a limit. The peer is to blame.
    Decode(#[from] DecodeError),
    /// It is a value that does not fit the type.
    Value(#[from] ValueError),
}

/// `depth` counts the collections around the node.
pub(crate) struct Deserializer<'de, P> {
    pub(crate) node: Node<'de, P>,
    pub(crate) depth: usize,
}

/// The depth within a collection.
pub(crate) fn open(depth: usize) -> Result<usize, ValueError> {
    if depth >= DEFAULT_DEPTH {
        let limit = DEFAULT_DEPTH;
        return Err(ValueErrorKind::Depth { limit }.into());
    }
    Ok(depth + 1)
}

/// An error for serde, of a payload for which [`from_bytes`] has a better one, or of a tree that is too deep.
pub(crate) fn unread(error: &DecodeError) -> ValueError {
    match error.kind() {
        DecodeErrorKind::Depth { limit } => ValueErrorKind::Depth { limit: *limit }.into(),
        _ => ValueErrorKind::Message(error.to_string()).into(),
    }
}

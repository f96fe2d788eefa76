use std::borrow::Cow;

use bytes::Bytes;
use serde::de::{self, Deserialize, DeserializeOwned, Visitor};

use crate::big_int::BigInt;
use crate::decode::{DecodeError, DecodeErrorKind, build};
use crate::elements::{ByteElements, Elements, Fields, Pairs};
use crate::limits::{DEFAULT_DEPTH, Limits};
use crate::node::{Blob, Node, Parts};
use crate::reader::Reader;
use crate::token;
use crate::value::Value;
use crate::value_error::{ValueError, ValueErrorKind};
use crate::value_visitor::Handover;
use crate::variant::{Content, Variant};

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

impl<'de, P: Parts<'de>> Deserializer<'de, P> {
    pub(crate) fn mismatch<T>(&self, expected: &str) -> Result<T, ValueError> {
        Err(match self.node {
            Node::RawText(_) if expected == "text" => ValueErrorKind::RawText.into(),
            _ => ValueError::expected(expected, self.node.type_name()),
        })
    }

    /// An enum member's value, for types that know no members.
    fn plain(mut self) -> Result<Self, ValueError> {
        while let Node::Enum(parts) = self.node {
            self = Self {
                depth: open(self.depth)?,
                node: parts.last().map_err(|error| unread(&error))?,
            };
        }
        Ok(self)
    }

    pub(crate) fn visit_sequence<V: Visitor<'de>>(
        self,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        let this = self.plain()?;
        match this.node {
            Node::List(parts) | Node::Tuple(parts) | Node::Set(parts) => {
                Elements::new(parts, this.depth)?.visit(visitor)
            }
            Node::Record(parts) => Elements::of_record(parts, this.depth)?.visit(visitor),
            Node::Bytes(bytes) => ByteElements::new(bytes.into_bytes()).visit(visitor),
            _ => this.mismatch("sequence"),
        }
    }

    fn visit_mapping<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let this = self.plain()?;
        match this.node {
            Node::Map(parts) => visitor.visit_map(Pairs::new(parts, this.depth)?),
            Node::Record(parts) => visitor.visit_map(Fields::new(parts, this.depth)?),
            _ => this.mismatch("map"),
        }
    }

    fn visit_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let this = self.plain()?;
        match this.node {
            Node::Bytes(bytes) => visit_blob(bytes, visitor),
            Node::List(parts) | Node::Tuple(parts) => {
                Elements::new(parts, this.depth)?.visit(visitor)
            }
            _ => this.mismatch("bytes"),
        }
    }

    fn visit_text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let this = self.plain()?;
        match this.node {
            Node::Text(text) => visit_cow(text, visitor),
            _ => this.mismatch("text"),
        }
    }

    fn visit_float<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let this = self.plain()?;
        match this.node {
            Node::Float(value) => visitor.visit_f64(value),
            #[expect(
                clippy::cast_precision_loss,
                reason = "Python's float() rounds as well"
            )]
            Node::Int(value) => visitor.visit_f64(value as f64),
            _ => this.mismatch("float"),
        }
    }
}

/// Reads an integer, checks its range and hands it to the visitor.
macro_rules! deserialize_integer {
    ($($method:ident, $type:ident, $visit:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
            let this = self.plain()?;
            let range = |found: String| {
                let expected = stringify!($type);
                ValueError::from(ValueErrorKind::Range { expected, found })
            };
            match &this.node {
                Node::Int(value) => {
                    let fits = $type::try_from(*value).map_err(|_| range(value.to_string()))?;
                    visitor.$visit(fits)
                }
                Node::BigInt(value) => {
                    let wide = i128::try_from(value).ok().and_then(|value| $type::try_from(value).ok());
                    let wide = wide.or_else(|| {
                        let value = u128::try_from(value).ok()?;
                        $type::try_from(value).ok()
                    });
                    visitor.$visit(wide.ok_or_else(|| range(value.to_string()))?)
                }
                _ => this.mismatch("integer"),
            }
        }
    )*};
}

impl<'de, P: Parts<'de>> de::Deserializer<'de> for Deserializer<'de, P> {
    type Error = ValueError;

    deserialize_integer! {
        deserialize_i8, i8, visit_i8;
        deserialize_i16, i16, visit_i16;
        deserialize_i32, i32, visit_i32;
        deserialize_i64, i64, visit_i64;
        deserialize_i128, i128, visit_i128;
        deserialize_u8, u8, visit_u8;
        deserialize_u16, u16, visit_u16;
        deserialize_u32, u32, visit_u32;
        deserialize_u64, u64, visit_u64;
        deserialize_u128, u128, visit_u128;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let this = self.plain()?;
        match this.node {
            // Members are gone; the two have the same answer.
            Node::None | Node::Enum(_) => visitor.visit_unit(),
            Node::Bool(value) => visitor.visit_bool(value),
            Node::Int(value) => visitor.visit_i64(value),
            Node::BigInt(value) => visit_big_int(&value, visitor),
            Node::Float(value) => visitor.visit_f64(value),
            Node::Text(text) => visit_cow(text, visitor),
            Node::RawText(value) => visitor.visit_bytes(value.as_wtf8()),
            Node::Bytes(bytes) => visit_blob(bytes, visitor),
            Node::List(parts) | Node::Tuple(parts) | Node::Set(parts) => {
                Elements::new(parts, this.depth)?.visit(visitor)
            }
            Node::Map(parts) => visitor.visit_map(Pairs::new(parts, this.depth)?),
            Node::Record(parts) => visitor.visit_map(Fields::new(parts, this.depth)?),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let this = self.plain()?;
        match this.node {
            Node::Bool(value) => visitor.visit_bool(value),
            _ => this.mismatch("bool"),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.visit_float(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.visit_float(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.visit_text(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.visit_text(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.visit_text(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.visit_text(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.visit_bytes(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.visit_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.node {
            Node::None => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let this = self.plain()?;
        match this.node {
            Node::None => visitor.visit_unit(),
            _ => this.mismatch("none"),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match &self.node {
            Node::Record(parts) if parts.left() == 0 => visitor.visit_unit(),
            _ => self.deserialize_unit(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match name {
            token::VALUE => {
                let value = build(self.node, DEFAULT_DEPTH.saturating_sub(self.depth));
                let value = value.map_err(|error| unread(&error))?;
                visitor.visit_enum(Handover::of(value))
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.visit_sequence(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.visit_sequence(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.visit_sequence(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.visit_mapping(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        let this = self.plain()?;
        match this.node {
            Node::List(_) | Node::Tuple(_) => this.visit_sequence(visitor),
            Node::Map(_) | Node::Record(_) => this.visit_mapping(visitor),
            _ => this.mismatch("record"),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        let failed = |error: DecodeError| unread(&error);
        let depth = self.depth;
        let (name, content) = match self.node {
            Node::Text(name) => (name, Content::Nothing),
            Node::Enum(mut parts) => {
                let depth = open(depth)?;
                let member = parts.name().map_err(failed)?;
                let node = parts.last().map_err(failed)?;
                let content = Self { node, depth };
                if variants.contains(&&*member) {
                    (member, Content::Member(content))
                } else {
                    // A Rust enum may be named after the values, as those of `enum.StrEnum` are.
                    match content.node {
                        Node::Text(text) if variants.contains(&&*text) => (text, Content::Nothing),
                        Node::Record(_) | Node::Map(_) | Node::Enum(_) => {
                            return content.deserialize_enum(name, variants, visitor);
                        }
                        _ => (member, Content::Member(content)),
                    }
                }
            }
            Node::Record(mut parts) => {
                let name = own_name(parts.title(), variants);
                let node = Node::Record(parts);
                (name, Content::Record(Self { node, depth }))
            }
            Node::Map(mut parts) => {
                let depth = open(depth)?;
                let single = parts.left() == 1;
                let name = match single.then(|| parts.part()).transpose().map_err(failed)? {
                    Some(Node::Text(name)) => Some(name),
                    _ => None,
                };
                let name = name.ok_or_else(|| ValueError::expected("enum", "map"))?;
                let node = parts.last().map_err(failed)?;
                (name, Content::Inner(Self { node, depth }))
            }
            node => return Self { node, depth }.mismatch("enum"),
        };
        visitor.visit_enum(Variant { name, content })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_unit()
    }
}

/// A class may be named by its place, `Outer.Inner`.
fn own_name<'a>(name: Cow<'a, str>, variants: &[&str]) -> Cow<'a, str> {
    if variants.contains(&&*name) {
        return name;
    }
    let own = name.rfind('.').map_or(0, |dot| dot + 1);
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(&name[own..]),
        Cow::Owned(name) => Cow::Owned(name[own..].to_owned()),
    }
}

pub(crate) fn visit_cow<'de, V: Visitor<'de>>(
    text: Cow<'de, str>,
    visitor: V,
) -> Result<V::Value, ValueError> {
    match text {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

fn visit_blob<'de, V: Visitor<'de>>(bytes: Blob<'de>, visitor: V) -> Result<V::Value, ValueError> {
    match bytes {
        Blob::Owned(bytes) => visitor.visit_byte_buf(bytes.into()),
        Blob::Lent { part, .. } => visitor.visit_borrowed_bytes(part),
    }
}

fn visit_big_int<'de, V: Visitor<'de>>(value: &BigInt, visitor: V) -> Result<V::Value, ValueError> {
    if let Ok(value) = u64::try_from(value) {
        visitor.visit_u64(value)
    } else if let Ok(value) = i128::try_from(value) {
        visitor.visit_i128(value)
    } else if let Ok(value) = u128::try_from(value) {
        visitor.visit_u128(value)
    } else {
        let (expected, found) = ("i128", value.to_string());
        Err(ValueErrorKind::Range { expected, found }.into())
    }
}

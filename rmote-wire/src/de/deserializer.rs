//! What serde asks of a node.

use std::borrow::Cow;

use serde::de::{self, Visitor};

use super::visits::{visit_big_int, visit_blob, visit_cow};
use super::{Deserializer, open, unread};
use crate::decode::{DecodeError, build};
use crate::elements::{Elements, Fields, Pairs};
use crate::limits::DEFAULT_DEPTH;
use crate::node::{Node, Parts};
use crate::token;
use crate::value_error::{ValueError, ValueErrorKind};
use crate::value_visitor::Handover;
use crate::variant::{Content, Variant};

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

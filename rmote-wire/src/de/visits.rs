//! What a node shows to a visitor that asks for one kind of data.

use std::borrow::Cow;

use serde::de::Visitor;

use super::{Deserializer, open, unread};
use crate::big_int::BigInt;
use crate::elements::{ByteElements, Elements, Fields, Pairs};
use crate::node::{Blob, Node, Parts};
use crate::value_error::{ValueError, ValueErrorKind};

impl<'de, P: Parts<'de>> Deserializer<'de, P> {
    pub(crate) fn mismatch<T>(&self, expected: &str) -> Result<T, ValueError> {
        Err(match self.node {
            Node::RawText(_) if expected == "text" => ValueErrorKind::RawText.into(),
            _ => ValueError::expected(expected, self.node.type_name()),
        })
    }

    /// An enum member's value, for types that know no members.
    pub(super) fn plain(mut self) -> Result<Self, ValueError> {
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

    pub(super) fn visit_mapping<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let this = self.plain()?;
        match this.node {
            Node::Map(parts) => visitor.visit_map(Pairs::new(parts, this.depth)?),
            Node::Record(parts) => visitor.visit_map(Fields::new(parts, this.depth)?),
            _ => this.mismatch("map"),
        }
    }

    pub(super) fn visit_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let this = self.plain()?;
        match this.node {
            Node::Bytes(bytes) => visit_blob(bytes, visitor),
            Node::List(parts) | Node::Tuple(parts) => {
                Elements::new(parts, this.depth)?.visit(visitor)
            }
            _ => this.mismatch("bytes"),
        }
    }

    pub(super) fn visit_text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let this = self.plain()?;
        match this.node {
            Node::Text(text) => visit_cow(text, visitor),
            _ => this.mismatch("text"),
        }
    }

    pub(super) fn visit_float<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
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

pub(super) fn visit_cow<'de, V: Visitor<'de>>(
    text: Cow<'de, str>,
    visitor: V,
) -> Result<V::Value, ValueError> {
    match text {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

pub(super) fn visit_blob<'de, V: Visitor<'de>>(
    bytes: Blob<'de>,
    visitor: V,
) -> Result<V::Value, ValueError> {
    match bytes {
        Blob::Owned(bytes) => visitor.visit_byte_buf(bytes.into()),
        Blob::Lent { part, .. } => visitor.visit_borrowed_bytes(part),
    }
}

pub(super) fn visit_big_int<'de, V: Visitor<'de>>(
    value: &BigInt,
    visitor: V,
) -> Result<V::Value, ValueError> {
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

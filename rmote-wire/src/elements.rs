use std::borrow::Cow;

use bytes::Bytes;
use serde::de::value::{StrDeserializer, U8Deserializer};
use serde::de::{self, DeserializeSeed, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::de::{Deserializer, open, unread};
use crate::node::{Node, Parts};
use crate::token;
use crate::value::Value;
use crate::value_error::{ValueError, ValueErrorKind};
use crate::value_path::PathSegment;

/// The elements of a list, a tuple or a set, or the values of a record.
pub(crate) struct Elements<P> {
    parts: P,
    named: bool,
    index: usize,
    depth: usize,
}

impl<P> Elements<P> {
    pub(crate) fn new(parts: P, depth: usize) -> Result<Self, ValueError> {
        Ok(Self {
            parts,
            named: false,
            index: 0,
            depth: open(depth)?,
        })
    }

    pub(crate) fn of_record(parts: P, depth: usize) -> Result<Self, ValueError> {
        let named = true;
        Ok(Self {
            named,
            ..Self::new(parts, depth)?
        })
    }

    pub(crate) fn visit<'de, V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, ValueError>
    where
        P: Parts<'de>,
    {
        let value = visitor.visit_seq(&mut self)?;
        // A tuple that is shorter than what came would lose the rest in silence.
        leftover(self.index, self.parts.left())?;
        Ok(value)
    }
}

impl<'de, P: Parts<'de>> de::SeqAccess<'de> for Elements<P> {
    type Error = ValueError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ValueError> {
        if self.parts.left() == 0 {
            return Ok(None);
        }
        let index = self.index;
        self.index += 1;
        let depth = self.depth;
        if self.named {
            self.parts.name().map_err(|error| unread(&error))?;
        }
        let node = self.parts.part().map_err(|error| unread(&error))?;
        seed.deserialize(Deserializer { node, depth })
            .map(Some)
            .map_err(|error| error.at(PathSegment::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.parts.left())
    }
}

fn leftover(read: usize, left: usize) -> Result<(), ValueError> {
    if left == 0 {
        return Ok(());
    }
    let expected = format!("{read} elements");
    let found = read + left;
    Err(ValueErrorKind::Length { expected, found }.into())
}

/// Bytes for a sequence of `u8`.
pub(crate) struct ByteElements {
    bytes: Bytes,
    index: usize,
}

impl ByteElements {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self { bytes, index: 0 }
    }

    pub(crate) fn visit<'de, V: Visitor<'de>>(
        mut self,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        let value = visitor.visit_seq(&mut self)?;
        leftover(self.index, self.bytes.len() - self.index)?;
        Ok(value)
    }
}

impl<'de> de::SeqAccess<'de> for ByteElements {
    type Error = ValueError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ValueError> {
        let Some(&byte) = self.bytes.get(self.index) else {
            return Ok(None);
        };
        let index = self.index;
        self.index += 1;
        let byte: U8Deserializer<ValueError> = byte.into_deserializer();
        seed.deserialize(byte)
            .map(Some)
            .map_err(|error| error.at(PathSegment::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.bytes.len() - self.index)
    }
}

/// The pairs of a map.
pub(crate) struct Pairs<'de, P> {
    parts: P,
    current: Option<PairKey<'de>>,
    index: usize,
    depth: usize,
}

/// What an error's path says of a key that is used up.
enum PairKey<'de> {
    Text(Cow<'de, str>),
    Int(i64),
    Other,
}

impl<P> Pairs<'_, P> {
    pub(crate) fn new(parts: P, depth: usize) -> Result<Self, ValueError> {
        Ok(Self {
            parts,
            current: None,
            index: 0,
            depth: open(depth)?,
        })
    }
}

impl<'de, P: Parts<'de>> de::MapAccess<'de> for Pairs<'de, P> {
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ValueError> {
        if self.current.take().is_some() {
            // Nobody has asked for the value.
            drop(self.parts.part().map_err(|error| unread(&error))?);
        }
        if self.parts.left() == 0 {
            return Ok(None);
        }
        let index = self.index;
        self.index += 1;
        let depth = self.depth;
        let node = self.parts.part().map_err(|error| unread(&error))?;
        let (result, key) = match node {
            Node::Text(text) => (seed.deserialize(TextKey(&text)), PairKey::Text(text)),
            node => {
                let key = match node {
                    Node::Int(int) => PairKey::Int(int),
                    _ => PairKey::Other,
                };
                (seed.deserialize(Deserializer { node, depth }), key)
            }
        };
        self.current = Some(key);
        result
            .map(Some)
            .map_err(|error| error.at(PathSegment::Pair(index)))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, ValueError> {
        let Some(key) = self.current.take() else {
            return Err(ValueError::custom("a map's value without a key"));
        };
        let depth = self.depth;
        let index = self.index - 1;
        let node = self.parts.part().map_err(|error| unread(&error))?;
        seed.deserialize(Deserializer { node, depth })
            .map_err(|error| {
                error.at(match key {
                    PairKey::Text(text) => PathSegment::text_key(&text),
                    PairKey::Int(int) => PathSegment::key(&Value::Int(int), index),
                    PairKey::Other => PathSegment::Pair(index),
                })
            })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.parts.left())
    }
}

/// The fields of a record, as a map.
pub(crate) struct Fields<'de, P> {
    parts: P,
    current: Option<Cow<'de, str>>,
    depth: usize,
}

impl<P> Fields<'_, P> {
    pub(crate) fn new(parts: P, depth: usize) -> Result<Self, ValueError> {
        Ok(Self {
            parts,
            current: None,
            depth: open(depth)?,
        })
    }
}

impl<'de, P: Parts<'de>> de::MapAccess<'de> for Fields<'de, P> {
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ValueError> {
        if self.current.take().is_some() {
            // Nobody has asked for the value.
            drop(self.parts.part().map_err(|error| unread(&error))?);
        }
        if self.parts.left() == 0 {
            return Ok(None);
        }
        let name = self.parts.name().map_err(|error| unread(&error))?;
        let name = self.current.insert(name);
        seed.deserialize(TextKey(name))
            .map(Some)
            .map_err(|error| error.at(PathSegment::field(name)))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, ValueError> {
        let Some(name) = self.current.take() else {
            return Err(ValueError::custom("a field's value without a name"));
        };
        let depth = self.depth;
        let node = self.parts.part().map_err(|error| unread(&error))?;
        seed.deserialize(Deserializer { node, depth })
            .map_err(|error| error.at(PathSegment::field(&name)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.parts.left())
    }
}

/// A key that is lent, so that it can still be named in an error of its value. Field names are not even copied.
pub(crate) struct TextKey<'a, 'de>(pub(crate) &'a Cow<'de, str>);

impl<'de> de::Deserializer<'de> for TextKey<'_, 'de> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.0 {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_str(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match name {
            token::VALUE => visitor.visit_str(self.0),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        let text: StrDeserializer<'_, ValueError> = (&**self.0).into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

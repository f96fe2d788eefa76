use std::borrow::Cow;

use serde::de::{self, Deserialize, DeserializeSeed, Visitor};

use crate::de::{Deserializer, open, unread};
use crate::elements::TextKey;
use crate::node::{Node, Parts};
use crate::value_error::ValueError;
use crate::value_path::PathSegment;

/// What a value is as a Rust enum: which variant, and its content.
pub(crate) struct Variant<'de, P> {
    pub(crate) name: Cow<'de, str>,
    pub(crate) content: Content<'de, P>,
}

/// What a variant of a Rust enum is made of.
pub(crate) enum Content<'de, P> {
    Nothing,
    /// The value of a member, which a unit variant ignores.
    Member(Deserializer<'de, P>),
    /// What stands behind the variant's name.
    Inner(Deserializer<'de, P>),
    /// A record that is named like the variant.
    Record(Deserializer<'de, P>),
}

impl<'de, P: Parts<'de>> de::EnumAccess<'de> for Variant<'de, P> {
    type Error = ValueError;
    type Variant = Content<'de, P>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Content<'de, P>), ValueError> {
        Ok((seed.deserialize(TextKey(&self.name))?, self.content))
    }
}

impl<'de, P: Parts<'de>> de::VariantAccess<'de> for Content<'de, P> {
    type Error = ValueError;

    fn unit_variant(self) -> Result<(), ValueError> {
        match self {
            Self::Nothing | Self::Member(_) => Ok(()),
            Self::Inner(content) => <()>::deserialize(content),
            Self::Record(content) => match &content.node {
                Node::Record(parts) if parts.left() == 0 => Ok(()),
                _ => content.mismatch("a variant without fields"),
            },
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, ValueError> {
        match self {
            Self::Nothing => Err(ValueError::expected("a variant with a value", "text")),
            Self::Member(content) | Self::Inner(content) => seed.deserialize(content),
            Self::Record(content) => {
                let depth = open(content.depth)?;
                match content.node {
                    // What `to_value` makes of such a variant; any other record is the variant's content itself.
                    Node::Record(mut parts) if parts.is_wrapped() => {
                        parts.name().map_err(|error| unread(&error))?;
                        let node = parts.part().map_err(|error| unread(&error))?;
                        seed.deserialize(Deserializer { node, depth })
                            .map_err(|error| error.at(PathSegment::field("0")))
                    }
                    _ => seed.deserialize(content),
                }
            }
        }
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match self {
            Self::Nothing => Err(ValueError::expected("a variant with values", "text")),
            Self::Member(content) | Self::Inner(content) | Self::Record(content) => {
                content.visit_sequence(visitor)
            }
        }
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match self {
            Self::Nothing => Err(ValueError::expected("a variant with fields", "text")),
            Self::Member(content) | Self::Inner(content) | Self::Record(content) => {
                de::Deserializer::deserialize_struct(content, "", fields, visitor)
            }
        }
    }
}

use std::cell::Cell;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};

use crate::big_int::BigInt;
use crate::raw_text::RawText;
use crate::token;
use crate::value::{EnumMember, Record, Value};
use crate::value_error::ValueError;

impl<'de> Deserialize<'de> for Value {
    /// Takes anything: unchanged from [`from_value`](crate::from_value), and from other formats what they have.
    ///
    /// Not for JSON where serde_json's feature `arbitrary_precision` is on: it hands numbers out as maps of its own.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(token::VALUE, ValueVisitor)
    }
}

/// Takes one variant of a value, for the types that are one.
macro_rules! deserialize_variant {
    ($($type:ident, $expected:literal, $($variant:pat => $make:expr),+;)*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match Value::deserialize(deserializer)? {
                    $($variant => Ok($make),)+
                    other => {
                        let found = Unexpected::Other(other.type_name());
                        Err(D::Error::invalid_type(found, &$expected))
                    }
                }
            }
        }
    )*};
}

deserialize_variant! {
    BigInt, "integer", Value::Int(value) => value.into(), Value::BigInt(value) => value;
    RawText, "raw text", Value::RawText(value) => value;
    Record, "record", Value::Record(value) => value;
    EnumMember, "enum", Value::Enum(value) => value;
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::None)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    /// Where a format knows no token.
    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_byte_buf<E>(self, value: Vec<u8>) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::with_capacity(capacity(access.size_hint()));
        while let Some(value) = access.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut pairs = Vec::with_capacity(capacity(access.size_hint()));
        while let Some(pair) = access.next_entry()? {
            pairs.push(pair);
        }
        Ok(Value::Map(pairs))
    }

    /// From this crate's own deserializer.
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
        let (Tag, content) = access.variant()?;
        content.unit_variant()?;
        let value = HANDED_OVER.take();
        value.ok_or_else(|| A::Error::invalid_type(Unexpected::Enum, &self))
    }
}

thread_local! {
    /// A value between the deserializer that has it and the visitor that asked for it: serde itself has no words for
    /// tuples, sets and the like, and would copy bytes.
    static HANDED_OVER: Cell<Option<Value>> = const { Cell::new(None) };
}

/// Stands for a value that is handed over as it is.
pub(crate) struct Handover(Value);

impl Handover {
    pub(crate) fn of(value: Value) -> Self {
        Self(value)
    }
}

impl<'de> EnumAccess<'de> for Handover {
    type Error = ValueError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), ValueError> {
        let tag: StrDeserializer<'_, ValueError> = token::VALUE.into_deserializer();
        Ok((seed.deserialize(tag)?, self))
    }
}

impl<'de> VariantAccess<'de> for Handover {
    type Error = ValueError;

    fn unit_variant(self) -> Result<(), ValueError> {
        HANDED_OVER.set(Some(self.0));
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, ValueError> {
        Err(ValueError::expected("a value", "another type"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, ValueError> {
        Err(ValueError::expected("a value", "another type"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, ValueError> {
        Err(ValueError::expected("a value", "another type"))
    }
}

/// The variant that says that a value is handed over. Other formats' enums have others.
struct Tag;

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TagVisitor;

        impl Visitor<'_> for TagVisitor {
            type Value = Tag;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_str<E: Error>(self, tag: &str) -> Result<Tag, E> {
                match tag {
                    token::VALUE => Ok(Tag),
                    _ => Err(E::invalid_type(Unexpected::Enum, &self)),
                }
            }
        }

        deserializer.deserialize_identifier(TagVisitor)
    }
}

/// A map with text keys, in its order.
pub(crate) struct Fields(pub(crate) Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map with text keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::with_capacity(capacity(access.size_hint()));
                while let Some(field) = access.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// A size is a hint of a peer's.
fn capacity(hint: Option<usize>) -> usize {
    hint.unwrap_or(0).min(1024)
}

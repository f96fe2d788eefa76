use std::fmt;

use serde::de::{
    Deserialize, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Unexpected, VariantAccess,
    Visitor,
};

use crate::big_int::BigInt;
use crate::raw_text::RawText;
use crate::token;
use crate::value::{EnumMember, Record, Value};

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

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
        let (tag, content) = access.variant::<String>()?;
        match tag.as_str() {
            token::TUPLE => content.newtype_variant().map(Value::Tuple),
            token::SET => content.newtype_variant().map(Value::Set),
            token::BIG_INT => match content.newtype_variant()? {
                Value::Bytes(bytes) => Ok(BigInt::from_le_bytes(&bytes).into()),
                other => Ok(other),
            },
            token::RAW_TEXT => match content.newtype_variant()? {
                Value::Bytes(bytes) => RawText::from_wtf8(bytes.into())
                    .map(Value::RawText)
                    .map_err(A::Error::custom),
                other => Ok(other),
            },
            token::RECORD => content.tuple_variant(2, RecordVisitor),
            token::ENUM => content.tuple_variant(3, MemberVisitor),
            _ => Err(A::Error::invalid_type(Unexpected::Enum, &self)),
        }
    }
}

/// The parts of a record: its name and its fields.
struct RecordVisitor;

impl<'de> Visitor<'de> for RecordVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name and fields")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        match (access.next_element()?, access.next_element::<Fields>()?) {
            (Some(name), Some(Fields(fields))) => Ok(Value::Record(Record { name, fields })),
            _ => Err(A::Error::invalid_length(0, &self)),
        }
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

/// The parts of an enum member: its type, its name and its value.
struct MemberVisitor;

impl<'de> Visitor<'de> for MemberVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("two names and a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let parts = (
            access.next_element()?,
            access.next_element()?,
            access.next_element()?,
        );
        match parts {
            (Some(name), Some(member), Some(value)) => Ok(Value::Enum(EnumMember {
                name,
                member,
                value: Box::new(value),
            })),
            _ => Err(A::Error::invalid_length(0, &self)),
        }
    }
}

/// A size is a hint of a peer's.
fn capacity(hint: Option<usize>) -> usize {
    hint.unwrap_or(0).min(1024)
}

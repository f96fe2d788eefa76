mod collections;
mod values;

use serde::ser::{self, Serialize};

use self::collections::{Fields, Items, Pairs};
use crate::big_int::BigInt;
use crate::limits::DEFAULT_DEPTH;
use crate::raw_text::RawText;
use crate::token;
use crate::value::{EnumMember, Record, Value};
use crate::value_error::{ValueError, ValueErrorKind};

/// Turns a Rust value into what travels.
///
/// | Rust | value |
/// | --- | --- |
/// | `()`, `None` | none |
/// | integers | int, or big int where it does not fit |
/// | `char`, strings | text |
/// | bytes through `serde_bytes` or [`Bytes`](bytes::Bytes) in a [`Value`] | bytes |
/// | `Vec`, slices, sets | list |
/// | tuples, arrays, tuple structs | tuple |
/// | maps, with any key | map |
/// | structs | record with the struct's name |
/// | newtype structs | the content |
/// | unit variants | enum: the enum's name, the variant's name, and that name as text |
/// | other variants | record with the variant's name; fields of a tuple variant are `0`, `1`, ... |
/// | [`HostPath`](crate::HostPath) | text or raw text |
/// | [`Value`] | itself |
///
/// Collections nested more than 128 deep are an error.
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, ValueError> {
    value.serialize(Serializer {
        depth: 0,
        body: false,
    })
}

/// `depth` counts the collections around the value. `body` is set for the content of a token, whose types then tell
/// all they know instead of what suits a human-readable format.
#[derive(Clone, Copy)]
struct Serializer {
    depth: usize,
    body: bool,
}

impl Serializer {
    /// The serializer of a collection's elements.
    fn open(self) -> Result<Self, ValueError> {
        // A token's own tuple is no collection of the value that it makes.
        let depth = self.depth + usize::from(!self.body);
        if depth > DEFAULT_DEPTH {
            let limit = DEFAULT_DEPTH;
            return Err(ValueErrorKind::Depth { limit }.into());
        }
        Ok(Self { depth, body: false })
    }

    fn body(self) -> Self {
        Self { body: true, ..self }
    }
}

impl ser::Serializer for Serializer {
    type Ok = Value;
    type Error = ValueError;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Fields;
    type SerializeMap = Pairs;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    fn is_human_readable(&self) -> bool {
        !self.body
    }

    fn serialize_bool(self, value: bool) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_i8(self, value: i8) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_i128(self, value: i128) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_u8(self, value: u8) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_u128(self, value: u128) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_f32(self, value: f32) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_char(self, value: char) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_str(self, value: &str) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_none(self) -> Result<Value, ValueError> {
        Ok(Value::None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, ValueError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, ValueError> {
        Ok(Value::None)
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<Value, ValueError> {
        ser::SerializeStruct::end(self.fields(name, 0)?)
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Value, ValueError> {
        self.open()?;
        Ok(Value::Enum(EnumMember::new(name, variant, variant)))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Value, ValueError> {
        // What a token's type writes is in `values.rs`, so the fallbacks only answer an impostor.
        match name {
            token::BIG_INT => match value.serialize(self.body())? {
                Value::Bytes(bytes) => Ok(BigInt::from_le_bytes(&bytes).into()),
                other => Ok(other),
            },
            token::RAW_TEXT => match value.serialize(self.body())? {
                Value::Bytes(bytes) => match RawText::from_wtf8(bytes.into()) {
                    Ok(raw) => Ok(Value::RawText(raw)),
                    Err(error) => Err(ser::Error::custom(error)),
                },
                other => Ok(other),
            },
            token::SET => match value.serialize(self)? {
                Value::List(values) => Ok(Value::Set(values)),
                other => Ok(other),
            },
            token::RECORD => match value.serialize(self.body())? {
                Value::Tuple(parts) => record_from(parts),
                other => Ok(other),
            },
            token::ENUM => match value.serialize(self.open()?.body())? {
                Value::Tuple(parts) => member_from(parts),
                other => Ok(other),
            },
            _ => value.serialize(self),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, ValueError> {
        let mut fields = self.fields(variant, 1)?;
        ser::SerializeTupleVariant::serialize_field(&mut fields, value)?;
        ser::SerializeTupleVariant::end(fields)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Items, ValueError> {
        self.items(len, Value::List)
    }

    fn serialize_tuple(self, len: usize) -> Result<Items, ValueError> {
        self.items(Some(len), Value::Tuple)
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Items, ValueError> {
        self.items(Some(len), Value::Tuple)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Fields, ValueError> {
        self.fields(variant, len)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Pairs, ValueError> {
        self.pairs(len)
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Fields, ValueError> {
        self.fields(name, len)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Fields, ValueError> {
        self.fields(variant, len)
    }
}

fn record_from(parts: Vec<Value>) -> Result<Value, ValueError> {
    let Ok([Value::Text(name), Value::Map(pairs)]) = <[Value; 2]>::try_from(parts) else {
        return Err(ser::Error::custom("not the parts of a record"));
    };
    let fields = pairs.into_iter().filter_map(|(name, value)| match name {
        Value::Text(name) => Some((name, value)),
        _ => None,
    });
    Ok(Value::Record(Record {
        name,
        fields: fields.collect(),
    }))
}

fn member_from(parts: Vec<Value>) -> Result<Value, ValueError> {
    match <[Value; 3]>::try_from(parts) {
        Ok([Value::Text(name), Value::Text(member), value]) => {
            Ok(Value::Enum(EnumMember::new(name, member, value)))
        }
        _ => Err(ser::Error::custom("not the parts of an enum member")),
    }
}

//! How values turn themselves into what travels, or into another format.

use serde::ser::{self, Serialize};

use crate::big_int::BigInt;
use crate::raw_text::RawText;
use crate::token;
use crate::value::{EnumMember, Record, Value};

impl Serialize for Value {
    /// Gives itself to [`to_value`](crate::to_value). In a human-readable format such as JSON a record becomes a map, an
    /// enum member its value, a set a sequence, an integer beyond 64 bits a decimal text, and raw text loses its lone
    /// surrogates.
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use ser::SerializeTuple as _;

        match self {
            Self::None => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::BigInt(value) => value.serialize(serializer),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::RawText(value) => value.serialize(serializer),
            Self::Bytes(value) => serializer.serialize_bytes(value),
            Self::List(values) => serializer.collect_seq(values),
            Self::Tuple(values) => {
                let mut tuple = serializer.serialize_tuple(values.len())?;
                for value in values {
                    tuple.serialize_element(value)?;
                }
                tuple.end()
            }
            Self::Set(values) => serializer.serialize_newtype_struct(token::SET, values),
            Self::Map(pairs) => serializer.collect_map(pairs.iter().map(|(k, v)| (k, v))),
            Self::Record(record) => record.serialize(serializer),
            Self::Enum(member) => member.serialize(serializer),
        }
    }
}

impl Serialize for BigInt {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Body<'a>(&'a BigInt);

        impl Serialize for Body<'_> {
            fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if !serializer.is_human_readable() {
                    serializer.serialize_bytes(self.0.as_le_bytes())
                } else if let Ok(value) = i64::try_from(self.0) {
                    serializer.serialize_i64(value)
                } else if let Ok(value) = u64::try_from(self.0) {
                    serializer.serialize_u64(value)
                } else {
                    serializer.collect_str(self.0)
                }
            }
        }

        serializer.serialize_newtype_struct(token::BIG_INT, &Body(self))
    }
}

impl Serialize for RawText {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Body<'a>(&'a RawText);

        impl Serialize for Body<'_> {
            fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.serialize_str(&self.0.to_string_lossy())
                } else {
                    serializer.serialize_bytes(self.0.as_wtf8())
                }
            }
        }

        serializer.serialize_newtype_struct(token::RAW_TEXT, &Body(self))
    }
}

impl Serialize for Record {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct FieldMap<'a>(&'a Record);

        impl Serialize for FieldMap<'_> {
            fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.fields.iter().map(|(name, value)| (name, value)))
            }
        }

        struct Body<'a>(&'a Record);

        impl Serialize for Body<'_> {
            fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let fields = FieldMap(self.0);
                if serializer.is_human_readable() {
                    fields.serialize(serializer)
                } else {
                    (&self.0.name, fields).serialize(serializer)
                }
            }
        }

        serializer.serialize_newtype_struct(token::RECORD, &Body(self))
    }
}

impl Serialize for EnumMember {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Body<'a>(&'a EnumMember);

        impl Serialize for Body<'_> {
            fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    self.0.value.serialize(serializer)
                } else {
                    (&self.0.name, &self.0.member, &*self.0.value).serialize(serializer)
                }
            }
        }

        serializer.serialize_newtype_struct(token::ENUM, &Body(self))
    }
}

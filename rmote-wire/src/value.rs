use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

use crate::big_int::BigInt;
use crate::raw_text::RawText;

/// Data as it travels: Python's plain data, kept as it was.
///
/// Two values are equal when they are written the same way, except that a float that is not a number equals nothing,
/// as in Rust.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `None`.
    None,
    /// `bool`.
    Bool(bool),
    /// An `int` of at most 64 bits.
    Int(i64),
    /// An `int` beyond 64 bits. A smaller one is written as [`Value::Int`].
    BigInt(BigInt),
    /// `float`.
    Float(f64),
    /// `str`.
    Text(String),
    /// A `str` with lone surrogates, which is how Python keeps a path that is no UTF-8.
    RawText(RawText),
    /// `bytes`. A decoded one is a part of the input, not a copy, and keeps that alive.
    Bytes(Bytes),
    /// `list`.
    List(Vec<Self>),
    /// `tuple`.
    Tuple(Vec<Self>),
    /// `set` or `frozenset`, in the order in which it was iterated.
    Set(Vec<Self>),
    /// `dict`, in its order, with keys of any type.
    Map(Vec<(Self, Self)>),
    /// A dataclass, a named tuple or a Rust struct.
    Record(Record),
    /// A member of an `enum.Enum`, or a unit variant of a Rust enum.
    Enum(EnumMember),
}

/// A named type's fields, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The name of the type.
    pub name: String,
    /// The name of each field and its value.
    pub fields: Vec<(String, Value)>,
}

/// A member of an enumeration.
#[derive(Debug, Clone, PartialEq)]
pub struct EnumMember {
    /// The name of the enumeration.
    pub name: String,
    /// The name of the member.
    pub member: String,
    /// The member's value.
    pub value: Box<Value>,
}

impl Record {
    /// Makes a record.
    pub fn new<N: Into<String>>(
        name: impl Into<String>,
        fields: impl IntoIterator<Item = (N, Value)>,
    ) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value));
        Self {
            name: name.into(),
            fields: fields.collect(),
        }
    }

    /// The value of the first field with this name.
    pub fn get(&self, field: &str) -> Option<&Value> {
        let found = self.fields.iter().find(|(name, _)| name == field);
        found.map(|(_, value)| value)
    }
}

impl EnumMember {
    /// Makes a member.
    pub fn new(
        name: impl Into<String>,
        member: impl Into<String>,
        value: impl Into<Value>,
    ) -> Self {
        Self {
            name: name.into(),
            member: member.into(),
            value: Box::new(value.into()),
        }
    }
}

impl Value {
    /// What this is, in words for an error message.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::BigInt(_) => "integer",
            Self::Float(_) => "float",
            Self::Text(_) => "text",
            Self::RawText(_) => "raw text",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Set(_) => "set",
            Self::Map(_) => "map",
            Self::Record(_) => "record",
            Self::Enum(_) => "enum",
        }
    }

    /// Whether this is [`Value::None`].
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// The content of a bool.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The content of an integer that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            Self::BigInt(value) => value.try_into().ok(),
            _ => None,
        }
    }

    /// The content of a float.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The content of a text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(value) => Some(value),
            _ => None,
        }
    }

    /// The content of bytes.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Bytes(value) => Some(value),
            _ => None,
        }
    }

    /// The elements of a list, a tuple or a set.
    pub fn as_slice(&self) -> Option<&[Self]> {
        match self {
            Self::List(values) | Self::Tuple(values) | Self::Set(values) => Some(values),
            _ => None,
        }
    }

    /// The value of a record's field, or of a map's key that is text.
    ///
    /// ```
    /// use rmote_wire::Value;
    ///
    /// let map = Value::Map(vec![("port".into(), 22.into())]);
    /// assert_eq!(map.get("port").and_then(Value::as_i64), Some(22));
    /// ```
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Record(record) => record.get(name),
            Self::Map(pairs) => {
                let found = pairs.iter().find(|(key, _)| key.as_str() == Some(name));
                found.map(|(_, value)| value)
            }
            _ => None,
        }
    }
}

/// Implements `From` by naming the expression that makes a value.
macro_rules! from {
    ($($source:ty, $value:ident => $make:expr;)*) => {$(
        impl From<$source> for Value {
            fn from($value: $source) -> Self {
                $make
            }
        }
    )*};
}

from! {
    (), _value => Self::None;
    bool, value => Self::Bool(value);
    i8, value => Self::Int(value.into());
    i16, value => Self::Int(value.into());
    i32, value => Self::Int(value.into());
    i64, value => Self::Int(value);
    i128, value => Self::from(BigInt::from(value));
    u8, value => Self::Int(value.into());
    u16, value => Self::Int(value.into());
    u32, value => Self::Int(value.into());
    u64, value => Self::from(BigInt::from(u128::from(value)));
    u128, value => Self::from(BigInt::from(value));
    f32, value => Self::Float(value.into());
    f64, value => Self::Float(value);
    char, value => Self::Text(value.to_string());
    &str, value => Self::Text(value.to_owned());
    String, value => Self::Text(value);
    &String, value => Self::Text(value.clone());
    RawText, value => Self::RawText(value);
    Bytes, value => Self::Bytes(value);
    &[u8], value => Self::Bytes(Bytes::copy_from_slice(value));
    Vec<u8>, value => Self::Bytes(value.into());
    Vec<Value>, value => Self::List(value);
    Vec<(Value, Value)>, value => Self::Map(value);
    Record, value => Self::Record(value);
    EnumMember, value => Self::Enum(value);
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        match i64::try_from(value) {
            Ok(value) => Self::Int(value),
            // No usize is wider than 128 bits.
            Err(_) => Self::BigInt(BigInt::from_le_bytes_unsigned(&value.to_le_bytes())),
        }
    }
}

impl From<BigInt> for Value {
    /// Gives an [`Value::Int`] for what fits.
    fn from(value: BigInt) -> Self {
        match i64::try_from(&value) {
            Ok(value) => Self::Int(value),
            Err(_) => Self::BigInt(value),
        }
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

impl<K: Into<Self>, V: Into<Self>> From<BTreeMap<K, V>> for Value {
    fn from(map: BTreeMap<K, V>) -> Self {
        Self::Map(map.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }
}

impl<K: Into<Self>, V: Into<Self>, S> From<HashMap<K, V, S>> for Value {
    fn from(map: HashMap<K, V, S>) -> Self {
        Self::Map(map.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }
}

impl<T: Into<Self>> FromIterator<T> for Value {
    /// Collects a list.
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

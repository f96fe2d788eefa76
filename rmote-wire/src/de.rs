use std::vec;

use bytes::Bytes;
use serde::de::value::{StrDeserializer, U8Deserializer};
use serde::de::{
    self, Deserialize, DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::big_int::BigInt;
use crate::limits::DEFAULT_DEPTH;
use crate::token;
use crate::value::{EnumMember, Record, Value};
use crate::value_error::{ValueError, ValueErrorKind};
use crate::value_path::PathSegment;

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
    T::deserialize(Deserializer { value, depth: 0 })
}

/// `depth` counts the collections around the value.
struct Deserializer {
    value: Value,
    depth: usize,
}

impl Deserializer {
    fn open(&self) -> Result<usize, ValueError> {
        if self.depth >= DEFAULT_DEPTH {
            let limit = DEFAULT_DEPTH;
            return Err(ValueErrorKind::Depth { limit }.into());
        }
        Ok(self.depth + 1)
    }

    fn mismatch<T>(&self, expected: &str) -> Result<T, ValueError> {
        Err(match self.value {
            Value::RawText(_) if expected == "text" => ValueErrorKind::RawText.into(),
            _ => ValueError::expected(expected, self.value.type_name()),
        })
    }

    /// An enum member's value, for types that know no members.
    fn plain(mut self) -> Result<Self, ValueError> {
        while let Value::Enum(member) = self.value {
            let depth = self.depth + 1;
            if depth > DEFAULT_DEPTH {
                let limit = DEFAULT_DEPTH;
                return Err(ValueErrorKind::Depth { limit }.into());
            }
            self = Self {
                value: *member.value,
                depth,
            };
        }
        Ok(self)
    }

    fn elements(&self, values: Vec<Value>) -> Result<Elements, ValueError> {
        Ok(Elements {
            depth: self.open()?,
            values: values.into_iter(),
            index: 0,
        })
    }

    fn visit_elements<'de, V: Visitor<'de>>(
        self,
        values: Vec<Value>,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.elements(values)?.visit(visitor)
    }

    fn visit_pairs<'de, V: Visitor<'de>>(
        self,
        pairs: Vec<(Value, Value)>,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        let depth = self.open()?;
        visitor.visit_map(Pairs {
            rest: pairs.into_iter(),
            current: None,
            index: 0,
            depth,
        })
    }

    fn visit_fields<'de, V: Visitor<'de>>(
        self,
        fields: Vec<(String, Value)>,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        let depth = self.open()?;
        visitor.visit_map(Fields {
            rest: fields.into_iter(),
            current: None,
            depth,
        })
    }

    /// Takes the value out, so that it can be matched while the rest is used.
    fn take(&mut self) -> Value {
        std::mem::replace(&mut self.value, Value::None)
    }

    fn visit_sequence<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let mut this = self.plain()?;
        match this.take() {
            Value::List(values) | Value::Tuple(values) | Value::Set(values) => {
                this.visit_elements(values, visitor)
            }
            Value::Record(record) => {
                let values = record.fields.into_iter().map(|(_, value)| value);
                this.visit_elements(values.collect(), visitor)
            }
            Value::Bytes(bytes) => {
                let mut bytes = ByteElements { bytes, index: 0 };
                let value = visitor.visit_seq(&mut bytes)?;
                leftover(bytes.index, bytes.bytes.len() - bytes.index)?;
                Ok(value)
            }
            other => Self {
                value: other,
                ..this
            }
            .mismatch("sequence"),
        }
    }

    fn visit_mapping<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let mut this = self.plain()?;
        match this.take() {
            Value::Map(pairs) => this.visit_pairs(pairs, visitor),
            Value::Record(record) => this.visit_fields(record.fields, visitor),
            other => Self {
                value: other,
                ..this
            }
            .mismatch("map"),
        }
    }

    fn visit_bytes_owned<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let mut this = self.plain()?;
        match this.take() {
            Value::Bytes(bytes) => visitor.visit_byte_buf(bytes.into()),
            Value::List(values) | Value::Tuple(values) => this.visit_elements(values, visitor),
            other => Self {
                value: other,
                ..this
            }
            .mismatch("bytes"),
        }
    }

    fn visit_text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.plain()? {
            Self {
                value: Value::Text(text),
                ..
            } => visitor.visit_string(text),
            other => other.mismatch("text"),
        }
    }

    fn visit_float<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.plain()? {
            Self {
                value: Value::Float(value),
                ..
            } => visitor.visit_f64(value),
            #[expect(
                clippy::cast_precision_loss,
                reason = "Python's float() rounds as well"
            )]
            Self {
                value: Value::Int(value),
                ..
            } => visitor.visit_f64(value as f64),
            other => other.mismatch("float"),
        }
    }

    /// Hands over everything that a `ValueVisitor` needs to make the same value again.
    fn visit_value<'de, V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, ValueError> {
        let tag = match &self.value {
            Value::Tuple(_) => token::TUPLE,
            Value::Set(_) => token::SET,
            Value::Record(_) => token::RECORD,
            Value::Enum(_) => token::ENUM,
            Value::BigInt(_) => token::BIG_INT,
            Value::RawText(_) => token::RAW_TEXT,
            _ => return de::Deserializer::deserialize_any(self, visitor),
        };
        // What lies in the parts of a record or a member is one deeper, not two.
        let mut parts_depth = self.depth;
        let parts = match self.take() {
            Value::Tuple(values) | Value::Set(values) => vec![Value::List(values)],
            Value::Record(Record { name, fields }) => {
                let fields = fields.into_iter().map(|(name, value)| (name.into(), value));
                vec![name.into(), Value::Map(fields.collect())]
            }
            Value::Enum(EnumMember {
                name,
                member,
                value,
            }) => {
                parts_depth = self.open()?;
                vec![name.into(), member.into(), *value]
            }
            Value::BigInt(big) => vec![big.as_le_bytes().into()],
            Value::RawText(raw) => vec![raw.as_wtf8().into()],
            _ => Vec::new(),
        };
        visitor.visit_enum(Parts {
            tag,
            parts: Elements {
                values: parts.into_iter(),
                index: 0,
                depth: parts_depth,
            },
        })
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
            match &this.value {
                Value::Int(value) => {
                    let fits = $type::try_from(*value).map_err(|_| range(value.to_string()))?;
                    visitor.$visit(fits)
                }
                Value::BigInt(value) => {
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

impl<'de> de::Deserializer<'de> for Deserializer {
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
        let mut this = self.plain()?;
        match this.take() {
            // Members are gone; the two have the same answer.
            Value::None | Value::Enum(_) => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Int(value) => visitor.visit_i64(value),
            Value::BigInt(value) => visit_big_int(&value, visitor),
            Value::Float(value) => visitor.visit_f64(value),
            Value::Text(value) => visitor.visit_string(value),
            Value::RawText(value) => visitor.visit_bytes(value.as_wtf8()),
            Value::Bytes(value) => visitor.visit_byte_buf(value.into()),
            Value::List(values) | Value::Tuple(values) | Value::Set(values) => {
                this.visit_elements(values, visitor)
            }
            Value::Map(pairs) => this.visit_pairs(pairs, visitor),
            Value::Record(record) => this.visit_fields(record.fields, visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.plain()? {
            Self {
                value: Value::Bool(value),
                ..
            } => visitor.visit_bool(value),
            other => other.mismatch("bool"),
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
        self.visit_bytes_owned(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.visit_bytes_owned(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.value {
            Value::None => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.plain()? {
            Self {
                value: Value::None, ..
            } => visitor.visit_unit(),
            other => other.mismatch("none"),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match &self.value {
            Value::Record(record) if record.fields.is_empty() => visitor.visit_unit(),
            _ => self.deserialize_unit(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match name {
            token::VALUE => self.visit_value(visitor),
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
        match this.value {
            Value::List(_) | Value::Tuple(_) => this.visit_sequence(visitor),
            Value::Map(_) | Value::Record(_) => this.visit_mapping(visitor),
            _ => this.mismatch("record"),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        let (name, content) = match self.take() {
            Value::Text(name) => (name, Content::Nothing),
            Value::Enum(EnumMember { member, value, .. }) => {
                let depth = self.open()?;
                let value = *value;
                let content = Self { value, depth };
                if variants.contains(&member.as_str()) {
                    (member, Content::Member(content))
                } else {
                    // A Rust enum may be named after the values, as those of `enum.StrEnum` are.
                    match &content.value {
                        Value::Text(text) if variants.contains(&text.as_str()) => {
                            (text.clone(), Content::Nothing)
                        }
                        Value::Record(_) | Value::Map(_) | Value::Enum(_) => {
                            return content.deserialize_enum(name, variants, visitor);
                        }
                        _ => (member, Content::Member(content)),
                    }
                }
            }
            Value::Record(record) => {
                let name = own_name(&record.name, variants).to_owned();
                let value = Value::Record(record);
                (name, Content::Record(Self { value, ..self }))
            }
            Value::Map(pairs) => {
                let depth = self.open()?;
                match <[(Value, Value); 1]>::try_from(pairs) {
                    Ok([(Value::Text(name), value)]) => {
                        (name, Content::Inner(Self { value, depth }))
                    }
                    _ => return Err(ValueError::expected("enum", "map")),
                }
            }
            value => return Self { value, ..self }.mismatch("enum"),
        };
        visitor.visit_enum(Variant { name, content })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_unit()
    }
}

/// A class may be named by its place, `Outer.Inner`.
fn own_name<'a>(name: &'a str, variants: &[&str]) -> &'a str {
    if variants.contains(&name) {
        return name;
    }
    name.rsplit_once('.').map_or(name, |(_, own)| own)
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

fn leftover(read: usize, left: usize) -> Result<(), ValueError> {
    if left == 0 {
        return Ok(());
    }
    let expected = format!("{read} elements");
    let found = read + left;
    Err(ValueErrorKind::Length { expected, found }.into())
}

struct Elements {
    values: vec::IntoIter<Value>,
    index: usize,
    depth: usize,
}

impl Elements {
    fn visit<'de, V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, ValueError> {
        let value = visitor.visit_seq(&mut self)?;
        // A tuple that is shorter than what came would lose the rest in silence.
        leftover(self.index, self.values.len())?;
        Ok(value)
    }
}

impl<'de> de::SeqAccess<'de> for Elements {
    type Error = ValueError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ValueError> {
        let Some(value) = self.values.next() else {
            return Ok(None);
        };
        let index = self.index;
        self.index += 1;
        let depth = self.depth;
        seed.deserialize(Deserializer { value, depth })
            .map(Some)
            .map_err(|error| error.at(PathSegment::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.values.len())
    }
}

struct ByteElements {
    bytes: Bytes,
    index: usize,
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

struct Pairs {
    rest: vec::IntoIter<(Value, Value)>,
    current: Option<(PairKey, Value)>,
    index: usize,
    depth: usize,
}

/// What an error's path says of a key that is used up.
enum PairKey {
    Text(String),
    Int(i64),
    Other,
}

impl<'de> de::MapAccess<'de> for Pairs {
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ValueError> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        let index = self.index;
        self.index += 1;
        let depth = self.depth;
        let (result, kept) = match key {
            Value::Text(text) => (seed.deserialize(TextKey(&text)), PairKey::Text(text)),
            Value::Int(int) => {
                let value = Value::Int(int);
                (
                    seed.deserialize(Deserializer { value, depth }),
                    PairKey::Int(int),
                )
            }
            value => (
                seed.deserialize(Deserializer { value, depth }),
                PairKey::Other,
            ),
        };
        self.current = Some((kept, value));
        result
            .map(Some)
            .map_err(|error| error.at(PathSegment::Pair(index)))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, ValueError> {
        let Some((key, value)) = self.current.take() else {
            return Err(ValueError::custom("a map's value without a key"));
        };
        let depth = self.depth;
        seed.deserialize(Deserializer { value, depth })
            .map_err(|error| {
                error.at(match key {
                    PairKey::Text(text) => PathSegment::text_key(&text),
                    PairKey::Int(int) => PathSegment::key(&Value::Int(int), 0),
                    PairKey::Other => PathSegment::Pair(self.index - 1),
                })
            })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

struct Fields {
    rest: vec::IntoIter<(String, Value)>,
    current: Option<(String, Value)>,
    depth: usize,
}

impl<'de> de::MapAccess<'de> for Fields {
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ValueError> {
        self.current = self.rest.next();
        match &self.current {
            Some((name, _)) => seed
                .deserialize(TextKey(name))
                .map(Some)
                .map_err(|error| error.at(PathSegment::field(name))),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, ValueError> {
        let Some((name, value)) = self.current.take() else {
            return Err(ValueError::custom("a field's value without a name"));
        };
        let depth = self.depth;
        seed.deserialize(Deserializer { value, depth })
            .map_err(|error| error.at(PathSegment::field(&name)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// A key that is lent, so that it can still be named in an error of its value. Field names are not even copied.
struct TextKey<'a>(&'a str);

impl<'de> de::Deserializer<'de> for TextKey<'_> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_str(self.0)
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
        let text: StrDeserializer<'_, ValueError> = self.0.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Variant {
    name: String,
    content: Content,
}

/// What a variant of a Rust enum is made of.
enum Content {
    Nothing,
    /// The value of a member, which a unit variant ignores.
    Member(Deserializer),
    /// What stands behind the variant's name.
    Inner(Deserializer),
    /// A record that is named like the variant.
    Record(Deserializer),
}

impl<'de> de::EnumAccess<'de> for Variant {
    type Error = ValueError;
    type Variant = Content;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Content), ValueError> {
        Ok((seed.deserialize(TextKey(&self.name))?, self.content))
    }
}

impl<'de> de::VariantAccess<'de> for Content {
    type Error = ValueError;

    fn unit_variant(self) -> Result<(), ValueError> {
        match self {
            Self::Nothing | Self::Member(_) => Ok(()),
            Self::Inner(content) => <()>::deserialize(content),
            Self::Record(content) => match &content.value {
                Value::Record(record) if record.fields.is_empty() => Ok(()),
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
            Self::Record(mut content) => {
                let depth = content.open()?;
                match &mut content.value {
                    // What `to_value` makes of such a variant; any other record is the variant's content itself.
                    Value::Record(Record { fields, .. }) if is_wrapped(fields) => {
                        let value = fields.pop().map_or(Value::None, |(_, value)| value);
                        seed.deserialize(Deserializer { value, depth })
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

fn is_wrapped(fields: &[(String, Value)]) -> bool {
    matches!(fields, [(name, _)] if name == "0")
}

/// The parts of a value that serde has no word for, on their way to a `ValueVisitor`.
struct Parts {
    tag: &'static str,
    parts: Elements,
}

impl<'de> de::EnumAccess<'de> for Parts {
    type Error = ValueError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), ValueError> {
        Ok((seed.deserialize(TextKey(self.tag))?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Parts {
    type Error = ValueError;

    fn unit_variant(self) -> Result<(), ValueError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        mut self,
        seed: T,
    ) -> Result<T::Value, ValueError> {
        let value = self.parts.values.next().unwrap_or(Value::None);
        let depth = self.parts.depth;
        seed.deserialize(Deserializer { value, depth })
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.parts.visit(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.parts.visit(visitor)
    }
}

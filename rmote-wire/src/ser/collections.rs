//! Values with others in them, while they are made.

use serde::ser::{self, Serialize};

use super::Serializer;
use crate::value::{Record, Value};
use crate::value_error::ValueError;
use crate::value_path::PathSegment;

impl Serializer {
    pub(super) fn fields(self, name: &str, len: usize) -> Result<Fields, ValueError> {
        Ok(Fields {
            name: name.to_owned(),
            done: Vec::with_capacity(len),
            serializer: self.open()?,
        })
    }

    pub(super) fn items(
        self,
        len: Option<usize>,
        build: fn(Vec<Value>) -> Value,
    ) -> Result<Items, ValueError> {
        Ok(Items {
            // A length is a hint of the type's own code.
            values: Vec::with_capacity(len.unwrap_or(0).min(4096)),
            serializer: self.open()?,
            build,
        })
    }

    pub(super) fn pairs(self, len: Option<usize>) -> Result<Pairs, ValueError> {
        Ok(Pairs {
            done: Vec::with_capacity(len.unwrap_or(0).min(4096)),
            key: None,
            serializer: self.open()?,
        })
    }
}

pub(super) struct Items {
    values: Vec<Value>,
    serializer: Serializer,
    build: fn(Vec<Value>) -> Value,
}

impl Items {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        let value = value.serialize(self.serializer);
        let index = self.values.len();
        self.values
            .push(value.map_err(|error| error.at(PathSegment::Index(index)))?);
        Ok(())
    }
}

impl ser::SerializeSeq for Items {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.push(value)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok((self.build)(self.values))
    }
}

impl ser::SerializeTuple for Items {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.push(value)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok((self.build)(self.values))
    }
}

impl ser::SerializeTupleStruct for Items {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.push(value)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok((self.build)(self.values))
    }
}

pub(super) struct Pairs {
    done: Vec<(Value, Value)>,
    key: Option<Value>,
    serializer: Serializer,
}

impl ser::SerializeMap for Pairs {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ValueError> {
        let key = key.serialize(self.serializer);
        self.key = Some(key.map_err(|error| error.at(PathSegment::Pair(self.done.len())))?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        let Some(key) = self.key.take() else {
            return Err(ser::Error::custom("a map's value without a key"));
        };
        let value = value
            .serialize(self.serializer)
            .map_err(|error| error.at(PathSegment::key(&key, self.done.len())))?;
        self.done.push((key, value));
        Ok(())
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(Value::Map(self.done))
    }
}

pub(super) struct Fields {
    name: String,
    done: Vec<(String, Value)>,
    serializer: Serializer,
}

impl Fields {
    fn push<T: Serialize + ?Sized>(&mut self, name: String, value: &T) -> Result<(), ValueError> {
        let value = value
            .serialize(self.serializer)
            .map_err(|error| error.at(PathSegment::field(&name)))?;
        self.done.push((name, value));
        Ok(())
    }

    fn finish(self) -> Value {
        Value::Record(Record {
            name: self.name,
            fields: self.done,
        })
    }
}

impl ser::SerializeStruct for Fields {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), ValueError> {
        self.push(name.to_owned(), value)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(self.finish())
    }
}

impl ser::SerializeStructVariant for Fields {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), ValueError> {
        self.push(name.to_owned(), value)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(self.finish())
    }
}

impl ser::SerializeTupleVariant for Fields {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.push(self.done.len().to_string(), value)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(self.finish())
    }
}

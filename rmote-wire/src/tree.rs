use std::borrow::Cow;
use std::vec;

use crate::decode::{DecodeError, DecodeErrorKind, error_at};
use crate::node::{Blob, Node, Parts};
use crate::value::{EnumMember, Record, Value};

/// The parts of a value that is a tree already.
pub(crate) enum Tree {
    Elements(vec::IntoIter<Value>),
    Pairs {
        rest: vec::IntoIter<(Value, Value)>,
        value: Option<Value>,
    },
    Fields {
        title: String,
        rest: vec::IntoIter<(String, Value)>,
        value: Option<Value>,
    },
    Member(EnumMember),
}

impl From<Value> for Node<'_, Tree> {
    fn from(value: Value) -> Self {
        let elements = |values: Vec<Value>| Tree::Elements(values.into_iter());
        match value {
            Value::None => Self::None,
            Value::Bool(value) => Self::Bool(value),
            Value::Int(value) => Self::Int(value),
            Value::BigInt(value) => Self::BigInt(value),
            Value::Float(value) => Self::Float(value),
            Value::Text(value) => Self::Text(Cow::Owned(value)),
            Value::RawText(value) => Self::RawText(value),
            Value::Bytes(value) => Self::Bytes(Blob::Owned(value)),
            Value::List(values) => Self::List(elements(values)),
            Value::Tuple(values) => Self::Tuple(elements(values)),
            Value::Set(values) => Self::Set(elements(values)),
            Value::Map(pairs) => Self::Map(Tree::Pairs {
                rest: pairs.into_iter(),
                value: None,
            }),
            Value::Record(Record { name, fields }) => Self::Record(Tree::Fields {
                title: name,
                rest: fields.into_iter(),
                value: None,
            }),
            Value::Enum(member) => Self::Enum(Tree::Member(member)),
        }
    }
}

impl Tree {
    fn next(&mut self) -> Option<Value> {
        match self {
            Self::Elements(rest) => rest.next(),
            Self::Pairs { rest, value } => value.take().or_else(|| {
                let (key, next) = rest.next()?;
                *value = Some(next);
                Some(key)
            }),
            Self::Fields { value, .. } => value.take(),
            Self::Member(member) => Some(std::mem::replace(&mut *member.value, Value::None)),
        }
    }
}

impl<'de> Parts<'de> for Tree {
    type Inner<'a> = Self;

    fn left(&self) -> usize {
        match self {
            Self::Elements(rest) => rest.len(),
            Self::Pairs { rest, .. } => rest.len(),
            Self::Fields { rest, .. } => rest.len(),
            Self::Member(_) => 0,
        }
    }

    fn title(&mut self) -> Cow<'de, str> {
        match self {
            Self::Fields { title, .. } => std::mem::take(title).into(),
            Self::Member(member) => std::mem::take(&mut member.name).into(),
            Self::Elements(_) | Self::Pairs { .. } => Cow::default(),
        }
    }

    fn name(&mut self) -> Result<Cow<'de, str>, DecodeError> {
        match self {
            Self::Fields { rest, value, .. } => {
                let (name, next) = rest.next().ok_or_else(no_part)?;
                *value = Some(next);
                Ok(name.into())
            }
            Self::Member(member) => Ok(std::mem::take(&mut member.member).into()),
            Self::Elements(_) | Self::Pairs { .. } => Err(no_part()),
        }
    }

    fn part(&mut self) -> Result<Node<'de, Self>, DecodeError> {
        self.next().map(Node::from).ok_or_else(no_part)
    }

    fn last(mut self) -> Result<Node<'de, Self>, DecodeError> {
        self.part()
    }

    fn is_wrapped(&self) -> bool {
        match self {
            Self::Fields { rest, .. } => matches!(rest.as_slice(), [(name, _)] if name == "0"),
            _ => false,
        }
    }
}

/// Who asks has counted what is left.
pub(crate) fn no_part() -> DecodeError {
    error_at(0, DecodeErrorKind::End)
}

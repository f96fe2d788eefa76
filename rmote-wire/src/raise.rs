use serde::Deserialize;

use crate::de::from_value;
use crate::encode::EncodeError;
use crate::frame::{Frame, Kind};
use crate::limits::Limits;
use crate::lossy;
use crate::message::{MessageError, text_map, value_of};
use crate::path::HostPath;
use crate::value::Value;
use crate::value_error::ValueError;
use crate::value_path::PathSegment;

/// The answer to a call that failed: the exception as structure.
///
/// Keys that a peer leaves out have defaults, keys that are not known here are ignored. Lone surrogates in texts that
/// are only shown become U+FFFD.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Raise {
    /// Who is to blame.
    pub by: RaisedBy,
    /// The qualified name of the exception's type.
    #[serde(rename = "type", deserialize_with = "lossy::deserialize")]
    pub kind: String,
    /// The module of that type.
    #[serde(deserialize_with = "lossy::deserialize")]
    pub module: String,
    /// The classes as `except` sees them, itself first; `module.name`, without the module for builtins.
    #[serde(deserialize_with = "lossy::list::deserialize")]
    pub bases: Vec<String>,
    /// `str()` of the exception.
    #[serde(deserialize_with = "lossy::deserialize")]
    pub message: String,
    /// The exception's arguments, where all of them are plain data.
    pub args: Option<Vec<Value>>,
    /// The error number of an `OSError`.
    pub errno: Option<i64>,
    /// The file of an `OSError`.
    pub filename: Option<HostPath>,
    /// Where it was raised, outermost first.
    pub traceback: Vec<TraceFrame>,
    /// The exception's notes.
    #[serde(deserialize_with = "lossy::list::deserialize")]
    pub notes: Vec<String>,
    /// The exception that led to this one; only [`Raise::decode`] reads it.
    #[serde(skip)]
    pub cause: Option<Box<Self>>,
    /// The cause was given by `raise .. from`, else it was being handled.
    pub explicit: bool,
}

/// Who is to blame for a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RaisedBy {
    /// The function raised.
    #[default]
    Function,
    /// The agent refused: bad arguments, no such function, a result that is no data.
    Agent,
    /// The result is over a limit.
    Limit,
    /// The call was cancelled.
    Cancelled,
    /// The host lacks what the function needs; the first of `args` names it.
    Host,
}

/// A line of a traceback.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[non_exhaustive]
pub struct TraceFrame {
    /// The file, as the host names it.
    #[serde(deserialize_with = "lossy::deserialize")]
    pub file: String,
    /// The number of the line.
    pub line: i64,
    /// The function.
    #[serde(deserialize_with = "lossy::deserialize")]
    pub function: String,
    /// The source of the line, where it is known.
    #[serde(deserialize_with = "lossy::option::deserialize")]
    pub source: Option<String>,
}

impl Raise {
    /// Makes the frame that answers the call `id`.
    pub fn encode(&self, id: u32, limits: &Limits) -> Result<Frame, EncodeError> {
        Ok(Frame::new(Kind::Raise, id, self.to_map().encode(limits)?))
    }

    /// Reads the frame.
    pub fn decode(frame: &Frame, limits: &Limits) -> Result<Self, MessageError> {
        // Exception by exception: a derived reader takes some KiB of the stack for each of up to 128 causes.
        let mut chain: Vec<Self> = Vec::new();
        let mut next = Some(value_of(frame, Kind::Raise, limits)?);
        while let Some(mut value) = next {
            next = take_cause(&mut value);
            chain.push(from_value(value).map_err(|error| at_cause(error, chain.len()))?);
        }
        let whole = chain.into_iter().rev().reduce(|cause, raise| Self {
            cause: Some(Box::new(cause)),
            ..raise
        });
        Ok(whole.unwrap_or_default())
    }

    fn to_map(&self) -> Value {
        text_map([
            ("by", self.by.name().into()),
            ("type", (&self.kind).into()),
            ("module", (&self.module).into()),
            ("bases", self.bases.iter().collect()),
            ("message", (&self.message).into()),
            ("args", self.args.clone().into()),
            ("errno", self.errno.into()),
            ("filename", self.filename.clone().into()),
            (
                "traceback",
                self.traceback.iter().map(TraceFrame::to_tuple).collect(),
            ),
            ("notes", self.notes.iter().collect()),
            ("cause", self.cause.as_deref().map(Self::to_map).into()),
            ("explicit", self.explicit.into()),
        ])
    }
}

/// Takes the cause out of a raise that is not read yet.
fn take_cause(raise: &mut Value) -> Option<Value> {
    let cause = match raise {
        Value::Map(pairs) => {
            let key = |(key, _): &(Value, Value)| key.as_str() == Some("cause");
            pairs.iter().position(key).map(|at| pairs.remove(at).1)
        }
        Value::Record(record) => {
            let name = |(name, _): &(String, Value)| name == "cause";
            let at = record.fields.iter().position(name);
            at.map(|at| record.fields.remove(at).1)
        }
        _ => None,
    };
    cause.filter(|cause| !cause.is_none())
}

/// The error's place is in the cause that is `depth` below the first exception.
fn at_cause(error: ValueError, depth: usize) -> ValueError {
    (0..depth).fold(error, |error, _| error.at(PathSegment::field("cause")))
}

impl RaisedBy {
    /// The word on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Agent => "agent",
            Self::Limit => "limit",
            Self::Cancelled => "cancelled",
            Self::Host => "host",
        }
    }
}

impl TraceFrame {
    fn to_tuple(&self) -> Value {
        Value::Tuple(vec![
            (&self.file).into(),
            self.line.into(),
            (&self.function).into(),
            self.source.clone().into(),
        ])
    }
}

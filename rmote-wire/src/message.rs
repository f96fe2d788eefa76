use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::de::from_value;
use crate::decode::DecodeError;
use crate::encode::{EncodeError, Encoder, encode_with, tag};
use crate::frame::{FLAG_COMPRESSED, Frame, Kind};
use crate::limits::Limits;
use crate::lossy;
use crate::value::Value;
use crate::value_error::ValueError;
use crate::value_path::PathSegment;
use crate::value_visitor::Fields;

/// The version of the protocol that this crate speaks.
pub const VERSION: u32 = 1;

/// The controller's first frame: what it speaks and accepts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Hello {
    /// The version of the protocol, [`VERSION`].
    pub version: u32,
    /// The largest `length` of a frame that the controller accepts.
    pub frame_limit: usize,
    /// Log records below this level of Python's `logging` stay on the host.
    pub log_level: i64,
    /// Milliseconds within which each side hears something of the other, or 0: an agent that hears nothing for three times
    /// as long ends.
    #[serde(default)]
    pub heartbeat: u64,
}

/// The agent's first frame: what it speaks, accepts and runs on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AgentHello {
    /// The version of the protocol.
    pub version: u32,
    /// The largest `length` of a frame that the agent accepts.
    pub frame_limit: usize,
    /// Python's version: major, minor, patch.
    pub python: (u32, u32, u32),
    /// `cpython` or `pypy`.
    #[serde(default, deserialize_with = "lossy::deserialize")]
    pub implementation: String,
    /// The interpreter's path.
    #[serde(default, deserialize_with = "lossy::deserialize")]
    pub executable: String,
    /// As in Python's `sys.platform`.
    #[serde(default, deserialize_with = "lossy::deserialize")]
    pub platform: String,
    /// The name that the host has for itself.
    #[serde(default, deserialize_with = "lossy::deserialize")]
    pub hostname: String,
    /// The agent's process.
    pub pid: u32,
}

/// A module's source, stored by the agent until it is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// The dotted name of the module.
    pub name: String,
    /// Its Python source.
    pub source: Bytes,
    /// The file that tracebacks name.
    pub file: String,
    /// Whether it is a package.
    pub package: bool,
}

/// A call of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// `module:qualified.name`, or a dotted name.
    pub function: String,
    /// How long the call may take from its arrival, in whole milliseconds; a part of one counts as one.
    pub deadline: Option<Duration>,
    /// The positional arguments.
    pub args: Vec<Value>,
    /// The arguments by name.
    pub kwargs: Vec<(String, Value)>,
    /// Which of the arguments are streams; in their place is none.
    pub streams: Vec<StreamArgument>,
}

/// An argument that is a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamArgument {
    /// Which argument it is.
    pub parameter: Parameter,
    /// Who sends.
    pub direction: Direction,
    /// The id of the stream's frames: of the same numbers as the ids of calls, and not 0.
    pub id: u32,
}

/// Which argument of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameter {
    /// A positional one, counted from 0.
    Position(usize),
    /// One by name.
    Keyword(String),
}

/// Who sends in a stream that is an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The controller sends, the function reads.
    Input,
    /// The function writes, the controller receives.
    Output,
}

/// How many bytes, whole frames, may be sent of a new stream before the receiver grants more.
pub const STREAM_CREDIT: u32 = 256 << 10;

/// A record of Python's `logging`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LogRecord {
    /// The level, 20 for an information.
    pub level: i64,
    /// The name of the logger.
    #[serde(deserialize_with = "lossy::deserialize")]
    pub logger: String,
    /// The formatted message.
    #[serde(deserialize_with = "lossy::deserialize")]
    pub message: String,
}

impl Hello {
    /// Makes the frame.
    pub fn encode(&self, limits: &Limits) -> Result<Frame, EncodeError> {
        let map = text_map([
            ("version", self.version.into()),
            ("frame_limit", self.frame_limit.into()),
            ("log_level", self.log_level.into()),
            ("heartbeat", self.heartbeat.into()),
        ]);
        Ok(Frame::new(Kind::Hello, 0, map.encode(limits)?))
    }

    /// Reads the frame.
    pub fn decode(frame: &Frame, limits: &Limits) -> Result<Self, MessageError> {
        read(frame, Kind::Hello, limits)
    }
}

impl AgentHello {
    /// Makes the frame.
    pub fn encode(&self, limits: &Limits) -> Result<Frame, EncodeError> {
        let (major, minor, patch) = self.python;
        let map = text_map([
            ("version", self.version.into()),
            ("frame_limit", self.frame_limit.into()),
            (
                "python",
                Value::Tuple(vec![major.into(), minor.into(), patch.into()]),
            ),
            ("implementation", (&self.implementation).into()),
            ("executable", (&self.executable).into()),
            ("platform", (&self.platform).into()),
            ("hostname", (&self.hostname).into()),
            ("pid", self.pid.into()),
        ]);
        Ok(Frame::new(Kind::Hello, 0, map.encode(limits)?))
    }

    /// Reads the frame.
    pub fn decode(frame: &Frame, limits: &Limits) -> Result<Self, MessageError> {
        read(frame, Kind::Hello, limits)
    }
}

impl Load {
    /// Makes the frame, not compressed. Who compresses its payload sets [`FLAG_COMPRESSED`].
    pub fn encode(&self, limits: &Limits) -> Result<Frame, EncodeError> {
        let tuple = Value::Tuple(vec![
            (&self.name).into(),
            self.source.clone().into(),
            (&self.file).into(),
            self.package.into(),
        ]);
        Ok(Frame::new(Kind::Load, 0, tuple.encode(limits)?))
    }

    /// Reads a frame that is not compressed.
    pub fn decode(frame: &Frame, limits: &Limits) -> Result<Self, MessageError> {
        if frame.flags & FLAG_COMPRESSED != 0 {
            return Err(MessageError::Compressed);
        }
        let parts = exactly(read_tuple(frame, Kind::Load, limits)?)?;
        let [name, Value::Bytes(source), file, package] = parts else {
            return Err(MessageError::Shape(ValueError::expected(
                "bytes at [1]",
                "other data",
            )));
        };
        Ok(Self {
            name: part(name, 0)?,
            source,
            file: part(file, 2)?,
            package: part(package, 3)?,
        })
    }
}

impl Call {
    /// Makes the frame; `id` is unique among the calls in flight and not 0.
    pub fn encode(&self, id: u32, limits: &Limits) -> Result<Frame, EncodeError> {
        let mut out = BytesMut::new();
        encode_with(&mut out, limits, |encoder| self.write(encoder))?;
        Ok(Frame::new(Kind::Call, id, out))
    }

    /// Reads the frame.
    pub fn decode(frame: &Frame, limits: &Limits) -> Result<Self, MessageError> {
        let mut parts: Vec<Value> = read_tuple(frame, Kind::Call, limits)?;
        let streams = match parts.len() {
            5 => parts.pop().map(streams_of).transpose()?,
            _ => None,
        };
        let [function, deadline, args, kwargs] = exactly(parts)?;
        let deadline: u64 = part(deadline, 1)?;
        Ok(Self {
            function: part(function, 0)?,
            deadline: (deadline > 0).then(|| Duration::from_millis(deadline)),
            args: part(args, 2)?,
            kwargs: part::<Fields>(kwargs, 3)?.0,
            streams: streams.unwrap_or_default(),
        })
    }

    /// Writes the tuple without a copy of the arguments.
    fn write(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        let streams = !self.streams.is_empty();
        let top = encoder.start(tag::TUPLE, 4 + usize::from(streams), 1, 0)?;
        encoder.text(&self.function)?;
        encoder.int(self.deadline.map_or(0, whole_millis));
        encoder
            .sequence(tag::LIST, &self.args, top)
            .map_err(|error| error.at(PathSegment::field("args")))?;
        let depth = encoder.start(tag::MAP, self.kwargs.len(), 2, top)?;
        for (name, value) in &self.kwargs {
            encoder
                .text(name)
                .and_then(|()| encoder.value(value, depth))
                .map_err(|error| error.at(PathSegment::text_key(name)))
                .map_err(|error| error.at(PathSegment::field("kwargs")))?;
        }
        if streams {
            encoder.start(tag::MAP, self.streams.len(), 2, top)?;
            for stream in &self.streams {
                match &stream.parameter {
                    Parameter::Position(index) => {
                        encoder.int(i64::try_from(*index).unwrap_or(i64::MAX));
                    }
                    Parameter::Keyword(name) => encoder.text(name)?,
                }
                encoder.int(match stream.direction {
                    Direction::Input => stream.id.into(),
                    Direction::Output => -i64::from(stream.id),
                });
            }
        }
        Ok(())
    }
}

fn streams_of(value: Value) -> Result<Vec<StreamArgument>, ValueError> {
    let wrong = |found| ValueError::expected("stream arguments at [4]", found);
    let Value::Map(entries) = value else {
        return Err(wrong(value.type_name()));
    };
    entries
        .into_iter()
        .map(|(key, id)| {
            let parameter = match key {
                Value::Text(name) => Parameter::Keyword(name),
                key => Parameter::Position(part(key, 4)?),
            };
            let id: i64 = part(id, 4)?;
            let direction = if id > 0 {
                Direction::Input
            } else {
                Direction::Output
            };
            let id = u32::try_from(id.unsigned_abs()).ok().filter(|&id| id != 0);
            Ok(StreamArgument {
                parameter,
                direction,
                id: id.ok_or_else(|| wrong("another number"))?,
            })
        })
        .collect()
}

impl LogRecord {
    /// Makes the frame; `id` is the call that logged, or 0.
    pub fn encode(&self, id: u32, limits: &Limits) -> Result<Frame, EncodeError> {
        let tuple = Value::Tuple(vec![
            self.level.into(),
            (&self.logger).into(),
            (&self.message).into(),
        ]);
        Ok(Frame::new(Kind::Log, id, tuple.encode(limits)?))
    }

    /// Reads the frame, which has no flag.
    pub fn decode(frame: &Frame, limits: &Limits) -> Result<Self, MessageError> {
        read(frame, Kind::Log, limits)
    }

    /// Reads the frame with [`FLAG_DROPPED`](crate::FLAG_DROPPED): how many records were dropped before it.
    pub fn decode_dropped(frame: &Frame, limits: &Limits) -> Result<u64, MessageError> {
        read(frame, Kind::Log, limits)
    }
}

/// A frame whose payload is not what its kind promises. The peer is to blame.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// A frame of another kind.
    #[error("expected a {expected} frame, found a {found} frame")]
    Kind {
        /// The kind that was expected.
        expected: Kind,
        /// The frame's kind.
        found: Kind,
    },
    /// The payload has to be uncompressed first.
    #[error("the payload is compressed")]
    Compressed,
    /// The payload is no value.
    #[error("the payload is damaged")]
    Decode(#[from] DecodeError),
    /// The payload is a value of another shape.
    #[error("the payload has another shape")]
    Shape(#[from] ValueError),
}

pub(crate) fn text_map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.map(|(key, value)| (key.into(), value)).into())
}

pub(crate) fn read<T: DeserializeOwned>(
    frame: &Frame,
    kind: Kind,
    limits: &Limits,
) -> Result<T, MessageError> {
    Ok(from_value(value_of(frame, kind, limits)?)?)
}

pub(crate) fn value_of(
    frame: &Frame,
    expected: Kind,
    limits: &Limits,
) -> Result<Value, MessageError> {
    let found = frame.kind;
    if found != expected {
        return Err(MessageError::Kind { expected, found });
    }
    Ok(Value::decode(frame.payload.clone(), limits)?)
}

fn read_tuple(frame: &Frame, kind: Kind, limits: &Limits) -> Result<Vec<Value>, MessageError> {
    match value_of(frame, kind, limits)? {
        Value::Tuple(parts) => Ok(parts),
        value => {
            let error = ValueError::expected("tuple", value.type_name());
            Err(MessageError::Shape(error))
        }
    }
}

fn exactly<const N: usize>(parts: Vec<Value>) -> Result<[Value; N], MessageError> {
    let found = parts.len();
    parts.try_into().map_err(|_| {
        let error = ValueError::expected(format!("tuple of {N}"), format!("one of {found}"));
        MessageError::Shape(error)
    })
}

fn part<T: DeserializeOwned>(value: Value, index: usize) -> Result<T, ValueError> {
    from_value(value).map_err(|error| error.at(PathSegment::Index(index)))
}

/// Rounds up: a deadline that is there must not become the 0 that stands for none.
fn whole_millis(duration: Duration) -> i64 {
    let millis = duration.as_nanos().div_ceil(1_000_000).max(1);
    i64::try_from(millis).unwrap_or(i64::MAX)
}

//! The frames and values that a controller and its agent exchange.
//!
//! A controller, written in Rust, runs functions on a host through an agent, written in Python. This crate is the
//! controller's half of what they say to each other, byte for byte as the protocol's specification has it. It does no
//! input and output: it turns bytes into values and back. Who only wants to call functions uses `rmote-client`.
//!
//! # Values
//!
//! A [`Value`] is Python's plain data as it was: integers of any size, bytes, tuples, sets, maps with any key,
//! dataclasses, members of enumerations, and paths that are no UTF-8. [`to_value`] and [`from_value`] turn Rust types
//! into values and back through serde; [`HostPath`] is for paths. [`from_bytes`] makes a Rust type of a payload without a
//! tree of values between: the quickest way for large ones. All of them, and encoding too, say where in a value an error
//! is.
//!
//! ```
//! use rmote_wire::{Frame, Kind, Limits, Value, from_bytes, from_value, to_value};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, PartialEq, Debug)]
//! struct Point {
//!     x: i32,
//!     y: Option<i32>,
//! }
//!
//! let limits = Limits::default();
//! let point = Point { x: 1, y: None };
//! let payload = to_value(&point)?.encode(&limits)?;
//! assert_eq!(&payload[..], b"\x0c\x05Point\x02\x01x\x02\x02\x01y\x00");
//!
//! // What the agent would answer to a call with the id 7.
//! let answer = Frame::new(Kind::Return, 7, payload);
//! assert_eq!(from_bytes::<Point>(&answer.payload, &limits)?, point);
//! let value = Value::decode(answer.payload, &limits)?;
//! assert_eq!(value.get("x").and_then(Value::as_i64), Some(1));
//! assert_eq!(from_value::<Point>(value)?, point);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Frames
//!
//! A [`Frame`] has a [`Kind`], the id of a call and a payload. [`FrameCodec`] cuts a stream into frames, for
//! `tokio_util::codec::FramedRead` or by hand; a writer may use it as well, or send [`Frame::header`] and the payload
//! side by side. [`Hello`], [`AgentHello`], [`Load`], [`Call`], [`Raise`] and [`LogRecord`] are the payloads that have
//! a shape of their own; that of a [`Kind::Return`] is a value, those of [`Kind::Output`] and [`Kind::Ping`] are bytes.
//!
//! # Errors and hostile peers
//!
//! [`FrameError`], [`DecodeError`] and [`MessageError`] blame the peer, [`EncodeError`] and [`ValueError`] the data at
//! hand. [`Limits`] bound a value's bytes, depth, items and texts, in both directions. Input of any kind is an error
//! rather than a panic, and costs memory in proportion to the bytes that came, whatever length it claims.
//!
//! A list that came as columns is the same value as one that came in the plain form, within the same limits. This crate
//! writes the plain form only.
//!
//! What is not promised: that a map's keys or a set's elements are distinct, and that a [`Value`] which was made by
//! hand deeper than the limit can be dropped; Rust drops such data by recursion.

mod big_int;
mod codec;
mod column;
mod cursor;
mod de;
mod decode;
mod elements;
mod encode;
mod frame;
mod limits;
mod lossy;
mod message;
mod node;
mod path;
mod raise;
mod raw_text;
mod reader;
mod ser;
mod token;
mod tree;
mod value;
mod value_error;
mod value_path;
mod value_visitor;
mod variant;

pub use big_int::{BigInt, BigIntRangeError, ParseBigIntError};
pub use codec::{FrameCodec, FrameError};
pub use de::{FromBytesError, from_bytes, from_value};
pub use decode::{DecodeError, DecodeErrorKind};
pub use encode::{EncodeError, EncodeErrorKind};
pub use frame::{
    FLAG_COMPRESSED, FLAG_CONTINUED, FLAG_DEFLATED, FLAG_DROPPED, FLAG_FAILED, FLAG_MORE, FLAG_RAW,
    FLAG_REST, FLAG_STDERR, FLAG_STREAM, Frame, Kind,
};
pub use limits::Limits;
pub use message::{
    AgentHello, Call, Direction, Hello, Load, LogRecord, MessageError, Parameter, STREAM_CREDIT,
    StreamArgument, VERSION,
};
pub use path::HostPath;
pub use raise::{Raise, RaisedBy, TraceFrame};
pub use raw_text::{RawText, RawTextError};
pub use ser::to_value;
pub use value::{EnumMember, Record, Value};
pub use value_error::{ValueError, ValueErrorKind};
pub use value_path::{PathSegment, ValuePath};

/// Runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

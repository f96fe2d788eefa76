//! The vectors in `golden.txt`, which the agent's tests read too, against values made here.

#![expect(
    clippy::unwrap_used,
    reason = "a test's helper may panic like the test"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};
use rmote_wire::{FrameCodec, Limits, Value, from_bytes};
use serde::Serialize;
use tokio_util::codec::{Decoder, Encoder};

mod columnar;
#[path = "golden/frames.rs"]
mod frames;
#[path = "golden/values.rs"]
mod values;

use frames::{frames, stream_frames};
use values::{columns, values};

#[test]
fn values_are_written_and_read_as_the_file_says() {
    let limits = Limits::default();
    let mut file = vectors().values;
    for (name, value) in values() {
        let hex = file
            .remove(name)
            .unwrap_or_else(|| panic!("{name} is not in the file"));
        let written = value.encode(&limits).unwrap();
        assert_eq!(to_hex(&written), hex, "{name}");
        let read = Value::decode(written.clone(), &limits).unwrap();
        // Compared as text, since a float that is not a number equals nothing.
        assert_eq!(format!("{read:?}"), format!("{value:?}"), "{name}");
        assert_eq!(read.encode(&limits).unwrap(), written, "{name}");
    }
    assert!(file.is_empty(), "only in the file: {:?}", file.keys());
}

/// A controller reads columns and writes none.
#[test]
fn columns_are_read_as_the_file_says() {
    let limits = Limits::default();
    let mut file = vectors().columns;
    for (name, value) in columns() {
        let hex = file
            .remove(name)
            .unwrap_or_else(|| panic!("{name} is not in the file"));
        let bytes = Bytes::from(from_hex(&hex));
        let read = Value::decode(bytes.clone(), &limits).unwrap();
        assert_eq!(read, value, "{name}");
        assert_eq!(from_bytes::<Value>(&bytes, &limits).unwrap(), value);
        assert_eq!(to_hex(&columnar::encode(&value)), hex, "{name}");
        for end in 0..bytes.len() {
            assert!(Value::decode(bytes.slice(..end), &limits).is_err());
        }
    }
    assert!(file.is_empty(), "only in the file: {:?}", file.keys());
}

#[test]
fn frames_are_written_and_read_as_the_file_says() {
    let mut codec = FrameCodec::new(Limits::default().frame);
    let mut file = vectors().frames;
    for (name, frame) in frames().into_iter().chain(stream_frames()) {
        let hex = file
            .remove(name)
            .unwrap_or_else(|| panic!("{name} is not in the file"));
        let mut written = BytesMut::new();
        codec.encode(frame.clone(), &mut written).unwrap();
        assert_eq!(to_hex(&written), hex, "{name}");
        assert_eq!(codec.decode(&mut written).unwrap(), Some(frame), "{name}");
        assert!(written.is_empty());
    }
    assert!(file.is_empty(), "only in the file: {:?}", file.keys());
}

#[test]
fn the_bytes_are_those_of_postcard() {
    for (name, value) in values() {
        let written = value.encode(&Limits::default()).unwrap();
        let derived = postcard::to_stdvec(&Mirror::from(&value)).unwrap();
        assert_eq!(to_hex(&written), to_hex(&derived), "{name}");
    }
}

/// The vectors of the file: name to bytes.
#[derive(Default)]
struct Vectors {
    values: BTreeMap<String, String>,
    columns: BTreeMap<String, String>,
    frames: BTreeMap<String, String>,
}

/// A line of the file is a name, the bytes and how Python writes the value.
fn vectors() -> Vectors {
    let mut vectors = Vectors::default();
    for line in include_str!("golden.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut parts = line.splitn(3, ' ');
        let (name, hex) = (parts.next().unwrap(), parts.next().unwrap());
        let python = parts.next().expect("a line has three parts");
        let file = if python.starts_with("Frame(") {
            &mut vectors.frames
        } else if python.starts_with("Column(") {
            &mut vectors.columns
        } else {
            &mut vectors.values
        };
        let twice = file.insert(name.to_owned(), hex.to_owned());
        assert!(twice.is_none(), "{name} is there twice");
    }
    vectors
}

fn from_hex(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The protocol says that values are what postcard's derive writes for such a type.
#[derive(Serialize)]
enum Mirror {
    None,
    Bool(bool),
    Int(i64),
    BigInt(Vec<u8>),
    Float(f64),
    Text(String),
    RawText(Vec<u8>),
    Bytes(Vec<u8>),
    List(Vec<Self>),
    Tuple(Vec<Self>),
    Set(Vec<Self>),
    Map(Vec<(Self, Self)>),
    Record {
        name: String,
        fields: Vec<(String, Self)>,
    },
    Enum {
        name: String,
        member: String,
        value: Box<Self>,
    },
}

impl From<&Value> for Mirror {
    fn from(value: &Value) -> Self {
        let all = |values: &[Value]| values.iter().map(Self::from).collect();
        match value {
            Value::None => Self::None,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::BigInt(value) => Self::BigInt(value.as_le_bytes().to_vec()),
            Value::Float(value) => Self::Float(*value),
            Value::Text(value) => Self::Text(value.clone()),
            Value::RawText(value) => Self::RawText(value.as_wtf8().to_vec()),
            Value::Bytes(value) => Self::Bytes(value.to_vec()),
            Value::List(values) => Self::List(all(values)),
            Value::Tuple(values) => Self::Tuple(all(values)),
            Value::Set(values) => Self::Set(all(values)),
            Value::Map(pairs) => {
                Self::Map(pairs.iter().map(|(k, v)| (k.into(), v.into())).collect())
            }
            Value::Record(record) => {
                let fields = record.fields.iter();
                Self::Record {
                    name: record.name.clone(),
                    fields: fields
                        .map(|(name, value)| (name.clone(), value.into()))
                        .collect(),
                }
            }
            Value::Enum(member) => Self::Enum {
                name: member.name.clone(),
                member: member.member.clone(),
                value: Box::new((&*member.value).into()),
            },
            _ => panic!("a variant without a mirror"),
        }
    }
}

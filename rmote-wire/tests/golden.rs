//! The vectors in `golden.txt`, which the agent's tests read too, against values made here.

#![expect(
    clippy::unwrap_used,
    reason = "a test's helper may panic like the test"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};
use rmote_wire::{
    Call, Direction, EnumMember, FLAG_COMPRESSED, FLAG_CONTINUED, FLAG_DEFLATED, FLAG_FAILED,
    FLAG_MORE, FLAG_RAW, FLAG_STDERR, FLAG_STREAM, Frame, FrameCodec, Kind, Limits, LogRecord,
    Parameter, RawText, Record, StreamArgument, Value, from_bytes,
};
use serde::Serialize;
use tokio_util::codec::{Decoder, Encoder};

mod columnar;

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

fn values() -> Vec<(&'static str, Value)> {
    let mut values = numbers();
    values.extend(strings());
    values.extend(collections());
    values
}

fn numbers() -> Vec<(&'static str, Value)> {
    let big = |digits: &str| Value::BigInt(digits.parse().unwrap());
    let two_to_the_200 = "1606938044258990275541962092341162602522202993782792835301376";
    vec![
        ("none", Value::None),
        ("false", false.into()),
        ("true", true.into()),
        ("int_0", 0.into()),
        ("int_1", 1.into()),
        ("int_minus_1", (-1).into()),
        ("int_63", 63.into()),
        ("int_64", 64.into()),
        ("int_minus_64", (-64).into()),
        ("int_minus_65", (-65).into()),
        ("int_300", 300.into()),
        ("int_minus_300", (-300).into()),
        ("int_max", i64::MAX.into()),
        ("int_min", i64::MIN.into()),
        ("int_min_plus_1", (i64::MIN + 1).into()),
        ("big_2_63", (1_u64 << 63).into()),
        ("big_2_63_plus_1", ((1_u64 << 63) + 1).into()),
        ("big_minus_2_63_minus_1", (i128::from(i64::MIN) - 1).into()),
        ("big_2_64", (1_i128 << 64).into()),
        ("big_2_127", (1_u128 << 127).into()),
        ("big_minus_2_127", i128::MIN.into()),
        ("big_2_200", big(two_to_the_200)),
        ("big_minus_2_200", big(&format!("-{two_to_the_200}"))),
        ("float_0", 0.0.into()),
        ("float_minus_0", (-0.0).into()),
        ("float_1_5", 1.5.into()),
        ("float_0_1", 0.1.into()),
        ("float_tiny", 5e-324.into()),
        ("float_huge", f64::MAX.into()),
        ("float_inf", f64::INFINITY.into()),
        ("float_minus_inf", f64::NEG_INFINITY.into()),
        ("float_nan", f64::NAN.into()),
    ]
}

fn strings() -> Vec<(&'static str, Value)> {
    let text = |text: &str| Value::from(text);
    let raw = |wtf8: &[u8]| Value::from(RawText::from_wtf8(wtf8.to_vec()).unwrap());
    vec![
        ("text_empty", text("")),
        ("text_ascii", text("a")),
        ("text_nul", text("a\0b\n")),
        ("text_non_ascii", text("größe ☃ 😀")),
        ("text_127", text(&"x".repeat(127))),
        ("text_128", text(&"x".repeat(128))),
        ("raw_text_path", RawText::from_os_bytes(b"/tmp/caf\xe9")),
        ("raw_text_first_and_last", raw(b"\xed\xb2\x80\xed\xb3\xbf")),
        (
            "raw_text_mixed",
            raw("ü\0☃"
                .as_bytes()
                .iter()
                .chain(b"\xed\xa0\x80z")
                .copied()
                .collect::<Vec<_>>()
                .as_slice()),
        ),
        ("raw_text_two_halves", raw(b"\xed\xa0\xbd\xed\xb8\x80")),
        ("bytes_empty", Bytes::new().into()),
        ("bytes_all", (0..=255).collect::<Vec<u8>>().into()),
    ]
}

fn collections() -> Vec<(&'static str, Value)> {
    let text = |text: &str| Value::from(text);
    let list = |values: &[i64]| values.iter().copied().collect::<Value>();
    let record = |name: &str, fields: &[(&str, Value)]| {
        Value::from(Record::new(name, fields.iter().cloned()))
    };
    let mut nested = Value::List(Vec::new());
    for _ in 1..50 {
        nested = Value::List(vec![nested]);
    }
    vec![
        ("list_empty", list(&[])),
        ("list_ints", list(&[1, -2, 300])),
        (
            "list_mixed",
            Value::List(vec![
                Value::None,
                true.into(),
                text("x"),
                2.5.into(),
                b"\0".as_slice().into(),
            ]),
        ),
        (
            "list_nested",
            Value::List(vec![list(&[]), Value::List(vec![list(&[1])])]),
        ),
        ("list_depth_50", nested),
        ("tuple_empty", Value::Tuple(Vec::new())),
        (
            "tuple",
            Value::Tuple(vec![1.into(), text("a"), Value::Tuple(vec![Value::None])]),
        ),
        ("set_empty", Value::Set(Vec::new())),
        ("set", Value::Set(vec![7.into()])),
        (
            "set_of_tuple",
            Value::Set(vec![Value::Tuple(vec![text("a"), 1.into()])]),
        ),
        ("map_empty", Value::Map(Vec::new())),
        ("map", Value::Map(vec![(text("a"), list(&[1, -2]))])),
        (
            "map_any_key",
            Value::Map(vec![
                (1.into(), text("one")),
                (Value::None, text("none")),
                (
                    Value::Tuple(vec![1.into(), 2.into()]),
                    Value::Map(vec![(b"k".as_slice().into(), 0.into())]),
                ),
            ]),
        ),
        (
            "record",
            record("Point", &[("x", 1.into()), ("y", Value::None)]),
        ),
        ("record_empty", record("Nothing", &[])),
        (
            "record_nested",
            record(
                "Größe",
                &[
                    ("höhe", record("Point", &[("x", 1.5.into())])),
                    ("all", list(&[])),
                ],
            ),
        ),
        ("enum", EnumMember::new("Color", "RED", 1).into()),
        ("enum_text", EnumMember::new("Mode", "READ", "r").into()),
        (
            "enum_tuple",
            EnumMember::new(
                "Planet",
                "EARTH",
                Value::Tuple(vec![5.97e24.into(), 6_371_000.into()]),
            )
            .into(),
        ),
    ]
}

fn columns() -> Vec<(&'static str, Value)> {
    let list = |values: &[Value]| Value::List(values.to_vec());
    let map = |a: Value, b: Value| Value::Map(vec![("a".into(), a), ("b".into(), b)]);
    let one = |a: Value| Value::Map(vec![("a".into(), a)]);
    let point = |x: i64, y: Value| Value::from(Record::new("Point", [("x", x.into()), ("y", y)]));
    vec![
        ("column_bools", list(&[true.into(), false.into()])),
        (
            "column_bools_tuple",
            Value::Tuple(vec![true.into(), false.into()]),
        ),
        ("column_bools_set", Value::Set(vec![true.into()])),
        (
            "column_ints_8",
            list(&[0.into(), 127.into(), (-128).into()]),
        ),
        ("column_ints_16", list(&[128.into(), (-1).into()])),
        ("column_ints_32", list(&[i32::MIN.into(), i32::MAX.into()])),
        ("column_ints_64", list(&[i64::MAX.into(), i64::MIN.into()])),
        ("column_floats", list(&[1.5.into(), (-0.0).into()])),
        (
            "column_texts",
            list(&["größe".into(), "".into(), "😀".into()]),
        ),
        (
            "column_texts_long",
            list(&["x".repeat(256).into(), "y".into()]),
        ),
        (
            "column_bytes",
            list(&[b"\xff".as_slice().into(), b"".as_slice().into()]),
        ),
        (
            "column_optional",
            list(&[Value::None, "a".into(), Value::None]),
        ),
        ("column_nones", list(&[Value::None, Value::None])),
        (
            "column_lists",
            list(&[list(&[]), list(&["a".into(), "b".into()])]),
        ),
        (
            "column_tuples",
            list(&[Value::Tuple(vec![1.into()]), Value::Tuple(Vec::new())]),
        ),
        (
            "column_sets",
            list(&[Value::Set(Vec::new()), Value::Set(vec![7.into()])]),
        ),
        (
            "column_even_lists",
            list(&[
                list(&[1.into(), "a".into()]),
                list(&[2.into(), Value::None]),
            ]),
        ),
        (
            "column_even_tuples",
            list(&[
                Value::Tuple(vec![1.into(), "a".into()]),
                Value::Tuple(vec![2.into(), "b".into()]),
            ]),
        ),
        (
            "column_maps",
            list(&[
                map(1.into(), Value::None),
                map((-1).into(), list(&[true.into()])),
            ]),
        ),
        (
            "column_records",
            list(&[point(1, Value::None), point(300, 1.5.into())]),
        ),
        (
            "column_enums",
            list(&[
                EnumMember::new("Color", "RED", 1).into(),
                EnumMember::new("Color", "GREEN", 2).into(),
            ]),
        ),
        (
            "column_values",
            list(&[one(1.into()), one("x".into()), one((1_i128 << 64).into())]),
        ),
        (
            "column_parts",
            list(&[1, 2, 3, 4, 300, -300].map(Value::from)),
        ),
    ]
}

fn frames() -> Vec<(&'static str, Frame)> {
    let limits = Limits::default();
    let call = Call {
        function: "os.path:join".to_owned(),
        deadline: Some(std::time::Duration::from_millis(1500)),
        args: vec!["a".into(), Value::Tuple(vec![1.into()])],
        kwargs: vec![("key".to_owned(), Value::None)],
        streams: Vec::new(),
    };
    let stream = |parameter, direction, id| StreamArgument {
        parameter,
        direction,
        id,
    };
    let with_streams = Call {
        streams: vec![
            stream(Parameter::Position(1), Direction::Input, 8),
            stream(
                Parameter::Keyword("key".to_owned()),
                Direction::Output,
                u32::MAX,
            ),
        ],
        ..call.clone()
    };
    let log = LogRecord {
        level: 30,
        logger: "a.b".to_owned(),
        message: "disk nearly full".to_owned(),
    };
    vec![
        (
            "frame_hello",
            Frame::new(
                Kind::Hello,
                0,
                Value::Map(vec![("version".into(), 1.into())])
                    .encode(&limits)
                    .unwrap(),
            ),
        ),
        (
            "frame_load_compressed",
            Frame::with_flags(Kind::Load, FLAG_COMPRESSED, 0, &b"zlib"[..]),
        ),
        ("frame_call", call.encode(7, &limits).unwrap()),
        ("frame_call_streams", {
            let frame = with_streams.encode(7, &limits).unwrap();
            Frame::with_flags(frame.kind, FLAG_STREAM, frame.id, frame.payload)
        }),
        ("frame_cancel", Frame::new(Kind::Cancel, 7, Bytes::new())),
        ("frame_ping", Frame::new(Kind::Ping, 0, &b"ping"[..])),
        ("frame_close", Frame::new(Kind::Close, 0, Bytes::new())),
        (
            "frame_return",
            Frame::new(Kind::Return, u32::MAX, Value::None.encode(&limits).unwrap()),
        ),
        (
            "frame_raise",
            Frame::new(
                Kind::Raise,
                0x0102_0304,
                Value::Map(vec![("by".into(), "function".into())])
                    .encode(&limits)
                    .unwrap(),
            ),
        ),
        (
            "frame_output",
            Frame::new(Kind::Output, 7, &b"out\n\xff"[..]),
        ),
        (
            "frame_output_stderr",
            Frame::with_flags(Kind::Output, FLAG_STDERR, 7, &b"err\n"[..]),
        ),
        ("frame_log", log.encode(0, &limits).unwrap()),
        ("frame_pong", Frame::new(Kind::Pong, 0, &b"ping"[..])),
        ("frame_bye", Frame::new(Kind::Bye, 0, Bytes::new())),
    ]
}

/// Those of streams.
fn stream_frames() -> Vec<(&'static str, Frame)> {
    let limits = Limits::default();
    vec![
        (
            "frame_input",
            Frame::with_flags(Kind::Input, FLAG_RAW | FLAG_MORE, 8, &b"part"[..]),
        ),
        (
            "frame_input_deflated",
            Frame::with_flags(
                Kind::Input,
                FLAG_RAW | FLAG_DEFLATED,
                8,
                &b"\x78\x9c\x4b\x4c\x24\x0e\x00\x00\x36\xeb\x0f\x29"[..],
            ),
        ),
        (
            "frame_input_begun",
            Frame::with_flags(
                Kind::Input,
                FLAG_RAW | FLAG_DEFLATED,
                8,
                &b"\x78\x9c\x4a\x4c\x4c\x04\x00\x00\x00\xff\xff"[..],
            ),
        ),
        (
            "frame_input_continued",
            Frame::with_flags(
                Kind::Input,
                FLAG_RAW | FLAG_DEFLATED | FLAG_CONTINUED,
                8,
                &b"\x02\x82\x24\x00\x00\x00\x00\xff\xff"[..],
            ),
        ),
        (
            "frame_rate",
            Frame::new(Kind::Credit, 0, 65_536_u32.to_le_bytes().to_vec()),
        ),
        (
            "frame_credit",
            Frame::new(Kind::Credit, 7, 262_144_u32.to_le_bytes().to_vec()),
        ),
        (
            "frame_input_end",
            Frame::new(Kind::InputEnd, 8, Bytes::new()),
        ),
        (
            "frame_input_end_failed",
            Frame::with_flags(Kind::InputEnd, FLAG_FAILED, 8, &b"disk full"[..]),
        ),
        (
            "frame_data",
            Frame::new(Kind::Data, 7, Value::from(1).encode(&limits).unwrap()),
        ),
        (
            "frame_input_credit",
            Frame::new(Kind::InputCredit, 8, 1_u32.to_le_bytes().to_vec()),
        ),
        ("frame_data_end", Frame::new(Kind::DataEnd, 9, Bytes::new())),
        (
            "frame_return_stream",
            Frame::with_flags(
                Kind::Return,
                FLAG_STREAM,
                7,
                Value::None.encode(&limits).unwrap(),
            ),
        ),
    ]
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

//! The frames of `golden.txt`.

use bytes::Bytes;
use rmote_wire::{
    Call, Direction, FLAG_COMPRESSED, FLAG_CONTINUED, FLAG_DEFLATED, FLAG_FAILED, FLAG_MORE,
    FLAG_RAW, FLAG_STDERR, FLAG_STREAM, Frame, Kind, Limits, LogRecord, Parameter, StreamArgument,
    Value,
};

pub(crate) fn frames() -> Vec<(&'static str, Frame)> {
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
pub(crate) fn stream_frames() -> Vec<(&'static str, Frame)> {
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

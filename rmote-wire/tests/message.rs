//! The payloads that have a shape of their own.

use std::time::Duration;

use bytes::Bytes;
use rmote_wire::{
    AgentHello, Call, Direction, FLAG_COMPRESSED, Frame, Hello, HostPath, Kind, Limits, Load,
    LogRecord, MessageError, Parameter, Raise, RaisedBy, RawText, Record, StreamArgument, VERSION,
    Value,
};

fn limits() -> Limits {
    Limits::default()
}

fn raise_frame(value: &Value) -> Frame {
    let payload = value.encode(&limits());
    Frame::new(Kind::Raise, 1, payload.expect("the value is small"))
}

fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(
        entries
            .iter()
            .map(|(key, value)| ((*key).into(), value.clone()))
            .collect(),
    )
}

#[test]
fn messages_come_back() {
    let hello = Hello {
        version: VERSION,
        frame_limit: limits().frame,
        log_level: 20,
        heartbeat: 5000,
    };
    let frame = hello.encode(&limits()).unwrap();
    assert_eq!((frame.kind, frame.id), (Kind::Hello, 0));
    assert_eq!(Hello::decode(&frame, &limits()).unwrap(), hello);

    let hello = AgentHello {
        version: VERSION,
        frame_limit: 1 << 20,
        python: (3, 11, 2),
        implementation: "cpython".to_owned(),
        executable: "/usr/bin/python3".to_owned(),
        platform: "linux".to_owned(),
        hostname: "host".to_owned(),
        pid: 7,
    };
    let frame = hello.encode(&limits()).unwrap();
    assert_eq!(AgentHello::decode(&frame, &limits()).unwrap(), hello);

    let load = Load {
        name: "a.b".to_owned(),
        source: Bytes::from_static(b"x = 1\n"),
        file: "a/b.py".to_owned(),
        package: false,
    };
    let mut frame = load.encode(&limits()).unwrap();
    assert_eq!(Load::decode(&frame, &limits()).unwrap(), load);
    frame.flags = FLAG_COMPRESSED;
    let error = Load::decode(&frame, &limits()).unwrap_err();
    assert!(matches!(error, MessageError::Compressed));

    let log = LogRecord {
        level: 30,
        logger: "a".to_owned(),
        message: "m".to_owned(),
    };
    let frame = log.encode(5, &limits()).unwrap();
    assert_eq!((frame.kind, frame.id), (Kind::Log, 5));
    assert_eq!(LogRecord::decode(&frame, &limits()).unwrap(), log);

    let error = Hello::decode(&frame, &limits()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a hello frame, found a log frame"
    );
}

#[test]
fn calls_come_back() {
    let mut call = Call {
        function: "m:f".to_owned(),
        deadline: None,
        args: vec![Value::path("/tmp"), Bytes::from_static(b"data").into()],
        kwargs: vec![
            ("mode".to_owned(), 0o644.into()),
            ("a".to_owned(), Value::None),
        ],
        streams: Vec::new(),
    };
    for (deadline, back) in [(0, 1), (1, 1), (1_000_001, 2), (2_000_000, 2)] {
        call.deadline = Some(Duration::from_nanos(deadline));
        let frame = call.encode(7, &limits()).unwrap();
        assert_eq!((frame.kind, frame.id), (Kind::Call, 7));
        call.deadline = Some(Duration::from_millis(back));
        assert_eq!(Call::decode(&frame, &limits()).unwrap(), call);
    }
    call.deadline = None;
    let frame = call.encode(7, &limits()).unwrap();
    assert_eq!(Call::decode(&frame, &limits()).unwrap(), call);
    let stream = |parameter, direction, id| StreamArgument {
        parameter,
        direction,
        id,
    };
    call.streams = vec![
        stream(Parameter::Position(0), Direction::Input, 1),
        stream(
            Parameter::Keyword("a".to_owned()),
            Direction::Output,
            u32::MAX,
        ),
    ];
    let frame = call.encode(7, &limits()).unwrap();
    assert_eq!(Call::decode(&frame, &limits()).unwrap(), call);
    // The frame is an ordinary value.
    let value = Value::decode(frame.payload, &limits()).unwrap();
    assert_eq!(value.type_name(), "tuple");
    call.deadline = Some(Duration::MAX);
    assert!(call.encode(7, &limits()).is_ok());
}

#[test]
fn a_call_with_streams_that_are_none_is_an_error() {
    let parts = |streams: Value| {
        let empty = || Value::List(Vec::new());
        let tuple = Value::Tuple(vec!["f".into(), 0.into(), empty(), map(&[]), streams]);
        Frame::new(Kind::Call, 1, tuple.encode(&limits()).unwrap())
    };
    for (streams, what) in [
        (map(&[("a", 0.into())]), "another number"),
        (map(&[("a", (1_i64 << 32).into())]), "another number"),
        (Value::Map(vec![((-1).into(), 1.into())]), "-1"),
        (1.into(), "int"),
    ] {
        let error = Call::decode(&parts(streams), &limits()).unwrap_err();
        let text = format!(
            "{:?}",
            std::error::Error::source(&error).map(ToString::to_string)
        );
        assert!(text.contains(what), "{text}");
    }
}

#[test]
fn a_call_above_a_limit_names_the_argument() {
    let limits = limits().with_text(5);
    let mut call = Call {
        function: "m:f".to_owned(),
        deadline: None,
        args: vec![1.into(), vec![Value::from("too long")].into()],
        kwargs: Vec::new(),
        streams: Vec::new(),
    };
    let error = call.encode(1, &limits).unwrap_err();
    assert_eq!(error.path().to_string(), "args[1][0]");
    call.args.clear();
    call.kwargs = vec![("key".to_owned(), "too long".into())];
    let error = call.encode(1, &limits).unwrap_err();
    assert_eq!(error.path().to_string(), "kwargs[\"key\"]");
}

#[test]
fn a_raise_has_all_its_keys() {
    let frame_of = |line: i64, source: Value| {
        Value::Tuple(vec!["a.py".into(), line.into(), "f".into(), source])
    };
    let text_list = |texts: &[&str]| texts.iter().copied().collect::<Value>();
    let cause = map(&[("type", "KeyError".into()), ("explicit", false.into())]);
    let value = map(&[
        ("by", "agent".into()),
        ("type", "FileNotFoundError".into()),
        ("module", "builtins".into()),
        (
            "bases",
            text_list(&["FileNotFoundError", "OSError", "Exception"]),
        ),
        ("message", "no such file".into()),
        ("args", Value::List(vec![2.into(), "no".into()])),
        ("errno", 2.into()),
        ("filename", RawText::from_os_bytes(b"/\xff")),
        (
            "traceback",
            Value::List(vec![frame_of(3, "x()".into()), frame_of(4, Value::None)]),
        ),
        ("notes", text_list(&["a note"])),
        ("cause", cause),
        ("explicit", true.into()),
        ("later", "ignored".into()),
    ]);
    let raise = Raise::decode(&raise_frame(&value), &limits()).unwrap();
    assert_eq!(raise.by, RaisedBy::Agent);
    assert_eq!(raise.kind, "FileNotFoundError");
    assert_eq!(raise.bases[1], "OSError");
    assert_eq!(raise.args, Some(vec![2.into(), "no".into()]));
    assert_eq!(raise.errno, Some(2));
    assert_eq!(raise.traceback[1].line, 4);
    assert_eq!(raise.traceback[0].source.as_deref(), Some("x()"));
    assert_eq!(raise.traceback[1].source, None);
    assert_eq!(raise.cause.as_ref().unwrap().kind, "KeyError");
    assert!(raise.explicit);
    #[cfg(unix)]
    assert_eq!(
        raise.filename,
        Some(HostPath::from_os_bytes(b"/\xff".to_vec()))
    );

    let frame = raise.encode(9, &limits()).unwrap();
    assert_eq!((frame.kind, frame.id), (Kind::Raise, 9));
    assert_eq!(Raise::decode(&frame, &limits()).unwrap(), raise);
}

#[test]
fn a_raise_may_lack_keys_and_hold_odd_text() {
    let empty = Raise::decode(&raise_frame(&map(&[])), &limits()).unwrap();
    assert_eq!(empty, Raise::default());
    assert_eq!(empty.by, RaisedBy::Function);
    let odd = map(&[("message", RawText::from_os_bytes(b"a\xff"))]);
    let raise = Raise::decode(&raise_frame(&odd), &limits()).unwrap();
    assert_eq!(raise.message, "a\u{fffd}");
}

#[test]
fn a_raise_of_another_shape_is_an_error() {
    for value in [
        Value::None,
        map(&[("by", "nobody".into())]),
        map(&[("bases", 1.into())]),
        map(&[("traceback", Value::List(vec![1.into()]))]),
        map(&[("cause", "text".into())]),
    ] {
        let error = Raise::decode(&raise_frame(&value), &limits()).unwrap_err();
        assert!(matches!(error, MessageError::Shape(_)), "{value:?}");
    }
    let inner = map(&[("cause", map(&[("cause", "text".into())]))]);
    let error = Raise::decode(&raise_frame(&inner), &limits()).unwrap_err();
    let MessageError::Shape(error) = error else {
        panic!("{error}");
    };
    assert_eq!(error.path().to_string(), "cause.cause");
    let damaged = Frame::new(Kind::Raise, 1, &b"\xff"[..]);
    let error = Raise::decode(&damaged, &limits()).unwrap_err();
    assert!(matches!(error, MessageError::Decode(_)));
}

#[test]
fn a_long_chain_of_causes_needs_no_large_stack() {
    let deepest = (0..127).fold(map(&[]), |cause, _| map(&[("cause", cause)]));
    let frame = raise_frame(&deepest);
    let reader = std::thread::Builder::new().stack_size(1 << 20);
    let reader = reader.spawn(move || Raise::decode(&frame, &limits()).unwrap());
    let raise = reader.unwrap().join().unwrap();
    let causes = std::iter::successors(Some(&raise), |raise| raise.cause.as_deref());
    assert_eq!(causes.count(), 128);
    let record: Value = Record::new("Raise", [("by", "limit".into())]).into();
    assert!(Raise::decode(&raise_frame(&record), &limits()).is_ok());
}

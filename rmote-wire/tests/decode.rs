//! What decoder and encoder reject, and how they say so.

use bytes::{Bytes, BytesMut};
use rmote_wire::{
    DecodeErrorKind as Kind, EncodeErrorKind, EnumMember, Limits, RawText, Record, Value,
};

fn kind(bytes: &[u8]) -> Kind {
    kind_within(bytes, &Limits::default())
}

fn kind_within(bytes: &[u8], limits: &Limits) -> Kind {
    let read = Value::decode(Bytes::copy_from_slice(bytes), limits);
    let error = read.expect_err("the bytes are no value");
    error.kind().clone()
}

fn nested(depth: usize) -> Vec<u8> {
    let mut bytes = [8, 1].repeat(depth);
    bytes.push(0);
    bytes
}

/// Takes a deep value apart, which dropping would do by recursion.
fn dismantle(mut value: Value) {
    while let Value::List(mut values) = value {
        value = values.pop().unwrap_or(Value::None);
    }
}

#[test]
fn bytes_that_are_no_value() {
    assert_eq!(kind(&[]), Kind::End);
    assert_eq!(kind(&[15]), Kind::Variant { byte: 15 });
    assert_eq!(kind(&[0x80, 0]), Kind::Variant { byte: 0x80 });
    assert_eq!(kind(&[0, 0]), Kind::Trailing { left: 1 });
    assert_eq!(kind(&[1, 2]), Kind::Bool { byte: 2 });
    assert_eq!(kind(&[4, 0, 0]), Kind::End);
    assert_eq!(kind(&[5, 1, 0xff]), Kind::Utf8);
    assert_eq!(kind(&[6, 1, b'a']), Kind::RawText);
    assert_eq!(kind(&[6, 1, 0xff]), Kind::Utf8);
    assert_eq!(kind(&[5, 3, 0xed, 0xb2, 0x80]), Kind::Utf8);
}

#[test]
fn numbers_have_one_form() {
    // 0 in two bytes, 65 bits, eleven bytes.
    assert_eq!(kind(&[2, 0x80, 0]), Kind::Varint);
    let mut wide = [0xff; 11];
    wide[0] = 2;
    wide[10] = 2;
    assert_eq!(kind(&wide), Kind::Varint);
    wide[10] = 0x81;
    assert_eq!(kind(&wide), Kind::Varint);
    assert_eq!(kind(&[5, 0x81, 0, b'a']), Kind::Varint);
    // What fits an int, and a needless sign byte.
    assert_eq!(kind(&[3, 0]), Kind::BigInt);
    assert_eq!(kind(&[3, 8, 0, 0, 0, 0, 0, 0, 0, 0x80]), Kind::BigInt);
    assert_eq!(kind(&[3, 9, 0, 0, 0, 0, 0, 0, 0, 0x40, 0]), Kind::BigInt);
    assert_eq!(kind(&[3, 9, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff]), Kind::BigInt);
    assert!(
        Value::decode(
            Bytes::from_static(&[3, 9, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0]),
            &Limits::default()
        )
        .is_ok()
    );
    // A big int that fits is written as an int.
    let small = Value::BigInt("-7".parse().unwrap());
    let written = small.encode(&Limits::default()).unwrap();
    assert_eq!(&written[..], [2, 13]);
}

#[test]
fn counts_are_checked_against_what_is_left() {
    for tag in [3, 5, 6, 7, 8, 9, 10, 11] {
        let mut bytes = vec![tag];
        bytes.extend([0x80; 8]);
        bytes.push(0x10);
        let count = 1 << 60;
        assert_eq!(kind(&bytes), Kind::Count { count, left: 0 }, "{tag}");
    }
    assert_eq!(kind(&[8, 2, 0]), Kind::Count { count: 2, left: 1 });
    // A pair takes two bytes at least.
    assert_eq!(kind(&[11, 2, 0, 0, 0]), Kind::Count { count: 2, left: 3 });
    assert_eq!(
        kind(&[12, 0, 2, 0, 0, 0]),
        Kind::Count { count: 2, left: 3 }
    );
}

#[test]
fn depth_is_limited_in_both_directions() {
    let limits = Limits::default();
    let deepest = Value::decode(nested(128).into(), &limits).unwrap();
    assert_eq!(deepest.encode(&limits).unwrap(), nested(128));
    assert_eq!(kind(&nested(129)), Kind::Depth { limit: 128 });
    assert_eq!(kind(&nested(100_000)), Kind::Depth { limit: 128 });
    // An empty list is a level too, and so are maps, records and members.
    let flat = Limits::default().with_depth(0);
    for bytes in [&[8, 0][..], &[11, 0], &[12, 0, 0], &[13, 0, 0, 0]] {
        assert_eq!(kind_within(bytes, &flat), Kind::Depth { limit: 0 });
        let value = Value::decode(Bytes::copy_from_slice(bytes), &limits).unwrap();
        let error = value.encode(&flat).unwrap_err();
        assert_eq!(error.kind(), &EncodeErrorKind::Depth { limit: 0 });
    }

    let mut deep = Value::None;
    for _ in 0..100_000 {
        deep = Value::List(vec![deep]);
    }
    let error = deep.encode(&limits).unwrap_err();
    assert_eq!(error.kind(), &EncodeErrorKind::Depth { limit: 128 });
    assert!(rmote_wire::to_value(&deep).is_err());
    dismantle(deep);
}

#[test]
fn items_are_limited_in_both_directions() {
    let three = Limits::default().with_items(3);
    let pair = |key: i32| (Value::from(key), Value::None);
    let one_pair = Value::Map(vec![pair(1)]);
    let values = [
        (true, Value::List(vec![Value::None; 3])),
        (false, Value::List(vec![Value::None; 4])),
        (true, one_pair.clone()),
        (false, Value::Map(vec![pair(1), pair(2)])),
        (true, Value::List(vec![one_pair.clone()])),
        (false, Value::Set(vec![one_pair, Value::None])),
        (
            false,
            Record::new("R", [("a", Value::None), ("b", Value::None)]).into(),
        ),
        (true, Value::List(vec![EnumMember::new("E", "M", 1).into()])),
        (
            false,
            Value::Tuple(vec![
                EnumMember::new("E", "M", 1).into(),
                1.into(),
                2.into(),
            ]),
        ),
    ];
    for (fits, value) in values {
        assert_eq!(value.encode(&three).is_ok(), fits, "{value:?}");
        let bytes = value.encode(&Limits::default()).unwrap();
        let read = Value::decode(bytes, &three).map_err(|error| error.kind().clone());
        let expected = if fits {
            Ok(value)
        } else {
            Err(Kind::Items { limit: 3 })
        };
        assert_eq!(read, expected);
    }
}

#[test]
fn texts_and_payloads_are_limited_in_both_directions() {
    let limits = Limits::default().with_text(2).with_frame(6 + 10);
    let cases: [(Value, bool); 7] = [
        ("ab".into(), true),
        ("abc".into(), false),
        (RawText::from_os_bytes(b"\xff"), false),
        (Record::new("abc", [("a", Value::None)]).into(), false),
        (Record::new("a", [("abc", Value::None)]).into(), false),
        (vec![0_u8; 8].into(), true),
        (vec![0_u8; 9].into(), false),
    ];
    for (value, fits) in cases {
        assert_eq!(value.encode(&limits).is_ok(), fits, "{value:?}");
        let bytes = value.encode(&Limits::default()).unwrap();
        assert_eq!(Value::decode(bytes, &limits).is_ok(), fits, "{value:?}");
    }
}

#[test]
fn an_encoder_that_fails_leaves_the_buffer_as_it_was() {
    let mut out = BytesMut::from("before");
    let value = Value::List(vec![1.into(), "too long".into()]);
    let limits = Limits::default().with_text(3);
    let error = value.encode_into(&mut out, &limits).unwrap_err();
    assert_eq!(error.to_string(), "[1]: a text of 8 bytes is longer than 3");
    assert_eq!(out, "before");
}

#[test]
fn errors_name_the_place() {
    // [None, None, None, Record(items={"x": <a bool of 9>})]
    let mut bytes = vec![8, 4, 0, 0, 0, 12, 1, b'R', 1, 5];
    bytes.extend(b"items");
    bytes.extend([11, 1, 5, 1, b'x', 1, 9]);
    let error = Value::decode(bytes.into(), &Limits::default()).unwrap_err();
    assert_eq!(error.path().to_string(), "[3].items[\"x\"]");
    assert_eq!(error.offset(), 21);
    assert_eq!(
        error.to_string(),
        "a bool of 9 at byte 21 in [3].items[\"x\"]"
    );
    // After a name, a leading dot is wanted.
    let bytes = [12, 1, b'R', 1, 1, b'f', 13, 0, 0, 15];
    let error = Value::decode(Bytes::copy_from_slice(&bytes), &Limits::default()).unwrap_err();
    assert_eq!(format!("result{:#}", error.path()), "result.f.value");
    assert_eq!(error.path().to_string(), "f.value");
    // A key is named by its place.
    let error = Value::decode(Bytes::from_static(&[11, 1, 15, 0]), &Limits::default()).unwrap_err();
    assert_eq!(error.path().to_string(), "{0}");
}

#[test]
fn decoded_bytes_are_not_copied() {
    let input = Bytes::from_static(&[8, 1, 7, 3, 1, 2, 3]);
    let value = Value::decode(input.clone(), &Limits::default()).unwrap();
    let bytes = value.as_slice().unwrap()[0].as_bytes().unwrap();
    assert_eq!(bytes.as_ptr(), input[4..].as_ptr());
}

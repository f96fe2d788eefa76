//! Lists as columns: what is read, and what is refused.

use bytes::Bytes;
use rmote_wire::{DecodeErrorKind as Kind, EnumMember, Limits, Record, Value, from_bytes};

mod columnar;

fn read(bytes: &[u8]) -> Result<Value, Kind> {
    let read = Value::decode(Bytes::copy_from_slice(bytes), &Limits::default());
    read.map_err(|error| error.kind().clone())
}

fn list<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Value {
    values.into_iter().collect()
}

fn file(name: &str, size: Option<i64>) -> Value {
    Record::new("File", [("name", name.into()), ("size", size.into())]).into()
}

/// A list of maps of one key, whose values are a column.
fn keyed(key: &str, count: u8, column: &[u8]) -> Vec<u8> {
    let mut bytes = vec![
        14,
        8,
        count,
        11,
        1,
        u8::try_from(key.len()).expect("a short key"),
    ];
    bytes.extend(key.bytes());
    bytes.extend(column);
    bytes
}

#[test]
fn every_kind_of_column_is_read() {
    let texts = list(["a", "", "bc"]);
    for (bytes, expected) in [
        (&[14, 8, 0][..], list::<Value>([])),
        (
            &[14, 9, 2, 1, 1, 0],
            Value::Tuple(vec![true.into(), false.into()]),
        ),
        (&[14, 10, 1, 1, 0], Value::Set(vec![false.into()])),
        (&[14, 8, 2, 0, 0, 0], list([(), ()])),
        (
            &[14, 8, 3, 0, 0, 1, 0, 2, 1, 0xff],
            list([None, Some(-1), None]),
        ),
        (&[14, 8, 2, 2, 2, 0, 1, 0xff, 0xff], list([256, -1])),
        (&[14, 8, 1, 2, 4, 0, 0, 0, 0x80], list([i32::MIN])),
        (&[14, 8, 1, 2, 8, 1, 0, 0, 0, 0, 0, 0, 0], list([1])),
        (&[14, 8, 1, 4, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f], list([1.5])),
        (&[14, 8, 3, 5, 1, 1, 0, 2, b'a', b'b', b'c'], texts.clone()),
        (
            &[14, 8, 3, 5, 2, 1, 0, 0, 0, 2, 0, b'a', b'b', b'c'],
            texts.clone(),
        ),
        (&[14, 8, 1, 7, 4, 1, 0, 0, 0, 9], list([&[9_u8][..]])),
        (
            &[14, 8, 2, 8, 1, 1, 2, 1, 1, 0, 1],
            list([list([true]), list([false, true])]),
        ),
        (
            &[14, 8, 2, 9, 1, 0, 0],
            list([Value::Tuple(vec![]), Value::Tuple(vec![])]),
        ),
        (
            &[14, 8, 1, 10, 1, 1, 1, 1],
            list([Value::Set(vec![true.into()])]),
        ),
        (
            &[14, 8, 2, 14, 2, 1, 0, 1, 2, 1, 5, 6],
            list([
                Value::List(vec![false.into(), 5.into()]),
                Value::List(vec![true.into(), 6.into()]),
            ]),
        ),
        (
            &[14, 8, 1, 15, 1, 1, 0],
            list([Value::Tuple(vec![false.into()])]),
        ),
        (
            &[14, 8, 1, 11, 1, 1, b'k', 1, 0],
            list([Value::Map(vec![("k".into(), false.into())])]),
        ),
        (
            &[14, 8, 1, 12, 1, b'R', 1, 1, b'k', 1, 0],
            list([Value::from(Record::new("R", [("k", false.into())]))]),
        ),
        (
            &[14, 8, 1, 13, 1, b'E', 5, 1, 1, b'M', 2, 1, 3],
            list([EnumMember::new("E", "M", 3)]),
        ),
        (
            &[14, 8, 3, 17, 2, 1, 1, 0, 1, 2, 1, 7],
            list([Value::from(true), false.into(), 7.into()]),
        ),
        (
            &[14, 8, 3, 16, 0, 2, 2, 8, 1, 0],
            list([Value::None, 1.into(), list([()])]),
        ),
    ] {
        assert_eq!(read(bytes).as_ref(), Ok(&expected), "{bytes:?}");
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "{bytes:?} up to {end}");
        }
    }
}

#[test]
fn what_is_no_column_is_refused() {
    for (bytes, expected) in [
        // A list, a tuple or a set it has to be, and one of the kinds.
        (&[14, 11, 0][..], Kind::Column { byte: 11 }),
        (&[14, 8, 1, 3, 0], Kind::Column { byte: 3 }),
        (&[14, 8, 1, 6, 0], Kind::Column { byte: 6 }),
        (&[14, 8, 1, 18, 0], Kind::Column { byte: 18 }),
        // None among none.
        (&[14, 8, 1, 0, 1, 0, 1, 1, 1], Kind::Column { byte: 0 }),
        (&[14, 8, 1, 0, 2, 1, 1], Kind::Bool { byte: 2 }),
        (&[14, 8, 2, 1, 1, 2], Kind::Bool { byte: 2 }),
        (&[14, 8, 1, 2, 3, 0, 0, 0], Kind::Width { byte: 3 }),
        (
            &[14, 8, 1, 5, 8, 0, 0, 0, 0, 0, 0, 0, 0],
            Kind::Width { byte: 8 },
        ),
        // A character is not cut in two, and both halves are no text.
        (&[14, 8, 2, 5, 1, 1, 1, 0xc3, 0xbc], Kind::Utf8),
        (&[14, 8, 1, 5, 1, 1, 0xff], Kind::Utf8),
        // The names of members are texts.
        (
            &[14, 8, 1, 13, 1, b'E', 7, 1, 1, b'M', 1, 0],
            Kind::Column { byte: 7 },
        ),
        // What would take no bytes for each item.
        (&[14, 8, 1, 14, 0], Kind::NoColumns),
        (&[14, 8, 1, 15, 0, 0], Kind::NoColumns),
        (&[14, 8, 1, 11, 0], Kind::NoColumns),
        (&[14, 8, 1, 12, 1, b'R', 0], Kind::NoColumns),
        // Columns among the values of a column would be read again and again.
        (&[14, 8, 1, 16, 14, 8, 1, 1, 1], Kind::Variant { byte: 14 }),
        (&[14, 8, 1, 16, 8, 1, 14, 8, 0], Kind::Variant { byte: 14 }),
        (&[14, 8, 1, 1, 1, 0], Kind::Trailing { left: 1 }),
    ] {
        assert_eq!(read(bytes), Err(expected), "{bytes:?}");
    }
    for (bytes, expected) in [
        // Parts are of something, all of them together as many as there are, and not within a column.
        (&[14, 8, 1, 17, 0, 1, 1][..], Kind::NoColumns),
        (
            &[14, 8, 2, 17, 1, 1, 1, 2, 1, 1, 1],
            Kind::Count { count: 2, left: 1 },
        ),
        (&[14, 8, 1, 17, 1, 17, 1, 1, 1], Kind::Column { byte: 17 }),
        (&[14, 8, 1, 0, 1, 17, 1, 1, 1], Kind::Column { byte: 17 }),
        (&[14, 8, 1, 14, 1, 17, 1, 1, 1], Kind::Column { byte: 17 }),
        (&[14, 8, 1, 8, 1, 1, 17, 1, 1, 1], Kind::Column { byte: 17 }),
    ] {
        assert_eq!(read(bytes), Err(expected), "{bytes:?}");
    }
    // After a column of values there may be columns again.
    let bytes = [14, 8, 1, 15, 2, 16, 0, 8, 1, 1, 1, 1];
    let tuple = Value::Tuple(vec![Value::None, list([true])]);
    assert_eq!(read(&bytes), Ok(list([tuple])));
}

#[test]
fn counts_are_checked_before_anything_is_made() {
    // 2^32 times none, and other claims.
    let claim = [0x80, 0x80, 0x80, 0x80, 0x10];
    for (before, after) in [
        (&[14, 8][..], &[0][..]),
        (&[14, 8, 1, 14], &[1, 0]),
        (&[14, 8, 1, 11], &[1, b'a', 1, 0]),
        (&[14, 8, 1, 12, 0], &[1, b'a', 1, 0]),
    ] {
        let bytes = [before, &claim, after].concat();
        let refused = read(&bytes);
        assert!(matches!(refused, Err(Kind::Count { .. })), "{refused:?}");
    }
    for kind in [5, 7, 8, 9, 10] {
        let refused = read(&[14, 8, 1, kind, 4, 0xff, 0xff, 0xff, 0xff, 1]);
        assert_eq!(
            refused,
            Err(Kind::Count {
                count: u32::MAX.into(),
                left: 1
            })
        );
        let refused = read(&[14, 8, 3, kind, 2, 0, 0]);
        assert!(matches!(refused, Err(Kind::Count { .. })), "{refused:?}");
    }
    for kind in [[2, 8], [4, 0]] {
        let refused = read(&[&[14, 8, 2][..], &kind, &[0; 14]].concat());
        assert!(matches!(refused, Err(Kind::Count { .. })), "{refused:?}");
    }
}

#[test]
fn limits_are_those_of_the_plain_form() {
    let lists = [
        list([1, 2, 3]),
        list([list([1, 2]), list([3])]),
        list([list([1, 2]), list([3, 4])]),
        list([
            Value::Tuple(vec![1.into(), "a".into()]),
            Value::Tuple(vec![2.into(), "b".into()]),
        ]),
        list([file("a", None), file("b", Some(1))]),
        list([
            Value::Map(vec![("a".into(), 1.into())]),
            Value::Map(vec![("a".into(), 2.into())]),
        ]),
        list([EnumMember::new("E", "M", 1), EnumMember::new("E", "N", 2)]),
        list([Value::Set(vec![]), Value::Set(vec![1.into()])]),
        list([Value::None, list([()]), list([list([()])])]),
        list(["abcdefgh", "ij"]),
    ];
    for value in lists {
        let plain = value.encode(&Limits::default()).expect("a small value");
        let columns = Bytes::from(columnar::encode(&value));
        assert_eq!(columns[0], 14);
        for limit in 0..20 {
            let base = Limits::default();
            for limits in [
                base.clone().with_items(limit),
                base.clone().with_depth(limit),
                base.with_text(limit),
            ] {
                let expected = Value::decode(plain.clone(), &limits).is_ok();
                let found = Value::decode(columns.clone(), &limits);
                assert_eq!(found.is_ok(), expected, "{value:?} {limits:?} {found:?}");
                let found = from_bytes::<Value>(&columns, &limits);
                assert_eq!(found.is_ok(), expected, "{value:?} {limits:?} {found:?}");
            }
        }
    }
}

#[test]
fn names_count_for_each_record() {
    let bytes = Bytes::from(keyed("name", 10, &[&[1][..], &[1; 10]].concat()));
    // Ten times the five bytes of the name.
    for (limit, fits) in [(50, true), (49, false)] {
        let limits = Limits::default().with_frame(6 + limit);
        let read = Value::decode(bytes.clone(), &limits).map_err(|error| error.kind().clone());
        assert_eq!(read.is_ok(), fits, "{read:?}");
        assert!(fits || read == Err(Kind::Names { limit }));
    }
    // A long name for many records: the tree would take the names as often.
    let name = "n".repeat(1 << 16);
    let count = 1 << 16;
    let mut hostile = vec![14, 8, 0x80, 0x80, 0x04, 12, 0x80, 0x80, 0x04];
    hostile.extend(name.bytes());
    hostile.extend([1, 1, b'x', 1]);
    hostile.extend(vec![0; count]);
    assert_eq!(read(&hostile), Err(Kind::Names { limit: 128 << 20 }));
}

#[test]
fn errors_name_the_column() {
    let error = |bytes: &[u8]| {
        let read = Value::decode(Bytes::copy_from_slice(bytes), &Limits::default());
        read.expect_err("the bytes are no value").to_string()
    };
    assert_eq!(
        error(&keyed("on", 2, &[1, 1, 7])),
        "a bool of 7 at byte 10 in [*][\"on\"]"
    );
    let record = [14, 8, 1, 12, 1, b'R', 1, 1, b'f', 8, 1, 1, 15, 1, 1, 9];
    assert_eq!(error(&record), "a bool of 9 at byte 15 in [*].f[*][0]");
}

//! A payload straight into Rust types, in both forms: the same as through a tree, and what it has beyond that.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use rmote_wire::{
    EnumMember, FromBytesError, HostPath, Limits, Record, Value, from_bytes, from_value,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

mod columnar;

#[derive(Deserialize, PartialEq, Debug)]
struct File {
    name: String,
    size: Option<i64>,
    modified: f64,
    #[serde(default)]
    tags: Vec<String>,
    rest: Value,
}

#[derive(Deserialize, PartialEq, Debug)]
struct Lent<'a> {
    name: &'a str,
    size: Option<u64>,
}

#[derive(Deserialize, PartialEq, Debug)]
enum Kinds {
    File,
    Folder,
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(untagged)]
enum Any {
    Number(i64),
    Pair(i64, String),
    Named { name: String },
    Other(Value),
}

#[derive(Deserialize, Debug)]
struct Nothing {}

fn list<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Value {
    values.into_iter().collect()
}

fn file(name: &str, size: Option<i64>) -> Value {
    Record::new("File", [("name", name.into()), ("size", size.into())]).into()
}

#[test]
fn records_in_columns_become_structs() {
    let value = list([file("a", Some(1)), file("ü", None), file("", Some(-1))]);
    let bytes = Bytes::from(columnar::encode(&value));
    let lent: Result<Vec<Lent<'_>>, _> = from_bytes(&bytes, &Limits::default());
    let error = lent.expect_err("-1 is no u64");
    assert_eq!(error.to_string(), "[2].size: -1 is out of range of u64");

    let value = list([file("a", Some(1)), file("ü", None)]);
    let bytes = Bytes::from(columnar::encode(&value));
    let lent: Vec<Lent<'_>> = from_bytes(&bytes, &Limits::default()).expect("it fits");
    assert_eq!((lent[1].name, lent[0].size), ("ü", Some(1)));
    assert!(bytes.as_ptr_range().contains(&lent[1].name.as_ptr()));
}

#[test]
fn damage_is_told_before_a_type_that_does_not_fit() {
    let limits = Limits::default();
    // A text where numbers are wanted, and later on no value at all.
    let bytes = Bytes::from_static(&[8, 2, 5, 1, b'x', 15]);
    let error = from_bytes::<Vec<u8>>(&bytes, &limits).expect_err("no value");
    let FromBytesError::Decode(error) = error else {
        panic!("{error}")
    };
    assert_eq!(error.to_string(), "unknown variant 15 at byte 5 in [1]");
    // In a part that the type leaves aside.
    let bytes = Bytes::from_static(&[11, 1, 5, 1, b'x', 8, 2, 0, 15]);
    let error = from_bytes::<Nothing>(&bytes, &limits).expect_err("no value");
    assert_eq!(
        error.to_string(),
        "unknown variant 15 at byte 8 in [\"x\"][1]"
    );
    let bytes = Bytes::from_static(&[0, 0]);
    let error = from_bytes::<()>(&bytes, &limits).expect_err("no value");
    assert_eq!(error.to_string(), "1 bytes follow the value at byte 1");
}

/// Takes one element and leaves the others, and goes on where an element does not fit.
#[derive(Debug, PartialEq)]
struct Lenient(Option<u8>);

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(
            <(u8, u8)>::deserialize(deserializer)
                .ok()
                .map(|pair| pair.1),
        ))
    }
}

#[test]
fn a_type_may_swallow_an_error_and_go_on() {
    let value = list([
        list([Value::from("x"), list([1, 2]), 3.into()]),
        list([Value::from(1), 2.into()]),
        Value::Map(vec![("a".into(), list([1]))]),
        list([Value::from(1), 7.into()]),
    ]);
    let expected = [None, Some(2), None, Some(7)].map(Lenient);
    let plain = value.encode(&Limits::default()).expect("a small value");
    for bytes in [plain, columnar::encode(&value).into()] {
        let read: Vec<Lenient> = from_bytes(&bytes, &Limits::default()).expect("it is lenient");
        assert_eq!(read, expected);
    }
    let rows: Value = [[1, 2], [3, 400], [5, 6]].into_iter().map(list).collect();
    let bytes = Bytes::from(columnar::encode(&rows));
    let read: Vec<Lenient> = from_bytes(&bytes, &Limits::default()).expect("it is lenient");
    assert_eq!(read, [Some(2), None, Some(6)].map(Lenient));
}

#[test]
fn bytes_in_a_value_are_parts_of_the_payload() {
    let value = list([Bytes::from_static(b"ab"), Bytes::from_static(b"c")]);
    let record: Value = Record::new("R", [("parts", value)]).into();
    for bytes in [
        record.encode(&Limits::default()).expect("a small value"),
        columnar::encode(&record).into(),
    ] {
        let read: Value = from_bytes(&bytes, &Limits::default()).expect("a value takes all");
        let parts = read.get("parts").and_then(Value::as_slice).expect("a list");
        let inside = bytes.as_ptr_range();
        assert_eq!(read, record);
        assert!(
            parts
                .iter()
                .filter_map(Value::as_bytes)
                .all(|part| inside.contains(&part.as_ptr()))
        );
    }
}

fn scalar() -> BoxedStrategy<Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i128>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        "[a-zäö😀]{0,5}".prop_map(Value::from),
        vec(any::<u8>(), 0..5).prop_map(Value::from),
        Just(Value::None),
    ]
    .boxed()
}

/// Lists whose items are of one kind, more often than not.
fn any_list() -> BoxedStrategy<Value> {
    let kind = prop_oneof![
        any::<bool>().prop_map(Value::from).boxed(),
        (-200_i64..200).prop_map(Value::from).boxed(),
        any::<i64>().prop_map(Value::from).boxed(),
        "[a-zäö😀]{0,5}".prop_map(Value::from).boxed(),
    ];
    let items = prop_oneof![
        vec(kind, 0..6),
        vec(any::<bool>().prop_map(Value::from), 0..6),
        vec((-40_000_i64..40_000).prop_map(Value::from), 0..6),
        vec(option::of("[a-zäö😀]{0,5}").prop_map(Value::from), 0..6),
        vec(scalar(), 0..6),
        vec(
            (any::<bool>(), any::<u8>())
                .prop_map(|(on, n)| Value::Tuple(vec![on.into(), n.into()])),
            0..6
        ),
        vec(
            ("[A-C]", any::<u8>()).prop_map(|(name, n)| EnumMember::new("E", name, n).into()),
            0..6
        ),
    ];
    items
        .prop_map(Value::List)
        .prop_recursive(3, 60, 6, |inner| {
            let fields = vec((inner.clone(), scalar(), inner.clone()), 0..6);
            prop_oneof![
                vec(inner.clone(), 0..6).prop_map(Value::List),
                vec(option::of(inner.clone()).prop_map(Value::from), 0..6).prop_map(Value::Tuple),
                fields.clone().prop_map(|rows| {
                    list(rows.into_iter().map(|(a, b, c)| {
                        Value::from(Record::new("R", [("name", a), ("size", b), ("rest", c)]))
                    }))
                }),
                fields.prop_map(|rows| {
                    list(rows.into_iter().map(|(a, b, c)| {
                        Value::Map(vec![
                            ("name".into(), b),
                            ("tags".into(), a),
                            ("rest".into(), c),
                        ])
                    }))
                }),
                vec(
                    (inner, scalar()).prop_map(|(a, b)| Value::Tuple(vec![a, b])),
                    0..6
                )
                .prop_map(Value::Set),
            ]
        })
        .boxed()
}

/// Both ways to a type have the same result or say the same.
fn agree<T: DeserializeOwned + std::fmt::Debug>(payload: &Bytes) {
    let limits = Limits::default();
    let tree = Value::decode(payload.clone(), &limits);
    let direct = from_bytes::<T>(payload, &limits);
    match tree {
        Err(error) => match direct {
            Err(FromBytesError::Decode(direct)) => {
                assert_eq!(direct.to_string(), error.to_string());
            }
            other => panic!("{other:?} for {error}"),
        },
        Ok(value) => match (from_value::<T>(value), direct) {
            // As text, since a float that is not a number equals nothing.
            (Ok(one), Ok(other)) => assert_eq!(format!("{one:?}"), format!("{other:?}")),
            (Err(one), Err(FromBytesError::Value(other))) => {
                assert_eq!(one.to_string(), other.to_string());
            }
            (one, other) => panic!("{one:?} and {other:?}"),
        },
    }
}

fn agree_on_every_type(payload: &Bytes) {
    agree::<Value>(payload);
    agree::<Vec<File>>(payload);
    agree::<Vec<BTreeMap<String, Value>>>(payload);
    agree::<Vec<(u8, Option<String>)>>(payload);
    agree::<Vec<Option<HostPath>>>(payload);
    agree::<Vec<Vec<bool>>>(payload);
    agree::<Vec<Any>>(payload);
    agree::<Vec<Kinds>>(payload);
    agree::<Result<Vec<u8>, String>>(payload);
    agree::<BTreeMap<String, Vec<f64>>>(payload);
    agree::<serde_json::Value>(payload);
}

proptest! {
    #[test]
    fn columns_and_plain_form_are_the_same_value(value in any_list()) {
        let limits = Limits::default();
        let plain = value.encode(&limits).unwrap();
        let columns = Bytes::from(columnar::encode(&value));
        prop_assert_eq!(&Value::decode(columns.clone(), &limits).unwrap(), &value);
        prop_assert_eq!(from_bytes::<Value>(&plain, &limits).unwrap(), value);
        agree_on_every_type(&plain);
        agree_on_every_type(&columns);
        for end in 0..columns.len() {
            prop_assert!(Value::decode(columns.slice(..end), &limits).is_err());
        }
    }

    #[test]
    fn a_changed_byte_is_the_same_to_both_ways(
        value in any_list(),
        at in any::<prop::sample::Index>(),
        byte in prop_oneof![0..20_u8, any::<u8>()],
    ) {
        let mut columns = columnar::encode(&value);
        let at = at.index(columns.len());
        columns[at] = byte;
        agree_on_every_type(&columns.into());
    }

    #[test]
    fn garbage_is_the_same_to_both_ways(bytes in vec(prop_oneof![0..18_u8, any::<u8>()], 0..60)) {
        agree_on_every_type(&Bytes::from([&[14, 8][..], &bytes].concat()));
    }
}

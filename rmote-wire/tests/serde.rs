//! Rust types to values and back, and what is said when they do not fit.

#![expect(
    clippy::unwrap_used,
    reason = "a test's helper may panic like the test"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use bytes::Bytes;
use rmote_wire::{
    FromBytesError, Limits, PathSegment, RawText, Record, Value, ValueError, ValueErrorKind,
    from_bytes, from_value, to_value,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

mod columnar;
#[path = "serde/shapes.rs"]
mod shapes;
#[path = "serde/values.rs"]
mod values;

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Point {
    x: i32,
    y: Option<i32>,
}

#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug, Clone)]
struct Name(String);

fn point(x: i32, y: Option<i32>) -> Point {
    Point { x, y }
}

fn list<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Value {
    values.into_iter().collect()
}

fn record(name: &str, fields: &[(&str, Value)]) -> Value {
    Record::new(name, fields.iter().cloned()).into()
}

/// The value that a Rust value becomes, and that it comes back.
#[track_caller]
fn both<T: Serialize + DeserializeOwned + PartialEq + Debug>(rust: &T, value: Value) {
    assert_eq!(to_value(rust).unwrap(), value);
    assert_eq!(&read::<T>(value).unwrap(), rust);
}

/// Reads a value in both ways, which have to agree.
#[track_caller]
#[expect(
    clippy::needless_pass_by_value,
    reason = "as `from_value`, in the place of which it stands"
)]
fn read<T: DeserializeOwned>(value: Value) -> Result<T, ValueError> {
    let limits = Limits::default();
    let by_value = from_value::<T>(value.clone());
    // What is too deep for the wire has the one way only.
    if let Ok(payload) = value.encode(&limits) {
        let columns = Bytes::from(columnar::encode(&value));
        let by_columns = from_bytes::<T>(&columns, &limits);
        let by_bytes = from_bytes::<T>(&payload, &limits);
        let message = |result: &Result<T, FromBytesError>| {
            let error = result.as_ref().err();
            error.map(ToString::to_string)
        };
        assert_eq!(message(&by_columns), message(&by_bytes));
        match (&by_value, by_bytes) {
            // One of them for half of the values, the other for the rest: `T` need not be comparable.
            (Ok(_), Ok(again)) if payload.len() % 2 == 0 => return Ok(again),
            (Ok(_), Ok(_)) => return Ok(by_columns.unwrap()),
            (Err(error), Err(FromBytesError::Value(again))) => {
                assert_eq!(again.to_string(), error.to_string());
                assert_eq!(again.kind(), error.kind());
                assert_eq!(again.path(), error.path());
            }
            (by_value, by_bytes) => panic!(
                "{:?} and {:?}",
                by_value.as_ref().err(),
                by_bytes.as_ref().err()
            ),
        }
    }
    by_value
}

#[track_caller]
#[expect(
    clippy::needless_pass_by_value,
    reason = "a table of literals reads better"
)]
fn reads<T: DeserializeOwned + PartialEq + Debug>(value: impl Into<Value>, expected: T) {
    let found: T = read(value.into()).unwrap();
    assert_eq!(found, expected);
}

#[track_caller]
fn fails<T: DeserializeOwned + Debug>(value: impl Into<Value>, message: &str) {
    let error = read::<T>(value.into()).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[test]
fn scalars() {
    both(&true, true.into());
    both(&-5_i8, (-5).into());
    both(&u16::MAX, 65535.into());
    both(&i64::MIN, i64::MIN.into());
    both(&u64::MAX, u64::MAX.into());
    assert!(matches!(to_value(&u64::MAX), Ok(Value::BigInt(_))));
    both(&i128::MIN, i128::MIN.into());
    both(&u128::MAX, u128::MAX.into());
    assert_eq!(to_value(&7_u128).unwrap(), Value::Int(7));
    both(&1.5_f32, 1.5.into());
    both(&-0.1_f64, (-0.1).into());
    both(&'☃', "☃".into());
    both(&"text".to_owned(), "text".into());
    both(&(), Value::None);
    both(&None::<u8>, Value::None);
    both(&Some(3), 3.into());
    both(&ByteBuf::from(*b"\0\xff"), Value::from(&b"\0\xff"[..]));
    reads(3, 3.0_f64);
    reads(list([1, 2]), ByteBuf::from([1, 2]));
}

#[test]
fn collections() {
    both(&vec![1, 2], list([1, 2]));
    both(&vec![1_u8], list([1]));
    both(&BTreeSet::from([1, 2]), list([1, 2]));
    both(
        &(1, "a".to_owned()),
        Value::Tuple(vec![1.into(), "a".into()]),
    );
    both(&[1, 2, 3], Value::Tuple(vec![1.into(), 2.into(), 3.into()]));
    both(
        &BTreeMap::from([("a".to_owned(), 1)]),
        Value::Map(vec![("a".into(), 1.into())]),
    );
    both(
        &BTreeMap::from([(Name("a".to_owned()), 1)]),
        Value::Map(vec![("a".into(), 1.into())]),
    );
    both(
        &BTreeMap::from([((1, 2), point(1, None))]),
        Value::Map(vec![(
            Value::Tuple(vec![1.into(), 2.into()]),
            record("Point", &[("x", 1.into()), ("y", Value::None)]),
        )]),
    );
    // Every sequence reads every other one, a record's fields in their order, and bytes.
    let values = vec![1.into(), 2.into()];
    for value in [
        Value::List(values.clone()),
        Value::Tuple(values.clone()),
        Value::Set(values),
    ] {
        reads(value.clone(), vec![1, 2]);
        reads(value.clone(), (1, 2));
        reads(value, BTreeSet::from([1, 2]));
    }
    reads(record("Point", &[("x", 1.into()), ("y", 2.into())]), (1, 2));
    reads(&b"ab"[..], vec![97_u8, 98]);
    reads(
        record("P", &[("x", 1.into())]),
        HashMap::from([("x".to_owned(), 1)]),
    );
}

#[derive(Serialize)]
struct Bad {
    items: Vec<Mutex<u8>>,
}

#[test]
fn errors_say_what_and_where() {
    fails::<u32>("x", "expected integer, found text");
    fails::<u8>(300, "300 is out of range of u8");
    fails::<u8>(-1, "-1 is out of range of u8");
    fails::<i64>(u64::MAX, "18446744073709551615 is out of range of i64");
    fails::<u128>(
        i128::MIN,
        "-170141183460469231731687303715884105728 is out of range of u128",
    );
    fails::<bool>(1, "expected bool, found integer");
    fails::<f64>("1", "expected float, found text");
    fails::<String>(1, "expected text, found integer");
    fails::<char>("ab", "invalid value: string \"ab\", expected a character");
    fails::<()>(1, "expected none, found integer");
    fails::<Vec<u8>>("a", "expected sequence, found text");
    fails::<ByteBuf>("a", "expected bytes, found text");
    fails::<HashMap<String, u8>>(list([1]), "expected map, found list");
    fails::<(u8, u8)>(list([1, 2, 3]), "expected 2 elements, found 3 elements");
    fails::<(u8, u8)>(list([1]), "expected a tuple of size 2, found 1 elements");
    fails::<Point>(1, "expected record, found integer");
    fails::<Point>(record("Point", &[]), "missing field `x`");
    fails::<String>(
        RawText::from_os_bytes(b"\xff"),
        "the text is not valid UTF-8; a path is read as HostPath, other text as RawText",
    );

    let named = |value: Value| {
        Value::List(vec![
            record("P", &[("name", "a".into())]),
            record("P", &[("name", value)]),
        ])
    };
    fails::<Vec<HashMap<String, u32>>>(named("b".into()), "[0].name: expected integer, found text");
    let map = |key: Value| Value::Map(vec![(key, list(["x"]))]);
    fails::<HashMap<String, Vec<u8>>>(map("k".into()), "[\"k\"][0]: expected integer, found text");
    fails::<HashMap<i8, Vec<u8>>>(map(7.into()), "[7][0]: expected integer, found text");
    fails::<HashMap<(u8,), Vec<u8>>>(
        map(Value::Tuple(vec![1.into()])),
        "{0}[0]: expected integer, found text",
    );
    fails::<HashMap<u8, Vec<u8>>>(map("k".into()), "{0}: expected u8, found text");

    let error = read::<(u8, Point)>(Value::Tuple(vec![
        1.into(),
        record("Point", &[("x", true.into())]),
    ]))
    .unwrap_err();
    let path: Vec<_> = error.path().segments().cloned().collect();
    assert_eq!(
        path,
        [PathSegment::Index(1), PathSegment::Field("x".to_owned())]
    );
    assert!(matches!(error.kind(), ValueErrorKind::Type { .. }));

    let poisoned = Mutex::new(1);
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let _guard = poisoned.lock();
        panic!("to poison the lock");
    }));
    let bad = Bad {
        items: vec![poisoned],
    };
    let error = to_value(&bad).unwrap_err();
    assert_eq!(error.path().to_string(), "items[0]");
}

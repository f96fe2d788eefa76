//! Values as they are among Rust types, paths, and what JSON gets of them.

use std::collections::BTreeMap;

use bytes::Bytes;
use rmote_wire::{BigInt, EnumMember, HostPath, RawText, Record, Value, ValueErrorKind, to_value};
use serde::{Deserialize, Serialize};

use super::{both, fails, list, read, reads, record};

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Holder {
    value: Value,
    many: Vec<Value>,
    keyed: BTreeMap<String, Value>,
    maybe: Option<Value>,
}

fn every_variant() -> Vec<Value> {
    vec![
        Value::None,
        true.into(),
        7.into(),
        u128::MAX.into(),
        "text".into(),
        RawText::from_os_bytes(b"\xff"),
        Bytes::from_static(b"\0").into(),
        list([1]),
        Value::Tuple(vec![Value::None, list(["a"])]),
        Value::Set(vec![Value::Tuple(vec![])]),
        Value::Map(vec![
            ("a".into(), 1.into()),
            (Value::Tuple(vec![2.into()]), Value::None),
            (3.into(), 4.into()),
        ]),
        record(
            "R",
            &[("t", Value::Tuple(vec![1.into()])), ("r", record("S", &[]))],
        ),
        EnumMember::new(
            "E",
            "M",
            Value::Tuple(vec![EnumMember::new("F", "N", 1).into()]),
        )
        .into(),
    ]
}

#[test]
fn a_value_passes_unchanged() {
    for value in every_variant() {
        both(&value, value.clone());
        let holder = Holder {
            value: value.clone(),
            many: every_variant(),
            keyed: BTreeMap::from([("k".to_owned(), value.clone())]),
            maybe: Some(value.clone()).filter(|value| !value.is_none()),
        };
        let through = to_value(&holder).unwrap();
        assert_eq!(through.get("value"), Some(&value));
        assert_eq!(through.get("many"), Some(&Value::List(every_variant())));
        assert_eq!(read::<Holder>(through).unwrap(), holder);
    }
    both(&BigInt::from(u64::MAX), u64::MAX.into());
    both(&BigInt::from(7_i64), 7.into());
    both(
        &Record::new("R", [("a", Value::None)]),
        record("R", &[("a", Value::None)]),
    );
    both(
        &EnumMember::new("E", "M", 1),
        EnumMember::new("E", "M", 1).into(),
    );
    fails::<Record>(list([1]), "expected record, found list");
    fails::<RawText>("a", "expected raw text, found text");
}

#[test]
fn depth_of_values_is_kept_and_limited() {
    let wraps: [fn(Value) -> Value; 6] = [
        |value| Value::List(vec![value]),
        |value| Value::Set(vec![value]),
        |value| Value::Tuple(vec![value]),
        |value| Value::Map(vec![(1.into(), value)]),
        |value| Record::new("R", [("f", value)]).into(),
        |value| EnumMember::new("E", "M", value).into(),
    ];
    for wrap in wraps {
        let deepest = (0..128).fold(Value::None, |value, _| wrap(value));
        both(&deepest, deepest.clone());
        let deeper = wrap(deepest);
        assert!(matches!(
            to_value(&deeper).unwrap_err().kind(),
            ValueErrorKind::Depth { limit: 128 }
        ));
        assert!(matches!(
            read::<Value>(deeper).unwrap_err().kind(),
            ValueErrorKind::Depth { limit: 128 }
        ));
    }
}

#[test]
#[cfg(unix)]
fn paths_may_be_any_bytes() {
    let odd = HostPath::from_os_bytes(b"/tmp/\xff\xed\xb2\x80".to_vec());
    let through = to_value(&odd).unwrap();
    assert_eq!(through, Value::path(&odd));
    assert!(matches!(through, Value::RawText(_)));
    both(&odd, through);
    both(&HostPath::from("/tmp/ü"), "/tmp/ü".into());
    reads(&b"/\xff"[..], HostPath::from_os_bytes(b"/\xff".to_vec()));
    assert_eq!(
        Value::path(&odd).to_path_buf().as_deref(),
        Some(odd.as_path())
    );
    fails::<HostPath>(1, "expected a path, found integer");
    // JSON has no such text; naming another file would be worse than an error.
    assert!(serde_json::to_string(&odd).is_err());
    assert_eq!(
        serde_json::to_string(&HostPath::from("/a")).unwrap(),
        "\"/a\""
    );
}

#[test]
fn json_gets_what_it_can_hold() {
    let value = Value::Map(vec![
        (
            "record".into(),
            record("Point", &[("x", 1.into()), ("y", Value::None)]),
        ),
        ("enum".into(), EnumMember::new("E", "M", 5).into()),
        ("set".into(), Value::Set(vec![1.into()])),
        ("big".into(), u64::MAX.into()),
        ("bigger".into(), u128::MAX.into()),
        ("raw".into(), RawText::from_os_bytes(b"a\xff")),
    ]);
    let json = serde_json::to_string(&value).unwrap();
    let expected = "{\"record\":{\"x\":1,\"y\":null},\"enum\":5,\"set\":[1],\
        \"big\":18446744073709551615,\"bigger\":\"340282366920938463463374607431768211455\",\
        \"raw\":\"a\u{fffd}\"}";
    assert_eq!(json, expected);
    let back: Value = serde_json::from_str("{\"a\": [1, null, true, \"x\"]}").unwrap();
    let list = Value::List(vec![1.into(), Value::None, true.into(), "x".into()]);
    assert_eq!(back, Value::Map(vec![("a".into(), list)]));
}

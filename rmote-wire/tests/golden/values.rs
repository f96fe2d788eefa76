//! The values of `golden.txt`.

use bytes::Bytes;
use rmote_wire::{EnumMember, RawText, Record, Value};

pub(crate) fn values() -> Vec<(&'static str, Value)> {
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

pub(crate) fn columns() -> Vec<(&'static str, Value)> {
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

//! Structs and enums, and shapes that serde picks by what it finds.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use rmote_wire::{EnumMember, Value, to_value};
use serde::{Deserialize, Serialize};

use super::{Name, Point, both, fails, list, point, read, reads, record};

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Pair(i32, String);

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Nothing;

#[derive(Serialize, Deserialize, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Clone, Copy)]
enum Color {
    Red,
    Green,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Event {
    Idle,
    At(Point),
    Count(u8),
    Move(i32, i32),
    Named { name: String },
}

#[test]
fn structs() {
    let full = record("Point", &[("x", 1.into()), ("y", 2.into())]);
    both(&point(1, Some(2)), full);
    both(&Name("n".to_owned()), "n".into());
    both(
        &Pair(1, "a".to_owned()),
        Value::Tuple(vec![1.into(), "a".into()]),
    );
    both(&Nothing, record("Nothing", &[]));
    both(
        &Duration::new(1, 2),
        record("Duration", &[("secs", 1.into()), ("nanos", 2.into())]),
    );
    // Another name, another order, a field too many, none for an option.
    reads(
        record(
            "Pixel",
            &[("z", list([1])), ("y", 2.into()), ("x", 1.into())],
        ),
        point(1, Some(2)),
    );
    reads(record("Point", &[("x", 1.into())]), point(1, None));
    reads(Value::Map(vec![("x".into(), 1.into())]), point(1, None));
    reads(Value::Tuple(vec![1.into(), 2.into()]), point(1, Some(2)));
    reads(Value::None, Nothing);
}

#[test]
fn enums() {
    both(&Color::Red, EnumMember::new("Color", "Red", "Red").into());
    both(
        &Event::Idle,
        EnumMember::new("Event", "Idle", "Idle").into(),
    );
    both(
        &Event::At(point(1, None)),
        record(
            "At",
            &[("0", record("Point", &[("x", 1.into()), ("y", Value::None)]))],
        ),
    );
    both(&Event::Count(3), record("Count", &[("0", 3.into())]));
    both(
        &Event::Move(1, 2),
        record("Move", &[("0", 1.into()), ("1", 2.into())]),
    );
    both(
        &Event::Named {
            name: "n".to_owned(),
        },
        record("Named", &[("name", "n".into())]),
    );
    both(
        &BTreeMap::from([(Color::Green, 1)]),
        Value::Map(vec![(
            EnumMember::new("Color", "Green", "Green").into(),
            1.into(),
        )]),
    );
    // Python's members and dataclasses.
    reads(EnumMember::new("Paint", "Red", 1), Color::Red);
    reads(EnumMember::new("Paint", "RED", "Red"), Color::Red);
    reads("Green", Color::Green);
    reads(
        record("At", &[("x", 1.into()), ("y", Value::None)]),
        Event::At(point(1, None)),
    );
    reads(
        record("Event.Move", &[("dx", 1.into()), ("dy", 2.into())]),
        Event::Move(1, 2),
    );
    reads(
        Value::Map(vec![("Count".into(), 4.into())]),
        Event::Count(4),
    );
    reads(
        Value::Map(vec![("Green".into(), 4.into())]),
        HashMap::from([(Color::Green, 4)]),
    );
    reads(EnumMember::new("Level", "HIGH", 7), 7_u8);
    reads(EnumMember::new("Mode", "READ", "r"), "r".to_owned());
    reads(EnumMember::new("Maybe", "NO", Value::None), ());
    fails::<Color>(
        EnumMember::new("Color", "BLUE", 3),
        "unknown variant `BLUE`, expected `Red` or `Green`",
    );
    fails::<Color>(1, "expected enum, found integer");
    fails::<Event>("Count", "expected a variant with a value, found text");
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(untagged)]
enum Any {
    Number(i64),
    Text(String),
    Point(Point),
    Many(Vec<Self>),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "kind")]
enum Tagged {
    Point(Point),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Flat {
    name: String,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[test]
fn shapes_that_look_first() {
    reads(1, Any::Number(1));
    reads("a", Any::Text("a".to_owned()));
    reads(record("P", &[("x", 1.into())]), Any::Point(point(1, None)));
    reads(list([1]), Any::Many(vec![Any::Number(1)]));
    let tagged = Tagged::Point(point(1, None));
    assert_eq!(read::<Tagged>(to_value(&tagged).unwrap()).unwrap(), tagged);
    let flat = Flat {
        name: "n".to_owned(),
        rest: BTreeMap::from([("more".to_owned(), list([1]))]),
    };
    assert_eq!(read::<Flat>(to_value(&flat).unwrap()).unwrap(), flat);
    reads(
        record("F", &[("name", "n".into()), ("more", list([1]))]),
        flat,
    );
}

//! Values and arguments both ways over a local link.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use common::{chain, in_session};
use rmote_client::{Arguments, BigInt, EnumMember, HostPath, RawText, Record, Value};
use serde::{Deserialize, Serialize};

fn values() -> Vec<Value> {
    let big: BigInt = "-123456789012345678901234567890".parse().unwrap();
    let member = EnumMember::new("Colour", "RED", 3_i64);
    let record = Record::new("Unknown", [("x", Value::from(1)), ("y", Value::None)]);
    let scalars = vec![
        Value::None,
        true.into(),
        0.into(),
        i64::MIN.into(),
        i64::MAX.into(),
        u64::MAX.into(),
        big.into(),
        1.5.into(),
        f64::NEG_INFINITY.into(),
        "".into(),
        "grüße 🎉 \0".into(),
        RawText::from_os_bytes(b"caf\xe9\xff"),
        Bytes::from_static(b"\0\xff").into(),
    ];
    let mut values = scalars.clone();
    values.push(Value::List(scalars.clone()));
    values.push(Value::Tuple(scalars.clone()));
    values.push(Value::Set(vec!["only".into()]));
    values.push(Value::Map(
        [
            (1.into(), "one".into()),
            (Value::Tuple(vec![2.into()]), Value::None),
        ]
        .into(),
    ));
    values.push(Value::Map(vec![(true.into(), Value::Map(Vec::new()))]));
    values.push(Value::Enum(member));
    values.push(Value::Record(record));
    values
}

#[tokio::test]
async fn every_kind_of_value_comes_back_as_it_was() {
    in_session(|session| async move {
        let same = session
            .function("def same(value):\n    return value\n")
            .unwrap();
        for value in values() {
            let back: Value = same.call((&value,)).await.unwrap();
            assert_eq!(back, value);
            let back: Value = same
                .call_with(Arguments::default().keyword("value", &value).unwrap())
                .await
                .unwrap();
            assert_eq!(back, value);
        }
        let nan: f64 = same.call((f64::NAN,)).await.unwrap();
        assert!(nan.is_nan());
    })
    .await;
}

const SHOP: &str = r#"
import dataclasses
import enum
import os
import pathlib
import typing


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


@dataclasses.dataclass
class Part:
    name: str
    colour: Colour
    price: typing.Optional[int] = None


@dataclasses.dataclass
class Order:
    parts: typing.List[Part]
    notes: typing.Dict[int, str] = dataclasses.field(default_factory=dict)


class Shop:
    @staticmethod
    def double(order: Order) -> Order:
        assert isinstance(order, Order), order
        for part in order.parts:
            assert isinstance(part, Part) and isinstance(part.colour, Colour), part
            part.price = part.price and part.price * 2
        return order

    @staticmethod
    def other(colour: Colour) -> Colour:
        return Colour.BLUE if colour is Colour.RED else Colour.RED

    @staticmethod
    def is_path(path: pathlib.Path):
        return isinstance(path, pathlib.Path), os.fsencode(str(path))

    def count(self, first, *rest, last=None, **others):
        return first, rest, last, others
"#;

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
enum Colour {
    #[serde(rename = "RED")]
    Red,
    #[serde(rename = "BLUE")]
    Blue,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Part {
    name: String,
    colour: Colour,
    price: Option<u128>,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Order {
    parts: Vec<Part>,
    notes: BTreeMap<i64, String>,
}

#[tokio::test]
async fn structs_are_dataclasses_there_and_enums_are_enums() {
    in_session(|session| async move {
        let shop = session.load_as("shop", SHOP).unwrap();
        let part = |price| Part {
            name: "nut".to_owned(),
            colour: Colour::Blue,
            price,
        };
        let order = |price| Order {
            parts: vec![part(price), part(None)],
            notes: [(-1, "fragile".to_owned())].into(),
        };
        // Twice this is beyond 64 bits.
        let price = u128::from(u64::MAX);
        let doubled: Order = shop
            .call("Shop.double", (order(Some(price)),))
            .await
            .unwrap();
        assert_eq!(doubled, order(Some(2 * price)));
        let colour: Colour = shop.call("Shop.other", (Colour::Red,)).await.unwrap();
        assert_eq!(colour, Colour::Blue);
    })
    .await;
}

#[tokio::test]
async fn paths_that_are_no_text_arrive_as_they_are() {
    in_session(|session| async move {
        let shop = session.load_as("shop", SHOP).unwrap();
        let path = HostPath::from_os_bytes(b"/tmp/caf\xe9".to_vec());
        let (is_path, bytes): (bool, Bytes) = shop.call("Shop.is_path", (&path,)).await.unwrap();
        assert!(is_path);
        assert_eq!(bytes, &b"/tmp/caf\xe9"[..]);
        let join: HostPath = session.call("os.path.join", (&path, "x")).await.unwrap();
        assert_eq!(join, HostPath::from_os_bytes(b"/tmp/caf\xe9/x".to_vec()));
    })
    .await;
}

#[tokio::test]
async fn maps_with_any_key_and_sets_become_those_of_rust() {
    in_session(|session| async move {
        let map: HashMap<(i64, bool), BTreeSet<String>> = session
            .call(
                "copy.copy",
                (HashMap::from([(
                    (1, true),
                    BTreeSet::from(["a".to_owned()]),
                )]),),
            )
            .await
            .unwrap();
        assert_eq!(map[&(1, true)].len(), 1);
        let set: BTreeSet<i64> = session
            .call("builtins.frozenset", ([3, 1, 3],))
            .await
            .unwrap();
        assert_eq!(set, BTreeSet::from([1, 3]));
    })
    .await;
}

type Counted = (i64, (String,), i64, BTreeMap<String, Vec<i64>>);

#[tokio::test]
async fn arguments_go_by_place_and_by_name() {
    in_session(|session| async move {
        let shop = session.load_as("shop", SHOP).unwrap();
        let arguments = Arguments::new(&(1,))
            .unwrap()
            .positional(&"two")
            .unwrap()
            .keyword("last", &3)
            .unwrap()
            .keyword("more", &[4])
            .unwrap();
        let counted: Counted = shop.call_with("Shop.count", arguments).await.unwrap();
        let others = BTreeMap::from([("more".to_owned(), vec![4])]);
        assert_eq!(counted, (1, ("two".to_owned(),), 3, others));
        // A list and a single value are arguments, too.
        let sum: i64 = session.call("operator.add", [1, 2]).await.unwrap();
        let text: String = session.call("builtins.str", 7).await.unwrap();
        assert_eq!((sum, text.as_str()), (3, "7"));
    })
    .await;
}

const ROWS: &str = r#"
import collections, enum

class State(enum.Enum):
    ON = 1
    OFF = 2

Row = collections.namedtuple("Row", "id name size state tags extra")

def rows(count, odd=None):
    made = [Row(i, "n\u00f6%d" % i, None if i % 3 else i / 2, State.ON if i % 2 else State.OFF, ["t"] * (i % 3), b"x") for i in range(count)]
    if odd is not None:
        made[odd] = made[odd]._replace(name=odd)
    return made

def stream(count):
    yield rows(count)
    yield rows(3)

def paths(count):
    return ["/usr/share/%d" % i for i in range(count)] + ["/caf\udce9"]
"#;

#[derive(Deserialize, PartialEq, Debug)]
#[serde(rename_all = "UPPERCASE")]
enum State {
    On,
    Off,
}

#[derive(Deserialize, PartialEq, Debug)]
struct Row {
    id: u32,
    name: String,
    size: Option<f64>,
    state: State,
    tags: Vec<String>,
    extra: Value,
}

fn row(id: u32) -> Row {
    Row {
        id,
        name: format!("nö{id}"),
        size: id.is_multiple_of(3).then(|| f64::from(id) / 2.0),
        state: if id.is_multiple_of(2) {
            State::Off
        } else {
            State::On
        },
        tags: vec!["t".to_owned(); (id % 3) as usize],
        extra: Bytes::from_static(b"x").into(),
    }
}

#[tokio::test]
async fn long_lists_come_back_as_short_ones_do() {
    in_session(|session| async move {
        let tool = session.load(ROWS).unwrap();
        for count in [3, 99, 100, 5000] {
            let rows: Vec<Row> = tool.call("rows", (count,)).await.unwrap();
            assert_eq!(rows, (0..count).map(row).collect::<Vec<_>>());
            let arguments = Arguments::new(&(count,)).unwrap();
            let value = tool.call_value("rows", arguments).await.unwrap();
            let rows: Vec<Row> = rmote_client::from_value(value).unwrap();
            assert_eq!(rows, (0..count).map(row).collect::<Vec<_>>());

            let error = tool.call::<Vec<Row>>("rows", (count, 2)).await;
            let error = chain(&error.unwrap_err());
            assert!(
                error.ends_with("[2].name: expected text, found integer"),
                "{error}"
            );

            let mut stream = tool.stream::<Vec<Row>>("stream", (count,)).await.unwrap();
            assert_eq!(stream.next().await.unwrap().unwrap().len(), count as usize);
            assert_eq!(
                stream.next().await.unwrap().unwrap(),
                [row(0), row(1), row(2)]
            );
            assert!(stream.next().await.is_none());
        }
        let paths: Vec<HostPath> = tool.call("paths", (1000,)).await.unwrap();
        assert_eq!(paths[999], HostPath::from("/usr/share/999"));
        assert_eq!(paths[1000], HostPath::from_os_bytes(b"/caf\xe9".to_vec()));
    })
    .await;
}

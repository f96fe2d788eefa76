//! Calls over a local link: values both ways, arguments, deadlines, cancellation, many at once.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use bytes::Bytes;
use common::{Marker, chain, within};
use rmote_client::{
    Arguments, BigInt, CallErrorKind, EnumMember, Function, HostPath, LinkErrorKind, Options,
    RawText, Record, Session, Tool, Value,
};
use serde::{Deserialize, Serialize};

/// Runs a test in a session on this machine, and sees that nothing of it is left.
async fn session<F: Future<Output = ()>>(test: impl FnOnce(Session) -> F) {
    let marker = Marker::new();
    within(async {
        let session = Session::connect(marker.local()).await.unwrap();
        test(session.clone()).await;
        session.close().await.unwrap();
    })
    .await;
    marker.gone().await;
}

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
    session(|session| async move {
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
    session(|session| async move {
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
    session(|session| async move {
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
    session(|session| async move {
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
    session(|session| async move {
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

const SLOW: &str = r#"
import asyncio
import subprocess
import time

from rmote.process import run

seen = []


class Slow:
    @staticmethod
    async def wait(name):
        seen.append("begin " + name)
        try:
            await asyncio.sleep(1000)
        finally:
            seen.append("end " + name)

    @staticmethod
    def command(name):
        seen.append("begin " + name)
        done = run(["sleep", "1000"])
        seen.append("end " + name)
        return done.signal

    @staticmethod
    def seen(what):
        return what in seen

    @staticmethod
    def over(name):
        return "begin " + name not in seen or "end " + name in seen

    @staticmethod
    def nap(seconds, value):
        time.sleep(seconds)
        return value
"#;

/// Waits until the tool has seen it.
async fn seen(slow: &Tool, what: &str) {
    while !slow.call::<bool>("Slow.seen", (what,)).await.unwrap() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_deadline_ends_the_call_here_and_there() {
    session(|session| async move {
        let slow = session.load_as("slow", SLOW).unwrap();
        for method in ["Slow.wait", "Slow.command"] {
            let after = Duration::from_millis(150);
            let arguments = Arguments::new(&(method,)).unwrap().deadline(after);
            let error = slow
                .call_with::<Value>(method, arguments)
                .await
                .unwrap_err();
            assert!(
                matches!(error.kind, CallErrorKind::Deadline(its) if its == after),
                "{error:?}"
            );
            assert!(error.to_string().contains("within the deadline of 150ms"));
            // On a busy machine it may have been over before it began.
            while !slow.call::<bool>("Slow.over", (method,)).await.unwrap() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_dropped_future_cancels_the_call_there() {
    session(|session| async move {
        let slow = session.load_as("slow", SLOW).unwrap();
        for method in ["Slow.wait", "Slow.command"] {
            let begin = format!("begin {method}");
            tokio::select! {
                result = slow.call::<Value>(method, (method,)) => panic!("{result:?}"),
                () = seen(&slow, &begin) => {}
            }
            seen(&slow, &format!("end {method}")).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_future_that_is_dropped_before_the_start_never_reaches_the_host() {
    session(|session| async move {
        let slow = session.load_as("slow", SLOW).unwrap();
        {
            let mut call = Box::pin(slow.call::<Value>("Slow.wait", ("unsent",)));
            let first = futures_poll(call.as_mut()).await;
            assert!(first.is_none());
        }
        seen_not(&slow, "begin unsent").await;
    })
    .await;
}

/// Polls once.
async fn futures_poll<T>(mut future: std::pin::Pin<&mut impl Future<Output = T>>) -> Option<T> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match future.as_mut().poll(context) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

async fn seen_not(slow: &Tool, what: &str) {
    assert!(!slow.call::<bool>("Slow.seen", (what,)).await.unwrap());
}

#[tokio::test]
async fn times_too_far_for_the_clock_never_come() {
    let marker = Marker::new();
    within(async {
        let options = Options::new()
            .start_timeout(Duration::MAX)
            .close_timeout(Duration::MAX);
        let session = Session::connect_with(marker.local(), options)
            .await
            .unwrap();
        session.ready().await.unwrap();
        session.close().await.unwrap();
    })
    .await;
    marker.gone().await;
}

#[tokio::test]
async fn a_deadline_that_is_met_changes_nothing() {
    session(|session| async move {
        let arguments = Arguments::new(&([1, 2],))
            .unwrap()
            .deadline(Duration::from_secs(15));
        let sum: i64 = session.call_with("builtins.sum", arguments).await.unwrap();
        assert_eq!(sum, 3);
        // Too far for the clock here, and for a lock there.
        for after in [Duration::MAX, Duration::from_secs(1 << 40)] {
            let arguments = Arguments::new(&([1, 2],)).unwrap().deadline(after);
            let sum: i64 = session.call_with("builtins.sum", arguments).await.unwrap();
            assert_eq!(sum, 3);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_run_at_once_and_each_has_its_own_result() {
    session(|session| async move {
        let square = session
            .function("def square(x):\n    return x * x\n")
            .unwrap();
        let calls: Vec<_> = (0..1000_i64)
            .map(|number| {
                let square: Function = square.clone();
                tokio::spawn(async move { square.call::<i64>((number,)).await })
            })
            .collect();
        for (number, call) in (0_i64..).zip(calls) {
            assert_eq!(call.await.unwrap().unwrap(), number * number);
        }
    })
    .await;
}

#[tokio::test]
async fn a_quick_call_overtakes_slow_ones() {
    session(|session| async move {
        let slow = session.load_as("slow", SLOW).unwrap();
        let naps = async {
            tokio::join!(
                slow.call::<i64>("Slow.nap", (0.3, 1)),
                slow.call::<i64>("Slow.nap", (0.3, 2)),
                slow.call::<i64>("Slow.nap", (0.3, 3))
            )
        };
        tokio::pin!(naps);
        let quick = slow.call::<i64>("Slow.nap", (0, 4));
        tokio::select! {
            biased;
            _ = &mut naps => panic!("the quick call waited"),
            quick = quick => assert_eq!(quick.unwrap(), 4),
        }
        let (a, b, c) = naps.await;
        assert_eq!((a.unwrap(), b.unwrap(), c.unwrap()), (1, 2, 3));
    })
    .await;
}

#[tokio::test]
async fn megabytes_pass_both_ways_at_once() {
    session(|session| async move {
        let same = session
            .function("def same(value):\n    return value\n")
            .unwrap();
        let data = Bytes::from(vec![7; 8 << 20]);
        let value = Value::from(data.clone());
        let (a, b) = tokio::join!(same.call::<Value>((&value,)), same.call::<Value>((&value,)));
        assert_eq!((a.unwrap(), b.unwrap()), (value.clone(), value));
    })
    .await;
}

#[tokio::test]
async fn a_killed_agent_ends_every_call_with_its_signal() {
    let marker = Marker::new();
    within(async {
        let session = Session::connect(marker.local()).await.unwrap();
        let slow = session.load_as("slow", SLOW).unwrap();
        let pid = session.ready().await.unwrap().pid;
        let kill = async {
            seen(&slow, "begin first").await;
            let status = std::process::Command::new("kill")
                .args(["-KILL", &pid.to_string()])
                .status();
            assert!(status.unwrap().success());
        };
        let (first, second, ()) = tokio::join!(
            slow.call::<Value>("Slow.wait", ("first",)),
            slow.call::<Value>("Slow.nap", (1000, 1)),
            kill
        );
        for error in [
            first.unwrap_err(),
            second.unwrap_err(),
            session
                .call::<Value>("platform.node", ())
                .await
                .unwrap_err(),
        ] {
            let text = chain(&error);
            assert!(text.contains("link was lost: signal 9"), "{text}");
            let CallErrorKind::Link(error) = error.kind else {
                panic!("{text}")
            };
            assert!(
                matches!(error.kind, LinkErrorKind::Lost { .. }),
                "{error:?}"
            );
        }
        let error = session.close().await.unwrap_err();
        assert!(chain(&error).contains("signal 9"), "{error}");
    })
    .await;
    marker.gone().await;
}

//! Calls over a local link: deadlines, cancellation, many at once.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{Marker, chain, in_session, within};
use rmote_client::{
    Arguments, CallErrorKind, Cancelled, Function, LinkErrorKind, Options, Session, Tool, Value,
};

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
        try:
            run(["sleep", "1000"])
        finally:
            seen.append("end " + name)

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
async fn a_call_that_is_stopped_at_once_is_stopped() {
    in_session(|session| async move {
        let slow = session.load_as("slow", SLOW).unwrap();
        // Which of the two the driver sees first is left to chance.
        for _ in 0..100 {
            let arguments = Arguments::new(&(1000, "x")).unwrap();
            let nap = slow
                .start_with::<Value>("Slow.nap", arguments)
                .await
                .unwrap();
            let cancelled = nap.cancel(Duration::from_secs(30)).await;
            assert!(matches!(cancelled, Cancelled::Stopped), "{cancelled:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_deadline_ends_the_call_here_and_there() {
    in_session(|session| async move {
        let slow = session.load_as("slow", SLOW).unwrap();
        for method in ["Slow.wait", "Slow.command"] {
            let after = Duration::from_millis(150);
            let arguments = Arguments::new(&(method,)).unwrap().deadline(after);
            let error = slow
                .call_with::<Value>(method, arguments)
                .await
                .unwrap_err();
            assert!(
                matches!(error.kind, CallErrorKind::Deadline { after: its, .. } if its == after),
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
    in_session(|session| async move {
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
    in_session(|session| async move {
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
    in_session(|session| async move {
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
    in_session(|session| async move {
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
    in_session(|session| async move {
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
    in_session(|session| async move {
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
            let CallErrorKind::Link { error, .. } = error.kind else {
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

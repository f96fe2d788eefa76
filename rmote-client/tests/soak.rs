//! Thousands of streams and calls opened, read, dropped and stopped at random, and nothing is left on either side.
//!
//! Runs for five seconds, or as many as `RMOTE_SOAK_SECONDS` says. `RMOTE_SOAK_SEED` repeats a run's choices.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test code")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use common::{Marker, eventually};
use rmote_client::{Arguments, Cancelled, Input, Output, Session, Tool, Value};

const TOOL: &str = r#"
import asyncio
import os
import subprocess
import threading
import time

begun = ended = 0


def items(n, size):
    global begun, ended
    begun += 1
    try:
        for i in range(n):
            yield b"x" * size
    finally:
        ended += 1


async def aitems(n, size):
    global begun, ended
    begun += 1
    try:
        for i in range(n):
            yield [i, "x" * size]
            await asyncio.sleep(0)
    finally:
        ended += 1


def echo(stream, out):
    for item in stream:
        out.send(len(item))
    return "end"


def spin():
    while True:
        pass


def nap():
    time.sleep(1000)


async def anap():
    await asyncio.sleep(1000)


def command():
    from rmote.process import run
    run(["sleep", "1000"])


def child():
    subprocess.run(["sleep", "1000"])


def quick(n):
    return n


def left():
    from rmote import agent
    agent = agent.agent
    return {
        "streams": len(agent.streams), "calls": len(agent.calls) - 1, "deadlines": len(agent.deadlines),
        "jobs": len(agent.jobs), "groups": len(agent.session.groups), "doomed": len(agent.doomed), "held": len(agent.held),
        "open generators": begun - ended,
        "children": len(open("/proc/self/task/%d/children" % os.getpid()).read().split()),
    }


def counts():
    return {"descriptors": len(os.listdir("/proc/self/fd")), "threads": len(os.listdir("/proc/self/task"))}
"#;

/// Choices that can be repeated.
struct Dice(u64);

impl Dice {
    fn pick<'a>(&mut self, names: &[&'a str]) -> &'a str {
        let bound = u64::try_from(names.len()).unwrap();
        names[usize::try_from(self.below(bound)).unwrap()]
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

async fn one(tool: &Tool, dice: &mut Dice) {
    match dice.below(10) {
        0..4 => {
            let name = dice.pick(&["items", "aitems"]);
            let (count, size) = (dice.below(300), dice.below(20_000));
            let mut stream = tool.stream::<Value>(name, (count, size)).await.unwrap();
            let mut read = 0;
            let wanted = if dice.below(2) == 0 {
                count
            } else {
                dice.below(count + 1)
            };
            while read < wanted {
                stream.next().await.unwrap().unwrap();
                read += 1;
            }
            if wanted == count {
                assert!(stream.next().await.is_none());
            }
        }
        4..6 => {
            let count = dice.below(200);
            let items =
                (0..count).map(|n| Bytes::from(vec![0; usize::try_from(n * 97 % 9000).unwrap()]));
            let (output, mut sizes) = Output::channel::<u64>();
            let arguments = Arguments::default()
                .input(Input::iter(items))
                .output(output);
            let running = tool.start_with::<String>("echo", arguments).await.unwrap();
            let wanted = if dice.below(2) == 0 {
                count
            } else {
                dice.below(count + 1)
            };
            for n in 0..wanted {
                assert_eq!(sizes.next().await.unwrap().unwrap(), n * 97 % 9000);
            }
            match dice.below(3) {
                0 if wanted == count => assert_eq!(running.await.unwrap(), "end"),
                1 => {
                    drop(sizes);
                    assert_eq!(running.await.unwrap(), "end");
                }
                _ => drop(running),
            }
        }
        6..8 => {
            let name = dice.pick(&["spin", "nap", "anap", "command", "child"]);
            let running = tool
                .start_with::<Value>(name, Arguments::default())
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_millis(dice.below(20))).await;
            if dice.below(2) == 0 {
                let cancelled = running.cancel(Duration::from_secs(60)).await;
                assert!(
                    matches!(cancelled, Cancelled::Stopped),
                    "{name}: {cancelled:?}"
                );
            }
        }
        8 => {
            let name = dice.pick(&["nap", "anap", "command"]);
            let arguments =
                Arguments::default().deadline(Duration::from_millis(dice.below(30) + 1));
            tool.call_with::<Value>(name, arguments).await.unwrap_err();
        }
        _ => {
            let number = dice.below(1000);
            assert_eq!(tool.call::<u64>("quick", (number,)).await.unwrap(), number);
        }
    }
}

fn own(what: &str) -> usize {
    fs::read_dir(format!("/proc/self/{what}")).unwrap().count()
}

#[tokio::test]
async fn nothing_is_left_of_thousands_of_streams_and_calls() {
    let seconds = variable("RMOTE_SOAK_SECONDS").unwrap_or(5);
    let seed = variable("RMOTE_SOAK_SEED").unwrap_or_else(|| std::process::id().into());
    eprintln!("soaking for {seconds} s with RMOTE_SOAK_SEED={seed}");
    let marker = Marker::new();
    let session = Session::connect(marker.local()).await.unwrap();
    let tool = session.load_as("soak", TOOL).unwrap();
    // All that is loaded once is there before anything is counted.
    for n in 0..60 {
        one(&tool, &mut Dice(n)).await;
    }
    let clean: BTreeMap<String, i64> = until_clean(&tool).await;
    assert!(clean.values().all(|&left| left == 0), "{clean:?}");
    let before: BTreeMap<String, usize> = tool.call("counts", ()).await.unwrap();
    let (descriptors, threads) = (own("fd"), own("task"));

    let end = Instant::now() + Duration::from_secs(seconds);
    let rounds = Arc::new(AtomicU64::new(0));
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..32 {
        let (tool, rounds) = (tool.clone(), rounds.clone());
        workers.spawn(async move {
            let mut dice = Dice(seed.wrapping_mul(1000) + worker);
            while Instant::now() < end {
                one(&tool, &mut dice).await;
                rounds.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while let Some(done) = workers.join_next().await {
        done.unwrap();
    }
    let left = until_clean(&tool).await;
    eprintln!("{} rounds; left: {left:?}", rounds.load(Ordering::Relaxed));
    assert!(left.values().all(|&left| left == 0), "{left:?}");
    let mut after = BTreeMap::<String, usize>::new();
    for _ in 0..1000 {
        after = tool.call("counts", ()).await.unwrap();
        if after["threads"] <= before["threads"] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(
        after.iter().all(|(what, count)| *count <= before[what]),
        "{before:?} {after:?}"
    );
    assert!(own("fd") <= descriptors);
    // Those that have compressed stay for ten seconds, in case that more comes.
    eventually("no threads are left", || own("task") <= threads).await;
    session.close().await.unwrap();
    marker.gone().await;
}

/// What is left on the host once all that was given up has ended, or after a long wait.
async fn until_clean(tool: &Tool) -> BTreeMap<String, i64> {
    let mut left = BTreeMap::new();
    for _ in 0..1000 {
        left = tool.call("left", ()).await.unwrap();
        if left.values().all(|&left| left == 0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    left
}

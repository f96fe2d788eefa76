//! What calls and streams cost in system calls and frames: counted, so that no machine is too slow for it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::collections::HashMap;

use bytes::Bytes;
use common::recorder::{Chunk, Recorder};
use common::within;
use rmote_client::{Local, Session};
use rmote_wire::{FrameCodec, Kind};
use tokio_util::codec::Decoder;

/// How many reads and writes a process has made.
fn transfers(process: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/io")).unwrap();
    let counts: HashMap<_, u64> = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, count)| (name, count.parse().unwrap()))
        .collect();
    counts["syscr"] + counts["syscw"]
}

/// What `calls` cost the controller and the agent.
async fn cost(session: &Session, calls: impl Future<Output = ()>) -> (u64, u64) {
    let agent = session.ready().await.unwrap().pid.to_string();
    let before = (transfers("self"), transfers(&agent));
    calls.await;
    (transfers("self") - before.0, transfers(&agent) - before.1)
}

async fn pid(session: &Session) {
    session.call::<u32>("os.getpid", ()).await.unwrap();
}

/// One after the other, since the system counts for the whole process.
#[tokio::test]
async fn calls_and_bulk_cost_little() {
    calls_cost_few_system_calls().await;
    bulk_costs_few_frames().await;
}

async fn calls_cost_few_system_calls() {
    within(async {
        let session = Session::connect(Local::new()).await.unwrap();
        pid(&session).await;

        let (controller, agent) = cost(&session, async {
            for _ in 0..1000 {
                pid(&session).await;
            }
        })
        .await;
        // One write and one read each. A read that finds nothing counts, too, as does what wakes a task.
        assert!(agent <= 2100, "{agent} reads and writes of the agent");
        assert!(controller <= 4000, "{controller} of the controller");

        let (controller, agent) = cost(&session, async {
            let calls: Vec<_> = (0..10_000)
                .map(|_| {
                    let session = session.clone();
                    tokio::spawn(async move { pid(&session).await })
                })
                .collect();
            for call in calls {
                call.await.unwrap();
            }
        })
        .await;
        // Many share a read, and a hundred results a write.
        assert!(agent <= 1500, "{agent} reads and writes of the agent");
        assert!(controller <= 2500, "{controller} of the controller");
        session.close().await.unwrap();
    })
    .await;
}

async fn bulk_costs_few_frames() {
    const MIB: usize = 32;
    let recorder = Recorder::new(Local::new());
    within(async {
        let session = Session::connect(recorder.clone()).await.unwrap();
        let tool = session
            .load("def blocks(n):\n    for _ in range(n): yield bytes(1 << 20)\n")
            .unwrap();
        let mut blocks = tool.stream::<Bytes>("blocks", (MIB,)).await.unwrap();
        let mut bytes = 0;
        while let Some(block) = blocks.next().await {
            bytes += block.unwrap().len();
        }
        assert_eq!(bytes, MIB << 20);
        session.close().await.unwrap();
    })
    .await;
    let mut read = bytes::BytesMut::new();
    for chunk in recorder.chunks() {
        if let Chunk::Read(data) = chunk {
            read.extend_from_slice(&data);
        }
    }
    // The mark, and that the agent runs.
    let mut read = read.split_off(33);
    let mut codec = FrameCodec::new(1 << 27);
    let frames = std::iter::from_fn(|| codec.decode(&mut read).unwrap());
    let data = frames.filter(|frame| frame.kind == Kind::Data).count();
    assert_eq!(data, 8 * MIB, "frames of 128 KiB");
}

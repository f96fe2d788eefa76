//! What streams cost in memory: their windows, however long they are. One test alone in its process, so that it can count.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test code")]

mod common;

use bytes::Bytes;
use common::Marker;
use rmote_client::{Arguments, Input, Session};
use tokio::io::{AsyncBufReadExt, AsyncReadExt};

const TOOL: &str = r#"
def blocks(n):
    block = b"x" * (1 << 18)
    for _ in range(n):
        yield block


def total(stream):
    return sum(map(len, stream))


def peak():
    with open("/proc/self/status") as file:
        return int(file.read().split("VmHWM:")[1].split()[0])
"#;

/// The most that both sides may take over what they took before: KiB.
const MOST: u64 = 16 << 10;
const SIZE: u64 = 1 << 30;

fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let rest = status.split_once("VmHWM:").unwrap().1;
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn streams_of_any_length_cost_no_more_than_their_windows() {
    let marker = Marker::new();
    let session = Session::connect(marker.local()).await.unwrap();
    let tool = session.load_as("memory", TOOL).unwrap();
    let there: u64 = tool.call("peak", ()).await.unwrap();
    let here = peak();

    // Nobody reads these but for the first item.
    let mut stalled = Vec::new();
    for _ in 0..4 {
        let mut stream = tool.stream::<Bytes>("blocks", (SIZE >> 16,)).await.unwrap();
        stream.next().await.unwrap().unwrap();
        stalled.push(stream);
    }
    let stream = tool.stream::<Bytes>("blocks", (SIZE >> 18,)).await.unwrap();
    let mut reader = stream.into_reader();
    let mut read = 0;
    loop {
        let len = reader.fill_buf().await.unwrap().len();
        if len == 0 {
            break;
        }
        read += u64::try_from(len).unwrap();
        reader.consume(len);
    }
    assert_eq!(read, SIZE);
    let input = Input::reader(tokio::io::repeat(7).take(SIZE));
    let total: u64 = tool
        .call_with("total", Arguments::default().input(input))
        .await
        .unwrap();
    assert_eq!(total, SIZE);

    let more: u64 = tool.call("peak", ()).await.unwrap();
    eprintln!(
        "KiB over idle: {} here, {} there",
        peak() - here,
        more - there
    );
    assert!(peak() - here < MOST, "{} KiB here", peak() - here);
    assert!(more - there < MOST, "{} KiB there", more - there);
    drop(stalled);
    session.close().await.unwrap();
    marker.gone().await;
}

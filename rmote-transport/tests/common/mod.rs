//! What the tests share.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "test code that several files include and use in part"
)]

use std::fs;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rmote_transport::{Exit, Fault, Link, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

/// A test that hangs is a failure.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("the test hangs")
}

/// A word that no other process has on its command line.
pub fn marker() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "rmote-marker-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// The processes with this text on their command line, zombies left out.
pub fn processes_with(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(bytes) = fs::read(entry.path().join("cmdline")) else {
            continue;
        };
        let line = String::from_utf8_lossy(&bytes).replace('\0', " ");
        if line.contains(text) {
            found.push(format!("{}: {line}", entry.file_name().to_string_lossy()));
        }
    }
    found
}

/// Waits until the condition holds.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < end, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub async fn gone(marker: &str) {
    eventually(
        &format!("end of {marker}: {:?}", processes_with(marker)),
        || processes_with(marker).is_empty(),
    )
    .await;
}

/// 1 MiB both ways at once through `cat`.
pub async fn echo(transport: &dyn Transport) {
    let link = transport.start(&words(&["cat"])).await.unwrap();
    echo_through(link).await;
}

pub async fn echo_through(link: Link) {
    let Link {
        mut stdin,
        mut stdout,
        mut process,
    } = link;
    assert!(stdin.is_write_vectored(), "vectored writes pass through");
    let data: Vec<u8> = (0..1_u32 << 18)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let sent = data.clone();
    let (result, received) = tokio::join!(
        async move {
            stdin.write_all(&sent).await?;
            stdin.shutdown().await
        },
        async {
            let mut received = Vec::new();
            stdout.read_to_end(&mut received).await.unwrap();
            received
        }
    );
    let exit = process.wait().await;
    process.stderr().settle().await;
    assert!(
        received == data,
        "{} bytes came back, {exit:?}, {:?}",
        received.len(),
        process.stderr()
    );
    result.unwrap();
    assert_eq!(exit, Exit::Code(0), "{:?}", process.stderr());
    assert_eq!(process.wait().await, Exit::Code(0), "the same answer again");
}

/// Runs to the end: what came to stdout, and the exit.
pub async fn output(transport: &dyn Transport, argv: &[&str]) -> (String, Exit, Fault) {
    let mut link = transport.start(&words(argv)).await.unwrap();
    drop(link.stdin);
    let mut text = String::new();
    link.stdout.read_to_string(&mut text).await.unwrap();
    let exit = link.process.wait().await;
    link.process.stderr().settle().await;
    let fault = link.process.fault_with(exit, &text);
    (text, exit, fault)
}

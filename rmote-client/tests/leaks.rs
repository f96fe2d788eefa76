//! What sessions cost this process once they are over: nothing. One test alone in its process, so that it can count.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::fs;

use common::fake::Fake;
use common::host::Host;
use common::{eventually, within};
use rmote_client::{Options, Session, Value};

fn count(what: &str) -> usize {
    fs::read_dir(format!("/proc/self/{what}")).unwrap().count()
}

/// The children of this process, zombies too.
fn children() -> usize {
    let own = std::process::id().to_string();
    let of_ours = |entry: &fs::DirEntry| {
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let rest = stat.rsplit(") ").next().unwrap_or_default().to_owned();
        rest.split(' ').nth(1) == Some(&own)
    };
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter(of_ours).count()
}

#[tokio::test]
async fn sessions_leave_no_descriptor_thread_or_child_in_this_process() {
    let host = Host::new().with_python("python3");
    let silent = Host::new();
    let broken = Fake::serving()
        .bytes(b"garbage that is no frame")
        .step("eof");
    let round = async || {
        within(async {
            let session = Session::connect(host.transport()).await.unwrap();
            session.call::<Value>("platform.node", ()).await.unwrap();
            session.close().await.unwrap();
            let session = Session::connect(host.transport()).await.unwrap();
            session.call::<Value>("platform.node", ()).await.unwrap();
            drop(session);
            let options = Options::new().start_timeout(std::time::Duration::from_millis(20));
            let session = Session::connect_with(silent.login("exec /bin/sleep 1000"), options)
                .await
                .unwrap();
            session.ready().await.unwrap_err();
            let session = Session::connect(broken.transport()).await.unwrap();
            session
                .call::<Value>("platform.node", ())
                .await
                .unwrap_err();
        })
        .await;
    };
    round().await;
    let counts = || (count("fd"), count("task"), children());
    eventually("the first round ends", || children() == 0).await;
    let before = counts();
    for _ in 0..5 {
        round().await;
    }
    for marker in [&host.marker, &silent.marker, &broken.marker] {
        marker.gone().await;
    }
    eventually("all is as before", || counts() <= before).await;
}

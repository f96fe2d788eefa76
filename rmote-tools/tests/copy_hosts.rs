//! Copies over a real ssh and with containers under every Python that is promised there.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;
#[path = "copy/sample.rs"]
mod sample;
#[path = "../../rmote-transport/tests/sshd/mod.rs"]
mod sshd;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use docker::Container;
use rmote_tools::{CopyError, Docker, FileSystem, Options, Session, Ssh, Transport};
use sample::{Sample, eventually, listing, noise, temporary};
use sshd::Sshd;
use tokio::sync::Notify;

async fn within<T>(future: impl Future<Output = T>) -> T {
    let guard = Duration::from_secs(120);
    tokio::time::timeout(guard, future)
        .await
        .expect("the test hangs")
}

/// To the host and back, twice, and a change of a big file.
async fn there_and_back(transport: impl Transport, options: Options, remote: &Path) {
    let host = Session::connect_with(transport, options).await.unwrap();
    let fs = FileSystem::new(&host);
    let sample = Sample::new();
    let summary = fs.copy_to(&sample.source, remote).run().await.unwrap();
    assert_eq!((summary.files, summary.failed), (sample.files, 0));
    let again = fs
        .copy_to(&sample.source, remote)
        .checksum(true)
        .run()
        .await
        .unwrap();
    assert_eq!((again.literal, again.adjusted), (0, 0));
    let summary = fs.copy_from(remote, &sample.target).run().await.unwrap();
    assert_eq!(summary.files, sample.files);
    assert_eq!(listing(&sample.target), listing(&sample.source));

    let mut data = std::fs::read(sample.source.join("big")).unwrap();
    data.splice(1_000_000..1_000_000, *b"inserted");
    std::fs::write(sample.source.join("big"), &data).unwrap();
    std::fs::remove_file(sample.source.join("link")).unwrap();
    let summary = fs
        .copy_to(&sample.source, remote)
        .delete(true)
        .run()
        .await
        .unwrap();
    assert_eq!((summary.files, summary.deleted), (1, 1));
    assert!(summary.literal < 10_000, "{summary:?}");
    let summary = fs
        .copy_from(remote, &sample.target)
        .delete(true)
        .run()
        .await
        .unwrap();
    assert!(summary.literal < 10_000, "{summary:?}");
    assert_eq!(listing(&sample.target), listing(&sample.source));
    host.close().await.unwrap();
}

#[tokio::test]
async fn over_ssh() {
    let Some(server) = Sshd::start() else { return };
    let ssh = Ssh::new("rmote-test").config_file(server.config_file());
    within(there_and_back(
        ssh,
        Options::new(),
        &server.dir().join("copy"),
    ))
    .await;
}

#[tokio::test]
async fn a_cut_connection_leaves_a_part_and_nothing_else_on_the_host() {
    const SIZE: usize = 64 << 20;
    let Some(mut server) = Sshd::start() else {
        return;
    };
    let ssh = Ssh::new("rmote-test").config_file(server.config_file());
    let (source, target) = (server.dir().join("source"), server.dir().join("target"));
    std::fs::create_dir(&source).unwrap();
    let data = noise(SIZE, 1);
    std::fs::write(source.join("-big"), &data).unwrap();
    // Some of these are on their way at the same time.
    for number in 0..30 {
        std::fs::write(source.join(number.to_string()), noise(3 << 20, number)).unwrap();
    }
    within(async {
        let host = Session::connect(ssh.clone()).await.unwrap();
        let reached = Arc::new(Notify::new());
        let tell = reached.clone();
        let copy = FileSystem::new(&host)
            .copy_to(&source, target.as_path())
            .progress(move |now| {
                if now.bytes > SIZE as u64 / 2 {
                    tell.notify_one();
                }
            });
        let cut = async {
            reached.notified().await;
            server.stop();
        };
        let (result, ()) = tokio::join!(copy.run(), cut);
        assert!(matches!(result, Err(CopyError::Call(_))), "{result:?}");
        eventually("all is tidied up but the part", || {
            let left = temporary(&target);
            left.len() == 1 && left[0].to_string_lossy().ends_with(".part")
        })
        .await;
        server.restart();
        let host = Session::connect(ssh).await.unwrap();
        let summary = FileSystem::new(&host)
            .copy_to(&source, target.as_path())
            .run()
            .await
            .unwrap();
        assert!(summary.reused > 0, "{summary:?}");
        assert_eq!(listing(&target), listing(&source));
        host.close().await.unwrap();
    })
    .await;
}

async fn in_container(image: &str, options: Options) {
    let Some(container) = Container::start(&format!("rmote-test:{image}")) else {
        return;
    };
    within(there_and_back(
        Docker::new(container.name()),
        options,
        Path::new("/tmp/copy"),
    ))
    .await;
}

#[tokio::test]
async fn bullseye() {
    in_container("bullseye", Options::new()).await;
}

#[tokio::test]
async fn pypy() {
    in_container("bullseye", Options::new().interpreter("pypy3")).await;
}

#[tokio::test]
async fn trixie() {
    in_container("trixie", Options::new()).await;
}

#[tokio::test]
async fn sid() {
    in_container("sid", Options::new()).await;
}

//! Sessions in containers, under every Python that is promised there.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;
#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;

use std::time::Duration;

use common::tour::tour;
use common::{eventually, within};
use docker::Container;
use rmote_client::{Arguments, Docker, Options, Session};

/// A whole session; afterwards the container has no process but its own, and this machine no client of it.
async fn serves(image: &str, options: Options, version: &str) {
    let Some(container) = Container::start(&format!("rmote-test:{image}")) else {
        return;
    };
    let found = tour(Docker::new(container.name()), options).await;
    assert!(found.starts_with(version), "{found}");
    nothing_left(&container).await;
}

async fn nothing_left(container: &Container) {
    // The title, init and the sleep that keeps it up.
    eventually("the container is as it was", || {
        container.processes().trim().lines().count() == 3
    })
    .await;
    eventually("the end of all clients", || {
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        !lines
            .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
            .any(|line| line.contains(&format!("exec -i -- {}", container.name())))
    })
    .await;
}

#[tokio::test]
async fn bullseye() {
    serves("bullseye", Options::new(), "3.9.").await;
}

#[tokio::test]
async fn bookworm() {
    serves("bookworm", Options::new(), "3.11.").await;
}

#[tokio::test]
async fn trixie() {
    serves("trixie", Options::new(), "3.13.").await;
}

#[tokio::test]
async fn sid() {
    serves("sid", Options::new(), "3.").await;
}

#[tokio::test]
async fn pypy() {
    serves("bullseye", Options::new().interpreter("pypy3"), "3.7.").await;
}

#[tokio::test]
async fn another_user_of_the_container_serves_too() {
    let Some(container) = Container::start("rmote-test:bookworm") else {
        return;
    };
    let transport = Docker::new(container.name())
        .user("nobody")
        .workdir("/tmp")
        .env("GREETING", "hello");
    within(async {
        let session = Session::connect(transport).await.unwrap();
        let uid: u32 = session.call("os.getuid", ()).await.unwrap();
        assert_eq!(uid, 65_534);
        let (greeting, dir): (String, String) = tokio::try_join!(
            session.call("os.getenv", ("GREETING",)),
            session.call("os.getcwd", ())
        )
        .unwrap();
        assert_eq!((greeting.as_str(), dir.as_str()), ("hello", "/tmp"));
        // Dropped, not closed.
    })
    .await;
    nothing_left(&container).await;
}

#[tokio::test]
async fn a_container_that_is_removed_ends_its_calls() {
    let Some(container) = Container::start("rmote-test:bookworm") else {
        return;
    };
    within(async {
        let session = Session::connect(Docker::new(container.name()))
            .await
            .unwrap();
        session.ready().await.unwrap();
        let removed = async {
            tokio::task::spawn_blocking(move || drop(container))
                .await
                .unwrap();
        };
        let (call, ()) = tokio::join!(session.call::<()>("time.sleep", (1000,)), removed);
        let error = common::link_of(call.unwrap_err());
        assert!(
            matches!(error.kind, rmote_client::LinkErrorKind::Lost { .. }),
            "{error:?}"
        );
    })
    .await;
}

/// The pids of the docker clients that lead into a container.
fn clients(container: &Container) -> Vec<String> {
    let wanted = format!("exec -i -- {}", container.name());
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter(|entry| {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line)
                .replace('\0', " ")
                .contains(&wanted)
        })
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// What becomes of an agent whose docker client gets a signal: neither kills what runs in the container by itself.
async fn client_gets(signal: &str) {
    let Some(container) = Container::start("rmote-test:bookworm") else {
        return;
    };
    within(async {
        let options = Options::new().heartbeat(Duration::from_millis(300));
        let session = Session::connect_with(Docker::new(container.name()), options)
            .await
            .unwrap();
        let child = session
            .function("def child():\n    import subprocess\n    return subprocess.Popen(['sleep', '1000']).pid\n")
            .unwrap();
        let _: u32 = child.call(()).await.unwrap();
        let nap = Arguments::new(&(1000,)).unwrap();
        let nap = session.start_with::<()>("time.sleep", nap).await.unwrap();
        let _: u32 = session.call("os.getpid", ()).await.unwrap();
        for pid in clients(&container) {
            let status = std::process::Command::new("kill").args([signal, &pid]).status();
            assert!(status.unwrap().success());
        }
        common::link_of(nap.await.unwrap_err());
    })
    .await;
    nothing_left(&container).await;
}

#[tokio::test]
async fn an_agent_whose_docker_client_is_killed_ends_with_its_children() {
    client_gets("-KILL").await;
}

#[tokio::test]
async fn an_agent_whose_docker_client_is_stopped_ends_with_its_children() {
    client_gets("-STOP").await;
}

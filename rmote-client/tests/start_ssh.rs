//! Starts over a real ssh that fail, each for one of the reasons that real life has.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;
#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;
#[path = "../../rmote-transport/tests/sshd/mod.rs"]
mod sshd;

use std::net::TcpListener;

use common::{chain, eventually, impatient, link_of, start_error, within};
use docker::Container;
use rmote_client::{
    Command, Docker, FaultKind, KnownHosts, LinkErrorKind, Options, Session, SpawnError, Ssh,
    StartErrorKind, Transport, Value,
};
use sshd::Sshd;

fn ssh(server: &Sshd) -> Ssh {
    Ssh::new("rmote-test").config_file(server.config_file())
}

/// No ssh of this test is left, and nothing that it started on the host.
async fn gone(server: &Sshd) {
    let config = server.config_file().display().to_string();
    eventually("the end of all ssh", || {
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        !entries
            .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
            .any(|line| String::from_utf8_lossy(&line).contains(&config))
    })
    .await;
}

/// The start fails with this fault of the transport, whose words are told.
async fn faulty(transport: impl Transport, kind: FaultKind, words: &str) {
    let error = start_error(transport, Options::new()).await;
    let StartErrorKind::Transport(fault) = &error.kind else {
        panic!("{error:?}")
    };
    assert_eq!(fault.kind, kind, "{fault:?}");
    assert!(error.to_string().contains(words), "{error}");
}

#[tokio::test]
async fn what_ssh_says_is_told_with_its_kind() {
    let Some(mut server) = Sshd::start() else {
        return;
    };
    faulty(
        Ssh::new("no-such-host.invalid"),
        FaultKind::UnknownHost,
        "no-such-host.invalid",
    )
    .await;
    let unknown = server.dir().join("nobody_is_known");
    let strict = || ssh(&server).known_hosts(KnownHosts::Strict);
    faulty(
        strict().known_hosts_file(unknown),
        FaultKind::HostKey,
        "host key",
    )
    .await;
    let stranger = Ssh::new(server.url())
        .identity(server.other_identity())
        .known_hosts_file(server.known_hosts());
    faulty(stranger, FaultKind::PermissionDenied, "Permission denied").await;
    server.stop();
    faulty(ssh(&server), FaultKind::Refused, "Connection refused").await;
    gone(&server).await;
}

#[tokio::test]
async fn a_missing_ssh_is_told_by_connect() {
    let transport = Ssh::new("web01").program("no-such-ssh");
    let error = Session::connect(transport).await.unwrap_err();
    assert!(
        matches!(
            error.kind,
            StartErrorKind::Spawn(SpawnError::NotFound { .. })
        ),
        "{error:?}"
    );
    let text = chain(&error);
    assert!(
        text.starts_with("ssh://web01: ") && text.contains("no-such-ssh"),
        "{text}"
    );
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_is_timed_out() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let error = start_error(Ssh::new(format!("ssh://127.0.0.1:{port}")), impatient()).await;
    assert!(
        matches!(error.kind, StartErrorKind::TimedOut { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_forced_command_and_a_closed_account_are_quoted() {
    let Some(mut server) = Sshd::start() else {
        return;
    };
    for (command, exit, words) in [
        (
            "echo 'This service allows sftp connections only.'",
            "exit code 0",
            "This service allows sftp connections only.",
        ),
        (
            "/usr/sbin/nologin",
            "exit code 1",
            "This account is currently not available.",
        ),
    ] {
        server.set_forced_command(command);
        let error = start_error(ssh(&server), Options::new()).await;
        let StartErrorKind::NoAgent {
            exit: found,
            printed,
            ..
        } = &error.kind
        else {
            panic!("{error:?}")
        };
        assert_eq!((found.as_str(), printed.as_str()), (exit, words));
        assert!(error.to_string().contains(words), "{error}");
        // The first value wins in sshd's configuration.
        drop(server);
        let Some(next) = Sshd::start() else {
            return;
        };
        server = next;
    }
    server.set_forced_command("cat");
    let error = start_error(ssh(&server), Options::new()).await;
    assert!(matches!(error.kind, StartErrorKind::Terminal), "{error:?}");
    gone(&server).await;
}

#[tokio::test]
async fn a_terminal_that_ssh_was_told_to_give_is_in_the_way() {
    let Some(server) = Sshd::start() else {
        return;
    };
    let config = server.config_file().display().to_string();
    for _ in 0..5 {
        let transport = Command::new("ssh")
            .args(["-tt", "-F", &config, "rmote-test"])
            .remote_shell(true);
        let error = start_error(transport, Options::new()).await;
        assert!(matches!(error.kind, StartErrorKind::Terminal), "{error:?}");
    }
    gone(&server).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_ends_its_calls_with_the_words_of_ssh() {
    let Some(mut server) = Sshd::start() else {
        return;
    };
    within(async {
        let session = Session::connect(ssh(&server)).await.unwrap();
        session.ready().await.unwrap();
        let cut = async {
            // Once the call has printed, it runs.
            let mut events = session.events();
            assert!(events.next().await.is_some());
            server.stop();
        };
        let sleep = session
            .function("def sleep():\n    import time\n    print('asleep')\n    time.sleep(1000)\n")
            .unwrap();
        let (call, ()) = tokio::join!(sleep.call::<Value>(()), cut);
        let error = link_of(call.unwrap_err());
        let LinkErrorKind::Lost { said, .. } = &error.kind else {
            panic!("{error:?}")
        };
        assert!(
            said.contains("closed by remote host") || said.contains("Connection reset"),
            "{error}"
        );
    })
    .await;
    gone(&server).await;
}

#[tokio::test]
async fn a_container_that_is_not_there_is_told_as_that() {
    let Some(container) = Container::start("rmote-test:nopython") else {
        return;
    };
    let name = format!("{}-no-such", container.name());
    faulty(Docker::new(&name), FaultKind::NoSuchContainer, &name).await;
    let error = Session::connect(Docker::new("-it")).await.unwrap_err();
    assert!(
        matches!(error.kind, StartErrorKind::Spawn(SpawnError::Target { .. })),
        "{error:?}"
    );
}

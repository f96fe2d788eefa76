//! Sessions over a real ssh, through login shells of all kinds.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;
#[path = "../../rmote-transport/tests/sshd/mod.rs"]
mod sshd;

use common::tour::tour;
use common::{Marker, eventually, skipped, within};
use rmote_client::{Options, Session, Ssh};
use sshd::Sshd;

/// A server whose sessions bear the mark, and what leads to it.
fn start(lines: &[&str]) -> Option<(Sshd, Marker, Ssh)> {
    let marker = Marker::new();
    let mark = format!("SetEnv {}", marker.variable());
    let server = Sshd::start_with(&[&[mark.as_str()], lines].concat())?;
    let ssh = Ssh::new("rmote-test").config_file(server.config_file());
    Some((server, marker, ssh))
}

/// Neither on the host nor here is anything left of a session.
async fn nothing_left(server: &Sshd, marker: &Marker) {
    marker.gone().await;
    let config = server.config_file().display().to_string();
    eventually("the end of all ssh", || {
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        !entries
            .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
            .any(|line| String::from_utf8_lossy(&line).contains(&config))
    })
    .await;
}

#[tokio::test]
async fn a_session_over_ssh_serves_and_leaves_nothing() {
    let Some((server, marker, ssh)) = start(&[]) else {
        return;
    };
    tour(ssh, Options::new()).await;
    nothing_left(&server, &marker).await;
}

#[tokio::test]
async fn sessions_share_a_connection_and_leave_no_master() {
    let Some((server, marker, ssh)) = start(&[]) else {
        return;
    };
    let ssh = ssh.shared();
    for _ in 0..2 {
        tour(ssh.clone(), Options::new()).await;
    }
    within(async {
        let first = Session::connect(ssh.clone()).await.unwrap();
        let second = Session::connect(ssh).await.unwrap();
        let (a, b) = tokio::join!(
            first.call::<String>("platform.node", ()),
            second.call::<String>("platform.node", ())
        );
        assert_eq!(a.unwrap(), b.unwrap());
        // One in order, one by its last handle.
        first.close().await.unwrap();
        drop(second);
    })
    .await;
    assert_eq!(server.logins(), 1);
    nothing_left(&server, &marker).await;
}

#[tokio::test]
async fn the_first_stage_is_safe_in_every_login_shell() {
    for shell in ["bash", "dash", "fish", "tcsh", "sh"] {
        let found = std::process::Command::new(shell)
            .args(["-c", "true"])
            .status();
        if !found.is_ok_and(|status| status.success()) {
            skipped(&format!("there is no {shell}"));
            continue;
        }
        // The shell reads the command line as it does for a user whose login shell it is.
        let forced = format!("ForceCommand {shell} -c \"$SSH_ORIGINAL_COMMAND\"");
        let Some((server, marker, ssh)) = start(&[&forced]) else {
            return;
        };
        tour(ssh.clone(), Options::new()).await;
        tour(ssh, Options::new().interpreter("python3")).await;
        nothing_left(&server, &marker).await;
    }
}

#[tokio::test]
async fn a_profile_that_prints_does_no_harm() {
    let forced =
        "ForceCommand printf 'Last login: never'; echo noise >&2; eval \"$SSH_ORIGINAL_COMMAND\"";
    let Some((server, marker, ssh)) = start(&[forced]) else {
        return;
    };
    tour(ssh, Options::new()).await;
    nothing_left(&server, &marker).await;
}

#[tokio::test]
async fn cutting_the_connection_ends_what_runs_on_the_host() {
    let Some((mut server, marker, ssh)) = start(&[]) else {
        return;
    };
    within(async {
        let session = Session::connect(ssh).await.unwrap();
        let run = session
            .function("def work():\n    from rmote.process import run\n    print('at work')\n    run(['sleep', '1000'])\n")
            .unwrap();
        let mut events = session.events();
        let call = tokio::spawn(async move { run.call::<()>(()).await });
        assert!(events.next().await.is_some());
        server.stop();
        call.await.unwrap().unwrap_err();
    })
    .await;
    nothing_left(&server, &marker).await;
}

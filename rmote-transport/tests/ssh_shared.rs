//! One connection for several links.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;
mod sshd;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{echo, echo_through, eventually, gone, marker, output, processes_with, within, words};
use rmote_transport::{Exit, FaultKind, Link, Ssh, Transport};
use sshd::Sshd;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn shared(sshd: &Sshd) -> Ssh {
    Ssh::new("rmote-test")
        .config_file(sshd.config_file())
        .shared()
}

/// Our directories, found on the command lines of the first links. (A master has another: `ssh: SOCKET [mux]`.)
fn directories(sshd: &Sshd) -> Vec<PathBuf> {
    let config = sshd.config_file().display().to_string();
    let mut found: Vec<PathBuf> = processes_with(&config)
        .iter()
        .filter_map(|line| {
            line.split_whitespace()
                .find(|word| word.contains("rmote-ssh-"))
        })
        .map(|word| PathBuf::from(word).parent().unwrap().to_path_buf())
        .collect();
    found.dedup();
    found
}

async fn cat(ssh: &Ssh) -> Link {
    let mut link = ssh.start(&words(&["cat"])).await.unwrap();
    ping(&mut link).await;
    link
}

async fn ping(link: &mut Link) {
    link.stdin.write_all(b"ping").await.unwrap();
    let mut answer = [0; 4];
    link.stdout.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"ping");
}

/// No process, socket or directory of this server's connections.
async fn nothing_left(sshd: &Sshd, directories: &[PathBuf]) {
    assert!(!directories.is_empty());
    gone(&sshd.config_file().display().to_string()).await;
    for dir in directories {
        gone(&dir.display().to_string()).await;
        eventually(&format!("removal of {}", dir.display()), || !dir.exists()).await;
    }
}

#[tokio::test]
async fn later_links_make_no_connection() {
    let Some(sshd) = Sshd::start() else { return };
    within(async {
        let ssh = shared(&sshd);
        let mut first = cat(&ssh).await;
        let dirs = directories(&sshd);
        let mut second = cat(&ssh.clone()).await;
        echo(&ssh).await;
        ping(&mut first).await;
        assert_eq!(sshd.logins(), 1);
        drop(first.stdin);
        assert_eq!(
            first.process.wait().await,
            Exit::Code(0),
            "the first ends though the second lives"
        );
        ping(&mut second).await;
        drop(first.stdout);
        drop(first.process);
        ping(&mut second).await;
        drop(ssh);
        ping(&mut second).await;
        assert!(dirs[0].exists());
        let start = Instant::now();
        drop(second);
        nothing_left(&sshd, &dirs).await;
        assert!(
            start.elapsed() < Duration::from_millis(1500),
            "ended at once, not by idling: {:?}",
            start.elapsed()
        );
    })
    .await;
}

#[tokio::test]
async fn many_first_starts_at_once_make_one_connection() {
    let Some(sshd) = Sshd::start() else { return };
    within(async {
        let ssh = shared(&sshd);
        let run = || async {
            let link = ssh.start(&words(&["cat"])).await.unwrap();
            echo_through(link).await;
        };
        tokio::join!(run(), run(), run(), run(), run(), run());
        assert_eq!(sshd.logins(), 1);
        gone(&sshd.config_file().display().to_string()).await;
    })
    .await;
}

#[tokio::test]
async fn exits_and_stderr_of_channels() {
    let Some(sshd) = Sshd::start() else { return };
    within(async {
        let ssh = shared(&sshd);
        let keep = cat(&ssh).await;
        for _ in 0..2 {
            let (text, exit, fault) =
                output(&ssh, &["sh", "-c", "echo out; echo \"a  b\" >&2; exit 7"]).await;
            assert_eq!(
                (text.as_str(), exit, fault.message.as_str()),
                ("out\n", Exit::Code(7), "a  b")
            );
        }
        let (_, exit, fault) = output(&ssh, &["rmote-no-such-program"]).await;
        assert_eq!(
            (exit, fault.kind),
            (Exit::Code(127), FaultKind::ProgramNotFound)
        );
        assert_eq!(
            output(&ssh, &["sh", "-c", "exit 255"]).await.1,
            Exit::Code(255)
        );
        // A login shell that waits for its command turns the signal into a code.
        let (_, exit, _) = output(&ssh, &["sh", "-c", "kill -9 $$"]).await;
        assert!(matches!(exit, Exit::Unknown | Exit::Code(137)), "{exit}");
        drop(keep);
    })
    .await;
}

#[tokio::test]
async fn no_output_is_lost_to_an_early_exit() {
    let Some(sshd) = Sshd::start() else { return };
    within(async {
        let ssh = shared(&sshd);
        let _keep = cat(&ssh).await;
        // The exit is known at once, and output follows.
        let script = "(sleep 0.3; echo late; echo later >&2) & exit 3";
        let (text, exit, fault) = output(&ssh, &["sh", "-c", script]).await;
        assert_eq!((text.as_str(), exit), ("late\n", Exit::Code(3)));
        assert_eq!(fault.message, "later");
        // Little output need not be read at all, as with a child.
        let mut link = ssh
            .start(&words(&["sh", "-c", "echo unread; exit 4"]))
            .await
            .unwrap();
        assert_eq!(link.process.wait().await, Exit::Code(4));
    })
    .await;
}

#[tokio::test]
async fn killing_one_hurts_no_other() {
    let Some(sshd) = Sshd::start() else { return };
    within(async {
        let ssh = shared(&sshd);
        let marker = marker();
        let argv = words(&["sh", "-c", "cat; :", &marker]);
        let mut first = ssh.start(&argv).await.unwrap();
        ping(&mut first).await;
        let mut second = ssh.start(&argv).await.unwrap();
        ping(&mut second).await;
        let mut third = cat(&ssh).await;
        second.process.kill();
        assert_eq!(second.process.wait().await, Exit::Signal(9));
        first.process.kill();
        assert_eq!(first.process.wait().await, Exit::Signal(9));
        drop((first, second));
        ping(&mut third).await;
        gone(&marker).await;
        ping(&mut cat(&ssh).await).await;
        assert_eq!(sshd.logins(), 1);
    })
    .await;
}

#[tokio::test]
async fn killing_the_first_behind_a_jump_host_hurts_no_other() {
    let Some(sshd) = Sshd::start() else { return };
    within(async {
        let ssh = Ssh::new("rmote-jump")
            .config_file(sshd.config_file())
            .shared();
        let first = cat(&ssh).await;
        let mut second = cat(&ssh).await;
        let dirs = directories(&sshd);
        drop(first);
        tokio::time::sleep(Duration::from_millis(200)).await;
        ping(&mut second).await;
        assert_eq!(sshd.logins(), 2);
        drop((second, ssh));
        nothing_left(&sshd, &dirs).await;
    })
    .await;
}

#[tokio::test]
async fn a_new_connection_replaces_a_lost_one() {
    let Some(mut sshd) = Sshd::start() else {
        return;
    };
    within(async {
        let ssh = shared(&sshd);
        let mut first = cat(&ssh).await;
        let mut second = cat(&ssh).await;
        let mut dirs = directories(&sshd);
        sshd.restart();
        let mut rest = Vec::new();
        second.stdout.read_to_end(&mut rest).await.unwrap();
        assert_eq!(second.process.wait().await, Exit::Unknown);
        assert_eq!(first.process.wait().await, Exit::Code(255));
        echo(&ssh).await;
        assert_eq!(sshd.logins(), 2);
        dirs.extend(directories(&sshd));
        drop((first, second, ssh));
        nothing_left(&sshd, &dirs).await;
    })
    .await;
}

#[tokio::test]
async fn an_idle_connection_ends_and_is_replaced() {
    let Some(sshd) = Sshd::start() else { return };
    within(async {
        let ssh = shared(&sshd);
        let link = cat(&ssh).await;
        let mut dirs = directories(&sshd);
        drop(link);
        echo(&ssh).await;
        assert_eq!(sshd.logins(), 1, "soon enough");
        gone(&dirs[0].display().to_string()).await;
        let link = cat(&ssh).await;
        dirs.extend(directories(&sshd));
        drop(link);
        echo(&ssh).await;
        assert_eq!(sshd.logins(), 2);
        drop(ssh);
        nothing_left(&sshd, &dirs).await;
    })
    .await;
}

#[tokio::test]
async fn a_full_connection_is_followed_by_another() {
    let Some(sshd) = Sshd::start_with(&["MaxSessions 2"]) else {
        return;
    };
    within(async {
        let ssh = shared(&sshd);
        let mut links = Vec::new();
        for _ in 0..4 {
            links.push(cat(&ssh).await);
        }
        assert_eq!(sshd.logins(), 2);
        for link in &mut links {
            ping(link).await;
        }
    })
    .await;
}

#[tokio::test]
async fn all_that_wait_for_a_failing_connection_hear_why() {
    let Some(sshd) = Sshd::start() else { return };
    within(async {
        let ssh = shared(&sshd)
            .user("rmote-nobody")
            .identity(sshd.other_identity());
        let run = || output(&ssh, &["true"]);
        let (a, b, c) = tokio::join!(run(), run(), run());
        for (_, exit, fault) in [a, b, c, run().await] {
            assert_eq!(
                (exit, fault.kind),
                (Exit::Code(255), FaultKind::PermissionDenied),
                "{fault}"
            );
        }
        let missing = shared(&sshd).program("rmote-no-ssh");
        for _ in 0..2 {
            assert!(missing.start(&words(&["true"])).await.is_err());
        }
    })
    .await;
}

#[tokio::test]
async fn a_left_channel_delivers_its_last_bytes() {
    let Some(sshd) = Sshd::start() else { return };
    within(async {
        let ssh = shared(&sshd);
        let mut dirs = Vec::new();
        let files: Vec<PathBuf> = (0..2)
            .map(|n| sshd.dir().join(format!("received{n}")))
            .collect();
        let mut links = Vec::new();
        for file in &files {
            let script = format!("echo up; cat > {}", file.display());
            let mut link = ssh.start(&words(&["sh", "-c", &script])).await.unwrap();
            link.stdout.read_exact(&mut [0; 3]).await.unwrap();
            link.process.leave_on_drop(true);
            links.push(link);
            dirs = directories(&sshd);
        }
        drop(ssh);
        for mut link in links {
            link.stdin.write_all(&vec![b'x'; 50_000]).await.unwrap();
            drop(link);
        }
        for file in &files {
            eventually("the bytes", || {
                fs::metadata(file).is_ok_and(|meta| meta.len() == 50_000)
            })
            .await;
        }
        nothing_left(&sshd, &dirs).await;
    })
    .await;
}

/// Not a test of its own: the controller that the next test kills.
#[tokio::test]
async fn controller_to_be_killed() {
    let Ok(config) = std::env::var("RMOTE_TEST_CONTROLLER_CONFIG") else {
        return;
    };
    let ssh = Ssh::new("rmote-test").config_file(&config).shared();
    let _links = (cat(&ssh).await, cat(&ssh).await);
    fs::write(format!("{config}.up"), "").unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_killed_controller_leaves_nothing_for_long() {
    let Some(sshd) = Sshd::start() else { return };
    within(async {
        let config = sshd.config_file();
        let mut controller = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "controller_to_be_killed"])
            .env("RMOTE_TEST_CONTROLLER_CONFIG", &config)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        eventually("the controller", || {
            sshd.dir().join("ssh_config.up").exists()
        })
        .await;
        let dirs = directories(&sshd);
        assert_eq!(dirs.len(), 1);
        controller.kill().unwrap();
        controller.wait().unwrap();
        gone(&dirs[0].display().to_string()).await;
        // The next shared start sweeps (or that of another test did).
        let ssh = shared(&sshd);
        let link = cat(&ssh).await;
        eventually("the sweep", || !dirs[0].exists()).await;
        assert!(directories(&sshd)[0].exists(), "the living one stays");
        drop(link);
    })
    .await;
}

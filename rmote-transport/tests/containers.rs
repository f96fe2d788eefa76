//! docker, podman and kubectl: argument vectors against programs that record them, and a real docker where there is one.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;
mod docker;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::{echo, eventually, marker, output, within, words};
use docker::Container;
use rmote_transport::{Docker, Exit, FaultKind, Kubectl, Transport};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const IMAGE: &str = "rmote-test:bookworm";

/// A program that shows its words, or says something and fails.
fn fake(dir: &TempDir, script: &str) -> String {
    let path = dir.path().join("fake");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_string()
}

const SHOW: &str = "printf '%s|' \"$@\"";

#[tokio::test]
async fn words_reach_the_program_unchanged() {
    let dir = TempDir::new().unwrap();
    let program = fake(&dir, SHOW);
    let docker = Docker::new("db")
        .program(&program)
        .user("a")
        .workdir("/w d")
        .env("K", "a b\nc");
    let (text, exit, _) = within(output(&docker, &["python3", "-c", "it's"])).await;
    let expected = "exec|-i|--user=a|--workdir=/w d|--env=K=a b\nc|--|db|python3|-c|it's|";
    assert_eq!((text.as_str(), exit), (expected, Exit::Code(0)));
    let pod = Kubectl::new("prod", "web-0", Some("app")).program(&program);
    let (text, ..) = within(output(&pod, &["python3", "-c", "it's"])).await;
    assert_eq!(text, "exec|-i|-n|prod|web-0|-c|app|--|python3|-c|it's|");
}

#[tokio::test]
async fn bytes_pass_both_ways_through_a_fake() {
    let dir = TempDir::new().unwrap();
    let program = fake(
        &dir,
        "while [ \"$1\" != -- ]; do shift; done; shift; [ \"$1\" = db ] && shift; exec \"$@\"",
    );
    within(echo(&Docker::podman("db").program(&program))).await;
    within(echo(&Kubectl::new("prod", "web-0", None).program(&program))).await;
}

#[tokio::test]
async fn failures_have_names() {
    let dir = TempDir::new().unwrap();
    let program = fake(&dir, "echo 'Error: No such container: db' >&2; exit 1");
    let (_, exit, fault) = within(output(&Docker::new("db").program(&program), &["true"])).await;
    assert_eq!(
        (exit, fault.kind),
        (Exit::Code(1), FaultKind::NoSuchContainer)
    );
    let program = fake(
        &dir,
        "echo 'Error from server (NotFound): pods \"web-0\" not found' >&2; exit 1",
    );
    let (_, _, fault) = within(output(
        &Kubectl::new("a", "web-0", None).program(&program),
        &["true"],
    ))
    .await;
    assert_eq!(
        fault.to_string(),
        "no such running container: Error from server (NotFound): pods \"web-0\" not found"
    );
}

#[tokio::test]
async fn real_docker_carries_bytes_and_exits() {
    let Some(container) = Container::start(IMAGE) else {
        return;
    };
    let docker = Docker::new(container.name());
    within(echo(&docker)).await;
    let odd = docker
        .clone()
        .user("nobody")
        .workdir("/tmp")
        .env("K", "a b");
    let (text, exit, fault) = within(output(
        &odd,
        &["sh", "-c", "id -un; pwd; echo $K; echo said >&2; exit 7"],
    ))
    .await;
    assert_eq!(
        (text.as_str(), exit, fault.message.as_str()),
        ("nobody\n/tmp\na b\n", Exit::Code(7), "said")
    );
}

#[tokio::test]
async fn real_docker_failures_have_names() {
    let Some(container) = Container::start(IMAGE) else {
        return;
    };
    let docker = Docker::new(container.name());
    for program in ["rmote-no-such-program", "/rmote/no/such/program"] {
        let (_, _, fault) = within(output(&docker, &[program])).await;
        assert_eq!(fault.kind, FaultKind::ProgramNotFound, "{fault}");
    }
    let (_, _, fault) = within(output(&docker.clone().user("rmote-nobody"), &["true"])).await;
    assert_eq!(fault.kind, FaultKind::PermissionDenied, "{fault}");
    let (_, exit, fault) = within(output(&Docker::new("rmote-no-such-container"), &["true"])).await;
    assert_eq!(
        (exit, fault.kind),
        (Exit::Code(1), FaultKind::NoSuchContainer),
        "{fault}"
    );
}

#[tokio::test]
async fn nothing_is_left_in_a_real_container() {
    let Some(container) = Container::start(IMAGE) else {
        return;
    };
    within(async {
        let marker = marker();
        let argv = words(&["sh", "-c", "cat; :", &marker]);
        let mut link = Docker::new(container.name()).start(&argv).await.unwrap();
        link.stdin.write_all(b"ping").await.unwrap();
        link.stdout.read_exact(&mut [0; 4]).await.unwrap();
        assert!(container.processes().contains(&marker));
        drop(link);
        eventually("the end of the program", || {
            !container.processes().contains(&marker)
        })
        .await;
    })
    .await;
}

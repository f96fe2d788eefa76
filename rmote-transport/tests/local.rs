//! Local children, and what all transports have in common.

mod common;

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;

use common::{echo, eventually, gone, marker, output, processes_with, within, words};
use rmote_transport::{Command, Exit, FaultKind, Link, Local, SpawnError, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn bytes_pass_both_ways() {
    within(echo(&Local::new())).await;
    within(echo(&Command::new("env").arg("A=b"))).await;
    let boxed: Box<dyn Transport> = Box::new(Local::new());
    within(echo(&boxed)).await;
    within(echo(&Arc::new(boxed))).await;
}

#[tokio::test]
async fn vectored_writes_arrive_in_order() {
    within(async {
        let Link {
            mut stdin,
            mut stdout,
            process: _process,
        } = Local::new().start(&words(&["cat"])).await.unwrap();
        let parts = [
            IoSlice::new(b"head"),
            IoSlice::new(b"er "),
            IoSlice::new(b"payload"),
        ];
        assert_eq!(stdin.write_vectored(&parts).await.unwrap(), 14);
        let mut received = [0; 14];
        stdout.read_exact(&mut received).await.unwrap();
        assert_eq!(&received, b"header payload");
    })
    .await;
}

#[tokio::test]
async fn exit_codes_and_signals() {
    let local = Local::new();
    let (text, exit, _) = within(output(&local, &["sh", "-c", "echo hi; exit 7"])).await;
    assert_eq!((text.as_str(), exit), ("hi\n", Exit::Code(7)));
    let (_, exit, fault) = within(output(&local, &["sh", "-c", "kill -TERM $$"])).await;
    assert_eq!((exit, fault.kind), (Exit::Signal(15), FaultKind::Other));
}

#[tokio::test]
async fn words_and_environment_pass_unchanged() {
    let odd = ["it's", "a\\b", "!x", "new\nline", "", "$HOME", "-n"];
    let mut argv = vec!["sh", "-c", "printf '%s|' \"$@\"; test -n \"$PATH\"", "sh"];
    argv.extend(odd);
    let (text, exit, _) = within(output(&Local::new(), &argv)).await;
    assert_eq!(
        (text, exit),
        (odd.map(|word| format!("{word}|")).concat(), Exit::Code(0))
    );
}

#[tokio::test]
async fn program_not_found() {
    let error = Local::new()
        .start(&words(&["rmote-no-such-program"]))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, SpawnError::NotFound { program, .. } if program == "rmote-no-such-program"),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        "the program rmote-no-such-program for local was not found on this machine"
    );
    assert!(matches!(
        Local::new().start(&[]).await,
        Err(SpawnError::NoProgram { .. })
    ));
    assert!(matches!(
        Local::new().start(&words(&["a\0b"])).await,
        Err(SpawnError::Io { .. })
    ));
    let (_, exit, fault) = within(output(
        &Local::new(),
        &["sh", "-c", "rmote-no-such-program"],
    ))
    .await;
    assert_eq!(
        (exit, fault.kind),
        (Exit::Code(127), FaultKind::ProgramNotFound)
    );
}

#[tokio::test]
async fn stderr_is_bounded_and_clean() {
    within(async {
        let script = "yes \"$(printf '\\033[31mred\\033]0;x\\007\\302\\233')\" | head -c 10000000 >&2; printf '\\nlast\\n' >&2";
        let mut link = Local::new().start(&words(&["sh", "-c", script])).await.unwrap();
        assert_eq!(link.process.wait().await, Exit::Code(0));
        let stderr = link.process.stderr();
        stderr.settle().await;
        drop(link);
        let text = stderr.text();
        assert!(text.len() <= 8192 && text.lines().count() <= 64, "{}", text.len());
        assert!(text.starts_with(r"\x1b[31mred\x1b]0;x\x07\u{9b}") && text.ends_with("\nlast"), "{text}");
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
    })
    .await;
}

#[tokio::test]
async fn settle_is_bounded() {
    within(async {
        let mut link = Local::new()
            .start(&words(&["sh", "-c", "echo said >&2; sleep 30 & exit 3"]))
            .await
            .unwrap();
        assert_eq!(link.process.wait().await, Exit::Code(3));
        // The sleeping process holds the pipe.
        let start = std::time::Instant::now();
        link.process.stderr().settle().await;
        assert!(start.elapsed() < Duration::from_secs(5));
        assert_eq!(link.process.fault(Exit::Code(3)).message, "said");
    })
    .await;
}

#[tokio::test]
async fn drop_kills_the_group() {
    within(async {
        let marker = marker();
        let script =
            format!("sleep 1000 {marker} 2>/dev/null; sh -c 'sleep 1001; : {marker}' & wait");
        let link = Local::new()
            .start(&words(&["sh", "-c", &script]))
            .await
            .unwrap();
        eventually("start", || processes_with(&marker).len() >= 2).await;
        drop(link);
        gone(&marker).await;
    })
    .await;
}

#[tokio::test]
async fn kill_is_seen_by_wait() {
    within(async {
        let mut link = Local::new()
            .start(&words(&["sleep", "1000"]))
            .await
            .unwrap();
        assert!(link.process.id().is_some());
        link.process.kill();
        assert_eq!(link.process.wait().await, Exit::Signal(9));
        link.process.kill();
        assert_eq!(link.process.id(), None);
    })
    .await;
}

#[tokio::test]
async fn left_process_ends_in_its_own_time() {
    within(async {
        let (marker, done) = (marker(), std::env::temp_dir().join(marker()));
        let script = format!("cat; sleep 0.3; echo {marker} > {}", done.display());
        let mut link = Local::new()
            .start(&words(&["sh", "-c", &script]))
            .await
            .unwrap();
        link.process.leave_on_drop(true);
        drop(link);
        eventually("the file", || {
            std::fs::read_to_string(&done).is_ok_and(|text| text.trim() == marker)
        })
        .await;
        std::fs::remove_file(&done).unwrap();
        gone(&marker).await;
    })
    .await;
}

#[tokio::test]
async fn wait_is_cancel_safe() {
    within(async {
        let mut link = Local::new().start(&words(&["cat"])).await.unwrap();
        for _ in 0..3 {
            assert!(
                tokio::time::timeout(Duration::from_millis(10), link.process.wait())
                    .await
                    .is_err()
            );
        }
        drop(link.stdin);
        assert_eq!(link.process.wait().await, Exit::Code(0));
    })
    .await;
}

#[tokio::test]
async fn child_leads_a_group_of_its_own() {
    let (text, ..) = within(output(
        &Local::new(),
        &["sh", "-c", "ps -o pid=,pgid= -p $$ || echo 1 1"],
    ))
    .await;
    let ids: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(ids[0], ids[1], "a Ctrl-C in the terminal must not reach it");
}

//! Hosts that hang, echo or die before an agent runs: each a typed error in time, and nothing left behind.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::time::Duration;

use common::fake::Fake;
use common::host::{Host, python};
use common::{Marker, impatient, start_error, within};
use rmote_client::{CallErrorKind, Options, Session, StartErrorKind};

#[tokio::test]
async fn a_silent_host_is_timed_out() {
    for login in ["exec /bin/sleep 1000", "/bin/cat >/dev/null; :"] {
        let host = Host::new();
        let error = start_error(host.login(login), impatient()).await;
        let StartErrorKind::TimedOut { after, .. } = error.kind else {
            panic!("{login}: {error:?}")
        };
        assert_eq!(after, Duration::from_millis(300));
        assert!(error.to_string().contains("no answer within 300ms"));
        host.marker.gone().await;
    }
}

#[tokio::test]
async fn what_a_host_asked_before_it_fell_silent_is_quoted() {
    let host = Host::new();
    let login = "printf 'Password: '; echo 'last line' >&2; exec /bin/sleep 1000";
    let error = start_error(host.login(login), impatient()).await;
    let StartErrorKind::TimedOut { printed, said, .. } = &error.kind else {
        panic!("{error:?}")
    };
    assert_eq!(
        (printed.as_str(), said.as_str()),
        ("Password:", "last line")
    );
    host.marker.gone().await;
}

#[tokio::test]
async fn an_agent_that_falls_silent_after_its_mark_is_timed_out() {
    let fake = Fake::started().step("hang");
    let error = start_error(fake.transport(), impatient()).await;
    assert!(
        matches!(error.kind, StartErrorKind::TimedOut { .. }),
        "{error:?}"
    );
    fake.marker.gone().await;
}

#[tokio::test]
async fn a_deadline_is_kept_while_the_host_is_silent() {
    let host = Host::new();
    within(async {
        let options = Options::new().close_timeout(Duration::from_millis(100));
        let session = Session::connect_with(host.login("exec /bin/sleep 1000"), options)
            .await
            .unwrap();
        let deadline = Duration::from_millis(50);
        let arguments = rmote_client::Arguments::default().deadline(deadline);
        let error = session
            .call_with::<String>("platform.node", arguments)
            .await
            .unwrap_err();
        assert!(
            matches!(error.kind, CallErrorKind::Deadline { after, .. } if after == deadline),
            "{error:?}"
        );
    })
    .await;
    host.marker.gone().await;
}

#[tokio::test]
async fn a_host_that_sends_everything_back_is_a_terminal() {
    // No time-out: the echo itself is the proof.
    let host = Host::new();
    let error = start_error(host.login("exec /bin/cat"), Options::new()).await;
    assert!(matches!(error.kind, StartErrorKind::Terminal), "{error:?}");
    host.marker.gone().await;
}

/// Runs a command in a terminal, as `ssh -tt` does, after words that are run in that terminal first.
const IN_TERMINAL: &str = r#"
import os, pty, select, sys, termios, tty
pid, terminal = pty.fork()
if pid == 0:
    if sys.argv[1] == "raw":
        tty.setraw(0)
    os.execvp(sys.argv[2], sys.argv[2:])
while sys.argv[1] == "raw" and termios.tcgetattr(terminal)[3] & termios.ISIG:
    select.select([], [], [], 0.001)
sources = [0, terminal]
while terminal in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 1024)
            while data:
                sent = os.write(1 if source == terminal else terminal, data)
                data = data[sent:] if sent < len(data) else None
        except OSError:
            data = b""
        if data == b"":
            sources.remove(source)
status = os.waitpid(pid, 0)[1]
os._exit(status >> 8 or status & 127 and 128 + (status & 127))
"#;

#[tokio::test]
async fn a_terminal_on_the_way_is_told_as_that() {
    // The raw one passes all bytes on, and the first stage sees it; the other one ends the command by its Ctrl-C.
    for mode in ["raw", "cooked"] {
        let marker = Marker::new();
        let transport = marker.local().args([python(), "-c", IN_TERMINAL, mode]);
        let error = start_error(transport, Options::new()).await;
        assert!(
            matches!(error.kind, StartErrorKind::Terminal),
            "{mode}: {error:?}"
        );
        assert!(error.to_string().contains("no -t"), "{error}");
        marker.gone().await;
    }
}

#[tokio::test]
async fn programs_that_give_a_terminal_are_told_by_their_words() {
    for said in [
        "Connection to web01 closed.",
        "the input device is not a TTY",
    ] {
        let host = Host::new();
        let login = format!("echo '{said}' >&2; exit 255");
        let error = start_error(host.login(&login), Options::new()).await;
        assert!(matches!(error.kind, StartErrorKind::Terminal), "{error:?}");
    }
}

#[tokio::test]
async fn a_host_that_closes_its_output_and_lives_on_is_given_up() {
    let host = Host::new();
    let error = start_error(
        host.login("exec >&-; /bin/sleep 1000; true"),
        Options::new(),
    )
    .await;
    let StartErrorKind::NoAgent { exit, .. } = &error.kind else {
        panic!("{error:?}")
    };
    assert_eq!(exit, "signal 9", "it was cut off");
    host.marker.gone().await;
}

#[tokio::test]
async fn a_host_that_closes_its_output_after_the_mark_is_given_up() {
    let fake = Fake::started().step("close").step("hang");
    let error = start_error(fake.transport(), Options::new()).await;
    assert!(
        matches!(error.kind, StartErrorKind::Died { .. }),
        "{error:?}"
    );
    fake.marker.gone().await;
}

#[tokio::test]
async fn a_host_that_ends_at_once_is_told_with_its_exit() {
    for (login, expected) in [
        ("exit 0", "exit code 0"),
        ("exit 42", "exit code 42"),
        ("kill -TERM $$", "signal 15"),
        ("kill -KILL $$", "signal 9"),
    ] {
        let host = Host::new();
        let error = start_error(host.login(login), Options::new()).await;
        let StartErrorKind::NoAgent { exit, .. } = &error.kind else {
            panic!("{login}: {error:?}")
        };
        assert_eq!(exit, expected);
        host.marker.gone().await;
    }
}

#[tokio::test]
async fn an_agent_that_ends_after_its_mark_is_told_with_its_exit() {
    for (step, expected) in [("exit:3", "exit code 3"), ("signal:11", "signal 11")] {
        let fake = Fake::started()
            .step("say:fatal: out of everything")
            .step(step);
        let error = start_error(fake.transport(), Options::new()).await;
        let StartErrorKind::Died { exit, said } = &error.kind else {
            panic!("{step}: {error:?}")
        };
        assert_eq!(exit, expected);
        assert_eq!(said, "fatal: out of everything");
        fake.marker.gone().await;
    }
}

#[tokio::test]
async fn an_agent_that_ends_within_its_hello_is_told_as_that() {
    let hello = common::fake::bytes_of(&common::fake::hello(1));
    for cut in [1, 4, 9, 10, hello.len() - 1] {
        let fake = Fake::started().bytes(&hello[..cut]).step("exit:1");
        let error = start_error(fake.transport(), Options::new()).await;
        assert!(
            matches!(error.kind, StartErrorKind::Died { .. }),
            "cut at {cut}: {error:?}"
        );
        fake.marker.gone().await;
    }
}

#[tokio::test]
async fn every_status_of_the_first_stage_has_its_error() {
    let fake = Fake::new().status('E').step("exit:94");
    let error = start_error(fake.transport(), Options::new()).await;
    assert!(
        matches!(error.kind, StartErrorKind::Died { .. }),
        "{error:?}"
    );
    let fake = Fake::new().status('?').step("exit:1");
    let error = start_error(fake.transport(), Options::new()).await;
    assert!(
        matches!(error.kind, StartErrorKind::Died { .. }),
        "{error:?}"
    );
    // A list of versions that never ends is cut, and cleaned.
    let fake = Fake::new()
        .status('O')
        .bytes(&b"\x1b[2J".repeat(2000))
        .step("hang");
    let error = start_error(fake.transport(), Options::new()).await;
    let StartErrorKind::PythonTooOld { found } = &error.kind else {
        panic!("{error:?}")
    };
    assert!(!found.contains('\x1b') && found.len() < 10_000, "{found}");
    fake.marker.gone().await;
}

#[tokio::test]
async fn input_that_is_cut_off_on_the_way_is_told_as_that() {
    let host = Host::new().with_python("python3");
    let login = "/usr/bin/head -c 1000 | \"$@\"";
    let error = start_error(host.login(login), Options::new()).await;
    let StartErrorKind::Died { exit, .. } = &error.kind else {
        panic!("{error:?}")
    };
    assert_eq!(exit, "its input was cut off");
    host.marker.gone().await;
}

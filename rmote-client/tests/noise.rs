//! What a login shell prints before the agent: skipped, bounded, and quoted when nothing follows.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::host::Host;
use common::{chain, start_error, within};
use rmote_client::{Options, Session, StartErrorKind};

/// A whole session on a host whose login runs this first; a call gives what it should.
async fn serves(login: &str) {
    let host = Host::new().with_python("python3");
    within(async {
        let session = Session::connect(host.login(&format!("{login}\nexec \"$@\"")))
            .await
            .unwrap();
        let result = session.call("builtins.sum", ([1, 2],)).await;
        let sum: i64 = result.unwrap_or_else(|error| panic!("{login}: {}", chain(&error)));
        assert_eq!(sum, 3);
        session.close().await.unwrap();
    })
    .await;
    host.marker.gone().await;
}

#[tokio::test]
async fn a_banner_is_skipped() {
    serves("printf 'Welcome!\\n'").await;
}

#[tokio::test]
async fn a_banner_without_an_end_of_line_is_skipped() {
    serves("printf 'Last login: today'").await;
}

#[tokio::test]
async fn a_banner_with_the_line_ends_of_a_terminal_is_skipped() {
    serves("printf 'one\\r\\ntwo\\r\\n\\r'").await;
}

#[tokio::test]
async fn a_banner_with_colours_and_a_title_is_skipped() {
    serves("printf '\\033]0;host\\007\\033[1;31mroot\\033[0m$ \\0\\377\\376'").await;
}

#[tokio::test]
async fn a_line_of_300_kilobytes_is_skipped() {
    serves("/usr/bin/head -c 300000 /dev/zero | /usr/bin/tr '\\0' x").await;
}

#[tokio::test]
async fn a_banner_that_trickles_is_skipped() {
    serves("for part in 1 2 3 4 5; do printf part; /bin/sleep 0.01; done").await;
}

#[tokio::test]
async fn a_banner_that_looks_like_our_own_bytes_is_skipped() {
    // The first line that is written, alone and as a part of another; a frame; digits of a mark that is not ours.
    serves("printf '#rmote\\n#rmote\\r\\n#rmote managed host\\n\\012\\0\\0\\0\\001P'").await;
    serves("printf '0123456789abcdef0123456789abcdefP'; printf %s \"$*\"").await;
}

#[tokio::test]
async fn half_of_the_mark_is_no_mark() {
    // The halves are among the words of the command: swapped there, so even all of them do not forge it.
    serves("for word; do case $word in ????????????????) printf %sP \"$word\";; esac; done").await;
}

#[tokio::test]
async fn noise_on_standard_error_does_no_harm() {
    serves("echo warning >&2; /usr/bin/head -c 300000 /dev/zero >&2").await;
}

#[tokio::test]
async fn startup_files_of_python_are_not_run() {
    let host = Host::new().with_python("python3");
    let dir = tempfile::TempDir::new().unwrap();
    for name in ["startup.py", "sitecustomize.py", "usercustomize.py"] {
        std::fs::write(dir.path().join(name), "print('noise')\nraise SystemExit(7)").unwrap();
    }
    let path = dir.path().display();
    let login = format!(
        "export PYTHONSTARTUP={path}/startup.py PYTHONPATH={path} PYTHONINSPECT=1 PYTHONVERBOSE=1\nexec \"$@\""
    );
    within(async {
        let session = Session::connect(host.login(&login)).await.unwrap();
        let sum: i64 = session.call("builtins.sum", ([1, 2],)).await.unwrap();
        assert_eq!(sum, 3);
        session.close().await.unwrap();
    })
    .await;
    host.marker.gone().await;
}

#[tokio::test]
async fn more_than_a_mebibyte_of_noise_is_the_end() {
    let host = Host::new().with_python("python3");
    let error = start_error(host.login("/usr/bin/yes noise"), Options::new()).await;
    let StartErrorKind::NoAgent { printed, .. } = &error.kind else {
        panic!("{error:?}")
    };
    assert!(
        printed.contains("noise\nnoise") && printed.len() <= 500,
        "{printed}"
    );
    assert!(
        error.to_string().contains("it printed more and more"),
        "{error}"
    );
    host.marker.gone().await;
}

#[tokio::test]
async fn what_a_host_printed_instead_of_an_agent_is_quoted_clean() {
    let login =
        "printf 'This account is currently \\033[31mnot available.\\r\\n'; echo why >&2; exit 1";
    let host = Host::new().with_python("python3");
    let error = start_error(host.login(login), Options::new()).await;
    let StartErrorKind::NoAgent {
        exit,
        printed,
        said,
    } = &error.kind
    else {
        panic!("{error:?}")
    };
    assert_eq!(exit, "exit code 1");
    assert_eq!(printed, r"This account is currently \x1b[31mnot available.");
    assert_eq!(said, "why");
    host.marker.gone().await;
}

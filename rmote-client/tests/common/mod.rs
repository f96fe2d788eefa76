//! What the tests share.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "test code that several files include and use in part"
)]

pub mod fake;
pub mod host;
pub mod recorder;
pub mod tour;

use std::error::Error;
use std::fs;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rmote_client::{
    CallError, CallErrorKind, CloseError, Command, LinkError, Options, Session, StartError,
    Transport,
};

/// What must end ends long before this. A test that hangs is a failure.
const GUARD: Duration = Duration::from_secs(20);

pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(GUARD, future)
        .await
        .expect("the test hangs")
}

/// Waits until the condition holds.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + GUARD;
    while !condition() {
        assert!(Instant::now() < end, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A variable that all processes of one test have in their environment, so that none of them is overlooked.
#[derive(Debug)]
pub struct Marker(String);

impl Marker {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(format!("RMOTE_TEST_MARK={}-{number}-", std::process::id()))
    }

    /// `NAME=value`.
    pub fn variable(&self) -> &str {
        &self.0
    }

    /// This machine, through a command that adds the variable.
    pub fn local(&self) -> Command {
        Command::new("env").arg(self.variable())
    }

    /// The processes that bear the mark. A zombie has no environment, so none is counted.
    pub fn processes(&self) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Ok(environment) = fs::read(entry.path().join("environ")) else {
                continue;
            };
            if String::from_utf8_lossy(&environment).contains(&self.0) {
                let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                let line = String::from_utf8_lossy(&line).replace('\0', " ");
                let line: String = line.chars().take(200).collect();
                found.push(format!("{}: {line}", entry.file_name().to_string_lossy()));
            }
        }
        found
    }

    /// Waits until none is left.
    pub async fn gone(&self) {
        let end = Instant::now() + GUARD;
        loop {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < end, "left behind: {left:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Runs a test in a session on this machine, and sees that nothing of it is left.
pub async fn in_session<F: Future<Output = ()>>(test: impl FnOnce(Session) -> F) {
    let marker = Marker::new();
    within(async {
        let session = Session::connect(marker.local()).await.unwrap();
        test(session.clone()).await;
        session.close().await.unwrap();
    })
    .await;
    marker.gone().await;
}

/// An error with all that stands behind it, as a person sees it.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}

/// Starts a session that cannot begin. What waits for it, what comes later and `close` all tell the same error, and it
/// names the target.
pub async fn start_error(transport: impl Transport, options: Options) -> Arc<StartError> {
    let target = transport.target();
    within(async {
        let session = Session::connect_with(transport, options).await.unwrap();
        let (call, ready) =
            tokio::join!(session.call::<String>("platform.node", ()), session.ready());
        let call = call.unwrap_err();
        let text = chain(&call);
        let error = start_of(call);
        assert!(Arc::ptr_eq(&error, &start_of(ready.unwrap_err())));
        let later = session.call::<String>("platform.node", ()).await;
        assert!(Arc::ptr_eq(&error, &start_of(later.unwrap_err())));
        let Err(CloseError::Start(closed)) = session.close().await else {
            panic!("closed in order after {text}")
        };
        assert!(Arc::ptr_eq(&error, &closed));
        assert!(text.contains(&target), "{text}");
        error
    })
    .await
}

fn start_of(error: CallError) -> Arc<StartError> {
    match error.kind {
        CallErrorKind::Start(error) => error,
        _ => panic!("{}", chain(&error)),
    }
}

/// The link's error of a call.
pub fn link_of(error: CallError) -> Arc<LinkError> {
    match error.kind {
        CallErrorKind::Link { error, .. } => error,
        _ => panic!("{}", chain(&error)),
    }
}

/// Says that a test did not run, or fails where all tests were asked for.
pub fn skipped(reason: &str) {
    assert!(
        std::env::var_os("RMOTE_TEST_REQUIRE").is_none_or(|value| value != "all"),
        "SKIPPED: {reason}"
    );
    eprintln!("SKIPPED: {reason}");
}

/// A start's time-out for hosts of which nothing is to be expected.
pub fn impatient() -> Options {
    Options::new().start_timeout(Duration::from_millis(300))
}

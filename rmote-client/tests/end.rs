//! Every way in which a session ends, and that nothing is left after it.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::process::Stdio;
use std::time::{Duration, Instant};

use common::host::Host;
use common::{Marker, chain, eventually, link_of, within};
use rmote_client::{
    CallError, CallErrorKind, CloseError, LinkErrorKind, Options, Session, Tool, Value,
};

const WORK: &str = r#"
import subprocess
import time

from rmote.process import run

begun = []


class Work:
    @staticmethod
    def command():
        begun.append("command")
        run(["sleep", "1000"])

    @staticmethod
    def shell():
        begun.append("shell")
        run(["sh", "-c", "trap '' TERM; sleep 1000 & sleep 1000; true"])

    @staticmethod
    def popen():
        child = subprocess.Popen(["sleep", "1000"])
        begun.append("popen")
        child.wait()

    @staticmethod
    def left_behind():
        subprocess.Popen(["sleep", "1000"])

    @staticmethod
    def sleep():
        begun.append("sleep")
        time.sleep(1000)

    @staticmethod
    def spin():
        begun.append("spin")
        while True:
            pass

    @staticmethod
    async def wait():
        import asyncio
        begun.append("wait")
        await asyncio.sleep(1000)

    @staticmethod
    def begun(what):
        return what in begun

    @staticmethod
    def touch(path):
        open(path, "w").close()
"#;

type Calls = Vec<tokio::task::JoinHandle<Result<Value, CallError>>>;

/// Starts work of all kinds but the one that holds the interpreter, and waits until all of it runs.
async fn busy(work: &Tool) -> Calls {
    work.call::<Value>("Work.left_behind", ()).await.unwrap();
    begin(work, &["command", "shell", "popen", "sleep", "wait"]).await
}

async fn begin(work: &Tool, methods: &[&'static str]) -> Calls {
    let mut calls = Vec::new();
    for &method in methods {
        let tool = work.clone();
        calls.push(tokio::spawn(async move {
            tool.call::<Value>(&format!("Work.{method}"), ()).await
        }));
        while !work.call::<bool>("Work.begun", (method,)).await.unwrap() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    calls
}

#[tokio::test]
async fn close_ends_the_agent_in_order_with_all_that_its_calls_have_started() {
    let host = Host::new().with_python("python3");
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("exit");
    // PATH is that of this machine again, for the commands of the tool.
    let login = format!(
        "PATH=$PATH:/usr/bin:/bin; \"$@\"; echo \"exit $?\" > {}",
        file.display()
    );
    within(async {
        let session = Session::connect(host.login(&login)).await.unwrap();
        let work = session.load_as("work", WORK).unwrap();
        let calls = busy(&work).await;
        assert!(host.marker.processes().len() > 4);
        session.close().await.unwrap();
        for call in calls {
            let error = link_of(call.await.unwrap().unwrap_err());
            assert!(matches!(error.kind, LinkErrorKind::Closed), "{error:?}");
        }
        // Again, and through another handle.
        work.session().close().await.unwrap();
        let error = work.call::<Value>("Work.sleep", ()).await.unwrap_err();
        assert!(chain(&error).contains("the session is closed"), "{error}");
    })
    .await;
    assert_eq!(std::fs::read_to_string(file).unwrap(), "exit 0\n");
    host.marker.gone().await;
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_agent() {
    let marker = Marker::new();
    within(async {
        let session = Session::connect(marker.local()).await.unwrap();
        let work = session.load_as("work", WORK).unwrap();
        for call in busy(&work).await {
            call.abort();
            assert!(call.await.unwrap_err().is_cancelled());
        }
        let events = session.events();
        drop(session);
        // A tool is a handle, too; events are none.
        assert!(work.call::<bool>("Work.begun", ("wait",)).await.unwrap());
        drop(work);
        marker.gone().await;
        drop(events);
    })
    .await;
}

#[tokio::test]
async fn a_session_that_is_dropped_or_closed_while_it_starts_leaves_nothing() {
    let marker = Marker::new();
    within(async {
        drop(Session::connect(marker.local()).await.unwrap());
        marker.gone().await;
        let session = Session::connect(marker.local()).await.unwrap();
        session.close().await.unwrap();
        marker.gone().await;
        // At moments that nobody chose: whichever phase it is in, it closes in order.
        for delay in 0..30 {
            let session = Session::connect(marker.local()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(delay)).await;
            session.close().await.unwrap();
        }
        for delay in 0..30 {
            let session = Session::connect(marker.local()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(delay)).await;
            drop(session);
        }
        marker.gone().await;
    })
    .await;
}

#[tokio::test]
async fn a_call_in_flight_while_the_session_is_closed_before_its_start_is_told_so() {
    let host = Host::new();
    within(async {
        let options = Options::new().close_timeout(Duration::from_millis(50));
        let session = Session::connect_with(host.login("exec /bin/sleep 1000"), options)
            .await
            .unwrap();
        let (call, closed) =
            tokio::join!(session.call::<Value>("platform.node", ()), session.close());
        closed.unwrap();
        let error = call.unwrap_err();
        assert!(matches!(error.kind, CallErrorKind::Start(_)), "{error:?}");
        assert!(chain(&error).contains("closed before the agent was ready"));
    })
    .await;
    host.marker.gone().await;
}

#[test]
fn dropping_the_runtime_ends_the_agent() {
    for flavor in [
        tokio::runtime::Builder::new_current_thread,
        tokio::runtime::Builder::new_multi_thread,
    ] {
        let marker = Marker::new();
        let runtime = flavor().enable_all().build().unwrap();
        let session = runtime.block_on(within(async {
            let session = Session::connect(marker.local()).await.unwrap();
            busy(&session.load_as("work", WORK).unwrap()).await;
            session
        }));
        drop(runtime);
        let other = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        other.block_on(within(async {
            let error = session.call::<Value>("platform.node", ()).await;
            assert!(matches!(
                error.unwrap_err().kind,
                CallErrorKind::Link { .. }
            ));
            marker.gone().await;
        }));
    }
}

#[tokio::test]
async fn an_agent_that_hangs_is_cut_off() {
    let marker = Marker::new();
    within(async {
        let options = Options::new().close_timeout(Duration::from_millis(200));
        let session = Session::connect_with(marker.local(), options)
            .await
            .unwrap();
        let work = session.load_as("work", WORK).unwrap();
        let pid = session.ready().await.unwrap().pid.to_string();
        let (call, closed) = tokio::join!(work.call::<Value>("Work.sleep", ()), async {
            while !work.call::<bool>("Work.begun", ("sleep",)).await.unwrap() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let mut kill = std::process::Command::new("kill");
            assert!(kill.args(["-STOP", &pid]).status().unwrap().success());
            eventually("all of its threads stop", || stopped(&pid)).await;
            session.close().await
        });
        let Err(CloseError::Link(error)) = closed else {
            panic!("closed in order")
        };
        assert!(matches!(error.kind, LinkErrorKind::NoBye), "{error:?}");
        assert!(std::sync::Arc::ptr_eq(&error, &link_of(call.unwrap_err())));
    })
    .await;
    marker.gone().await;
}

/// Whether each thread of a process is in the state T.
fn stopped(pid: &str) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks.flatten().all(|task| {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        let state = stat.rsplit(") ").next().unwrap_or_default();
        state.starts_with('T')
    })
}

#[tokio::test]
async fn a_tool_that_never_lets_go_does_not_keep_others_alive() {
    let marker = Marker::new();
    within(async {
        let session = Session::connect(marker.local()).await.unwrap();
        let work = session.load_as("work", WORK).unwrap();
        let calls = begin(&work, &["shell", "spin"]).await;
        session.close().await.unwrap();
        for call in calls {
            call.await.unwrap().unwrap_err();
        }
    })
    .await;
    marker.gone().await;
}

const CHILD: &str = "RMOTE_TEST_CONTROLLER";

/// The controller that the next test kills; nothing at all when it runs by itself.
#[tokio::test]
async fn controller() {
    let Ok(arguments) = std::env::var(CHILD) else {
        return;
    };
    let (marker, file) = arguments.split_once('|').unwrap();
    let transport = rmote_client::Command::new("env").arg(marker);
    let session = Session::connect(transport).await.unwrap();
    let work = session.load_as("work", WORK).unwrap();
    let _calls = busy(&work).await;
    work.call::<Value>("Work.touch", (file,)).await.unwrap();
    std::future::pending::<()>().await;
}

#[test]
fn killing_the_controller_ends_the_agent() {
    let marker = Marker::new();
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("busy");
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "controller"])
        .env(CHILD, format!("{}|{}", marker.variable(), file.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    while !file.exists() {
        assert!(
            Instant::now() < end && child.try_wait().unwrap().is_none(),
            "the controller does not get to work"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(marker.processes().len() > 4);
    child.kill().unwrap();
    child.wait().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(marker.gone());
}

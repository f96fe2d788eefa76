//! A link that falls silent, breaks, and is made anew.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::process::Command as Program;
use std::time::{Duration, Instant};

use bytes::Bytes;
use common::{Marker, chain, link_of, within};
use rmote_client::{
    Arguments, CallError, CallErrorKind, Event, LinkErrorKind, Options, Progress, Reconnect,
    Session, Tool, Value,
};

const BEAT: Duration = Duration::from_millis(100);

const TOOL: &str = r"
import os
import subprocess
import time

count = 0


def add(n):
    global count
    count += n
    return count


def once(path):
    '''Ends its agent the first time.'''
    with open(path, 'a') as file:
        file.write('x')
    if os.path.getsize(path) == 1:
        os._exit(3)
    return os.path.getsize(path)


def nap(seconds):
    time.sleep(seconds)


def say_and_nap():
    print('begun')
    time.sleep(1000)


def child():
    return subprocess.Popen(['sleep', '1000']).pid
";

fn signal(name: &str, pid: u32) {
    let status = Program::new("kill").args([name, &pid.to_string()]).status();
    assert!(status.unwrap().success());
}

fn progress(error: &CallError) -> Progress {
    match error.kind {
        CallErrorKind::Link { progress, .. } => progress,
        _ => panic!("{}", chain(error)),
    }
}

fn tool(session: &Session) -> Tool {
    session.load_as("tool", TOOL).unwrap()
}

async fn pid(session: &Session) -> u32 {
    session.ready().await.unwrap().pid
}

#[tokio::test]
async fn a_silent_link_is_noticed_and_a_long_call_is_left_alone() {
    let marker = Marker::new();
    within(async {
        let options = Options::new().heartbeat(BEAT);
        let session = Session::connect_with(marker.local(), options)
            .await
            .unwrap();
        let tool = tool(&session);
        let _: () = tool.call("nap", (BEAT.as_secs_f64() * 8.0,)).await.unwrap();
        let nap = tokio::spawn({
            let tool = tool.clone();
            async move { tool.call::<Value>("nap", (1000,)).await }
        });
        let _: u32 = tool.call("add", (1,)).await.unwrap();
        let agent = pid(&session).await;
        let before = Instant::now();
        signal("-STOP", agent);
        let error = nap.await.unwrap().unwrap_err();
        assert!(
            before.elapsed() >= 2 * BEAT,
            "a beat that is missed is not death yet"
        );
        assert_eq!(progress(&error), Progress::Sent);
        let text = chain(&error);
        assert!(text.contains("nothing was heard for 300ms"), "{text}");
        assert!(text.contains("the call may have run"), "{text}");
        assert!(matches!(link_of(error).kind, LinkErrorKind::Silent { .. }));
    })
    .await;
    marker.gone().await;
}

#[tokio::test]
async fn an_idle_link_lives_on() {
    let marker = Marker::new();
    within(async {
        let options = Options::new().heartbeat(Duration::from_millis(20));
        let session = Session::connect_with(marker.local(), options)
            .await
            .unwrap();
        let tool = tool(&session);
        assert_eq!(tool.call::<u32>("add", (1,)).await.unwrap(), 1);
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(
            tool.call::<u32>("add", (1,)).await.unwrap(),
            2,
            "the same agent"
        );
        session.close().await.unwrap();
    })
    .await;
    marker.gone().await;
}

#[tokio::test]
async fn a_broken_link_tells_each_call_how_far_it_had_come() {
    let marker = Marker::new();
    within(async {
        let options = Options::new().in_flight(2);
        let session = Session::connect_with(marker.local(), options)
            .await
            .unwrap();
        let tool = tool(&session);
        let mut events = session.events();
        let _: u32 = tool.call("child", ()).await.unwrap();
        let begun = tool
            .start_with::<Value>("say_and_nap", Arguments::default())
            .await
            .unwrap();
        while !matches!(events.next().await.unwrap(), Event::Output { .. }) {}
        let nap = Arguments::new(&(1000,)).unwrap();
        let sent = tool.start_with::<Value>("nap", nap).await.unwrap();
        let queued = tool.start_with::<Value>("add", Arguments::new(&(1,)).unwrap());
        let queued = queued.await.unwrap();
        // A third that waits here for its turn: the agent may have two.
        signal("-KILL", pid(&session).await);
        assert_eq!(progress(&begun.await.unwrap_err()), Progress::Started);
        assert_eq!(progress(&sent.await.unwrap_err()), Progress::Sent);
        assert_eq!(progress(&queued.await.unwrap_err()), Progress::NotSent);
        let late = tool.call::<Value>("add", (1,)).await.unwrap_err();
        assert_eq!(progress(&late), Progress::NotSent);
        assert!(
            chain(&late).contains("the call was not sent"),
            "{}",
            chain(&late)
        );
    })
    .await;
    // What a killed agent had started outlives it: nobody was left to end it.
    for line in marker.processes() {
        signal("-KILL", line.split(':').next().unwrap().parse().unwrap());
    }
    marker.gone().await;
}

fn patient() -> Reconnect {
    Reconnect::attempts(5).backoff(Duration::from_millis(5), Duration::from_millis(50))
}

#[tokio::test]
async fn a_lost_link_is_made_anew_and_only_what_may_is_repeated() {
    let marker = Marker::new();
    let dir = tempfile::tempdir().unwrap();
    within(async {
        let options = Options::new().reconnect(patient());
        let session = Session::connect_with(marker.local(), options)
            .await
            .unwrap();
        let mut events = session.events();
        let tool = tool(&session);
        assert_eq!(tool.call::<u32>("add", (1,)).await.unwrap(), 1);
        let first = pid(&session).await;

        let path = |name: &str| (dir.path().join(name).to_str().unwrap().to_owned(),);
        let again = Arguments::new(&path("again")).unwrap().idempotent();
        let twice: u32 = tool.call_with("once", again).await.unwrap();
        assert_eq!(twice, 2, "it ran once on each agent");
        assert!(matches!(events.next().await, Some(Event::Lost(_))));
        assert!(matches!(events.next().await, Some(Event::Reconnected)));

        let error = tool.call::<u32>("once", path("never")).await.unwrap_err();
        assert_eq!(progress(&error), Progress::Sent);
        assert_eq!(std::fs::read(dir.path().join("never")).unwrap(), b"x");

        // The module went along again, without what it had in memory.
        assert_eq!(tool.call::<u32>("add", (1,)).await.unwrap(), 1);
        assert_ne!(pid(&session).await, first);

        // Streams have ended, and new ones can be had.
        let mut stream = tool.stream::<Bytes>("say_and_nap", ()).await.unwrap();
        while !matches!(events.next().await.unwrap(), Event::Output { .. }) {}
        signal("-KILL", pid(&session).await);
        let error = stream.next().await.unwrap().unwrap_err();
        assert_eq!(progress(&error), Progress::Started);
        let mut items = session
            .stream::<u32>("builtins.iter", ([1, 2],))
            .await
            .unwrap();
        assert_eq!(items.next().await.unwrap().unwrap(), 1);
        session.close().await.unwrap();
    })
    .await;
    marker.gone().await;
}

#[tokio::test]
async fn calls_wait_while_the_link_is_made_anew() {
    let marker = Marker::new();
    within(async {
        let options = Options::new().reconnect(patient()).in_flight(1);
        let session = Session::connect_with(marker.local(), options)
            .await
            .unwrap();
        let tool = tool(&session);
        let nap = Arguments::new(&(1000,)).unwrap();
        let nap = tool.start_with::<Value>("nap", nap).await.unwrap();
        let mut queued = Vec::new();
        for number in 0..20 {
            let arguments = Arguments::new(&(number,)).unwrap();
            queued.push(tool.start_with::<u32>("add", arguments).await.unwrap());
        }
        signal("-KILL", pid(&session).await);
        assert_eq!(progress(&nap.await.unwrap_err()), Progress::Sent);
        let mut sum = 0;
        for (number, call) in (0..).zip(queued) {
            sum += number;
            assert_eq!(call.await.unwrap(), sum, "in their order");
        }
        session.close().await.unwrap();
    })
    .await;
    marker.gone().await;
}

#[tokio::test]
async fn a_link_that_stays_lost_tells_why_it_was_lost() {
    let dir = tempfile::tempdir().unwrap();
    let gate = dir.path().join("gate");
    std::fs::write(&gate, "").unwrap();
    let marker = Marker::new();
    within(async {
        let script = format!("test -e {} && exec \"$@\"", gate.display());
        let way = marker.local().arg("sh").arg("-c").arg(script).arg("sh");
        let options = Options::new().reconnect(patient());
        let session = Session::connect_with(way, options).await.unwrap();
        let tool = tool(&session);
        let _: u32 = tool.call("add", (1,)).await.unwrap();
        std::fs::remove_file(&gate).unwrap();
        let nap = Arguments::new(&(1000,)).unwrap();
        let nap = tool.start_with::<Value>("nap", nap).await.unwrap();
        let wait = tool.start_with::<Value>("add", Arguments::new(&(1,)).unwrap());
        let wait = wait.await.unwrap();
        while tool.call::<u32>("add", (1,)).await.is_err() {}
        signal("-KILL", pid(&session).await);
        assert_eq!(progress(&nap.await.unwrap_err()), Progress::Sent);
        drop(wait);
        let error = loop {
            match tool.call::<u32>("add", (1,)).await {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert!(matches!(link_of(error).kind, LinkErrorKind::Lost { .. }));
    })
    .await;
    marker.gone().await;
}

#[tokio::test]
async fn a_session_is_closed_while_it_waits_to_connect_again() {
    let marker = Marker::new();
    within(async {
        let patience = Duration::from_secs(1000);
        let policy = Reconnect::attempts(5).backoff(patience, patience);
        let options = Options::new().reconnect(policy);
        let session = Session::connect_with(marker.local(), options)
            .await
            .unwrap();
        let mut events = session.events();
        signal("-KILL", pid(&session).await);
        assert!(matches!(events.next().await, Some(Event::Lost(_))));
        // A deadline holds meanwhile, too.
        let arguments = Arguments::default().deadline(Duration::from_millis(30));
        let error = session
            .call_with::<Value>("os.getpid", arguments)
            .await
            .unwrap_err();
        assert!(
            matches!(error.kind, CallErrorKind::Deadline { .. }),
            "{}",
            chain(&error)
        );
        let call = session.start_with::<Value>("os.getpid", Arguments::default());
        let call = call.await.unwrap();
        session.close().await.unwrap();
        assert_eq!(progress(&call.await.unwrap_err()), Progress::NotSent);
    })
    .await;
    marker.gone().await;
}

//! What tools print and log is seen as events, before the result, and bounded.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{Marker, within};
use rmote_client::{Event, Events, Options, Session, Tool, Value};

const TALK: &str = r#"
import logging
import os
import subprocess
import sys
import threading


class Odd:
    def __str__(self):
        raise RuntimeError("no text")


class Talk:
    @staticmethod
    def say(text, end="\n"):
        print(text, end=end)
        return "result"

    @staticmethod
    def warn(text):
        print(text, file=sys.stderr)

    @staticmethod
    async def whisper(text):
        print(text)

    @staticmethod
    def raw(data):
        sys.stdout.buffer.write(data)

    @staticmethod
    def descriptor(text):
        os.write(1, text.encode())

    @staticmethod
    def child(text):
        subprocess.call(["echo", text])

    @staticmethod
    def fail(text):
        print(text)
        raise ValueError(text)

    @staticmethod
    def log(level, text, *arguments):
        logging.getLogger("tool.part").log(level, text, *arguments)

    @staticmethod
    def log_odd():
        logging.getLogger().error("%s", Odd())
        logging.getLogger().error("%d %d", 1)
        try:
            raise ValueError("inner")
        except ValueError:
            logging.exception("outer")

    @staticmethod
    def flood(lines):
        for number in range(lines):
            print(number)

    @staticmethod
    def long_line(size):
        print("x" * size)
"#;

async fn talk<F: Future<Output = ()>>(options: Options, test: impl FnOnce(Tool, Events) -> F) {
    let marker = Marker::new();
    within(async {
        let session = Session::connect_with(marker.local(), options)
            .await
            .unwrap();
        let events = session.events();
        let tool = session.load_as("talk", TALK).unwrap();
        test(tool, events).await;
        session.close().await.unwrap();
    })
    .await;
    marker.gone().await;
}

/// What is there already: all that came before the result.
fn all(events: &mut Events) -> Vec<Event> {
    std::iter::from_fn(|| events.try_next()).collect()
}

/// The bytes of all output, with the function that printed them; all of one call and one stream.
fn printed(events: &mut Events, expected_stderr: bool) -> (Option<String>, Vec<u8>) {
    let mut text = Vec::new();
    let mut of = None;
    for event in all(events) {
        let Event::Output {
            function,
            stderr,
            data,
            ..
        } = event
        else {
            panic!("{event:?}")
        };
        assert_eq!(stderr, expected_stderr);
        text.extend_from_slice(&data);
        of = function.map(|function| function.to_string());
    }
    (of, text)
}

#[tokio::test]
async fn output_comes_before_the_result_with_its_function() {
    talk(Options::new(), |tool, mut events| async move {
        for (method, stderr) in [
            ("say", false),
            ("warn", true),
            ("whisper", false),
            ("descriptor", false),
            ("child", false),
        ] {
            let name = format!("Talk.{method}");
            tool.call::<Value>(&name, ("hello wörld",)).await.unwrap();
            let (function, text) = printed(&mut events, stderr);
            let text = String::from_utf8(text).unwrap();
            assert_eq!(text.trim_end(), "hello wörld", "{method}");
            assert_eq!(function.as_deref(), Some(&*format!("talk:{name}")));
        }
        tool.call::<Value>("Talk.say", ("no end of line", ""))
            .await
            .unwrap();
        assert_eq!(printed(&mut events, false).1, b"no end of line");
        tool.call::<Value>("Talk.raw", (bytes::Bytes::from_static(b"\xff\0"),))
            .await
            .unwrap();
        assert_eq!(printed(&mut events, false).1, b"\xff\0");
        tool.call::<Value>("Talk.fail", ("before it failed",))
            .await
            .unwrap_err();
        assert_eq!(printed(&mut events, false).1, b"before it failed\n");
        tool.call::<Value>("Talk.long_line", (300_000,))
            .await
            .unwrap();
        assert_eq!(printed(&mut events, false).1.len(), 300_001);
    })
    .await;
}

#[tokio::test]
async fn output_of_calls_at_once_is_told_apart() {
    talk(Options::new(), |tool, mut events| async move {
        let (a, b, c) = tokio::join!(
            tool.call::<Value>("Talk.say", ("says",)),
            tool.call::<Value>("Talk.whisper", ("whispers",)),
            tool.call::<Value>("Talk.warn", ("warns",)),
        );
        for result in [a, b, c] {
            result.unwrap();
        }
        let mut seen: Vec<_> = all(&mut events)
            .into_iter()
            .map(|event| match event {
                Event::Output { function, data, .. } => {
                    let function = function.expect("the call is known").to_string();
                    (function, String::from_utf8_lossy(&data).into_owned())
                }
                event => panic!("{event:?}"),
            })
            .collect();
        seen.sort();
        let expected = [
            ("talk:Talk.say", "says\n"),
            ("talk:Talk.warn", "warns\n"),
            ("talk:Talk.whisper", "whispers\n"),
        ];
        assert_eq!(
            seen,
            expected.map(|(function, text)| (function.to_owned(), text.to_owned()))
        );
    })
    .await;
}

#[tokio::test]
async fn log_records_from_the_level_on_are_events() {
    talk(
        Options::new().log_level(30),
        |tool, mut events| async move {
            tool.call::<Value>("Talk.log", (20, "an information"))
                .await
                .unwrap();
            assert!(all(&mut events).is_empty());
            tool.call::<Value>("Talk.log", (40, "%s of %d", "one", 2))
                .await
                .unwrap();
            let events = all(&mut events);
            let [
                Event::Log {
                    function,
                    level,
                    logger,
                    message,
                    ..
                },
            ] = events.as_slice()
            else {
                panic!("{events:?}")
            };
            assert_eq!(function.as_deref(), Some("talk:Talk.log"));
            assert_eq!(
                (*level, logger.as_str(), message.as_str()),
                (40, "tool.part", "one of 2")
            );
        },
    )
    .await;
}

#[tokio::test]
async fn records_that_cannot_be_formatted_and_exceptions_are_logged_all_the_same() {
    talk(Options::new(), |tool, mut events| async move {
        tool.call::<Value>("Talk.log_odd", ()).await.unwrap();
        let messages: Vec<_> = all(&mut events)
            .into_iter()
            .map(|event| match event {
                Event::Log { message, level, .. } => (level, message),
                event => panic!("{event:?}"),
            })
            .collect();
        assert_eq!(messages.len(), 3, "{messages:?}");
        assert!(
            messages
                .iter()
                .all(|(level, message)| *level == 40 && !message.is_empty())
        );
        let last = &messages[2].1;
        assert!(
            last.starts_with("outer\nTraceback") && last.ends_with("ValueError: inner"),
            "{last}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_slow_reader_learns_how_many_events_it_has_missed() {
    talk(Options::new().events(4), |tool, mut events| async move {
        tool.call::<Value>("Talk.flood", (100,)).await.unwrap();
        let seen = all(&mut events);
        let Some(Event::Dropped(count)) = seen.first() else {
            panic!("{seen:?}")
        };
        assert!(*count > 0 && seen.len() <= 5, "{seen:?}");
        let Some(Event::Output { data, .. }) = seen.last() else {
            panic!("{seen:?}")
        };
        assert!(data.ends_with(b"99\n"), "the newest are kept");
    })
    .await;
}

#[tokio::test]
async fn a_reader_that_never_reads_holds_nobody_up() {
    talk(Options::new().events(1), |tool, _events| async move {
        tool.call::<Value>("Talk.flood", (20_000,)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn events_end_with_the_session() {
    let marker = Marker::new();
    within(async {
        let session = Session::connect(marker.local()).await.unwrap();
        let mut events = session.events();
        let talk = session.load_as("talk", TALK).unwrap();
        talk.call::<Value>("Talk.say", ("last words",))
            .await
            .unwrap();
        session.close().await.unwrap();
        assert!(matches!(events.next().await, Some(Event::Output { .. })));
        assert!(events.next().await.is_none());
        assert!(events.next().await.is_none());
        assert!(session.events().next().await.is_none());
    })
    .await;
    marker.gone().await;
}

//! Streams in both directions over a local link.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{Marker, chain, in_session, within};
use rmote_client::{
    Arguments, CallErrorKind, Input, Options, Output, ResultError, Session, Streaming, Tool, Value,
};
use tokio::io::AsyncReadExt;

const TOOL: &str = include_str!("common/streams.py");

fn tool(session: &Session) -> Tool {
    session.load_as("streams", TOOL).unwrap()
}

async fn all<T: serde::de::DeserializeOwned>(mut stream: Streaming<T>) -> Vec<T> {
    let mut items = Vec::new();
    while let Some(item) = stream.next().await {
        items.push(item.unwrap());
    }
    items
}

/// Waits until the host says so.
async fn told(tool: &Tool, what: &str) {
    while !tool.call::<bool>("told", (what,)).await.unwrap() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_generator_is_a_stream_of_typed_items_and_ends_with_its_value() {
    in_session(|session| async move {
        let tool = tool(&session);
        for name in ["count", "acount"] {
            let mut stream = tool.stream::<u32>(name, (1000,)).await.unwrap();
            for expected in 0..1000 {
                assert_eq!(stream.next().await.unwrap().unwrap(), expected);
            }
            assert!(stream.next().await.is_none());
            assert!(stream.next().await.is_none(), "the end stays");
            let value = if name == "count" {
                "done".into()
            } else {
                Value::None
            };
            assert_eq!(stream.returned(), Some(&value));
        }
    })
    .await;
}

#[tokio::test]
async fn bytes_come_raw_with_their_borders_and_as_a_reader_without() {
    in_session(|session| async move {
        let tool = tool(&session);
        for size in [0, 1, 5000, 200_000, 3_000_000] {
            let stream = tool.stream::<Bytes>("blocks", (4, size)).await.unwrap();
            let blocks = all(stream).await;
            assert_eq!(blocks.len(), 4);
            for (number, block) in (0_u8..).zip(blocks) {
                assert_eq!(block, vec![number; size]);
            }
        }
        let stream = tool
            .stream::<Bytes>("blocks", (300, 100_000))
            .await
            .unwrap();
        let mut reader = stream.into_reader();
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes.len(), 30_000_000);
        for (number, block) in bytes.chunks(100_000).enumerate() {
            assert!(block.iter().all(|&byte| usize::from(byte) == number % 256));
        }
        let reader = tool.stream::<Bytes>("count", (1,)).await.unwrap();
        let error = reader.into_reader().read_to_end(&mut Vec::new()).await;
        assert_eq!(error.unwrap_err().kind(), std::io::ErrorKind::InvalidData);
    })
    .await;
}

#[tokio::test]
async fn a_reader_that_stops_stops_its_producer_and_nobody_else() {
    in_session(|session| async move {
        let tool = tool(&session);
        let mut stalled = Vec::new();
        for _ in 0..20 {
            let mut stream = tool
                .stream::<Bytes>("blocks", (100_000, 10_000))
                .await
                .unwrap();
            stream.next().await.unwrap().unwrap();
            stalled.push(stream);
        }
        let made = loop {
            let before: u64 = tool.call("how_many", ()).await.unwrap();
            for _ in 0..50 {
                let _: u64 = tool.call("how_many", ()).await.unwrap();
            }
            let after: u64 = tool.call("how_many", ()).await.unwrap();
            if before == after {
                break after;
            }
        };
        // The window and an item each, whatever time passes.
        let window = (1 << 20) / 10_010 + 2;
        assert!((20..=20 * window).contains(&made), "{made}");
        assert_eq!(
            all(tool.stream::<u32>("count", (5,)).await.unwrap())
                .await
                .len(),
            5
        );
        let mut last = stalled.pop().unwrap();
        for _ in 0..1000 {
            last.next().await.unwrap().unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_dropped_stream_ends_its_generator_on_the_host() {
    in_session(|session| async move {
        let tool = tool(&session);
        for name in ["guarded", "aguarded"] {
            let mut stream = tool.stream::<u32>(name, (name,)).await.unwrap();
            stream.next().await.unwrap().unwrap();
            drop(stream);
            told(&tool, name).await;
        }
        // Before the first item was asked for, too.
        drop(tool.stream::<u32>("guarded", ("x",)).await.unwrap());
        assert_eq!(
            all(tool.stream::<u32>("count", (5,)).await.unwrap())
                .await
                .len(),
            5
        );
    })
    .await;
}

#[tokio::test]
async fn a_stream_tells_what_its_function_raised_after_the_items_before() {
    in_session(|session| async move {
        let tool = tool(&session);
        let mut stream = tool.stream::<u32>("broken", ()).await.unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap(), 1);
        let error = stream.next().await.unwrap().unwrap_err();
        assert!(error.raised().unwrap().is("ValueError"), "{error:?}");
        assert!(stream.next().await.is_none());

        let mut stream = tool.stream::<String>("count", (3,)).await.unwrap();
        let error = stream.next().await.unwrap().unwrap_err();
        assert!(chain(&error).contains("expected"), "{}", chain(&error));
        assert!(stream.next().await.is_none());

        let mut stream = tool.stream::<u32>("plain", ()).await.unwrap();
        let error = stream.next().await.unwrap().unwrap_err();
        assert!(
            matches!(error.kind, CallErrorKind::Result(ResultError::NoStream(_))),
            "{error:?}"
        );
        assert_eq!(chain(&error).matches("no stream but int").count(), 1);
        assert_eq!(stream.returned(), Some(&7.into()));

        let error = tool.call::<Value>("count", (1,)).await.unwrap_err();
        assert!(
            chain(&error).contains("take it as a stream"),
            "{}",
            chain(&error)
        );
    })
    .await;
}

#[tokio::test]
async fn an_item_above_the_limit_is_an_error_of_its_stream_alone() {
    let options = Options::new().limits(rmote_client::Limits::default().with_frame(1 << 20));
    let marker = Marker::new();
    within(async {
        let session = Session::connect_with(marker.local(), options)
            .await
            .unwrap();
        let tool = tool(&session);
        let mut stream = tool
            .stream::<Bytes>("blocks", (1, 2_000_000))
            .await
            .unwrap();
        let error = stream.next().await.unwrap().unwrap_err();
        assert!(
            matches!(
                error.kind,
                CallErrorKind::Result(ResultError::ItemTooLarge(_))
            ),
            "{error:?}"
        );
        let reader = tool
            .stream::<Bytes>("blocks", (1, 2_000_000))
            .await
            .unwrap();
        let mut bytes = Vec::new();
        reader.into_reader().read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes.len(), 2_000_000);
        session.close().await.unwrap();
    })
    .await;
    marker.gone().await;
}

#[tokio::test]
async fn a_call_reads_and_gives_at_once() {
    in_session(|session| async move {
        let tool = tool(&session);
        for name in ["echo", "aecho"] {
            let (mut sender, input) = Input::channel();
            let arguments = Arguments::default().input(input);
            let mut back = tool.stream_with::<Value>(name, arguments).await.unwrap();
            for number in 0..50_i32 {
                sender.send_value(&(number, "x")).await.unwrap();
                let item = back.next().await.unwrap().unwrap();
                assert_eq!(item, Value::Tuple(vec![number.into(), "x".into()]));
            }
            // Far more than both windows, while both ends are served.
            let send = async {
                for _ in 0..100 {
                    sender.send(vec![9; 100_000].into()).await.unwrap();
                }
                sender.finish().await;
            };
            let receive = async {
                let mut count = 0;
                while let Some(item) = back.next().await {
                    assert_eq!(item.unwrap(), Value::Bytes(vec![9; 100_000].into()));
                    count += 1;
                }
                count
            };
            assert_eq!(tokio::join!(send, receive).1, 100);
        }
    })
    .await;
}

#[tokio::test]
async fn a_call_writes_to_its_outputs() {
    in_session(|session| async move {
        let tool = tool(&session);
        let (first, first_stream) = Output::channel::<Bytes>();
        let (second, mut second_stream) = Output::channel::<Value>();
        let arguments = Arguments::default()
            .output(first)
            .keyword_output("log", second)
            .positional(&200)
            .unwrap();
        let running = tool.start_with::<u32>("write", arguments).await.unwrap();
        let mut bytes = Vec::new();
        let mut reader = first_stream.into_reader();
        reader.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes, vec![b'x'; 2_000_000]);
        for number in 0..200 {
            assert_eq!(second_stream.next().await.unwrap().unwrap(), number.into());
        }
        assert!(second_stream.next().await.is_none());
        assert_eq!(running.await.unwrap(), 200);
    })
    .await;
}

#[tokio::test]
async fn an_output_of_a_failed_call_has_no_end() {
    in_session(|session| async move {
        let tool = tool(&session);
        let (output, mut stream) = Output::channel::<Bytes>();
        let arguments = Arguments::default().output(output);
        let result = tool.call_with::<Value>("write_and_fail", arguments).await;
        assert!(result.unwrap_err().raised().is_some());
        assert_eq!(stream.next().await.unwrap().unwrap(), "half");
        let error = stream.next().await.unwrap().unwrap_err();
        assert!(matches!(error.kind, CallErrorKind::Unfinished), "{error:?}");
        assert!(
            error.to_string().contains("streams:write_and_fail"),
            "{error}"
        );
        // One that nobody reads holds nothing up.
        let (output, stream) = Output::channel::<Bytes>();
        drop(stream);
        let (log, log_stream) = Output::channel::<Bytes>();
        drop(log_stream);
        let arguments = Arguments::default()
            .output(output)
            .keyword_output("log", log)
            .positional(&1000)
            .unwrap();
        assert_eq!(
            tool.call_with::<u32>("write", arguments).await.unwrap(),
            1000
        );
    })
    .await;
}

#[tokio::test]
async fn streams_end_with_the_link() {
    let marker = Marker::new();
    within(async {
        let session = Session::connect(marker.local()).await.unwrap();
        let tool = tool(&session);
        let mut results = tool
            .stream::<Bytes>("blocks", (1_000_000, 1000))
            .await
            .unwrap();
        results.next().await.unwrap().unwrap();
        let (mut sender, input) = Input::channel();
        let (output, mut written) = Output::channel::<Bytes>();
        let arguments = Arguments::default().input(input).output(output);
        let running = tool.start_with::<Value>("wait", arguments).await.unwrap();
        assert_eq!(written.next().await.unwrap().unwrap(), "begun");
        session.close().await.unwrap();
        assert!(running.await.is_err());
        while sender.send(Bytes::from_static(b"x")).await.is_ok() {}
        assert!(written.next().await.unwrap().is_err());
        let last = loop {
            match results.next().await {
                Some(Ok(_)) => {}
                end => break end,
            }
        };
        assert!(matches!(
            last.unwrap().unwrap_err().kind,
            CallErrorKind::Link { .. }
        ));
        let error = tool
            .stream::<u32>("count", (1,))
            .await
            .unwrap()
            .next()
            .await;
        assert!(error.unwrap().is_err(), "a session that is over");
    })
    .await;
    marker.gone().await;
}

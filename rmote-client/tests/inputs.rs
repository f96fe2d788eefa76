//! Arguments that are streams, over a local link.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use common::{eventually, in_session};
use rmote_client::{Arguments, Input, SendError, Session, Tool};
use tokio::io::AsyncWriteExt;

fn tool(session: &Session) -> Tool {
    let source = include_str!("common/streams.py");
    session.load_as("streams", source).unwrap()
}

#[tokio::test]
async fn an_argument_is_read_from_an_iterator_a_stream_or_a_reader() {
    in_session(|session| async move {
        let tool = tool(&session);
        let sum = |input| tool.call_with::<u64>("total", Arguments::default().input(input));
        assert_eq!(
            sum(Input::iter(0..100_000_u64)).await.unwrap(),
            4_999_950_000
        );
        let items = tokio_stream((0..100).map(Ok::<u64, Infallible>));
        assert_eq!(sum(Input::stream(items)).await.unwrap(), 4950);
        for size in [0, 1, 100_000, 20_000_000] {
            for name in ["size", "asize"] {
                let input = Input::reader(std::io::Cursor::new(vec![7; size]));
                let arguments = Arguments::default().input(input);
                assert_eq!(
                    tool.call_with::<usize>(name, arguments).await.unwrap(),
                    size
                );
            }
        }
        let input = Input::iter(vec![
            Bytes::from(vec![1; 500_000]),
            Bytes::from_static(b"x"),
        ]);
        let arguments = Arguments::new(&(1,))
            .unwrap()
            .keyword_input("stream", input);
        let sizes: Vec<usize> = tool.call_with("sizes", arguments).await.unwrap();
        assert_eq!(sizes, [1, 500_000, 1]);
    })
    .await;
}

fn tokio_stream<I: Iterator>(mut items: I) -> impl futures_core::Stream<Item = I::Item> {
    struct Iter<F>(F);
    impl<T, F: FnMut() -> Option<T> + Unpin> futures_core::Stream for Iter<F> {
        type Item = T;
        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<T>> {
            std::task::Poll::Ready((self.0)())
        }
    }
    Iter(Box::new(move || items.next()))
}

#[tokio::test]
async fn a_source_that_fails_or_is_dropped_is_no_end() {
    in_session(|session| async move {
        let tool = tool(&session);
        let items = [Ok(1_u64), Err("the disk is gone")];
        let input = Input::stream(tokio_stream(items.into_iter()));
        let error = tool
            .call_with::<u64>("total", Arguments::default().input(input))
            .await
            .unwrap_err();
        let remote = error.raised().unwrap();
        assert!(remote.is("OSError") && remote.message.contains("the disk is gone"));
        // Dropped before the call, and in it.
        let (sender, input) = Input::channel();
        drop(sender);
        let error = tool
            .call_with::<u64>("total", Arguments::default().input(input))
            .await;
        assert!(error.unwrap_err().raised().unwrap().is("OSError"));
        let (mut sender, input) = Input::channel();
        let running = tool
            .start_with::<u64>("total", Arguments::default().input(input))
            .await
            .unwrap();
        sender.send_value(&1).await.unwrap();
        drop(sender);
        let error = running.await.unwrap_err();
        assert!(
            error
                .raised()
                .unwrap()
                .message
                .contains("dropped before its end")
        );
    })
    .await;
}

#[tokio::test]
async fn a_sender_waits_for_its_reader_and_learns_of_the_calls_end() {
    in_session(|session| async move {
        let tool = tool(&session);
        let (mut sender, input) = Input::channel();
        let arguments = Arguments::default().input(input);
        let running = tool
            .start_with::<u64>("first_then_wait", arguments)
            .await
            .unwrap();
        let sent = Arc::new(AtomicUsize::new(0));
        let count = sent.clone();
        let sending = tokio::spawn(async move {
            // What shrinks would need less credit: on a machine that is busy enough, the link looks slow.
            let item: Bytes = (0..10_000_u32)
                .map(|i| (i.wrapping_mul(i).wrapping_mul(2_654_435_761) >> 24) as u8)
                .collect();
            loop {
                if let Err(error) = sender.send(item.clone()).await {
                    return (sender, error);
                }
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        // The credit of every stream, and no more than the window, however long the reader takes.
        eventually("as much as there is credit for", || {
            sent.load(Ordering::Relaxed) >= 100
        })
        .await;
        let sent = sent.load(Ordering::Relaxed);
        assert!(sent <= 110, "{sent}");
        let () = tool.call("release", ()).await.unwrap();
        assert_eq!(running.await.unwrap(), 10_000);
        let (sender, error) = sending.await.unwrap();
        assert!(matches!(error, SendError::Ended), "{error:?}");
        sender.closed().await;
        // Of a call that was never made.
        let (mut sender, input) = Input::channel();
        drop(input);
        assert!(matches!(
            sender.send(Bytes::new()).await,
            Err(SendError::Ended)
        ));
    })
    .await;
}

#[tokio::test]
async fn a_reader_that_is_silent_ends_with_its_call() {
    in_session(|session| async move {
        let tool = tool(&session);
        let (mut far, near) = tokio::io::duplex(10);
        far.write_all(b"x").await.unwrap();
        let arguments = Arguments::default().input(Input::reader(near));
        assert_eq!(
            tool.call_with::<Bytes>("first", arguments).await.unwrap(),
            "x"
        );
        // The near end is dropped: nobody waits for more of it.
        while far.write_all(b"more").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

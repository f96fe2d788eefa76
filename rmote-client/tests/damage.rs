//! Agents that break the protocol: each break ends the session with an error that names it, and never hangs.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::sync::Arc;

use bytes::Bytes;
use common::fake::{Fake, bytes_of, hello, returned};
use common::{chain, link_of, start_error, within};
use rmote_client::{
    CallErrorKind, CloseError, Exit, LinkError, LinkErrorKind, Options, ProtocolError, Session,
    StartErrorKind, Value,
};
use rmote_wire::{Frame, FrameError, Kind};

/// What an agent does that breaks the start, and the words that name it.
#[tokio::test]
async fn a_start_that_breaks_the_protocol_is_named() {
    let mut cut = bytes_of(&hello(1)).to_vec();
    cut[14] ^= 0xff;
    let cases: [(&str, Vec<u8>, &str); 8] = [
        (
            "another version",
            bytes_of(&hello(2)).to_vec(),
            "speaks version 2",
        ),
        (
            "garbage",
            b"Traceback (most recent call last):\n".to_vec(),
            "is not within 6 and",
        ),
        (
            "a frame too large",
            [0xff, 0xff, 0xff, 0x7f, 1, 0].to_vec(),
            "2147483647",
        ),
        ("a frame too small", [5, 0, 0, 0, 1, 0].to_vec(), "length 5"),
        ("an unknown kind", [6, 0, 0, 0, 99].to_vec(), "99"),
        ("an unknown flag", [6, 0, 0, 0, 1, 4].to_vec(), "flag"),
        (
            "another first frame",
            bytes_of(&Frame::new(Kind::Pong, 0, Bytes::new())).to_vec(),
            "not a hello",
        ),
        ("a damaged hello", cut, ""),
    ];
    for (what, bytes, words) in cases {
        let fake = Fake::started().bytes(&bytes).step("eof");
        let error = start_error(fake.transport(), Options::new()).await;
        assert!(
            matches!(error.kind, StartErrorKind::Protocol(_)),
            "{what}: {error:?}"
        );
        let text = chain(&*error);
        assert!(
            text.contains("does not keep to the protocol") && text.contains(words),
            "{what}: {text}"
        );
        fake.marker.gone().await;
    }
}

/// A session with a fake agent that has its first call and then goes on with these steps. The call, another call that
/// is in flight and a later one end with the same error of the link.
async fn link_error(fake: &Fake) -> Arc<LinkError> {
    let target = rmote_client::Transport::target(&fake.transport());
    within(async {
        let session = Session::connect(fake.transport()).await.unwrap();
        let (first, second) = tokio::join!(
            session.call::<Value>("first", ()),
            session.call::<Value>("second", ())
        );
        let error = link_of(second.unwrap_err());
        if let Err(first) = first {
            assert!(Arc::ptr_eq(&error, &link_of(first)));
        }
        let later = session.call::<Value>("later", ()).await.unwrap_err();
        assert!(chain(&later).contains(&target));
        assert!(Arc::ptr_eq(&error, &link_of(later)));
        let ready = session.ready().await.unwrap_err();
        assert!(Arc::ptr_eq(&error, &link_of(ready)));
        let Err(CloseError::Link(closed)) = session.close().await else {
            panic!("closed in order")
        };
        assert!(Arc::ptr_eq(&error, &closed));
        fake.marker.gone().await;
        error
    })
    .await
}

fn frame(kind: Kind, id: u32) -> Frame {
    Frame::new(kind, id, Bytes::new())
}

#[tokio::test]
async fn a_frame_that_nothing_asked_for_ends_the_link_and_is_named() {
    let answer = || returned(1, &Value::None);
    for (what, frames, kind, id) in [
        ("a second answer", vec![answer(), answer()], Kind::Return, 1),
        (
            "an answer to no call",
            vec![returned(77, &Value::None)],
            Kind::Return,
            77,
        ),
        (
            "an answer to the session",
            vec![returned(0, &Value::None)],
            Kind::Return,
            0,
        ),
        ("a second hello", vec![hello(1)], Kind::Hello, 0),
        (
            "a call of its own",
            vec![frame(Kind::Call, 5)],
            Kind::Call,
            5,
        ),
        (
            "a load of its own",
            vec![frame(Kind::Load, 0)],
            Kind::Load,
            0,
        ),
    ] {
        let fake = frames
            .into_iter()
            .fold(Fake::serving(), |fake, frame| fake.frame(&frame));
        let error = link_error(&fake.step("eof")).await;
        let LinkErrorKind::Protocol(ProtocolError::Unexpected(found, its)) = &error.kind else {
            panic!("{what}: {error:?}")
        };
        assert_eq!((*found, *its), (kind, id), "{what}");
    }
}

#[tokio::test]
async fn a_damaged_stream_ends_the_link_and_is_named() {
    for bytes in [
        b"a stray print\n".to_vec(),
        vec![0xff; 10],
        vec![6, 0, 0, 0, 99, 0, 0, 0, 0, 0],
        vec![6, 0, 0, 0, 33, 128, 1, 0, 0, 0],
        vec![3, 0, 0, 0, 33],
    ] {
        let fake = Fake::serving().bytes(&bytes).step("eof");
        let error = link_error(&fake).await;
        assert!(
            matches!(error.kind, LinkErrorKind::Protocol(ProtocolError::Frame(_))),
            "{bytes:?}: {error:?}"
        );
        let text = chain(&*error);
        assert!(
            text.contains("the stream from the agent is damaged: "),
            "{text}"
        );
    }
    let fake = Fake::serving().frame(&frame(Kind::Raise, 1)).step("eof");
    let error = link_error(&fake).await;
    assert!(
        matches!(
            error.kind,
            LinkErrorKind::Protocol(ProtocolError::Message(_))
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_frame_over_the_limit_of_the_options_ends_the_link() {
    let text = Value::Text("x".repeat(5000));
    let fake = Fake::serving().frame(&returned(1, &text)).step("eof");
    within(async {
        let limits = rmote_client::Limits::default().with_frame(4096);
        let options = Options::new().limits(limits);
        let session = Session::connect_with(fake.transport(), options)
            .await
            .unwrap();
        let error = session.call::<Value>("first", ()).await.unwrap_err();
        let error = link_of(error);
        assert!(
            matches!(
                error.kind,
                LinkErrorKind::Protocol(ProtocolError::Frame(FrameError::Length {
                    limit: 4096,
                    ..
                }))
            ),
            "{error:?}"
        );
    })
    .await;
    fake.marker.gone().await;
}

#[tokio::test]
async fn a_call_over_the_limit_of_the_agent_hurts_itself_alone() {
    // It said that it takes 1 MiB.
    let fake = Fake::serving()
        .frame(&returned(2, &Value::None))
        .step("eof");
    within(async {
        let session = Session::connect(fake.transport()).await.unwrap();
        session.ready().await.unwrap();
        let error = session.call::<Value>("large", ("x".repeat(1 << 20),)).await;
        let error = error.unwrap_err();
        assert!(
            matches!(error.kind, CallErrorKind::Arguments(_)),
            "{error:?}"
        );
        session.call::<Value>("second", ()).await.unwrap();
    })
    .await;
    fake.marker.gone().await;
}

#[tokio::test]
async fn a_result_that_is_damaged_hurts_its_call_alone() {
    let fake = Fake::serving()
        .frame(&Frame::new(Kind::Return, 1, &b"\xff\xff"[..]))
        .step("call");
    // The script knows calls only from the beginning of its input, so it ends here; the first call has its error before.
    within(async {
        let session = Session::connect(fake.transport()).await.unwrap();
        let error = session.call::<Value>("first", ()).await.unwrap_err();
        assert!(matches!(error.kind, CallErrorKind::Result(_)), "{error:?}");
    })
    .await;
    fake.marker.gone().await;
}

#[tokio::test]
async fn a_stream_that_ends_within_a_frame_is_a_lost_link() {
    let answer = bytes_of(&returned(1, &Value::from(vec![Value::from(1); 100])));
    for (cut, step, exit) in [
        (3, "exit:0", Exit::Code(0)),
        (9, "exit:7", Exit::Code(7)),
        (10, "signal:9", Exit::Signal(9)),
        (answer.len() - 1, "signal:15", Exit::Signal(15)),
    ] {
        let fake = Fake::serving()
            .bytes(&answer[..cut])
            .step("say:Killed")
            .step(step);
        let error = link_error(&fake).await;
        let LinkErrorKind::Lost { exit: found, said } = &error.kind else {
            panic!("{error:?}")
        };
        assert_eq!((*found, said.as_str()), (exit, "Killed"));
        assert!(error.to_string().contains(&exit.to_string()), "{error}");
    }
}

#[tokio::test]
async fn an_agent_that_closes_its_output_and_lives_on_is_a_lost_link() {
    let fake = Fake::serving().step("close").step("hang");
    let error = link_error(&fake).await;
    assert!(
        matches!(
            error.kind,
            LinkErrorKind::Lost {
                exit: Exit::Signal(9),
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_host_that_takes_nothing_holds_no_call_beyond_its_deadline_and_no_close() {
    use std::time::Duration;
    let fake = Fake::serving().step("hang");
    within(async {
        let options = Options::new()
            .close_timeout(Duration::from_millis(100))
            .in_flight(2);
        let session = Session::connect_with(fake.transport(), options)
            .await
            .unwrap();
        session.ready().await.unwrap();
        // Far more than the pipe takes, and more calls than may be in flight.
        let big = Value::Bytes(Bytes::from(vec![0; 1_000_000]));
        let call = || {
            let arguments = rmote_client::Arguments::new(&(&big,))
                .unwrap()
                .deadline(Duration::from_millis(50));
            session.call_with::<Value>("swallow", arguments)
        };
        let (a, b, c, d) = tokio::join!(call(), call(), call(), call());
        for result in [a, b, c, d] {
            let error = result.unwrap_err();
            assert!(
                matches!(error.kind, CallErrorKind::Deadline { .. }),
                "{error:?}"
            );
        }
        let Err(CloseError::Link(error)) = session.close().await else {
            panic!("closed in order")
        };
        assert!(matches!(error.kind, LinkErrorKind::NoBye), "{error:?}");
    })
    .await;
    fake.marker.gone().await;
}

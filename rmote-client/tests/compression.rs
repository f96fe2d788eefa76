//! Compression, told to be used on any link or on none: what travels, and what arrives.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::io::{Cursor, Write as _};

use bytes::{Bytes, BytesMut};
use common::fake::Fake;
use common::recorder::{Chunk, Recorder};
use common::within;
use flate2::write::ZlibEncoder;
use rmote_client::{
    Arguments, CallError, CallErrorKind, Compression, Input, Limits, Local, Options, ResultError,
    Session, Streaming, Tool, Value,
};
use rmote_wire::{FLAG_DEFLATED, FLAG_RAW, Frame, FrameCodec, Kind};
use tokio_util::codec::Decoder as _;

const TOOL: &str = r#"
import os

TEXT = b"".join(b"line %d of a text that shrinks well\n" % n for n in range(15000))
NOISE = os.urandom(1 << 20)

def streamed(name): yield globals()[name]

def result(name): return globals()[name]

def counted(stream): return sum(map(len, stream))

def same(stream): return b"".join(stream) == TEXT

def endless():
    while True:
        yield TEXT
"#;

fn text() -> Vec<u8> {
    let lines = (0..15_000).map(|n| format!("line {n} of a text that shrinks well\n"));
    lines.collect::<String>().into_bytes()
}

/// Bytes that no compression makes fewer.
fn noise() -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..131_072).flat_map(|_| next()).collect()
}

struct Recorded {
    recorder: Recorder<Local>,
    tool: Tool,
}

impl Recorded {
    async fn new(compression: Compression) -> Self {
        let recorder = Recorder::new(Local::new());
        let options = Options::new().compression(compression);
        let session = Session::connect_with(recorder.clone(), options)
            .await
            .unwrap();
        let tool = session.load(TOOL).unwrap();
        // The rest of the agent and what it is told have come before anything that follows.
        let five: u32 = session.call("builtins.abs", (-5,)).await.unwrap();
        assert_eq!(five, 5);
        let mut first = tool.stream::<Bytes>("streamed", ("TEXT",)).await.unwrap();
        assert_eq!(first.next().await.unwrap().unwrap(), text());
        Self { recorder, tool }
    }

    fn bytes(&self) -> (usize, usize) {
        let (mut written, mut read) = (0, 0);
        for chunk in self.recorder.chunks() {
            match chunk {
                Chunk::Written(data) => written += data.len(),
                Chunk::Read(data) => read += data.len(),
            }
        }
        (written, read)
    }

    /// What a call has made travel.
    async fn of<T>(&self, call: impl Future<Output = T>) -> (T, usize, usize) {
        let before = self.bytes();
        let result = call.await;
        let after = self.bytes();
        (result, after.0 - before.0, after.1 - before.1)
    }

    async fn streamed(&self, name: &str) -> Bytes {
        let mut stream: Streaming<Bytes> = self.tool.stream("streamed", (name,)).await.unwrap();
        let item = stream.next().await.unwrap().unwrap();
        assert!(stream.next().await.is_none());
        item
    }

    async fn result(&self, name: &str) -> usize {
        let value: Value = self.tool.call("result", (name,)).await.unwrap();
        value.as_bytes().unwrap().len()
    }

    async fn sent<T: serde::de::DeserializeOwned>(&self, function: &str, data: Vec<u8>) -> T {
        let arguments = Arguments::default().input(Input::reader(Cursor::new(data)));
        self.tool.call_with(function, arguments).await.unwrap()
    }

    async fn close(self) {
        self.tool.session().close().await.unwrap();
    }
}

#[tokio::test]
async fn what_shrinks_travels_deflated_in_both_directions() {
    within(async {
        let host = Recorded::new(Compression::Always).await;
        let size = text().len();
        let (item, _, read) = host.of(host.streamed("TEXT")).await;
        assert_eq!(item, text());
        assert!(read < size / 4, "{read} of {size}");
        let (length, _, read) = host.of(host.result("TEXT")).await;
        assert_eq!(length, size);
        assert!(read < size / 4, "{read} of {size}");
        let (same, written, _) = host.of(host.sent::<bool>("same", text())).await;
        assert!(same);
        assert!(written < size / 4, "{written} of {size}");
        host.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_does_not_shrink_travels_as_it_is() {
    within(async {
        let host = Recorded::new(Compression::Always).await;
        let size = 1 << 20;
        let (item, _, read) = host.of(host.streamed("NOISE")).await;
        assert_eq!(item.len(), size);
        assert!((size..size + 1000).contains(&read), "{read}");
        let (length, _, read) = host.of(host.result("NOISE")).await;
        assert_eq!(length, size);
        assert!((size..size + 1000).contains(&read), "{read}");
        let (length, written, _) = host.of(host.sent::<usize>("counted", noise())).await;
        assert_eq!(length, size);
        assert!((size..size + 2000).contains(&written), "{written}");
        let deflated =
            |frame: &Frame| frame.kind == Kind::Input && frame.flags & FLAG_DEFLATED != 0;
        assert!(!host.recorder.frames().iter().any(deflated));
        host.close().await;
    })
    .await;
}

#[tokio::test]
async fn nothing_is_deflated_where_that_is_said() {
    within(async {
        let host = Recorded::new(Compression::Never).await;
        let size = text().len();
        let (_, _, read) = host.of(host.streamed("TEXT")).await;
        assert!(read >= size, "{read} of {size}");
        let (_, _, read) = host.of(host.result("TEXT")).await;
        assert!(read >= size, "{read} of {size}");
        let (_, written, _) = host.of(host.sent::<bool>("same", text())).await;
        assert!(written >= size, "{written} of {size}");
        host.close().await;
    })
    .await;
}

#[tokio::test]
async fn the_agent_is_told_how_fast_the_link_is() {
    within(async {
        let host = Recorded::new(Compression::Auto).await;
        host.streamed("NOISE").await;
        let rates = host.recorder.frames();
        let rates = rates.iter().filter(|f| f.kind == Kind::Credit && f.id == 0);
        assert!(rates.count() > 0);
        host.sent::<usize>("counted", noise()).await;
        // The agent's own word is among what came.
        let mut bytes = BytesMut::new();
        for chunk in host.recorder.chunks() {
            if let Chunk::Read(data) = chunk {
                bytes.extend_from_slice(&data);
            }
        }
        // Behind the mark and the status.
        let mut bytes = bytes.split_off(33);
        let mut codec = FrameCodec::new(Limits::default().frame);
        let frames = std::iter::from_fn(|| codec.decode(&mut bytes).unwrap());
        let mut rates = frames.filter(|frame| frame.kind == Kind::InputCredit && frame.id == 0);
        assert!(rates.next().is_some());
        host.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_deflated_stream_that_is_dropped_ends_its_call() {
    within(async {
        let host = Recorded::new(Compression::Always).await;
        let mut stream: Streaming<Bytes> = host.tool.stream("endless", ()).await.unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap(), text());
        drop(stream);
        assert_eq!(host.streamed("TEXT").await, text());
        host.close().await;
    })
    .await;
}

fn deflated(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn why(error: CallError) -> ResultError {
    match error.kind {
        CallErrorKind::Result(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_bomb_is_an_error_that_names_the_limit() {
    let limit = 1 << 20;
    let options = || Options::new().limits(Limits::default().with_frame(limit));
    let bomb = deflated(&vec![0; 64 << 20]);
    assert!(bomb.len() < limit);
    for (payload, bomb) in [(bomb, true), (b"no zlib stream".to_vec(), false)] {
        let check = |error: CallError| match why(error) {
            ResultError::InflatesTooLarge(most) => assert!(bomb && most == limit),
            ResultError::Deflated => assert!(!bomb),
            other => panic!("{other:?}"),
        };
        within(async {
            let frame = Frame::with_flags(Kind::Return, FLAG_DEFLATED, 1, payload.clone());
            let transport = Fake::serving().frame(&frame).step("eof").transport();
            let session = Session::connect_with(transport, options()).await.unwrap();
            check(session.call::<Value>("x.y", ()).await.unwrap_err());

            let frame = Frame::with_flags(Kind::Data, FLAG_RAW | FLAG_DEFLATED, 1, payload.clone());
            let transport = Fake::serving().frame(&frame).step("eof").transport();
            let session = Session::connect_with(transport, options()).await.unwrap();
            let mut stream: Streaming<Bytes> = session.stream("x.y", ()).await.unwrap();
            check(stream.next().await.unwrap().unwrap_err());
            assert!(
                stream.next().await.is_none(),
                "nothing comes after an error"
            );
        })
        .await;
    }
}

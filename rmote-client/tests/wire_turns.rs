//! The first result is there after one round trip: counted on the wire.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::recorder::{Chunk, Recorder};
use common::within;
use rmote_client::{Local, Session, Value};
use rmote_wire::Kind;

const TOOL: &str = "
class Tool:
    @staticmethod
    async def add(a, b):
        print('adding')
        return a + b
";

#[tokio::test]
async fn the_first_result_costs_one_turn_and_one_write() {
    let recorder = Recorder::new(Local::new());
    let bytes = within(async {
        let session = Session::connect(recorder.clone()).await.unwrap();
        let tool = session.load_as("tool", TOOL).unwrap();
        let sum: i64 = tool.call("Tool.add", (1, 2)).await.unwrap();
        assert_eq!(sum, 3);
        let chunks = recorder.chunks();
        let Some((Chunk::Written(first), rest)) = chunks.split_first() else {
            panic!("the host spoke first: {chunks:?}")
        };
        assert!(matches!(rest[0], Chunk::Read(_)), "a second write");
        session.close().await.unwrap();
        first.len()
    })
    .await;
    let kinds: Vec<_> = recorder.frames().iter().map(|frame| frame.kind).collect();
    // What coroutines need goes with the tool, and all else of the agent follows.
    let mut expected = vec![Kind::Hello];
    expected.extend([Kind::Load; 6]);
    expected.extend([Kind::Call, Kind::Load, Kind::Close]);
    assert_eq!(kinds, expected);
    let bootstrap = recorder.bootstrap();
    eprintln!("the first write has {bytes} bytes, of which {bootstrap} are the bootstrap");
    assert!(bytes > bootstrap);
}

/// What is sent before the first result, of a tool and its call, too. mitogen sends 19 KB, the Python rmote 0.7.5 47.
const FIRST_WRITE: usize = 10 << 10;

#[tokio::test]
async fn the_first_write_is_small() {
    let recorder = Recorder::new(Local::new());
    within(async {
        let session = Session::connect(recorder.clone()).await.unwrap();
        let tool = session.load("def add(a, b):\n    return a + b\n").unwrap();
        assert_eq!(tool.call::<u32>("add", (1, 2)).await.unwrap(), 3);
        let Chunk::Written(first) = &recorder.chunks()[0] else {
            panic!("the host spoke first")
        };
        eprintln!("the first write of a tool has {} bytes", first.len());
        assert!(first.len() <= FIRST_WRITE, "{} bytes", first.len());
        // Nothing more is sent before the result, unless the machine is so slow that the agent asks for its rest meanwhile.
        let kinds = recorder.kinds_before_the_second_write();
        assert!(
            kinds.contains(&Kind::Return) || kinds.contains(&Kind::Load),
            "{kinds:?}"
        );
        session.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn calls_that_are_made_together_leave_together() {
    let recorder = Recorder::new(Local::new());
    within(async {
        let session = Session::connect(recorder.clone()).await.unwrap();
        let (a, b, c) = tokio::join!(
            session.call::<i64>("builtins.abs", (-1,)),
            session.call::<i64>("builtins.abs", (-2,)),
            session.call::<i64>("builtins.abs", (-3,)),
        );
        assert_eq!((a.unwrap(), b.unwrap(), c.unwrap()), (1, 2, 3));
        let kinds: Vec<_> = recorder.frames().iter().map(|frame| frame.kind).collect();
        assert_eq!(
            kinds[..4],
            [Kind::Hello, Kind::Call, Kind::Call, Kind::Call]
        );
        let chunks = recorder.chunks();
        assert!(matches!(chunks[..2], [Chunk::Written(_), Chunk::Read(_)]));
        session.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_later_call_is_one_write_and_needs_no_other() {
    let recorder = Recorder::new(Local::new());
    within(async {
        let session = Session::connect(recorder.clone()).await.unwrap();
        // Two, since the rest of the agent goes after the first answer.
        for _ in 0..2 {
            session.call::<Value>("platform.node", ()).await.unwrap();
        }
        let before = recorder.chunks().len();
        session.call::<Value>("platform.node", ()).await.unwrap();
        let chunks = recorder.chunks().split_off(before);
        assert!(matches!(chunks[0], Chunk::Written(_)), "{chunks:?}");
        assert!(
            chunks[1..]
                .iter()
                .all(|chunk| matches!(chunk, Chunk::Read(_))),
            "{chunks:?}"
        );
        session.close().await.unwrap();
    })
    .await;
}

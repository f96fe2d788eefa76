//! The correlator's streams against a model.

use std::collections::BTreeSet;
use std::time::Instant;

use bytes::Bytes;
use proptest::prelude::*;
use rmote_wire::FLAG_STREAM;

use super::super::tests::{ready, returned, start};
use super::super::{Event, Start};
use super::*;

#[derive(Clone, Debug)]
enum StreamStep {
    Open {
        results: bool,
        inputs: u8,
        outputs: u8,
    },
    Transmit(u8),
    /// The agent sends a part of a stream.
    Data(usize, usize),
    /// The agent ends an output.
    DataEnd(usize),
    /// This side has read so much.
    Grant(usize, u32),
    /// The agent lets this side send more.
    Credit(usize, u32),
    /// This side sends a part, or the end.
    Input(usize, bool),
    Answer(usize),
    Cancel(usize),
}

fn stream_step() -> impl Strategy<Value = StreamStep> {
    let index = any::<usize>;
    prop_oneof![
        3 => (any::<bool>(), 0_u8..3, 0_u8..3)
            .prop_map(|(results, inputs, outputs)| StreamStep::Open { results, inputs, outputs }),
        4 => (0_u8..5).prop_map(StreamStep::Transmit),
        6 => (index(), 0_usize..100_000).prop_map(|(at, size)| StreamStep::Data(at, size)),
        1 => index().prop_map(StreamStep::DataEnd),
        3 => (index(), 1_u32..300_000).prop_map(|(at, bytes)| StreamStep::Grant(at, bytes)),
        2 => (index(), 1_u32..300_000).prop_map(|(at, bytes)| StreamStep::Credit(at, bytes)),
        3 => (index(), prop::bool::weighted(0.2)).prop_map(|(at, end)| StreamStep::Input(at, end)),
        2 => index().prop_map(StreamStep::Answer),
        1 => index().prop_map(StreamStep::Cancel),
    ]
}

/// What a simple view of the world knows of one stream.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug)]
struct ModelStream {
    id: u32,
    call: u32,
    results: bool,
    sends: bool,
    sent: bool,
    open: bool,
    allowance: i64,
}

proptest! {
    /// Whatever the order of what both sides do: credit is kept, a stream ends once and whole or not as its call did, and
    /// nothing comes of it afterwards.
    #[test]
    fn streams_keep_their_credit_and_end_once(steps in prop::collection::vec(stream_step(), 0..150)) {
        let mut correlator = ready();
        let mut streams: Vec<ModelStream> = Vec::new();
        let mut alive: BTreeSet<u32> = BTreeSet::new();
        let mut with_agent: BTreeSet<u32> = BTreeSet::new();
        let mut next = 1;
        let find = |streams: &[ModelStream], at: usize, wanted: &dyn Fn(&ModelStream) -> bool| {
            let fitting: Vec<usize> = (0..streams.len()).filter(|&index| wanted(&streams[index])).collect();
            Some(fitting[at.checked_rem(fitting.len())?])
        };
        for step in steps {
            let mut ended: Vec<(u32, bool)> = Vec::new();
            match step {
                StreamStep::Open { results, inputs, outputs } => {
                    let call = next;
                    let mut own: Vec<(Direction, u32)> = Vec::new();
                    for direction in [(Direction::Input, inputs), (Direction::Output, outputs)] {
                        for _ in 0..direction.1 {
                            next += 1;
                            own.push((direction.0, next));
                        }
                    }
                    next += 1;
                    for &(direction, id) in &own {
                        let sends = direction == Direction::Input;
                        let allowance = if sends { 0 } else { 400_000 };
                        streams.push(ModelStream { id, call, results: false, sends, sent: false, open: true, allowance });
                    }
                    let mut frame = Frame::new(Kind::Call, call, Bytes::new());
                    if results {
                        frame.flags = FLAG_STREAM;
                        streams.push(ModelStream {
                            id: call, call, results, sends: false, sent: false, open: true, allowance: 400_000,
                        });
                    }
                    let begin = Start { frame, streams: own, window: 400_000, ..start(call, None, call) };
                    correlator.call(Instant::now(), begin);
                    alive.insert(call);
                }
                StreamStep::Transmit(count) => for _ in 0..count {
                    let Some(frame) = correlator.poll_transmit().or_else(|| correlator.poll_bulk()) else { break };
                    if frame.kind == Kind::Call {
                        with_agent.insert(frame.id);
                        for stream in streams.iter_mut().filter(|stream| stream.call == frame.id) {
                            stream.sent = true;
                            if stream.sends && stream.open {
                                let event = correlator.poll_event();
                                let told = matches!(event, Some(Event::Credit { id, bytes: STREAM_CREDIT }) if id == stream.id);
                                prop_assert!(told, "{:?}", event);
                            }
                        }
                    }
                    if matches!(frame.kind, Kind::Input | Kind::InputEnd) {
                        let stream = streams.iter_mut().find(|stream| stream.id == frame.id).unwrap();
                        prop_assert!(stream.open && stream.sent, "of a stream that the agent does not know");
                        stream.open = frame.kind == Kind::Input;
                    }
                },
                StreamStep::Data(at, size) => {
                    if let Some(index) = find(&streams, at, &|stream| !stream.sends && stream.sent) {
                        let stream = &mut streams[index];
                        let frame = Frame::new(Kind::Data, stream.id, vec![0; size]);
                        let cost = super::size(&frame);
                        let result = correlator.handle_frame(frame);
                        if !stream.open {
                            prop_assert!(result.is_ok(), "it may have crossed the end");
                        } else if stream.allowance > 0 {
                            prop_assert!(result.is_ok());
                            stream.allowance -= cost;
                            let event = correlator.poll_event();
                            let told = matches!(event, Some(Event::Data { id, .. }) if id == stream.id);
                            prop_assert!(told, "{:?}", event);
                        } else {
                            prop_assert!(matches!(result, Err(ProtocolError::NoCredit(_))));
                        }
                    }
                }
                StreamStep::DataEnd(at) => {
                    if let Some(index) = find(&streams, at, &|stream| !stream.sends && stream.sent && !stream.results) {
                        let stream = &mut streams[index];
                        let frame = Frame::new(Kind::DataEnd, stream.id, Bytes::new());
                        correlator.handle_frame(frame).unwrap();
                        if stream.open {
                            ended.push((stream.id, true));
                            stream.open = false;
                        }
                    }
                }
                StreamStep::Grant(at, bytes) => {
                    if let Some(index) = find(&streams, at, &|stream| !stream.sends && stream.sent) {
                        correlator.grant(streams[index].id, bytes);
                        if streams[index].open {
                            streams[index].allowance += i64::from(bytes);
                        }
                    }
                }
                StreamStep::Credit(at, bytes) => {
                    if let Some(index) = find(&streams, at, &|stream| stream.sends && stream.sent) {
                        let stream = &streams[index];
                        let payload = bytes.to_le_bytes().to_vec();
                        correlator.handle_frame(Frame::new(Kind::InputCredit, stream.id, payload)).unwrap();
                        if stream.open {
                            let event = correlator.poll_event();
                            let told = matches!(event, Some(Event::Credit { id, bytes: its }) if id == stream.id && its == bytes);
                            prop_assert!(told, "{:?}", event);
                        }
                    }
                }
                StreamStep::Input(at, end) => {
                    if let Some(index) = find(&streams, at, &|stream| stream.sends && stream.sent) {
                        let kind = if end { Kind::InputEnd } else { Kind::Input };
                        correlator.input(Frame::new(kind, streams[index].id, Bytes::new()));
                    }
                }
                StreamStep::Answer(at) => {
                    let calls: Vec<u32> = with_agent.iter().copied().collect();
                    if let Some(at) = at.checked_rem(calls.len()) {
                        let id = calls[at];
                        correlator.handle_frame(returned(id)).unwrap();
                        with_agent.remove(&id);
                        for stream in streams.iter_mut().filter(|stream| stream.call == id && stream.open) {
                            ended.push((stream.id, true));
                            stream.open = false;
                        }
                        if alive.remove(&id) {
                            ended.push((id, true));
                        }
                    }
                }
                StreamStep::Cancel(at) => {
                    let calls: Vec<u32> = alive.iter().copied().collect();
                    if let Some(at) = at.checked_rem(calls.len()) {
                        let id = calls[at];
                        correlator.cancel(id);
                        alive.remove(&id);
                        for stream in streams.iter_mut().filter(|stream| stream.call == id && stream.open) {
                            ended.push((stream.id, false));
                            stream.open = false;
                        }
                    }
                }
            }
            let mut told = Vec::new();
            while let Some(event) = correlator.poll_event() {
                match event {
                    Event::StreamEnded { id, whole } => told.push((id, whole)),
                    Event::Ended(id, _) => told.push((id, true)),
                    event => panic!("{event:?}"),
                }
            }
            told.sort_unstable();
            ended.sort_unstable();
            prop_assert_eq!(told, ended);
            let open = |sends: bool| streams.iter().filter(|stream| stream.open && stream.sends == sends).count();
            prop_assert_eq!(correlator.streams.receiving.len(), open(false));
            prop_assert_eq!(correlator.streams.sending.len(), open(true));
        }
    }
}

//! The correlator by example, and against a model.

use proptest::prelude::*;
use rmote_wire::Value;

use super::*;

const MOST: usize = 3;

fn hello() -> AgentHello {
    AgentHello {
        version: rmote_wire::VERSION,
        frame_limit: 1 << 20,
        python: (3, 6, 0),
        implementation: String::new(),
        executable: String::new(),
        platform: String::new(),
        hostname: String::new(),
        pid: 1,
    }
}

fn ready<W>() -> Correlator<W> {
    let mut correlator = Correlator::new(Limits::default(), MOST, Duration::ZERO, false);
    correlator
        .handle_frame(hello().encode(&Limits::default()).unwrap())
        .unwrap();
    assert!(matches!(correlator.poll_event(), Some(Event::Hello(_))));
    correlator
}

fn call(id: u32) -> Frame {
    Frame::new(Kind::Call, id, Bytes::new())
}

/// A call without streams.
fn start<W>(id: u32, deadline: Option<Duration>, waiter: W) -> Start<W> {
    Start {
        frame: call(id),
        deadline,
        streams: Vec::new(),
        window: 0,
        idempotent: false,
        waiter,
    }
}

fn returned(id: u32) -> Frame {
    Frame::new(
        Kind::Return,
        id,
        Value::None.encode(&Limits::default()).unwrap(),
    )
}

/// The kinds and ids of all that there is to send.
fn sent<W>(correlator: &mut Correlator<W>) -> Vec<(Kind, u32)> {
    std::iter::from_fn(|| correlator.poll_transmit())
        .map(|frame| (frame.kind, frame.id))
        .collect()
}

#[test]
fn each_answer_finds_its_waiter_in_any_order() {
    let mut correlator = ready();
    let now = Instant::now();
    correlator.call(now, start(1, None, "first"));
    correlator.call(now, start(2, None, "second"));
    assert_eq!(sent(&mut correlator), [(Kind::Call, 1), (Kind::Call, 2)]);
    correlator.handle_frame(returned(2)).unwrap();
    correlator.handle_frame(returned(1)).unwrap();
    assert!(matches!(
        correlator.poll_event(),
        Some(Event::Ended("second", Outcome::Returned { .. }))
    ));
    assert!(matches!(
        correlator.poll_event(),
        Some(Event::Ended("first", Outcome::Returned { .. }))
    ));
    assert_eq!(correlator.in_flight.len(), 0);
}

#[test]
fn a_deadline_ends_the_call_tells_the_agent_and_swallows_the_late_answer() {
    let mut correlator = ready();
    let now = Instant::now();
    correlator.call(now, start(1, Some(Duration::from_secs(1)), "slow"));
    _ = correlator.poll_transmit();
    let at = correlator.poll_timeout().unwrap();
    correlator.handle_timeout(now + Duration::from_millis(999));
    assert!(correlator.poll_event().is_none());
    correlator.handle_timeout(at);
    assert!(matches!(
        correlator.poll_event(),
        Some(Event::Ended("slow", Outcome::Expired(..)))
    ));
    assert_eq!(
        correlator.poll_transmit().map(|frame| frame.kind),
        Some(Kind::Cancel)
    );
    assert_eq!(correlator.poll_timeout(), None);
    correlator.handle_frame(returned(1)).unwrap();
    assert!(correlator.poll_event().is_none());
    assert_eq!(correlator.in_flight.len(), 0);
}

#[test]
fn a_cancel_after_the_answer_says_nothing_to_the_agent() {
    let mut correlator = ready();
    correlator.call(Instant::now(), start(1, None, "quick"));
    _ = correlator.poll_transmit();
    correlator.handle_frame(returned(1)).unwrap();
    correlator.cancel(1);
    assert!(correlator.poll_transmit().is_none());
}

#[test]
fn frames_that_no_honest_agent_sends_are_errors() {
    let mut correlator = Correlator::<()>::new(Limits::default(), MOST, Duration::ZERO, false);
    assert!(matches!(
        correlator.handle_frame(returned(1)),
        Err(ProtocolError::NoHello(_))
    ));
    let mut correlator = ready();
    assert!(matches!(
        correlator.handle_frame(returned(9)),
        Err(ProtocolError::Unexpected(Kind::Return, 9))
    ));
    assert!(matches!(
        correlator.handle_frame(call(1)),
        Err(ProtocolError::Unexpected(Kind::Call, 1))
    ));
    correlator.call(Instant::now(), start(1, None, "once"));
    assert!(
        correlator.handle_frame(returned(1)).is_err(),
        "an answer before the call"
    );
    assert!(correlator.poll_transmit().is_some());
    correlator.handle_frame(returned(1)).unwrap();
    assert!(
        correlator.handle_frame(returned(1)).is_err(),
        "a second answer"
    );
}

#[test]
fn what_waits_when_the_link_is_lost_is_handed_out_once() {
    let mut correlator = ready();
    correlator.call(Instant::now(), start(1, Some(Duration::from_secs(9)), "a"));
    correlator.call(Instant::now(), start(2, None, "b"));
    correlator.cancel(2);
    assert_eq!(
        correlator.drain(&HashSet::new()),
        [("a", Progress::NotSent)]
    );
    assert_eq!(
        (correlator.in_flight.len(), correlator.poll_timeout()),
        (0, None)
    );
}

#[test]
fn an_agent_of_another_version_is_refused_before_it_is_introduced() {
    let mut correlator = Correlator::<()>::new(Limits::default(), MOST, Duration::ZERO, false);
    let mut hello = hello();
    hello.version += 1;
    let frame = hello.encode(&Limits::default()).unwrap();
    assert!(matches!(
        correlator.handle_frame(frame),
        Err(ProtocolError::Version(2))
    ));
    assert!(correlator.poll_event().is_none());
}

#[test]
fn a_cancel_before_it_is_sent_never_reaches_the_peer() {
    let mut correlator = ready();
    let now = Instant::now();
    correlator.call(now, start(1, None, "dropped"));
    correlator.call(now, start(2, Some(Duration::from_secs(1)), "late"));
    correlator.call(now, start(3, None, "kept"));
    correlator.cancel(1);
    correlator.handle_timeout(now + Duration::from_secs(1));
    assert_eq!(sent(&mut correlator), [(Kind::Call, 3)]);
    assert!(matches!(
        correlator.poll_event(),
        Some(Event::Ended("late", Outcome::Expired(..)))
    ));
}

#[test]
fn a_call_waits_while_the_agent_has_the_most_and_a_cancel_overtakes_it() {
    let mut correlator = ready();
    let now = Instant::now();
    for id in 1..=4 {
        correlator.call(now, start(id, None, "call"));
    }
    assert_eq!(sent(&mut correlator).len(), MOST);
    correlator.cancel(2);
    assert_eq!(sent(&mut correlator), [(Kind::Cancel, 2)]);
    // Given up, but the agent still has it.
    correlator.handle_frame(returned(2)).unwrap();
    assert_eq!(sent(&mut correlator), [(Kind::Call, 4)]);
}

#[test]
fn calls_that_are_given_up_unsent_leave_nothing_behind() {
    let mut correlator = ready();
    let now = Instant::now();
    correlator.load(Frame::new(Kind::Load, 0, Bytes::new()));
    for id in 1..=10_000 {
        correlator.call(now, start(id, None, "call"));
        correlator.cancel(id);
    }
    assert!(correlator.queue.len() <= QUEUE_KEPT + 2);
    assert_eq!(sent(&mut correlator), [(Kind::Load, 0)]);
}

#[derive(Clone, Debug)]
enum Step {
    Call(Option<u64>),
    Cancel(usize),
    Answer(usize),
    Pass(u64),
    Transmit(usize),
    Load,
    Print(usize),
}

/// What a simple view of the world knows of one call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Waiting,
    Sent,
    /// Given up, the answer still to come.
    Orphaned,
    Over,
}

struct Model {
    states: Vec<State>,
    deadlines: Vec<Option<u64>>,
    now: u64,
}

impl Model {
    fn in_state(&self, wanted: &[State], number: usize) -> Option<usize> {
        let fitting = || {
            let states = self.states.iter().enumerate();
            states.filter(|(_, state)| wanted.contains(state))
        };
        let count = fitting().count();
        fitting()
            .nth(number.checked_rem(count)?)
            .map(|(index, _)| index)
    }

    fn give_up(&mut self, index: usize) {
        self.states[index] = match self.states[index] {
            State::Sent => State::Orphaned,
            _ => State::Over,
        };
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::option::of(0_u64..20).prop_map(Step::Call),
        2 => any::<usize>().prop_map(Step::Cancel),
        3 => any::<usize>().prop_map(Step::Answer),
        1 => (0_u64..10).prop_map(Step::Pass),
        3 => (0_usize..4).prop_map(Step::Transmit),
        1 => Just(Step::Load),
        1 => any::<usize>().prop_map(Step::Print),
    ]
}

fn id(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap()
}

proptest! {
    #[test]
    fn each_call_ends_once_and_leaves_nothing(steps in prop::collection::vec(step(), 0..120)) {
        let mut correlator = ready();
        let begin = Instant::now();
        let time = |now: u64| begin + Duration::from_millis(now);
        let mut model = Model { states: Vec::new(), deadlines: Vec::new(), now: 0 };
        let (mut loads, mut owed_cancels) = (0, Vec::new());
        for step in steps.into_iter().chain([Step::Transmit(usize::MAX)]) {
            let mut ended = Vec::new();
            match step {
                Step::Call(deadline) => {
                    let index = model.states.len();
                    correlator.call(time(model.now), start(id(index), deadline.map(Duration::from_millis), index));
                    model.states.push(State::Waiting);
                    model.deadlines.push(deadline.map(|after| model.now + after));
                }
                Step::Cancel(number) => {
                    let all = [State::Waiting, State::Sent, State::Orphaned, State::Over];
                    if let Some(index) = model.in_state(&all, number) {
                        correlator.cancel(id(index));
                        if model.states[index] == State::Sent {
                            owed_cancels.push(id(index));
                        }
                        if model.states[index] != State::Orphaned {
                            model.give_up(index);
                        }
                    }
                }
                Step::Answer(number) => {
                    if let Some(index) = model.in_state(&[State::Sent, State::Orphaned], number) {
                        correlator.handle_frame(returned(id(index))).unwrap();
                        if model.states[index] == State::Sent {
                            ended.push(index);
                        }
                        model.states[index] = State::Over;
                    }
                    if let Some(index) = model.in_state(&[State::Waiting, State::Over], number) {
                        prop_assert!(correlator.handle_frame(returned(id(index))).is_err());
                    }
                }
                Step::Pass(span) => {
                    model.now += span;
                    correlator.handle_timeout(time(model.now));
                    for index in 0..model.states.len() {
                        let due = model.deadlines[index].is_some_and(|at| at <= model.now);
                        if due && matches!(model.states[index], State::Waiting | State::Sent) {
                            if model.states[index] == State::Sent {
                                owed_cancels.push(id(index));
                            }
                            model.give_up(index);
                            ended.push(index);
                        }
                    }
                }
                Step::Load => {
                    correlator.load(Frame::new(Kind::Load, 0, Bytes::new()));
                    loads += 1;
                }
                Step::Print(number) => {
                    let frame = Frame::new(Kind::Output, u32::try_from(number % 9).unwrap(), Bytes::new());
                    correlator.handle_frame(frame).unwrap();
                    let told = matches!(correlator.poll_event(), Some(Event::Output { .. }));
                    prop_assert!(told);
                }
                Step::Transmit(count) => for _ in 0..count {
                    let Some(frame) = correlator.poll_transmit() else { break };
                    match frame.kind {
                        Kind::Cancel => {
                            let owed = owed_cancels.iter().position(|&id| id == frame.id);
                            owed_cancels.remove(owed.expect("a cancel that nobody asked for"));
                        }
                        Kind::Load => loads -= 1,
                        _ => {
                            prop_assert!(owed_cancels.is_empty(), "a call overtook a cancel");
                            let first = model.states.iter().position(|&state| state == State::Waiting);
                            prop_assert_eq!(first.map(id), Some(frame.id), "calls keep their order");
                            model.states[first.unwrap()] = State::Sent;
                        }
                    }
                },
            }
            let mut told = Vec::new();
            while let Some(event) = correlator.poll_event() {
                let Event::Ended(index, _) = event else { panic!("{event:?}") };
                told.push(index);
            }
            told.sort_unstable();
            prop_assert_eq!(told, ended);
            let with_agent = model.states.iter().filter(|state| matches!(state, State::Sent | State::Orphaned));
            prop_assert_eq!(correlator.sent, with_agent.clone().count());
            prop_assert!(correlator.sent <= MOST);
            let alive = model.states.iter().filter(|&&state| state != State::Over).count();
            prop_assert_eq!(correlator.in_flight.len(), alive);
            let due = (0..model.states.len())
                .filter(|&index| matches!(model.states[index], State::Waiting | State::Sent))
                .filter_map(|index| model.deadlines[index])
                .min();
            prop_assert_eq!(correlator.poll_timeout(), due.map(time));
        }
        prop_assert!(owed_cancels.is_empty());
        let queued = correlator.queue.iter().filter(|queued| matches!(queued, Queued::Load(_)));
        prop_assert_eq!(queued.count(), loads);
        // What the link's end leaves: those that wait, each once, and nothing else.
        let mut left: Vec<_> = correlator.drain(&HashSet::new()).into_iter().map(|(index, _)| index).collect();
        left.sort_unstable();
        let waiting = (0..model.states.len())
            .filter(|&index| matches!(model.states[index], State::Waiting | State::Sent));
        prop_assert_eq!(left, waiting.collect::<Vec<_>>());
        prop_assert!(correlator.in_flight.is_empty() && correlator.deadlines.is_empty() && correlator.queue.is_empty());
    }
}

#[test]
fn a_deadline_waits_its_grace_to_learn_what_became_of_the_call() {
    let grace = Duration::from_secs(1);
    let after = Duration::from_secs(5);
    let cancelled = |id| {
        let map = Value::Map(vec![("by".into(), "cancelled".into())]);
        Frame::new(Kind::Raise, id, map.encode(&Limits::default()).unwrap())
    };
    for (answer, fate) in [
        (Some(cancelled(1)), Fate::Stopped),
        (Some(returned(1)), Fate::Finished),
        (None, Fate::Running),
    ] {
        let mut correlator = Correlator::new(Limits::default(), MOST, grace, false);
        correlator
            .handle_frame(hello().encode(&Limits::default()).unwrap())
            .unwrap();
        let now = Instant::now();
        correlator.call(now, start(1, Some(after), "slow"));
        assert_eq!(sent(&mut correlator), [(Kind::Call, 1)]);
        correlator.handle_timeout(now + after);
        assert_eq!(sent(&mut correlator), [(Kind::Cancel, 1)]);
        _ = correlator.poll_event();
        assert!(correlator.poll_event().is_none());
        if let Some(answer) = answer {
            correlator.handle_frame(answer).unwrap();
        } else {
            assert_eq!(correlator.poll_timeout(), Some(now + after + grace));
            correlator.handle_timeout(now + after + grace);
            assert!(correlator.poll_transmit().is_none(), "it was told already");
        }
        let event = correlator.poll_event();
        let Some(Event::Ended("slow", Outcome::Expired(its, told))) = event else {
            panic!("{event:?}")
        };
        assert_eq!((its, told), (after, fate));
        assert_eq!(correlator.poll_timeout(), None);
    }
}

#[test]
fn a_restart_sends_what_did_not_leave_and_what_may_run_twice_in_their_order() {
    let mut correlator = Correlator::new(Limits::default(), 9, Duration::ZERO, true);
    let greet = |correlator: &mut Correlator<u32>| {
        let frame = hello().encode(&Limits::default()).unwrap();
        correlator.handle_frame(frame).unwrap();
        assert!(matches!(correlator.poll_event(), Some(Event::Hello(_))));
    };
    greet(&mut correlator);
    let now = Instant::now();
    for id in 1..=6 {
        let idempotent = id % 2 == 0;
        let call = Start {
            idempotent,
            ..start(id, None, id)
        };
        correlator.call(now, call);
        if id == 4 {
            assert_eq!(sent(&mut correlator).len(), 4);
        }
    }
    // The third was handed out, but has not left; the second was given up.
    correlator.cancel(2);
    let over = correlator.restart(&HashSet::from([3]));
    assert_eq!(over, [(1, Progress::Sent)]);
    greet(&mut correlator);
    let calls = [3, 4, 5, 6].map(|id| (Kind::Call, id));
    assert_eq!(sent(&mut correlator), calls);
    correlator.handle_frame(returned(4)).unwrap();
    assert!(matches!(correlator.poll_event(), Some(Event::Ended(4, _))));
}

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
                    let mut frame = super::Frame::new(Kind::Call, call, Bytes::new());
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
                        let frame = super::Frame::new(Kind::Data, stream.id, vec![0; size]);
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
                        let frame = super::Frame::new(Kind::DataEnd, stream.id, Bytes::new());
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
                        correlator.handle_frame(super::Frame::new(Kind::InputCredit, stream.id, payload)).unwrap();
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
                        correlator.input(super::Frame::new(kind, streams[index].id, Bytes::new()));
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
            prop_assert_eq!(correlator.receiving.len(), open(false));
            prop_assert_eq!(correlator.sending.len(), open(true));
        }
    }
}

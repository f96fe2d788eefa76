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
        correlator.handle_frame(Frame::new(Kind::Bye, 0, Bytes::new())),
        Err(ProtocolError::Unexpected(Kind::Bye, 0))
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

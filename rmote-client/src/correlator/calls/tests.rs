//! The correlator's calls against a model.

use bytes::Bytes;
use proptest::prelude::*;
use rmote_wire::Kind;

use super::super::tests::{MOST, ready, returned, start};
use super::super::{Event, Queued};
use super::*;

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
            prop_assert_eq!(correlator.calls.sent, with_agent.clone().count());
            prop_assert!(correlator.calls.sent <= MOST);
            let alive = model.states.iter().filter(|&&state| state != State::Over).count();
            prop_assert_eq!(correlator.calls.in_flight.len(), alive);
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
        prop_assert!(correlator.calls.in_flight.is_empty() && correlator.calls.deadlines.is_empty() && correlator.queue.is_empty());
    }
}

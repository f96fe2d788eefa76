//! The correlator by example.

use rmote_wire::Value;

use super::*;
use crate::error::Fate;

pub(super) const MOST: usize = 3;

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

pub(super) fn ready<W>() -> Correlator<W> {
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
pub(super) fn start<W>(id: u32, deadline: Option<Duration>, waiter: W) -> Start<W> {
    Start {
        frame: call(id),
        deadline,
        streams: Vec::new(),
        window: 0,
        idempotent: false,
        waiter,
    }
}

pub(super) fn returned(id: u32) -> Frame {
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

/// An agent that is ready and lacks its rest.
fn lacking() -> Correlator<()> {
    let mut correlator = ready();
    correlator.keep_rest(Frame::with_flags(Kind::Load, FLAG_REST, 0, "rest"));
    assert!(!correlator.is_whole());
    correlator
}

#[test]
fn the_rest_goes_with_the_next_word_of_the_agent() {
    let ask = Frame::with_flags(Kind::Load, FLAG_REST, 0, "");
    for word in [returned(1), ask] {
        let mut correlator = lacking();
        correlator.call(Instant::now(), start(1, None, ()));
        assert_eq!(sent(&mut correlator), [(Kind::Call, 1)]);
        correlator.handle_frame(word.clone()).unwrap();
        assert!(correlator.is_whole());
        correlator.call(Instant::now(), start(2, None, ()));
        assert_eq!(sent(&mut correlator), [(Kind::Load, 0), (Kind::Call, 2)]);
        if word.kind == Kind::Load {
            // It may ask once more before the rest has come.
            correlator.handle_frame(word).unwrap();
            assert_eq!(sent(&mut correlator), []);
        }
    }
}

#[test]
fn an_agent_that_is_to_end_gets_no_rest() {
    let mut correlator = lacking();
    correlator.close();
    correlator
        .handle_frame(Frame::new(Kind::Bye, 0, Bytes::new()))
        .unwrap();
    assert_eq!(sent(&mut correlator), [(Kind::Close, 0)]);
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
    assert_eq!(correlator.calls.len(), 0);
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
    assert_eq!(correlator.calls.len(), 0);
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
        (correlator.calls.len(), correlator.poll_timeout()),
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
    assert!(correlator.is_idle(), "the new agent has none of them");
    greet(&mut correlator);
    let calls = [3, 4, 5, 6].map(|id| (Kind::Call, id));
    assert_eq!(sent(&mut correlator), calls);
    correlator.handle_frame(returned(4)).unwrap();
    assert!(matches!(correlator.poll_event(), Some(Event::Ended(4, _))));
}

//! The request correlator: calls and frames go in with the time, frames and events come out. No I/O, no clock.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rmote_wire::{AgentHello, Frame, Kind, Limits, LogRecord, Raise};

use crate::error::ProtocolError;

/// The state of all calls of one session. `W` is what waits for a call's end.
#[derive(Debug)]
pub(crate) struct Correlator<W> {
    in_flight: HashMap<u32, InFlight<W>>,
    deadlines: BTreeSet<(Instant, u32)>,
    transmit: VecDeque<Frame>,
    events: VecDeque<Event<W>>,
    limits: Limits,
    hello: bool,
    closing: bool,
}

#[derive(Debug)]
struct InFlight<W> {
    /// `None` once the call was cancelled: the agent's answer is still to come.
    waiter: Option<W>,
    deadline: Option<(Instant, Duration)>,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Event<W> {
    /// The agent introduced itself.
    Hello(AgentHello),
    /// A call ended.
    Ended(W, Outcome),
    /// A call printed something, or something without a call (id 0) did.
    Output { id: u32, stderr: bool, data: Bytes },
    /// A log record.
    Log { id: u32, record: LogRecord },
    /// The agent says good-bye.
    Bye,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// With this encoded value.
    Returned(Bytes),
    /// With an exception.
    Raised(Box<Raise>),
    /// Its time was over.
    Expired(Duration),
}

impl<W> Correlator<W> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            in_flight: HashMap::new(),
            deadlines: BTreeSet::new(),
            transmit: VecDeque::new(),
            events: VecDeque::new(),
            limits,
            hello: false,
            closing: false,
        }
    }

    /// Queues a frame that belongs to no call.
    pub(crate) fn send(&mut self, frame: Frame) {
        self.transmit.push_back(frame);
    }

    /// Starts a call: its frame is queued and `waiter` given back when it ends. The id must not be in flight.
    pub(crate) fn call(
        &mut self,
        now: Instant,
        frame: Frame,
        deadline: Option<Duration>,
        waiter: W,
    ) {
        debug_assert!(
            !self.in_flight.contains_key(&frame.id),
            "ids are counted up"
        );
        let deadline = deadline.map(|after| (now + after, after));
        if let Some((at, _)) = deadline {
            self.deadlines.insert((at, frame.id));
        }
        self.in_flight.insert(
            frame.id,
            InFlight {
                waiter: Some(waiter),
                deadline,
            },
        );
        self.transmit.push_back(frame);
    }

    /// Gives a call up: its waiter is dropped, and the agent told to stop it.
    pub(crate) fn cancel(&mut self, id: u32) {
        // Nothing to do once it has ended: the answer overtook the wish.
        if self.take_waiter(id).is_some() {
            self.transmit
                .push_back(Frame::new(Kind::Cancel, id, Bytes::new()));
        }
    }

    /// Asks the agent to end.
    pub(crate) fn close(&mut self) {
        if !self.closing {
            self.closing = true;
            self.transmit
                .push_back(Frame::new(Kind::Close, 0, Bytes::new()));
        }
    }

    /// Takes a frame from the agent.
    pub(crate) fn handle_frame(&mut self, frame: Frame) -> Result<(), ProtocolError> {
        if !self.hello && frame.kind != Kind::Hello {
            return Err(ProtocolError::NoHello(frame.kind));
        }
        let id = frame.id;
        match frame.kind {
            Kind::Hello => {
                if self.hello {
                    return Err(ProtocolError::Unexpected(frame.kind, id));
                }
                self.hello = true;
                let hello = AgentHello::decode(&frame, &self.limits)?;
                self.events.push_back(Event::Hello(hello));
            }
            Kind::Return | Kind::Raise => {
                let outcome = if frame.kind == Kind::Return {
                    Outcome::Returned(frame.payload)
                } else {
                    let raise = Raise::decode(&frame, &self.limits)?;
                    Outcome::Raised(Box::new(raise))
                };
                let Some(waiter) = self.take_waiter(id) else {
                    // The answer of a call that was given up, or of none: only the first is allowed.
                    return match self.in_flight.remove(&id) {
                        Some(_) => Ok(()),
                        None => Err(ProtocolError::Unexpected(frame.kind, id)),
                    };
                };
                self.in_flight.remove(&id);
                self.events.push_back(Event::Ended(waiter, outcome));
            }
            Kind::Output => {
                let stderr = frame.flags & rmote_wire::FLAG_STDERR != 0;
                self.events.push_back(Event::Output {
                    id,
                    stderr,
                    data: frame.payload,
                });
            }
            Kind::Log => {
                let record = LogRecord::decode(&frame, &self.limits)?;
                self.events.push_back(Event::Log { id, record });
            }
            Kind::Pong => {}
            Kind::Bye => self.events.push_back(Event::Bye),
            kind => return Err(ProtocolError::Unexpected(kind, id)),
        }
        Ok(())
    }

    /// Ends the calls whose deadline has come.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(at, id)) = self.deadlines.first() {
            if at > now {
                break;
            }
            let after = self
                .in_flight
                .get(&id)
                .and_then(|call| call.deadline)
                .map_or(Duration::ZERO, |(_, after)| after);
            if let Some(waiter) = self.take_waiter(id) {
                self.transmit
                    .push_back(Frame::new(Kind::Cancel, id, Bytes::new()));
                self.events
                    .push_back(Event::Ended(waiter, Outcome::Expired(after)));
            } else {
                self.deadlines.remove(&(at, id));
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|&(at, _)| at)
    }

    /// The next frame to write.
    pub(crate) fn poll_transmit(&mut self) -> Option<Frame> {
        self.transmit.pop_front()
    }

    /// The next event.
    pub(crate) fn poll_event(&mut self) -> Option<Event<W>> {
        self.events.pop_front()
    }

    /// What waits for a call that is in flight and was not given up.
    pub(crate) fn waiter(&self, id: u32) -> Option<&W> {
        self.in_flight.get(&id)?.waiter.as_ref()
    }

    /// How many calls wait for the agent's answer, given-up ones included.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether the agent was asked to end.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Takes all waiters, since no answer can come any more.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = W> + '_ {
        self.deadlines.clear();
        self.in_flight.drain().filter_map(|(_, call)| call.waiter)
    }

    fn take_waiter(&mut self, id: u32) -> Option<W> {
        let call = self.in_flight.get_mut(&id)?;
        if let Some((at, _)) = call.deadline.take() {
            self.deadlines.remove(&(at, id));
        }
        call.waiter.take()
    }
}

#[cfg(test)]
mod tests {
    use rmote_wire::Value;

    use super::*;

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

    fn ready() -> Correlator<&'static str> {
        let mut correlator = Correlator::new(Limits::default());
        correlator
            .handle_frame(hello().encode(&Limits::default()).unwrap())
            .unwrap();
        assert!(matches!(correlator.poll_event(), Some(Event::Hello(_))));
        correlator
    }

    fn call(id: u32) -> Frame {
        Frame::new(Kind::Call, id, Bytes::new())
    }

    fn returned(id: u32) -> Frame {
        Frame::new(
            Kind::Return,
            id,
            Value::None.encode(&Limits::default()).unwrap(),
        )
    }

    #[test]
    fn each_answer_finds_its_waiter_in_any_order() {
        let mut correlator = ready();
        let now = Instant::now();
        correlator.call(now, call(1), None, "first");
        correlator.call(now, call(2), None, "second");
        correlator.handle_frame(returned(2)).unwrap();
        correlator.handle_frame(returned(1)).unwrap();
        assert!(matches!(
            correlator.poll_event(),
            Some(Event::Ended("second", Outcome::Returned(_)))
        ));
        assert!(matches!(
            correlator.poll_event(),
            Some(Event::Ended("first", Outcome::Returned(_)))
        ));
        assert_eq!(correlator.in_flight(), 0);
    }

    #[test]
    fn a_deadline_ends_the_call_tells_the_agent_and_swallows_the_late_answer() {
        let mut correlator = ready();
        let now = Instant::now();
        correlator.call(now, call(1), Some(Duration::from_secs(1)), "slow");
        _ = correlator.poll_transmit();
        let at = correlator.poll_timeout().unwrap();
        correlator.handle_timeout(at - Duration::from_millis(1));
        assert!(correlator.poll_event().is_none());
        correlator.handle_timeout(at);
        assert!(matches!(
            correlator.poll_event(),
            Some(Event::Ended("slow", Outcome::Expired(_)))
        ));
        assert_eq!(
            correlator.poll_transmit().map(|frame| frame.kind),
            Some(Kind::Cancel)
        );
        assert_eq!(correlator.poll_timeout(), None);
        correlator.handle_frame(returned(1)).unwrap();
        assert!(correlator.poll_event().is_none());
        assert_eq!(correlator.in_flight(), 0);
    }

    #[test]
    fn a_cancel_after_the_answer_says_nothing_to_the_agent() {
        let mut correlator = ready();
        correlator.call(Instant::now(), call(1), None, "quick");
        _ = correlator.poll_transmit();
        correlator.handle_frame(returned(1)).unwrap();
        correlator.cancel(1);
        assert!(correlator.poll_transmit().is_none());
    }

    #[test]
    fn frames_that_no_honest_agent_sends_are_errors() {
        let mut correlator = Correlator::<()>::new(Limits::default());
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
        correlator.call(Instant::now(), call(1), None, "once");
        correlator.handle_frame(returned(1)).unwrap();
        assert!(
            correlator.handle_frame(returned(1)).is_err(),
            "a second answer"
        );
    }

    #[test]
    fn what_waits_when_the_link_is_lost_is_handed_out_once() {
        let mut correlator = ready();
        correlator.call(Instant::now(), call(1), Some(Duration::from_secs(9)), "a");
        correlator.call(Instant::now(), call(2), None, "b");
        correlator.cancel(2);
        assert_eq!(correlator.drain().collect::<Vec<_>>(), ["a"]);
        assert_eq!(
            (correlator.in_flight(), correlator.poll_timeout()),
            (0, None)
        );
    }
}

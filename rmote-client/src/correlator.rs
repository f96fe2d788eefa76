//! The request correlator: calls and frames go in with the time, frames and events come out. No I/O, no clock.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rmote_wire::{AgentHello, Frame, Kind, Limits, LogRecord, Raise};

use crate::error::ProtocolError;

/// A queue up to this length is not worth tidying.
const QUEUE_KEPT: usize = 64;

/// The state of all calls of one session. `W` is what waits for a call's end.
#[derive(Debug)]
pub(crate) struct Correlator<W> {
    in_flight: HashMap<u32, InFlight<W>>,
    deadlines: BTreeSet<(Instant, u32)>,
    /// What is to be sent, in the order in which it was asked for.
    queue: VecDeque<Queued>,
    /// What goes before them: a wish to stop must not wait for room.
    urgent: VecDeque<Frame>,
    events: VecDeque<Event<W>>,
    limits: Limits,
    /// How many calls the agent may have at once.
    most_sent: usize,
    /// How many calls the agent has and has not answered, given-up ones included.
    sent: usize,
    hello: bool,
    closing: bool,
}

#[derive(Debug)]
struct InFlight<W> {
    /// `None` once the call was given up: the agent's answer is still to come.
    waiter: Option<W>,
    deadline: Option<(Instant, Duration)>,
    /// The call itself until it is sent.
    frame: Option<Frame>,
}

#[derive(Debug)]
enum Queued {
    /// A module that calls after it need.
    Load(Frame),
    /// A call, which may have been given up meanwhile.
    Call(u32),
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
    /// With the limits on what the agent sends, and on how many calls it has at once.
    pub(crate) fn new(limits: Limits, most_sent: usize) -> Self {
        Self {
            in_flight: HashMap::new(),
            deadlines: BTreeSet::new(),
            queue: VecDeque::new(),
            urgent: VecDeque::new(),
            events: VecDeque::new(),
            limits,
            most_sent,
            sent: 0,
            hello: false,
            closing: false,
        }
    }

    /// Queues a module that the calls after it need.
    pub(crate) fn load(&mut self, frame: Frame) {
        self.queue.push_back(Queued::Load(frame));
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
        // One that is too far for the clock is none.
        let deadline = deadline.and_then(|after| Some((now.checked_add(after)?, after)));
        if let Some((at, _)) = deadline {
            self.deadlines.insert((at, frame.id));
        }
        self.queue.push_back(Queued::Call(frame.id));
        self.in_flight.insert(
            frame.id,
            InFlight {
                waiter: Some(waiter),
                deadline,
                frame: Some(frame),
            },
        );
    }

    /// Gives a call up: its waiter is dropped, and the agent told to stop it if it knows of it.
    pub(crate) fn cancel(&mut self, id: u32) {
        // Nothing to do once it has ended: the answer overtook the wish.
        self.give_up(id);
    }

    /// Asks the agent to end.
    pub(crate) fn close(&mut self) {
        if !self.closing {
            self.closing = true;
            self.urgent
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
                let hello = AgentHello::decode(&frame, &self.limits)?;
                if hello.version != rmote_wire::VERSION {
                    return Err(ProtocolError::Version(hello.version));
                }
                self.hello = true;
                self.events.push_back(Event::Hello(hello));
            }
            Kind::Return | Kind::Raise => {
                let outcome = if frame.kind == Kind::Return {
                    Outcome::Returned(frame.payload)
                } else {
                    let raise = Raise::decode(&frame, &self.limits)?;
                    Outcome::Raised(Box::new(raise))
                };
                let asked = |call: &InFlight<W>| call.frame.is_none();
                if !self.in_flight.get(&id).is_some_and(asked) {
                    return Err(ProtocolError::Unexpected(frame.kind, id));
                }
                self.sent -= 1;
                // Without a waiter it was given up, and the answer is thrown away.
                if let Some(waiter) = self.remove(id) {
                    self.events.push_back(Event::Ended(waiter, outcome));
                }
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
            Kind::Bye if self.closing => self.events.push_back(Event::Bye),
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
            // Its deadline goes with its waiter, so this one is not found again.
            if let Some(waiter) = self.give_up(id) {
                self.events
                    .push_back(Event::Ended(waiter, Outcome::Expired(after)));
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|&(at, _)| at)
    }

    /// The next frame to write.
    pub(crate) fn poll_transmit(&mut self) -> Option<Frame> {
        if let Some(frame) = self.urgent.pop_front() {
            return Some(frame);
        }
        while let Some(next) = self.queue.front().filter(|_| !self.closing) {
            if let &Queued::Call(id) = next {
                // Without an entry it was given up, and the agent never hears of it.
                if let Some(call) = self.in_flight.get_mut(&id) {
                    if self.sent >= self.most_sent {
                        return None;
                    }
                    self.sent += 1;
                    self.queue.pop_front();
                    return call.frame.take();
                }
            }
            if let Some(Queued::Load(frame)) = self.queue.pop_front() {
                return Some(frame);
            }
        }
        None
    }

    /// The next event.
    pub(crate) fn poll_event(&mut self) -> Option<Event<W>> {
        self.events.pop_front()
    }

    /// What waits for a call that is in flight and was not given up.
    pub(crate) fn waiter(&self, id: u32) -> Option<&W> {
        self.in_flight.get(&id)?.waiter.as_ref()
    }

    /// Whether the agent was asked to end.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Takes all waiters, since no answer can come any more.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = W> + '_ {
        self.deadlines.clear();
        self.queue.clear();
        self.sent = 0;
        self.in_flight.drain().filter_map(|(_, call)| call.waiter)
    }

    /// Ends a call on this side, and on the agent's if it knows of it. `None` if that has been done, or it has ended.
    fn give_up(&mut self, id: u32) -> Option<W> {
        let call = self.in_flight.get_mut(&id)?;
        if call.frame.is_some() {
            let waiter = self.remove(id);
            self.tidy();
            return waiter;
        }
        let waiter = call.waiter.take()?;
        if let Some((at, _)) = call.deadline.take() {
            self.deadlines.remove(&(at, id));
        }
        self.urgent
            .push_back(Frame::new(Kind::Cancel, id, Bytes::new()));
        Some(waiter)
    }

    /// Forgets the queue's entries of calls that were given up, once they are the most of it.
    fn tidy(&mut self) {
        if self.queue.len() > 2 * self.in_flight.len() + QUEUE_KEPT {
            let in_flight = &self.in_flight;
            self.queue.retain(|queued| match queued {
                Queued::Load(_) => true,
                Queued::Call(id) => in_flight.contains_key(id),
            });
        }
    }

    fn remove(&mut self, id: u32) -> Option<W> {
        let call = self.in_flight.remove(&id)?;
        if let Some((at, _)) = call.deadline {
            self.deadlines.remove(&(at, id));
        }
        call.waiter
    }
}

#[cfg(test)]
#[path = "correlator_tests.rs"]
mod tests;

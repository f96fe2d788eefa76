//! The request correlator: calls and frames go in with the time, frames and events come out. No I/O, no clock.

mod calls;
mod event;
mod streams;

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rmote_wire::{
    AgentHello, Direction, FLAG_REST, FLAG_STREAM, Frame, Kind, Limits, LogRecord, Raise,
    STREAM_CREDIT,
};

pub(crate) use self::calls::Start;
use self::calls::{Calls, Due, InFlight};
pub(crate) use self::event::{Event, Outcome};
use self::streams::{Streams, credit};
use crate::error::{Progress, ProtocolError};

/// A queue up to this length is not worth tidying.
const QUEUE_KEPT: usize = 64;

/// The state of all calls and streams of one session. `W` is what waits for a call's end.
#[derive(Debug)]
pub(crate) struct Correlator<W> {
    calls: Calls<W>,
    streams: Streams,
    /// What is to be sent, in the order in which it was asked for.
    queue: VecDeque<Queued>,
    /// What goes before them: a wish to stop must not wait for room.
    urgent: VecDeque<Frame>,
    events: VecDeque<Event<W>>,
    limits: Limits,
    hello: bool,
    /// What the agent gets of itself with its next word.
    rest: Option<Frame>,
    closing: bool,
}

#[derive(Debug)]
enum Queued {
    /// A module that calls after it need.
    Load(Frame),
    /// A call, which may have been given up meanwhile.
    Call(u32),
}

impl<W> Correlator<W> {
    /// With the limits on what the agent sends, on how many calls it has at once, and on how long one may take to stop.
    /// With `keep` a call is held until its end, for [`restart`](Self::restart).
    pub(crate) fn new(limits: Limits, most_sent: usize, grace: Duration, keep: bool) -> Self {
        Self {
            calls: Calls::new(most_sent, grace, keep),
            streams: Streams::default(),
            queue: VecDeque::new(),
            urgent: VecDeque::new(),
            events: VecDeque::new(),
            limits,
            hello: false,
            rest: None,
            closing: false,
        }
    }

    /// Queues a module that the calls after it need.
    pub(crate) fn load(&mut self, frame: Frame) {
        self.queue.push_back(Queued::Load(frame));
    }

    /// Queues a module before all that waits, for an agent that is new.
    pub(crate) fn load_first(&mut self, frame: Frame) {
        self.queue.push_front(Queued::Load(frame));
    }

    /// Queues a module before all calls, and before the wishes to stop one that follow.
    pub(crate) fn load_urgent(&mut self, frame: Frame) {
        self.urgent.push_back(frame);
    }

    /// Keeps the rest of the agent until it has said more than hello: an answer, or that it needs it. So nothing but what the
    /// first call needs is on its way before the first answer.
    pub(crate) fn keep_rest(&mut self, frame: Frame) {
        self.rest = Some(frame);
    }

    /// Whether the agent has all of its modules, or gets them before whatever is queued now.
    pub(crate) fn is_whole(&self) -> bool {
        self.hello && self.rest.is_none()
    }

    /// Whether a call is in flight and the agent has it.
    pub(crate) fn is_sent(&self, id: u32) -> bool {
        self.calls.get(id).is_some_and(InFlight::is_sent)
    }

    /// Starts a call: its frame is queued and `waiter` given back when it ends. No id may be in flight.
    pub(crate) fn call(&mut self, now: Instant, start: Start<W>) {
        let id = start.frame.id;
        let call = self.calls.insert(now, start);
        for &(direction, stream) in &call.streams {
            self.streams.open(direction, stream, call.window);
        }
        self.streams.note(id);
        self.queue.push_back(Queued::Call(id));
    }

    /// Gives a call up: its waiter is dropped, and the agent told to stop it if it knows of it.
    pub(crate) fn cancel(&mut self, id: u32) {
        // Nothing to do once it has ended: the answer overtook the wish.
        self.give_up(id);
    }

    /// Tells the agent to stop a call. Its waiter learns how it ended.
    pub(crate) fn stop(&mut self, id: u32) {
        let Some(call) = self.calls.get(id) else {
            return;
        };
        if call.is_sent() {
            self.urgent
                .push_back(Frame::new(Kind::Cancel, id, Bytes::new()));
        } else if let Some(waiter) = self.remove(id, false) {
            self.tidy();
            self.events
                .push_back(Event::Ended(waiter, Outcome::NeverSent));
        }
    }

    /// Lets the agent send more of a stream.
    pub(crate) fn grant(&mut self, id: u32, bytes: u32) {
        self.urgent.extend(self.streams.grant(id, bytes));
    }

    /// Tells the agent how many KiB a second come from it.
    pub(crate) fn rate(&mut self, rate: u32) {
        self.urgent.push_back(credit(0, rate));
    }

    /// Queues a part of a stream, or its end, for which there was credit.
    pub(crate) fn input(&mut self, frame: Frame) {
        self.streams.send(frame);
    }

    /// Asks the agent to say something.
    pub(crate) fn ping(&mut self) {
        self.urgent
            .push_back(Frame::new(Kind::Ping, 0, Bytes::new()));
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
        if !self.closing {
            self.urgent.extend(self.rest.take());
        }
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
            Kind::Load if frame.flags == FLAG_REST && frame.payload.is_empty() => {}
            Kind::Return | Kind::Raise => self.answer(frame)?,
            Kind::Data => {
                if self.streams.receive(&frame)? {
                    self.calls.started(id);
                    self.events.push_back(Event::Data {
                        id,
                        flags: frame.flags,
                        payload: frame.payload,
                    });
                }
            }
            Kind::DataEnd => {
                if self.calls.contains(id) {
                    return Err(ProtocolError::Unexpected(frame.kind, id));
                }
                if self.streams.receive_end(&frame)? {
                    self.events
                        .push_back(Event::StreamEnded { id, whole: true });
                }
            }
            Kind::InputCredit => {
                let Ok(bytes) = frame.payload[..].try_into() else {
                    return Err(ProtocolError::Unexpected(frame.kind, id));
                };
                let bytes = u32::from_le_bytes(bytes);
                if id == 0 {
                    self.events.push_back(Event::Rate(bytes));
                } else if self.streams.credited(&frame)? {
                    self.events.push_back(Event::Credit { id, bytes });
                }
            }
            Kind::Output => {
                self.calls.started(id);
                let stderr = frame.flags & rmote_wire::FLAG_STDERR != 0;
                self.events.push_back(Event::Output {
                    id,
                    stderr,
                    data: frame.payload,
                });
            }
            Kind::Log if frame.flags & rmote_wire::FLAG_DROPPED != 0 => {
                let count = LogRecord::decode_dropped(&frame, &self.limits)?;
                self.events.push_back(Event::Dropped(count));
            }
            Kind::Log => {
                let record = LogRecord::decode(&frame, &self.limits)?;
                self.calls.started(id);
                self.events.push_back(Event::Log { id, record });
            }
            Kind::Pong => {}
            Kind::Bye => self.events.push_back(Event::Bye),
            kind => return Err(ProtocolError::Unexpected(kind, id)),
        }
        Ok(())
    }

    /// Tells the calls whose deadline has come to stop, and ends those that did not.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some((id, due)) = self.calls.poll_due(now) {
            match due {
                Due::Stop => self
                    .urgent
                    .push_back(Frame::new(Kind::Cancel, id, Bytes::new())),
                Due::End(after, fate) => {
                    if let Some(waiter) = self.give_up(id) {
                        self.events
                            .push_back(Event::Ended(waiter, Outcome::Expired(after, fate)));
                    }
                }
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.calls.poll_timeout()
    }

    /// The next frame to write.
    pub(crate) fn poll_transmit(&mut self) -> Option<Frame> {
        if let Some(frame) = self.urgent.pop_front() {
            return Some(frame);
        }
        while let Some(next) = self.queue.front().filter(|_| !self.closing) {
            // Without an entry it was given up, and the agent never hears of it.
            if let &Queued::Call(id) = next
                && self.calls.contains(id)
            {
                let frame = self.calls.send(id)?;
                self.queue.pop_front();
                self.open_streams(id);
                return Some(frame);
            }
            if let Some(Queued::Load(frame)) = self.queue.pop_front() {
                return Some(frame);
            }
        }
        None
    }

    /// The next part of a stream to write, when nothing of [`poll_transmit`](Self::poll_transmit) waits.
    pub(crate) fn poll_bulk(&mut self) -> Option<Frame> {
        self.streams.poll()
    }

    /// The next event.
    pub(crate) fn poll_event(&mut self) -> Option<Event<W>> {
        self.events.pop_front()
    }

    /// What waits for a call that is in flight and was not given up.
    pub(crate) fn waiter(&self, id: u32) -> Option<&W> {
        self.calls.get(id)?.waiter.as_ref()
    }

    /// Whether the agent has nothing to do.
    pub(crate) fn is_idle(&self) -> bool {
        self.calls.sent() == 0
    }

    /// Whether the agent was asked to end.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Takes all waiters, since no answer can come any more, and how far each call had come. `unsent` are those that were
    /// handed out and have not left.
    pub(crate) fn drain(&mut self, unsent: &HashSet<u32>) -> Vec<(W, Progress)> {
        self.queue.clear();
        self.streams.clear();
        self.calls.drain(unsent)
    }

    /// Makes ready for a new agent: calls that have not left, and those that may run twice, are queued again in their
    /// order. Gives the others, which end here, and how far each had come.
    pub(crate) fn restart(&mut self, unsent: &HashSet<u32>) -> Vec<(W, Progress)> {
        self.hello = false;
        self.rest = None;
        self.urgent.clear();
        self.streams.forget_unsent();
        let (again, over) = self.calls.restart(unsent);
        for &id in again.iter().rev() {
            self.queue.push_front(Queued::Call(id));
        }
        over.into_iter()
            .filter_map(|(id, progress)| Some((self.remove(id, false)?, progress)))
            .collect()
    }

    /// Takes the answer to a call.
    fn answer(&mut self, frame: Frame) -> Result<(), ProtocolError> {
        let (id, kind) = (frame.id, frame.kind);
        let stream = frame.flags & FLAG_STREAM != 0;
        let outcome = if kind == Kind::Return {
            let payload = frame.payload;
            let flags = frame.flags;
            Outcome::Returned { payload, flags }
        } else {
            Outcome::Raised(Box::new(Raise::decode(&frame, &self.limits)?))
        };
        let asked = |call: &&InFlight<W>| call.is_sent() && (call.results || !stream);
        let Some(call) = self.calls.get(id).filter(asked) else {
            return Err(ProtocolError::Unexpected(kind, id));
        };
        let outcome = call.outcome(outcome);
        // Without a waiter it was given up, and the answer is thrown away.
        if let Some(waiter) = self.remove(id, kind == Kind::Return) {
            self.events.push_back(Event::Ended(waiter, outcome));
        }
        Ok(())
    }

    /// The agent is about to learn of a call, and what it may send of its streams.
    fn open_streams(&mut self, id: u32) {
        let Some(call) = self.calls.get(id) else {
            return;
        };
        for &(direction, stream) in &call.streams {
            match direction {
                Direction::Output if call.window > STREAM_CREDIT => self
                    .urgent
                    .push_back(credit(stream, call.window - STREAM_CREDIT)),
                Direction::Output => {}
                Direction::Input => {
                    self.streams.announce(stream);
                    self.events.push_back(Event::Credit {
                        id: stream,
                        bytes: STREAM_CREDIT,
                    });
                }
            }
        }
    }

    /// Ends a call on this side, and on the agent's if it knows of it. `None` if that has been done, or it has ended.
    fn give_up(&mut self, id: u32) -> Option<W> {
        let given_up = self.calls.give_up(id)?;
        self.end_streams(given_up.streams, false);
        if given_up.tell {
            self.urgent
                .push_back(Frame::new(Kind::Cancel, id, Bytes::new()));
        }
        self.tidy();
        Some(given_up.waiter)
    }

    fn end_streams(&mut self, streams: Vec<(Direction, u32)>, whole: bool) {
        for (direction, id) in streams {
            if self.streams.end(direction, id) {
                self.events.push_back(Event::StreamEnded { id, whole });
            }
        }
    }

    /// Forgets the queue's entries of calls that were given up, once they are the most of it.
    fn tidy(&mut self) {
        if self.queue.len() > 2 * self.calls.len() + QUEUE_KEPT {
            let calls = &self.calls;
            self.queue.retain(|queued| match queued {
                Queued::Load(_) => true,
                Queued::Call(id) => calls.contains(*id),
            });
        }
    }

    fn remove(&mut self, id: u32, whole: bool) -> Option<W> {
        let call = self.calls.remove(id)?;
        self.end_streams(call.streams, whole);
        call.waiter
    }
}

#[cfg(test)]
mod tests;

//! The request correlator: calls and frames go in with the time, frames and events come out. No I/O, no clock.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rmote_wire::{
    AgentHello, Direction, FLAG_STREAM, Frame, Kind, Limits, LogRecord, Raise, RaisedBy,
    STREAM_CREDIT,
};

use crate::error::{Fate, Progress, ProtocolError};

/// A queue up to this length is not worth tidying.
const QUEUE_KEPT: usize = 64;

/// The state of all calls and streams of one session. `W` is what waits for a call's end.
#[derive(Debug)]
pub(crate) struct Correlator<W> {
    in_flight: HashMap<u32, InFlight<W>>,
    /// The streams that the agent sends, results and outputs, and how many bytes it may send of each.
    receiving: HashMap<u32, i64>,
    /// The streams that this side sends, and whether the agent knows of the call.
    sending: HashMap<u32, bool>,
    deadlines: BTreeSet<(Instant, u32)>,
    /// What is to be sent, in the order in which it was asked for.
    queue: VecDeque<Queued>,
    /// What goes before them: a wish to stop must not wait for room.
    urgent: VecDeque<Frame>,
    /// What goes after them: parts of streams.
    bulk: VecDeque<Frame>,
    events: VecDeque<Event<W>>,
    limits: Limits,
    /// How many calls the agent may have at once.
    most_sent: usize,
    /// How long a call that was told to stop at its deadline may take to say so.
    grace: Duration,
    /// How many calls the agent has and has not answered, given-up ones included.
    sent: usize,
    /// The highest id of a call or stream so far. What comes for an older one may have crossed its end.
    highest: u32,
    hello: bool,
    closing: bool,
    /// Whether calls are kept to be sent once more.
    keep: bool,
}

/// A call as it is started.
#[derive(Debug)]
pub(crate) struct Start<W> {
    pub(crate) frame: Frame,
    pub(crate) deadline: Option<Duration>,
    /// Which of the arguments are streams.
    pub(crate) streams: Vec<(Direction, u32)>,
    /// How many bytes the agent may send of each stream before they are read.
    pub(crate) window: u32,
    /// Whether it may run twice.
    pub(crate) idempotent: bool,
    pub(crate) waiter: W,
}

#[derive(Debug)]
struct InFlight<W> {
    /// `None` once the call was given up: the agent's answer is still to come.
    waiter: Option<W>,
    deadline: Option<Deadline>,
    /// The call itself until it is sent.
    frame: Option<Frame>,
    streams: Vec<(Direction, u32)>,
    window: u32,
    /// Whether a stream of results was asked for.
    results: bool,
    idempotent: bool,
    /// The call itself once it is sent, if calls are kept.
    kept: Option<Frame>,
    /// Whether something that came shows that it runs.
    started: bool,
}

#[derive(Debug, Clone, Copy)]
struct Deadline {
    /// When something has to be done next.
    at: Instant,
    after: Duration,
    /// Whether it has come, and the agent was told.
    over: bool,
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
    /// A call ended. Its streams have ended before.
    Ended(W, Outcome),
    /// A part of a stream.
    Data { id: u32, flags: u8, payload: Bytes },
    /// So many bytes more may be sent of a stream.
    Credit { id: u32, bytes: u32 },
    /// The agent says how many KiB a second come to it.
    Rate(u32),
    /// A stream is over: all of it has come or gone, or its call has failed.
    StreamEnded { id: u32, whole: bool },
    /// A call printed something, or something without a call (id 0) did.
    Output { id: u32, stderr: bool, data: Bytes },
    /// A log record.
    Log { id: u32, record: LogRecord },
    /// So many records were dropped on the host.
    Dropped(u64),
    /// The agent says good-bye.
    Bye,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// With this encoded value; the flags say whether it comes after a stream of results, and whether it is deflated.
    Returned { payload: Bytes, flags: u8 },
    /// With an exception.
    Raised(Box<Raise>),
    /// Its time was over.
    Expired(Duration, Fate),
    /// It was told to stop before it was sent.
    NeverSent,
}

impl<W> Correlator<W> {
    /// With the limits on what the agent sends, on how many calls it has at once, and on how long one may take to stop.
    /// With `keep` a call is held until its end, for [`restart`](Self::restart).
    pub(crate) fn new(limits: Limits, most_sent: usize, grace: Duration, keep: bool) -> Self {
        Self {
            in_flight: HashMap::new(),
            receiving: HashMap::new(),
            sending: HashMap::new(),
            deadlines: BTreeSet::new(),
            queue: VecDeque::new(),
            urgent: VecDeque::new(),
            bulk: VecDeque::new(),
            events: VecDeque::new(),
            limits,
            most_sent,
            grace,
            sent: 0,
            highest: 0,
            hello: false,
            closing: false,
            keep,
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

    /// Whether a call is in flight and the agent has it.
    pub(crate) fn is_sent(&self, id: u32) -> bool {
        let call = self.in_flight.get(&id);
        call.is_some_and(|call| call.frame.is_none())
    }

    /// Starts a call: its frame is queued and `waiter` given back when it ends. No id may be in flight.
    pub(crate) fn call(&mut self, now: Instant, start: Start<W>) {
        let Start {
            frame,
            deadline,
            mut streams,
            window,
            idempotent,
            waiter,
        } = start;
        let id = frame.id;
        debug_assert!(!self.in_flight.contains_key(&id), "ids are counted up");
        // One that is too far for the clock is none.
        let deadline = deadline.and_then(|after| {
            let at = now.checked_add(after)?;
            let over = false;
            Some(Deadline { at, after, over })
        });
        if let Some(deadline) = deadline {
            self.deadlines.insert((deadline.at, id));
        }
        let results = frame.flags & FLAG_STREAM != 0;
        if results {
            streams.push((Direction::Output, id));
        }
        for &(direction, stream) in &streams {
            self.highest = self.highest.max(stream);
            match direction {
                Direction::Input => {
                    self.sending.insert(stream, false);
                }
                Direction::Output => {
                    let window = window.max(STREAM_CREDIT);
                    self.receiving.insert(stream, window.into());
                }
            }
        }
        self.highest = self.highest.max(id);
        self.queue.push_back(Queued::Call(id));
        self.in_flight.insert(
            id,
            InFlight {
                waiter: Some(waiter),
                deadline,
                frame: Some(frame),
                streams,
                window,
                results,
                idempotent,
                kept: None,
                started: false,
            },
        );
    }

    /// Gives a call up: its waiter is dropped, and the agent told to stop it if it knows of it.
    pub(crate) fn cancel(&mut self, id: u32) {
        // Nothing to do once it has ended: the answer overtook the wish.
        self.give_up(id);
    }

    /// Tells the agent to stop a call. Its waiter learns how it ended.
    pub(crate) fn stop(&mut self, id: u32) {
        let Some(call) = self.in_flight.get(&id) else {
            return;
        };
        if call.frame.is_none() {
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
        if let Some(allowance) = self.receiving.get_mut(&id) {
            *allowance += i64::from(bytes);
            self.urgent.push_back(credit(id, bytes));
        }
    }

    /// Tells the agent how many KiB a second come from it.
    pub(crate) fn rate(&mut self, rate: u32) {
        self.urgent.push_back(credit(0, rate));
    }

    /// Queues a part of a stream, or its end, for which there was credit.
    pub(crate) fn input(&mut self, frame: Frame) {
        if self.sending.contains_key(&frame.id) {
            self.bulk.push_back(frame);
        }
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
            Kind::Return | Kind::Raise => self.answer(frame)?,
            Kind::Data => {
                if let Some(allowance) = self.receiving.get_mut(&id) {
                    if *allowance <= 0 {
                        return Err(ProtocolError::NoCredit(id));
                    }
                    *allowance -= size(&frame);
                    self.started(id);
                    self.events.push_back(Event::Data {
                        id,
                        flags: frame.flags,
                        payload: frame.payload,
                    });
                } else {
                    self.crossed(&frame)?;
                }
            }
            Kind::DataEnd => {
                if self.in_flight.contains_key(&id) {
                    return Err(ProtocolError::Unexpected(frame.kind, id));
                }
                if self.receiving.remove(&id).is_some() {
                    self.events
                        .push_back(Event::StreamEnded { id, whole: true });
                } else {
                    self.crossed(&frame)?;
                }
            }
            Kind::InputCredit => {
                let Ok(bytes) = frame.payload[..].try_into() else {
                    return Err(ProtocolError::Unexpected(frame.kind, id));
                };
                let bytes = u32::from_le_bytes(bytes);
                if id == 0 {
                    self.events.push_back(Event::Rate(bytes));
                } else if self.sending.get(&id) == Some(&true) {
                    self.events.push_back(Event::Credit { id, bytes });
                } else {
                    self.crossed(&frame)?;
                }
            }
            Kind::Output => {
                self.started(id);
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
                self.started(id);
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
        while let Some(&(at, id)) = self.deadlines.first() {
            if at > now {
                break;
            }
            self.deadlines.pop_first();
            let Some(call) = self.in_flight.get_mut(&id) else {
                continue;
            };
            let Some(deadline) = &mut call.deadline else {
                continue;
            };
            let after = deadline.after;
            let grace = now.checked_add(self.grace).filter(|_| !deadline.over);
            let fate = match grace {
                Some(until) if call.frame.is_none() => {
                    deadline.over = true;
                    deadline.at = until;
                    self.deadlines.insert((until, id));
                    self.urgent
                        .push_back(Frame::new(Kind::Cancel, id, Bytes::new()));
                    continue;
                }
                _ if call.frame.is_some() => Fate::NeverSent,
                _ => Fate::Running,
            };
            if let Some(waiter) = self.give_up(id) {
                self.events
                    .push_back(Event::Ended(waiter, Outcome::Expired(after, fate)));
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
                    let frame = call.frame.take();
                    if self.keep {
                        call.kept.clone_from(&frame);
                    }
                    self.open_streams(id);
                    return frame;
                }
            }
            if let Some(Queued::Load(frame)) = self.queue.pop_front() {
                return Some(frame);
            }
        }
        None
    }

    /// The next part of a stream to write, when nothing of [`poll_transmit`](Self::poll_transmit) waits.
    pub(crate) fn poll_bulk(&mut self) -> Option<Frame> {
        while let Some(frame) = self.bulk.pop_front() {
            // Of a stream that has ended meanwhile nobody wants any more.
            if self.sending.contains_key(&frame.id) {
                if frame.kind == Kind::InputEnd {
                    self.sending.remove(&frame.id);
                }
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

    /// Whether the agent has nothing to do.
    pub(crate) fn is_idle(&self) -> bool {
        self.sent == 0
    }

    /// Whether the agent was asked to end.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Takes all waiters, since no answer can come any more, and how far each call had come. `unsent` are those that were
    /// handed out and have not left.
    pub(crate) fn drain(&mut self, unsent: &HashSet<u32>) -> Vec<(W, Progress)> {
        self.deadlines.clear();
        self.queue.clear();
        self.bulk.clear();
        self.receiving.clear();
        self.sending.clear();
        self.sent = 0;
        let calls = self.in_flight.drain();
        calls
            .filter_map(|(id, call)| {
                let progress = call.progress(unsent.contains(&id));
                Some((call.waiter?, progress))
            })
            .collect()
    }

    /// Makes ready for a new agent: calls that have not left, and those that may run twice, are queued again in their
    /// order. Gives the others, which end here, and how far each had come.
    pub(crate) fn restart(&mut self, unsent: &HashSet<u32>) -> Vec<(W, Progress)> {
        self.hello = false;
        self.sent = 0;
        self.urgent.clear();
        self.bulk.clear();
        let mut again = BTreeSet::new();
        let mut over = Vec::new();
        for (&id, call) in &mut self.in_flight {
            if call.frame.is_some() {
                continue;
            }
            let progress = call.progress(unsent.contains(&id));
            let may = call.idempotent || progress == Progress::NotSent;
            let waits =
                call.waiter.is_some() && !call.deadline.is_some_and(|deadline| deadline.over);
            call.frame = call
                .kept
                .take()
                .filter(|_| may && waits && call.streams.is_empty());
            if call.frame.is_some() {
                call.started = false;
                again.insert(id);
            } else {
                over.push((id, progress));
            }
        }
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
        let asked = |call: &&InFlight<W>| call.frame.is_none();
        let Some(call) = self.in_flight.get(&id).filter(asked) else {
            return Err(ProtocolError::Unexpected(kind, id));
        };
        if stream && !call.results {
            return Err(ProtocolError::Unexpected(kind, id));
        }
        let outcome = match (outcome, call.deadline) {
            (Outcome::Raised(raise), Some(deadline))
                if deadline.over && raise.by == RaisedBy::Cancelled =>
            {
                Outcome::Expired(deadline.after, Fate::Stopped)
            }
            // What it gives now may be of commands that were ended.
            (_, Some(deadline)) if deadline.over => {
                Outcome::Expired(deadline.after, Fate::Finished)
            }
            (outcome, _) => outcome,
        };
        self.sent -= 1;
        // Without a waiter it was given up, and the answer is thrown away.
        if let Some(waiter) = self.remove(id, kind == Kind::Return) {
            self.events.push_back(Event::Ended(waiter, outcome));
        }
        Ok(())
    }

    /// The agent is about to learn of a call, and what it may send of its streams.
    fn open_streams(&mut self, id: u32) {
        let Some(call) = self.in_flight.get(&id) else {
            return;
        };
        for &(direction, stream) in &call.streams {
            match direction {
                Direction::Output if call.window > STREAM_CREDIT => self
                    .urgent
                    .push_back(credit(stream, call.window - STREAM_CREDIT)),
                Direction::Output => {}
                Direction::Input => {
                    self.sending.insert(stream, true);
                    self.events.push_back(Event::Credit {
                        id: stream,
                        bytes: STREAM_CREDIT,
                    });
                }
            }
        }
    }

    fn started(&mut self, id: u32) {
        if let Some(call) = self.in_flight.get_mut(&id) {
            call.started = true;
        }
    }

    /// Takes a frame for a stream that is no more.
    fn crossed(&self, frame: &Frame) -> Result<(), ProtocolError> {
        if frame.id == 0 || frame.id > self.highest {
            return Err(ProtocolError::Unexpected(frame.kind, frame.id));
        }
        Ok(())
    }

    /// Ends a call on this side, and on the agent's if it knows of it. `None` if that has been done, or it has ended.
    fn give_up(&mut self, id: u32) -> Option<W> {
        let call = self.in_flight.get_mut(&id)?;
        if call.frame.is_some() {
            let waiter = self.remove(id, false);
            self.tidy();
            return waiter;
        }
        let waiter = call.waiter.take()?;
        let deadline = call.deadline.take();
        if let Some(deadline) = deadline {
            self.deadlines.remove(&(deadline.at, id));
        }
        let streams = std::mem::take(&mut call.streams);
        self.end_streams(streams, false);
        if !deadline.is_some_and(|deadline| deadline.over) {
            self.urgent
                .push_back(Frame::new(Kind::Cancel, id, Bytes::new()));
        }
        Some(waiter)
    }

    fn end_streams(&mut self, streams: Vec<(Direction, u32)>, whole: bool) {
        for (direction, id) in streams {
            let known = match direction {
                Direction::Input => self.sending.remove(&id).is_some(),
                Direction::Output => self.receiving.remove(&id).is_some(),
            };
            if known {
                self.events.push_back(Event::StreamEnded { id, whole });
            }
        }
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

    fn remove(&mut self, id: u32, whole: bool) -> Option<W> {
        let call = self.in_flight.remove(&id)?;
        if let Some(deadline) = call.deadline {
            self.deadlines.remove(&(deadline.at, id));
        }
        self.end_streams(call.streams, whole);
        call.waiter
    }
}

impl<W> InFlight<W> {
    fn progress(&self, unsent: bool) -> Progress {
        if self.frame.is_some() || unsent {
            Progress::NotSent
        } else if self.started {
            Progress::Started
        } else {
            Progress::Sent
        }
    }
}

fn credit(id: u32, bytes: u32) -> Frame {
    Frame::new(Kind::Credit, id, bytes.to_le_bytes().to_vec())
}

/// What a frame takes of its stream's credit.
pub(crate) fn size(frame: &Frame) -> i64 {
    i64::try_from(Frame::HEADER_LEN + frame.payload.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "correlator_tests.rs"]
mod tests;

//! The calls of which the end is still to come, how far each has come, and when it has to stop.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use rmote_wire::{Direction, FLAG_STREAM, Frame, RaisedBy};

use super::event::Outcome;
use crate::error::{Fate, Progress};

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

/// A call in flight.
#[derive(Debug)]
pub(super) struct InFlight<W> {
    /// `None` once the call was given up: the agent's answer is still to come.
    pub(super) waiter: Option<W>,
    deadline: Option<Deadline>,
    /// The call itself until it is sent.
    frame: Option<Frame>,
    pub(super) streams: Vec<(Direction, u32)>,
    pub(super) window: u32,
    /// Whether a stream of results was asked for.
    pub(super) results: bool,
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

/// A call that nobody waits for any more.
#[derive(Debug)]
pub(super) struct GivenUp<W> {
    pub(super) waiter: W,
    pub(super) streams: Vec<(Direction, u32)>,
    /// Whether the agent has it and was not told to stop it.
    pub(super) tell: bool,
}

/// What has to be done when a call's time is over.
#[derive(Debug)]
pub(super) enum Due {
    /// Tell the agent to stop it.
    Stop,
    /// End it.
    End(Duration, Fate),
}

/// All calls in flight of one session.
#[derive(Debug)]
pub(super) struct Calls<W> {
    in_flight: HashMap<u32, InFlight<W>>,
    deadlines: BTreeSet<(Instant, u32)>,
    /// How many calls the agent may have at once.
    most_sent: usize,
    /// How long a call that was told to stop at its deadline may take to say so.
    grace: Duration,
    /// How many calls the agent has and has not answered, given-up ones included.
    sent: usize,
    /// Whether calls are kept to be sent once more.
    keep: bool,
}

impl<W> Calls<W> {
    pub(super) fn new(most_sent: usize, grace: Duration, keep: bool) -> Self {
        Self {
            in_flight: HashMap::new(),
            deadlines: BTreeSet::new(),
            most_sent,
            grace,
            sent: 0,
            keep,
        }
    }

    /// Takes a call that is started. No id may be in flight.
    pub(super) fn insert(&mut self, now: Instant, start: Start<W>) -> &InFlight<W> {
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
        let call = InFlight {
            waiter: Some(waiter),
            deadline,
            frame: Some(frame),
            streams,
            window,
            results,
            idempotent,
            kept: None,
            started: false,
        };
        self.in_flight.entry(id).insert_entry(call).into_mut()
    }

    pub(super) fn get(&self, id: u32) -> Option<&InFlight<W>> {
        self.in_flight.get(&id)
    }

    pub(super) fn contains(&self, id: u32) -> bool {
        self.in_flight.contains_key(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.in_flight.len()
    }

    /// How many calls the agent has.
    pub(super) fn sent(&self) -> usize {
        self.sent
    }

    /// The frame of a call in flight whose turn it is, unless the agent has the most.
    pub(super) fn send(&mut self, id: u32) -> Option<Frame> {
        if self.sent >= self.most_sent {
            return None;
        }
        let call = self.in_flight.get_mut(&id)?;
        let frame = call.frame.take()?;
        self.sent += 1;
        if self.keep {
            call.kept = Some(frame.clone());
        }
        Some(frame)
    }

    /// Something has come that shows that a call runs.
    pub(super) fn started(&mut self, id: u32) {
        if let Some(call) = self.in_flight.get_mut(&id) {
            call.started = true;
        }
    }

    /// Forgets a call that has ended.
    pub(super) fn remove(&mut self, id: u32) -> Option<InFlight<W>> {
        let call = self.in_flight.remove(&id)?;
        if call.is_sent() {
            self.sent -= 1;
        }
        if let Some(deadline) = call.deadline {
            self.deadlines.remove(&(deadline.at, id));
        }
        Some(call)
    }

    /// Gives a call up, and forgets it unless the agent has it. `None` if that has been done, or it has ended.
    pub(super) fn give_up(&mut self, id: u32) -> Option<GivenUp<W>> {
        let call = self.in_flight.get_mut(&id)?;
        let waiter = call.waiter.take()?;
        let streams = std::mem::take(&mut call.streams);
        if !call.is_sent() {
            self.remove(id);
            let tell = false;
            return Some(GivenUp {
                waiter,
                streams,
                tell,
            });
        }
        let deadline = call.deadline.take();
        if let Some(deadline) = deadline {
            self.deadlines.remove(&(deadline.at, id));
        }
        let tell = !deadline.is_some_and(|deadline| deadline.over);
        Some(GivenUp {
            waiter,
            streams,
            tell,
        })
    }

    /// The next call whose time is over, and what has to be done.
    pub(super) fn poll_due(&mut self, now: Instant) -> Option<(u32, Due)> {
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
            let due = match grace {
                Some(until) if call.frame.is_none() => {
                    deadline.over = true;
                    deadline.at = until;
                    self.deadlines.insert((until, id));
                    Due::Stop
                }
                _ if call.frame.is_some() => Due::End(after, Fate::NeverSent),
                _ => Due::End(after, Fate::Running),
            };
            return Some((id, due));
        }
        None
    }

    /// When [`poll_due`](Self::poll_due) has something next.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|&(at, _)| at)
    }

    /// Takes all waiters, and how far each call had come.
    pub(super) fn drain(&mut self, unsent: &HashSet<u32>) -> Vec<(W, Progress)> {
        self.deadlines.clear();
        self.sent = 0;
        let calls = self.in_flight.drain();
        calls
            .filter_map(|(id, call)| {
                let progress = call.progress(unsent.contains(&id));
                Some((call.waiter?, progress))
            })
            .collect()
    }

    /// Makes those calls ready to be sent again that have not left or may run twice. Gives their ids, and those that the
    /// old agent has taken with it, with how far each had come.
    pub(super) fn restart(
        &mut self,
        unsent: &HashSet<u32>,
    ) -> (BTreeSet<u32>, Vec<(u32, Progress)>) {
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
                self.sent -= 1;
                again.insert(id);
            } else {
                over.push((id, progress));
            }
        }
        (again, over)
    }
}

impl<W> InFlight<W> {
    /// Whether the agent has it.
    pub(super) fn is_sent(&self) -> bool {
        self.frame.is_none()
    }

    /// How it ends with this answer, which may come too late.
    pub(super) fn outcome(&self, answer: Outcome) -> Outcome {
        match (answer, self.deadline) {
            (Outcome::Raised(raise), Some(deadline))
                if deadline.over && raise.by == RaisedBy::Cancelled =>
            {
                Outcome::Expired(deadline.after, Fate::Stopped)
            }
            // What it gives now may be of commands that were ended.
            (_, Some(deadline)) if deadline.over => {
                Outcome::Expired(deadline.after, Fate::Finished)
            }
            (answer, _) => answer,
        }
    }

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

#[cfg(test)]
mod tests;

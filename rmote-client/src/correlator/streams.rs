//! The streams of all calls: which are open, and what may still be sent of them.

use std::collections::{HashMap, VecDeque};

use rmote_wire::{Direction, Frame, Kind, STREAM_CREDIT};

use crate::error::ProtocolError;

/// The streams of one session, in both directions.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// The streams that the agent sends, results and outputs, and how many bytes it may send of each.
    receiving: HashMap<u32, i64>,
    /// The streams that this side sends, and whether the agent knows of the call.
    sending: HashMap<u32, bool>,
    /// Parts of those, and their ends, that are to be sent.
    bulk: VecDeque<Frame>,
    /// The highest id of a call or stream so far. What comes for an older one may have crossed its end.
    highest: u32,
}

impl Streams {
    /// Takes note of the id of a call that is started.
    pub(super) fn note(&mut self, id: u32) {
        self.highest = self.highest.max(id);
    }

    /// Opens a stream of a call that is started; the agent may send a window of it.
    pub(super) fn open(&mut self, direction: Direction, id: u32, window: u32) {
        self.note(id);
        match direction {
            Direction::Input => {
                self.sending.insert(id, false);
            }
            Direction::Output => {
                let window = window.max(STREAM_CREDIT);
                self.receiving.insert(id, window.into());
            }
        }
    }

    /// The agent is about to learn of the call that reads a stream.
    pub(super) fn announce(&mut self, id: u32) {
        self.sending.insert(id, true);
    }

    /// Lets the agent send more of a stream; it gets the frame if the stream is open.
    pub(super) fn grant(&mut self, id: u32, bytes: u32) -> Option<Frame> {
        let allowance = self.receiving.get_mut(&id)?;
        *allowance += i64::from(bytes);
        Some(credit(id, bytes))
    }

    /// Takes a part of a stream from the agent. Whether it is open, so that somebody wants it.
    pub(super) fn receive(&mut self, frame: &Frame) -> Result<bool, ProtocolError> {
        let Some(allowance) = self.receiving.get_mut(&frame.id) else {
            return self.crossed(frame).map(|()| false);
        };
        if *allowance <= 0 {
            return Err(ProtocolError::NoCredit(frame.id));
        }
        *allowance -= size(frame);
        Ok(true)
    }

    /// Takes the end of a stream from the agent. Whether it was open.
    pub(super) fn receive_end(&mut self, frame: &Frame) -> Result<bool, ProtocolError> {
        if self.receiving.remove(&frame.id).is_some() {
            return Ok(true);
        }
        self.crossed(frame).map(|()| false)
    }

    /// Takes credit from the agent. Whether the stream is open, so that its sender has to know.
    pub(super) fn credited(&self, frame: &Frame) -> Result<bool, ProtocolError> {
        if self.sending.get(&frame.id) == Some(&true) {
            return Ok(true);
        }
        self.crossed(frame).map(|()| false)
    }

    /// Queues a part of a stream, or its end, for which there was credit.
    pub(super) fn send(&mut self, frame: Frame) {
        if self.sending.contains_key(&frame.id) {
            self.bulk.push_back(frame);
        }
    }

    /// The next part to write.
    pub(super) fn poll(&mut self) -> Option<Frame> {
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

    /// Ends a stream with its call. Whether it was open.
    pub(super) fn end(&mut self, direction: Direction, id: u32) -> bool {
        match direction {
            Direction::Input => self.sending.remove(&id).is_some(),
            Direction::Output => self.receiving.remove(&id).is_some(),
        }
    }

    /// Forgets what was to be sent: the agent that it was for is gone.
    pub(super) fn forget_unsent(&mut self) {
        self.bulk.clear();
    }

    /// Forgets all streams.
    pub(super) fn clear(&mut self) {
        self.bulk.clear();
        self.receiving.clear();
        self.sending.clear();
    }

    /// Takes a frame for a stream that is no more.
    fn crossed(&self, frame: &Frame) -> Result<(), ProtocolError> {
        if frame.id == 0 || frame.id > self.highest {
            return Err(ProtocolError::Unexpected(frame.kind, frame.id));
        }
        Ok(())
    }
}

/// The frame that gives the agent credit, or with id 0 tells it a rate.
pub(super) fn credit(id: u32, bytes: u32) -> Frame {
    Frame::new(Kind::Credit, id, bytes.to_le_bytes().to_vec())
}

/// What a frame takes of its stream's credit.
fn size(frame: &Frame) -> i64 {
    i64::try_from(Frame::HEADER_LEN + frame.payload.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;

//! This side's ends of all streams.

use std::collections::HashMap;

use bytes::Bytes;
use rmote_wire::Frame;
use tokio::sync::mpsc;

use crate::command::StreamEnd;
use crate::input::Sending;
use crate::stream::Piece;

/// A part of a stream below this size is copied: kept unread, it must not keep the whole of what was read with it.
const SMALL: usize = 16 << 10;

/// Who reads and who fills the streams that are open.
#[derive(Debug, Default)]
pub(crate) struct StreamEnds {
    receivers: HashMap<u32, mpsc::UnboundedSender<Piece>>,
    senders: HashMap<u32, Sending>,
}

impl StreamEnds {
    pub(super) fn insert(&mut self, id: u32, end: StreamEnd) {
        match end {
            StreamEnd::Receive(sender) => _ = self.receivers.insert(id, sender),
            StreamEnd::Send(sending) => _ = self.senders.insert(id, sending),
        }
    }

    /// Hands out a part of a stream. Gives its size if nobody reads the stream any more.
    pub(super) fn receive(&self, id: u32, flags: u8, payload: Bytes) -> Option<u32> {
        let receiver = self.receivers.get(&id)?;
        let size = Frame::HEADER_LEN + payload.len();
        let payload = if payload.len() < SMALL {
            Bytes::copy_from_slice(&payload)
        } else {
            payload
        };
        let sent = receiver.send(Piece::Data { flags, payload });
        sent.err().map(|_| u32::try_from(size).unwrap_or(u32::MAX))
    }

    /// Lets a sender send more.
    pub(super) fn grant(&self, id: u32, bytes: u32) {
        if let Some(Sending(channel)) = self.senders.get(&id) {
            channel.grant(bytes);
        }
    }

    /// The frame that ends an input which has failed on this side.
    pub(super) fn failure(&self, id: u32) -> Option<Frame> {
        self.senders.get(&id)?.0.failure(id)
    }

    /// Ends a stream on this side. Without its end its reader finds that it is not whole.
    pub(super) fn end(&mut self, id: u32, whole: bool) {
        self.senders.remove(&id);
        if let Some(receiver) = self.receivers.remove(&id).filter(|_| whole) {
            _ = receiver.send(Piece::End);
        }
    }

    /// Ends all streams on this side.
    pub(super) fn clear(&mut self) {
        self.receivers.clear();
        self.senders.clear();
    }
}

//! The bytes that wait to be written: small frames gathered, big payloads as they are.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};
use rmote_wire::{Frame, Kind};

/// Payloads from this size on are not copied.
const BULK: usize = 16 << 10;
/// As many slices as one vectored write takes to advantage.
const SLICES: usize = 16;

/// What waits to be written.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    chunks: VecDeque<Bytes>,
    gathered: BytesMut,
    len: usize,
    written: usize,
    /// The calls of which not all is written, each with the count of bytes at its end.
    calls: VecDeque<(u32, usize)>,
}

impl Outbox {
    /// Appends bytes that come before any frame.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.len += bytes.len();
        self.gathered.extend_from_slice(bytes);
    }

    /// Appends a frame.
    pub(crate) fn push_frame(&mut self, frame: Frame) {
        self.push(&frame.header());
        if frame.payload.len() < BULK {
            self.push(&frame.payload);
        } else {
            self.seal();
            self.len += frame.payload.len();
            self.chunks.push_back(frame.payload);
        }
        if frame.kind == Kind::Call {
            self.calls.push_back((frame.id, self.written + self.len));
        }
    }

    /// The calls that have not left, at least not whole.
    pub(crate) fn unsent(&self) -> impl Iterator<Item = u32> + '_ {
        self.calls.iter().map(|&(id, _)| id)
    }

    /// The number of bytes that wait.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The next bytes, for a vectored write.
    pub(crate) fn slices(&mut self) -> Vec<IoSlice<'_>> {
        self.seal();
        self.chunks
            .iter()
            .take(SLICES)
            .map(|chunk| IoSlice::new(chunk))
            .collect()
    }

    /// Forgets bytes that were written.
    pub(crate) fn advance(&mut self, mut written: usize) {
        self.len -= written;
        self.written += written;
        while self
            .calls
            .front()
            .is_some_and(|&(_, end)| end <= self.written)
        {
            self.calls.pop_front();
        }
        while let Some(chunk) = self.chunks.front_mut() {
            if chunk.len() > written {
                chunk.advance(written);
                return;
            }
            written -= chunk.len();
            self.chunks.pop_front();
        }
    }

    fn seal(&mut self) {
        if !self.gathered.is_empty() {
            self.chunks.push_back(self.gathered.split().freeze());
        }
    }
}

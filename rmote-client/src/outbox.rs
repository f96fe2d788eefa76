//! The bytes that wait to be written: small frames gathered, big payloads as they are.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::mem::take;

use bytes::{Buf, Bytes, BytesMut};
use rmote_wire::{Frame, Kind};

/// Payloads from this size on are not copied.
const BULK: usize = 16 << 10;
/// A buffer that has gathered more is not used again: a session that idles would keep it.
const KEPT: usize = 4 << 10;
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
    /// Appends bytes that are not copied.
    pub(crate) fn push(&mut self, bytes: Bytes) {
        self.seal();
        self.len += bytes.len();
        self.chunks.push_back(bytes);
    }

    /// Appends a frame.
    pub(crate) fn push_frame(&mut self, frame: Frame) {
        self.gather(&frame.header());
        if frame.payload.len() < BULK {
            self.gather(&frame.payload);
        } else {
            self.push(frame.payload);
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

    fn gather(&mut self, bytes: &[u8]) {
        self.len += bytes.len();
        self.gathered.extend_from_slice(bytes);
    }

    fn seal(&mut self) {
        if self.gathered.len() > KEPT {
            self.chunks.push_back(take(&mut self.gathered).freeze());
        } else if !self.gathered.is_empty() {
            self.chunks.push_back(self.gathered.split().freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_large_is_neither_copied_nor_kept() {
        let mut outbox = Outbox::default();
        let bootstrap = Bytes::from(vec![1; 10_000]);
        outbox.push(bootstrap.clone());
        outbox.push_frame(Frame::new(Kind::Load, 0, vec![2; 10_000]));
        let payload = Bytes::from(vec![3; BULK]);
        outbox.push_frame(Frame::new(Kind::Input, 1, payload.clone()));
        outbox.push_frame(Frame::new(Kind::Call, 2, "small"));
        let slices = outbox.slices();
        assert_eq!(slices.len(), 4);
        assert_eq!(slices[0].as_ptr(), bootstrap.as_ptr());
        assert_eq!(slices[2].as_ptr(), payload.as_ptr());
        outbox.advance(outbox.len());
        assert!(outbox.len() == 0 && outbox.chunks.is_empty());
        assert!(bootstrap.is_unique() && payload.is_unique());
        // What is left of the buffer holds no more than the last few small frames.
        assert!(outbox.gathered.capacity() <= KEPT);
    }
}

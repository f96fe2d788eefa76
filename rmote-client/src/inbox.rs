//! What was read and not yet taken apart.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::buf::Limit;
use bytes::{BufMut as _, Bytes, BytesMut};
use rmote_wire::{FLAG_DEFLATED, Frame, FrameCodec, FrameError, Kind};
use tokio_util::codec::Decoder as _;

use crate::rate::{BULK, Meter};

/// What the first read has room for, and any after a short one: a session that idles holds no more.
const READ: usize = 4 << 10;
/// What a read has room for at most. A frame of any length gets no more memory than this before its bytes come.
const READ_MOST: usize = 256 << 10;
/// A payload from this size on has a buffer of its own, which is used again.
const LARGE: usize = 64 << 10;
/// How many bytes of such buffers are kept.
const KEPT: usize = 2 << 20;

/// A read buffer that moves no payload.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) bytes: BytesMut,
    codec: FrameCodec,
    /// How much the next read has room for, when no frame says it.
    room: usize,
    /// The payloads of large frames, the oldest first. Their buffers are warm, and free once nobody reads them any more.
    spent: VecDeque<Bytes>,
    meter: Meter,
    /// How much the last read had room for.
    asked: usize,
    /// Since when the rest of a large frame is waited for: its sender waits for nothing but the link.
    waiting: Option<Instant>,
    /// How many KiB a second come, if the agent is to be told.
    pub(crate) news: Option<u32>,
}

impl Inbox {
    /// Accepts frames whose `length` is at most `limit`.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            bytes: BytesMut::new(),
            codec: FrameCodec::new(limit),
            room: READ,
            spent: VecDeque::new(),
            meter: Meter::default(),
            asked: 0,
            waiting: None,
            news: None,
        }
    }

    /// Where the next read goes. With `framed`, a frame that has begun gets room for its rest and the next one's header.
    pub(crate) fn space(&mut self, framed: bool) -> Limit<&mut BytesMut> {
        let missing = self.codec.missing(&self.bytes).filter(|_| framed);
        if missing.is_some_and(|missing| missing > 0 && missing + self.bytes.len() >= BULK) {
            self.waiting.get_or_insert_with(Instant::now);
        }
        let room = missing.map_or(self.room, |missing| {
            missing.min(READ_MOST) + Frame::HEADER_LEN
        });
        if room > LARGE && self.bytes.len() < LARGE {
            self.recycle();
        } else if self.room == READ && self.bytes.is_empty() {
            self.spent.clear();
            if self.bytes.capacity() > 2 * READ {
                self.bytes = BytesMut::new();
            }
        }
        self.asked = room;
        self.bytes.reserve(room);
        (&mut self.bytes).limit(room)
    }

    /// Says how much a read has brought.
    pub(crate) fn filled(&mut self, count: usize) {
        let waited = self.waiting.take().map(|since| since.elapsed());
        self.news = self.meter.read(count, self.asked, waited).or(self.news);
        self.room = if count >= self.room {
            READ_MOST.min(4 * self.room)
        } else if count < self.room / 4 {
            READ.max(self.room / 4)
        } else {
            self.room
        };
    }

    /// The next whole frame.
    pub(crate) fn frame(&mut self) -> Result<Option<Frame>, FrameError> {
        if self
            .codec
            .missing(&self.bytes)
            .is_some_and(|missing| missing > 0)
        {
            // The next read makes room for it; the codec would do so elsewhere.
            return Ok(None);
        }
        let frame = self.codec.decode(&mut self.bytes)?;
        if let Some(frame) = &frame
            && (frame.payload.len() >= BULK || frame.flags & FLAG_DEFLATED != 0)
            && frame.kind == Kind::Data
        {
            let news = self.meter.came(frame.payload.len(), Instant::now());
            self.news = news.or(self.news);
        }
        if let Some(frame) = &frame
            && frame.payload.len() >= LARGE
        {
            self.spent.push_back(frame.payload.clone());
            while self.spent.iter().map(Bytes::len).sum::<usize>() > KEPT {
                self.spent.pop_front();
            }
        }
        Ok(frame)
    }

    /// Goes on in the oldest buffer, if nobody reads that any more.
    fn recycle(&mut self) {
        if self.spent.front().is_some_and(Bytes::is_unique)
            && let Some(oldest) = self.spent.pop_front()
            && let Ok(mut buffer) = oldest.try_into_mut()
        {
            buffer.clear();
            buffer.extend_from_slice(&self.bytes);
            self.bytes = buffer;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::ops::Range;

    use bytes::BufMut as _;
    use rmote_wire::Kind;

    use super::*;

    /// Feeds a stream as a pipe does, at most `pipe` bytes a read, and gives each frame with where its bytes were written.
    fn feed(inbox: &mut Inbox, mut stream: &[u8], pipe: usize, mut take: impl FnMut(Frame, bool)) {
        let mut writes: Vec<Range<usize>> = Vec::new();
        while !stream.is_empty() {
            let mut space = inbox.space(true);
            let count = space.remaining_mut().min(stream.len()).min(pipe);
            let mut left = count;
            while left > 0 {
                let chunk = space.chunk_mut();
                let part = chunk.len().min(left);
                let at = chunk.as_mut_ptr() as usize;
                writes.push(at..at + part);
                space.put_slice(&stream[..part]);
                stream = &stream[part..];
                left -= part;
            }
            inbox.filled(count);
            while let Some(frame) = inbox.frame().unwrap() {
                let at = frame.payload.as_ptr() as usize;
                let moved = (at..at + frame.payload.len())
                    .step_by(512)
                    .any(|byte| !writes.iter().any(|write| write.contains(&byte)));
                take(frame, moved);
            }
            writes.drain(..writes.len().saturating_sub(8));
        }
    }

    fn stream(sizes: impl IntoIterator<Item = usize>) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (id, size) in (1..).zip(sizes) {
            let frame = Frame::new(Kind::Data, id, vec![7; size]);
            bytes.extend_from_slice(&frame.header());
            bytes.extend_from_slice(&frame.payload);
        }
        bytes
    }

    #[test]
    fn large_payloads_are_not_moved_and_their_buffers_used_again() {
        let mut inbox = Inbox::new(1 << 20);
        let (mut frames, mut moved, mut buffers) = (0, 0, HashSet::new());
        feed(
            &mut inbox,
            &stream([128 << 10; 200]),
            64 << 10,
            |frame, moves| {
                frames += 1;
                moved += usize::from(moves);
                buffers.insert(frame.payload.as_ptr());
            },
        );
        assert_eq!(frames, 200);
        // The first of them began in a small buffer.
        assert!(moved <= 1, "{moved} payloads were moved");
        assert!(buffers.len() <= 20, "{} buffers", buffers.len());
    }

    #[test]
    fn payloads_that_are_kept_stay_as_they_are() {
        let mut inbox = Inbox::new(1 << 20);
        let mut kept = Vec::new();
        let sizes = (0..300).map(|n| (n * 7919) % 200_000);
        feed(&mut inbox, &stream(sizes.clone()), 50_000, |frame, _| {
            kept.push((frame.id, frame.payload));
        });
        for (size, (id, payload)) in sizes.zip(&kept) {
            assert!(
                payload.len() == size && payload.iter().all(|&byte| byte == 7),
                "{id}"
            );
        }
        assert_eq!(kept.len(), 300);
    }

    #[test]
    fn an_idle_one_holds_little() {
        let mut inbox = Inbox::new(1 << 20);
        feed(&mut inbox, &stream([128 << 10; 50]), 1 << 20, |_, _| {});
        feed(&mut inbox, &stream([10; 20]), 100, |_, _| {});
        assert!(
            inbox.space(true).get_ref().capacity() <= 2 * READ
                && inbox.spent.is_empty()
                && inbox.room == READ
        );
    }
}

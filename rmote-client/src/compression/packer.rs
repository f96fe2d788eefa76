//! Chunks of a stream in fewer bytes.

use std::time::Instant;

use bytes::Bytes;
use flate2::{Compress, FlushCompress};
use rmote_wire::{FLAG_CONTINUED, FLAG_DEFLATED};

use super::FLUSHED;
use super::choice::Choice;
use crate::rate::FAST;

/// Less is not worth a thought.
pub(crate) const SMALL: usize = 4 << 10;
/// Less is not worth a guess, on a link that nobody knows yet.
const LARGE: usize = 16 << 10;
/// What a link that nobody knows yet is taken for, in KiB a second: for the first chunks of a stream, whose frames are still
/// so large that they tell how fast it is, and then, as one that is fast would be known.
const GUESSES: [u32; 2] = [16 << 10, 1 << 10];
/// How many those first chunks are.
const FIRST: u32 = 3;
/// How much of a larger chunk is tried first.
const SAMPLE: usize = 16 << 10;

/// The zlib stream that chunks of the same level make.
#[derive(Debug)]
struct Deflater {
    level: u32,
    stream: Compress,
}

impl Deflater {
    fn new(level: u32) -> Self {
        let stream = Compress::new(flate2::Compression::new(level), true);
        Self { level, stream }
    }

    /// What a chunk adds to the stream.
    fn deflate(&mut self, chunk: &[u8]) -> Option<Vec<u8>> {
        let mut packed = Vec::with_capacity(chunk.len() / 2 + FLUSHED.len());
        let begin = self.stream.total_in();
        loop {
            let taken = usize::try_from(self.stream.total_in() - begin).ok()?;
            self.stream
                .compress_vec(&chunk[taken..], &mut packed, FlushCompress::Sync)
                .ok()?;
            // All is out when there was room for more.
            if packed.len() < packed.capacity() {
                break;
            }
            packed.reserve(chunk.len() / 4 + FLUSHED.len());
        }
        // Many may wait, and only their length counts against the credit.
        packed.shrink_to_fit();
        Some(packed)
    }
}

/// What is known when a chunk is compressed.
#[derive(Debug, Default)]
pub(super) struct State {
    choice: Choice,
    deflater: Option<Deflater>,
}

impl State {
    /// A chunk and the flags of its frame, if that is worth it.
    pub(super) fn pack(&mut self, level: u32, chunk: &[u8]) -> Option<(u8, Vec<u8>)> {
        if self.choice.known.is_none() && chunk.len() > 4 * SAMPLE {
            self.deflate(Deflater::new(1), &chunk[..SAMPLE])?;
        }
        let deflater = self.deflater.take();
        let (flags, deflater) = match deflater.filter(|deflater| deflater.level == level) {
            Some(deflater) => (FLAG_DEFLATED | FLAG_CONTINUED, deflater),
            None => (FLAG_DEFLATED, Deflater::new(level)),
        };
        let (packed, deflater) = self.deflate(deflater, chunk)?;
        self.deflater = Some(deflater);
        Some((flags, packed))
    }

    fn deflate(&mut self, mut deflater: Deflater, chunk: &[u8]) -> Option<(Vec<u8>, Deflater)> {
        let start = Instant::now();
        let packed = deflater.deflate(chunk)?;
        self.choice
            .tried(deflater.level, chunk.len(), packed.len(), start.elapsed())
            .then_some((packed, deflater))
    }
}

/// Compresses the chunks of a stream, all of the same level as one zlib stream: what came before is known by then.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    state: State,
    guessed: u32,
    /// What has been compressed and may not have been sent: then it is not known there.
    unsent: bool,
}

impl Packer {
    /// A chunk in fewer bytes and the flags of its frame, if that is worth it on a link of this rate. Dropped meanwhile, it
    /// forgets what it has learnt.
    pub(crate) async fn pack(&mut self, chunk: &Bytes, rate: Option<u32>) -> Option<(u8, Bytes)> {
        if rate.is_some_and(|rate| rate >= FAST) || chunk.len() <= SMALL {
            return None;
        }
        let rate = match rate {
            Some(rate) => rate,
            None if chunk.len() < LARGE => return None,
            None => self.guess(),
        };
        let level = self.state.choice.level(rate);
        if level == 0 {
            return None;
        }
        // It takes milliseconds, in which other tasks go on.
        let (mut state, chunk) = (std::mem::take(&mut self.state), chunk.clone());
        if std::mem::replace(&mut self.unsent, true) {
            state.deflater = None;
        }
        let pack = move || {
            let packed = state.pack(level, &chunk);
            (state, packed)
        };
        let (state, packed) = tokio::task::spawn_blocking(pack).await.ok()?;
        self.state = state;
        packed.map(|(flags, packed)| (flags, packed.into()))
    }

    /// The rate of a link that nobody knows yet.
    fn guess(&mut self) -> u32 {
        if self.guessed == FIRST {
            return GUESSES[1];
        }
        self.guessed += 1;
        GUESSES[0]
    }

    /// Says that what was compressed last was sent.
    pub(crate) fn sent(&mut self) {
        self.unsent = false;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::inflater::Inflater;
    use super::*;

    /// A chunk and its frame's flags.
    fn packed(state: &mut State, level: u32, chunk: &[u8]) -> (u8, Vec<u8>) {
        state.pack(level, chunk).expect("it shrinks")
    }

    #[test]
    fn chunks_of_one_level_are_one_stream() {
        let lines = (0..30_000).map(|n: u32| ["line ", &n.to_string(), "\n"].concat());
        let text: String = lines.collect();
        let (mut sender, mut receiver) = (State::default(), Inflater::default());
        let mut begun = 0;
        let mut last = Vec::new();
        for (number, chunk) in text.as_bytes().chunks(30_000).enumerate() {
            let level = if number < 3 { 1 } else { 6 };
            let (flags, packed) = packed(&mut sender, level, chunk);
            begun += usize::from(flags & FLAG_CONTINUED == 0);
            let inflated = receiver.inflate(flags, &packed, chunk.len());
            assert_eq!(inflated.expect("whole"), chunk);
            last = packed;
        }
        assert_eq!(begun, 2, "one of each level");
        let alone = text.as_bytes().chunks(30_000).last().expect("some");
        let alone = packed(&mut State::default(), 6, alone).1;
        assert!(last.len() < alone.len(), "it knows what came before");
    }

    #[tokio::test]
    async fn what_was_not_sent_is_not_gone_on_with() {
        let chunk = Bytes::from(b"twelve bytes".repeat(10_000));
        let mut packer = Packer::default();
        let mut flags = async |sent: bool| {
            let (flags, _) = packer.pack(&chunk, Some(0)).await.expect("it shrinks");
            if sent {
                packer.sent();
            }
            flags & FLAG_CONTINUED != 0
        };
        assert!(!flags(true).await);
        assert!(flags(false).await);
        assert!(!flags(true).await);
        assert!(flags(true).await);
    }

    #[test]
    fn a_link_that_nobody_knows_is_first_taken_for_fast_and_then_for_slow() {
        const CHUNK: usize = 128 << 10;
        let mut packer = Packer::default();
        let mut levels = Vec::new();
        for _ in 0..6 {
            let rate = packer.guess();
            let choice = &mut packer.state.choice;
            let level = choice.level(rate);
            choice.tried(level, CHUNK, CHUNK / 3, Duration::from_millis(2));
            levels.push(level);
        }
        assert_eq!(levels, [1, 1, 1, 6, 6, 6]);
    }
}

//! Compression of what is bulky, on a link so slow that it pays.

use std::io::Read as _;
use std::time::{Duration, Instant};

use bytes::Bytes;
use flate2::bufread::ZlibDecoder;
use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};
use rmote_wire::{FLAG_CONTINUED, FLAG_DEFLATED};

use crate::error::ResultError;
use crate::rate::FAST;

/// What a session compresses of what it sends and receives; set with [`Options::compression`](crate::Options::compression).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// Large results and parts of streams that shrink, as long as the link takes longer for them than compressing them does;
    /// nothing on a link that does not leave this machine.
    /// Both sides measure it all the time.
    #[default]
    Auto,
    /// Large results and parts of streams that shrink, on any link.
    Always,
    /// Nothing.
    Never,
}

impl Compression {
    /// The rate that stands for it, in place of one that is measured.
    pub(crate) fn fixed(self) -> Option<u32> {
        match self {
            Self::Auto => None,
            Self::Always => Some(0),
            Self::Never => Some(u32::MAX),
        }
    }
}

/// What a part of a zlib stream ends with.
const FLUSHED: [u8; 4] = [0, 0, 0xff, 0xff];
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
/// What is expected of level 1 before it was tried: bytes a second, and how much of them is left.
const SPEED: f64 = 100e6;
const LEFT: f64 = 0.5;
/// Level 6 takes so many times as long, and leaves so much of what level 1 does.
const SLOWER: f64 = 3.3;
const SMALLER: f64 = 0.83;
/// How much of the work is done while the link still carries what was there before.
const HIDDEN: f64 = 0.75;
/// How much the last chunk counts in what is known: it is not the processor alone that was slow in one moment.
const NEW: f64 = 0.25;
/// A chunk of which more is left goes as it is.
const WORTH: f64 = 0.9;
/// How many chunks are not tried when one was not worth it: the first time, and at most.
const PAUSE: u32 = 8;
const PAUSE_MOST: u32 = 64;

/// Which chunks of a stream are compressed and how well, by what those before have shown. The agent has the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    /// What level 1 does here, once it is known.
    known: Option<(f64, f64)>,
    skipped: u32,
    pause: u32,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            known: None,
            skipped: 0,
            pause: PAUSE,
        }
    }
}

impl Choice {
    /// The level for the next chunk, where the link carries so many KiB a second; 0 for none.
    fn level(&mut self, rate: u32) -> u32 {
        if rate >= FAST {
            return 0;
        }
        if self.skipped > 0 {
            self.skipped -= 1;
            return 0;
        }
        let (speed, left) = self.known.unwrap_or((SPEED, LEFT));
        let rate = (f64::from(rate) * 1024.0).max(1e-6);
        let raw = 1.0 / rate;
        let cost = |work: f64, send: f64| work.max(send + (1.0 - HIDDEN) * work);
        let quick = cost(1.0 / speed, left / rate);
        let thorough = cost(SLOWER / speed, SMALLER * left / rate);
        if raw <= quick.min(thorough) {
            self.skip();
            0
        } else {
            if self.known.is_some() {
                // It pays.
                self.pause = PAUSE;
            }
            if quick <= thorough { 1 } else { 6 }
        }
    }

    /// Learns what a level did; whether it was worth it.
    fn tried(&mut self, level: u32, before: usize, after: usize, took: Duration) -> bool {
        let (before, after) = (precise(before), precise(after));
        if after > WORTH * before {
            self.skip();
            return false;
        }
        let (mut speed, mut left) = (before / took.as_secs_f64().max(1e-6), after / before);
        if level > 1 {
            speed *= SLOWER;
            left /= SMALLER;
        }
        let (old_speed, old_left) = self.known.unwrap_or((speed, left));
        self.known = Some((
            old_speed + NEW * (speed - old_speed),
            old_left + NEW * (left - old_left),
        ));
        true
    }

    fn skip(&mut self) {
        self.skipped = self.pause;
        self.pause = (2 * self.pause).min(PAUSE_MOST);
        self.known = None;
    }
}

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
struct State {
    choice: Choice,
    deflater: Option<Deflater>,
}

impl State {
    /// A chunk and the flags of its frame, if that is worth it.
    fn pack(&mut self, level: u32, chunk: &[u8]) -> Option<(u8, Vec<u8>)> {
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

/// Inflates the frames of a stream, one after another.
#[derive(Debug, Default)]
pub(crate) struct Inflater(Option<Decompress>);

impl Inflater {
    /// What a deflated payload stands for, within a limit.
    pub(crate) fn inflate(
        &mut self,
        flags: u8,
        payload: &[u8],
        limit: usize,
    ) -> Result<Bytes, ResultError> {
        let known = self.0.take();
        let mut stream = if flags & FLAG_CONTINUED == 0 {
            Decompress::new(true)
        } else {
            known.ok_or(ResultError::Deflated)?
        };
        let begin = stream.total_in();
        let mut inflated = Vec::new();
        let (left, status) = loop {
            // One more than the limit shows that there is more.
            let most = limit.saturating_add(1);
            let room = (4 * payload.len()).min(most - inflated.len());
            inflated.reserve_exact(room.max(1));
            let taken = usize::try_from(stream.total_in() - begin).unwrap_or(usize::MAX);
            let left = payload.get(taken..).unwrap_or_default();
            let status = stream
                .decompress_vec(left, &mut inflated, FlushDecompress::None)
                .map_err(|_| ResultError::Deflated)?;
            if inflated.len() > limit {
                return Err(ResultError::InflatesTooLarge(limit));
            }
            if status == Status::StreamEnd || inflated.len() < inflated.capacity() {
                let taken = usize::try_from(stream.total_in() - begin).unwrap_or(usize::MAX);
                break (payload.len().saturating_sub(taken), status);
            }
        };
        if status != Status::StreamEnd && payload.ends_with(&FLUSHED) {
            self.0 = Some(stream);
        } else if status != Status::StreamEnd {
            return Err(ResultError::Deflated);
        }
        if left > 0 {
            return Err(ResultError::Deflated);
        }
        Ok(inflated.into())
    }
}

/// What a payload is a zlib stream of, within a limit.
pub(crate) fn inflate(payload: &[u8], limit: usize) -> Result<Bytes, ResultError> {
    let mut decoder = ZlibDecoder::new(payload);
    let mut inflated = Vec::new();
    // One more shows that there is more.
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder
        .by_ref()
        .take(most)
        .read_to_end(&mut inflated)
        .map_err(|_| ResultError::Deflated)?;
    if inflated.len() > limit {
        return Err(ResultError::InflatesTooLarge(limit));
    }
    // Bytes behind its end are damage, too.
    if !decoder.into_inner().is_empty() {
        return Err(ResultError::Deflated);
    }
    Ok(inflated.into())
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn precise(size: usize) -> f64 {
    size as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNK: usize = 128 << 10;

    /// The levels that are chosen on a link of so many KiB a second where level 1 makes so many bytes a second and leaves
    /// this of each. `agent/python/tests/test_compression.py` has the same cases.
    fn levels(chunks: usize, rate: u32, speed: f64, left: f64) -> Vec<u32> {
        let mut choice = Choice::default();
        let mut levels = Vec::new();
        for _ in 0..chunks {
            let level = choice.level(rate);
            if level > 0 {
                let (slower, smaller) = if level > 1 {
                    (SLOWER, SMALLER)
                } else {
                    (1.0, 1.0)
                };
                let took = Duration::from_secs_f64(precise(CHUNK) / speed * slower);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a size"
                )]
                let after = (precise(CHUNK) * (left * smaller).min(1.0)) as usize;
                choice.tried(level, CHUNK, after, took);
            }
            levels.push(level);
        }
        levels
    }

    #[test]
    fn the_slower_the_link_the_better_text_is_compressed() {
        for (rate, expected) in [
            (0, 6),
            (1_200, 6),
            (4_000, 6),
            (12_000, 1),
            (30_000, 1),
            (60_000, 0),
            (FAST, 0),
        ] {
            let levels = levels(20, rate, 110e6, 0.33);
            assert_eq!(levels[2..], vec![expected; 18], "{rate} KiB/s");
        }
    }

    #[test]
    fn a_link_as_fast_as_a_slow_machine_compresses_is_left_alone() {
        let levels = levels(200, 12_000, 10e6, 0.33);
        let tried = levels.iter().filter(|&&level| level > 0).count();
        assert!((1..=12).contains(&tried), "{tried} of 200");
    }

    #[test]
    fn what_does_not_shrink_is_tried_less_and_less() {
        for rate in [0, 1_200, 12_000] {
            let levels = levels(300, rate, 50e6, 1.3);
            let tried = (0..300).filter(|&at| levels[at] > 0);
            assert_eq!(tried.collect::<Vec<_>>(), [0, 9, 26, 59, 124, 189, 254]);
        }
    }

    #[test]
    fn data_that_begins_to_shrink_is_noticed() {
        let mut choice = Choice::default();
        assert_eq!(choice.level(1_200), 6);
        assert!(!choice.tried(6, CHUNK, CHUNK, Duration::from_millis(3)));
        let next = (1..99).find(|_| choice.level(1_200) > 0);
        assert_eq!(next, Some(9));
        assert!(choice.tried(6, CHUNK, CHUNK / 4, Duration::from_millis(3)));
        assert_eq!(choice.level(1_200), 6);
    }

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

    #[test]
    fn what_was_deflated_inflates_again_within_its_limit() {
        let text = b"twelve bytes".repeat(10_000);
        let mut whole = Compress::new(flate2::Compression::new(6), true);
        let mut complete = Vec::with_capacity(text.len());
        let finish = FlushCompress::Finish;
        let status = whole.compress_vec(&text, &mut complete, finish).unwrap();
        assert_eq!(status, Status::StreamEnd);
        let (_, part) = packed(&mut State::default(), 6, &text);
        assert!(part.len() < text.len() / 50);
        for packed in [&complete, &part] {
            let of =
                |flags: u8, packed: &[u8], limit| Inflater::default().inflate(flags, packed, limit);
            assert_eq!(of(0, packed, text.len()).unwrap(), text);
            let error = of(0, packed, text.len() - 1).unwrap_err();
            assert!(matches!(error, ResultError::InflatesTooLarge(119_999)));
            for (flags, damaged) in [
                (0, &packed[..packed.len() - 1]),
                (0, &[&packed[..], b"x"].concat()),
                (0, b"no zlib"),
                (0, b""),
                (FLAG_CONTINUED, packed),
            ] {
                let error = of(flags, damaged, 1 << 20).unwrap_err();
                assert!(matches!(error, ResultError::Deflated));
            }
        }
        // A result is a whole stream.
        assert_eq!(inflate(&complete, text.len()).unwrap(), text);
        let error = inflate(&complete, text.len() - 1).unwrap_err();
        assert!(matches!(error, ResultError::InflatesTooLarge(119_999)));
        for damaged in [
            &complete[..complete.len() - 1],
            &[&complete[..], b"x"].concat(),
            &part,
            b"no zlib",
            b"",
        ] {
            let error = inflate(damaged, 1 << 20).unwrap_err();
            assert!(matches!(error, ResultError::Deflated));
        }
    }
}

//! Compression of what is bulky, on a link so slow that it pays.

use std::io::{Read as _, Write as _};
use std::ops::Range;
use std::time::{Duration, Instant};

use bytes::Bytes;
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::error::ResultError;
use crate::rate::{BULK, FAST};

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

/// Less is not worth a thought.
pub(crate) const SMALL: usize = 4 << 10;
/// The part of a stream, as it is sent, in which a link that nobody knows yet is taken for slow, and how slow: one that is
/// fast is known before, one that is slow would have to carry all of this until it is known.
const UNSURE: Range<usize> = 256 << 10..1 << 20;
const GUESS: u32 = 4 << 10;
/// How much of a larger chunk is tried first.
const SAMPLE: usize = 16 << 10;
/// What is expected of level 1 before it was tried: bytes a second, and how much of them is left.
const SPEED: f64 = 100e6;
const LEFT: f64 = 0.5;
/// Level 6 takes so many times as long, and leaves so much of what level 1 does.
const SLOWER: f64 = 3.3;
const SMALLER: f64 = 0.83;
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
        let quick = 1.0 / speed + left / rate;
        let thorough = SLOWER / speed + SMALLER * left / rate;
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
            f64::midpoint(speed, old_speed),
            f64::midpoint(left, old_left),
        ));
        true
    }

    fn skip(&mut self) {
        self.skipped = self.pause;
        self.pause = (2 * self.pause).min(PAUSE_MOST);
        self.known = None;
    }

    /// A chunk, compressed if that is worth it.
    fn pack(&mut self, level: u32, chunk: &[u8]) -> Option<Vec<u8>> {
        if self.known.is_none() && chunk.len() > 4 * SAMPLE {
            self.deflate(1, &chunk[..SAMPLE])?;
        }
        self.deflate(level, chunk)
    }

    fn deflate(&mut self, level: u32, chunk: &[u8]) -> Option<Vec<u8>> {
        let start = Instant::now();
        let target = Vec::with_capacity(chunk.len() / 2);
        let mut encoder = ZlibEncoder::new(target, flate2::Compression::new(level));
        encoder.write_all(chunk).ok()?;
        let mut packed = encoder.finish().ok()?;
        // Many may wait, and only their length counts against the credit.
        packed.shrink_to_fit();
        self.tried(level, chunk.len(), packed.len(), start.elapsed())
            .then_some(packed)
    }
}

/// Compresses the chunks of a stream.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    choice: Choice,
    sent: usize,
}

impl Packer {
    /// A chunk in fewer bytes, if that is worth it on a link of this rate. Dropped meanwhile, it forgets what it has learnt.
    pub(crate) async fn pack(&mut self, chunk: &Bytes, rate: Option<u32>) -> Option<Bytes> {
        if rate.is_some_and(|rate| rate >= FAST) || chunk.len() <= SMALL {
            return None;
        }
        self.sent += chunk.len();
        if rate.is_none() && (chunk.len() < BULK || !UNSURE.contains(&self.sent)) {
            return None;
        }
        let level = self.choice.level(rate.unwrap_or(GUESS));
        if level == 0 {
            return None;
        }
        // It takes milliseconds, in which other tasks go on.
        let (mut choice, chunk) = (std::mem::take(&mut self.choice), chunk.clone());
        let pack = move || {
            let packed = choice.pack(level, &chunk);
            (choice, packed)
        };
        let (choice, packed) = tokio::task::spawn_blocking(pack).await.ok()?;
        self.choice = choice;
        packed.map(Bytes::from)
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

    #[test]
    fn what_was_deflated_inflates_again_within_its_limit() {
        let text = b"twelve bytes".repeat(10_000);
        let packed = Choice::default().pack(6, &text).unwrap();
        assert!(packed.len() < text.len() / 50);
        assert_eq!(inflate(&packed, text.len()).unwrap(), text);
        let error = inflate(&packed, text.len() - 1).unwrap_err();
        assert!(matches!(error, ResultError::InflatesTooLarge(119_999)));
        for damaged in [
            &packed[..packed.len() - 1],
            &[&packed[..], b"x"].concat(),
            b"no zlib",
            b"",
        ] {
            let error = inflate(damaged, 1 << 20).unwrap_err();
            assert!(matches!(error, ResultError::Deflated));
        }
    }
}

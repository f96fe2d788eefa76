//! The choice of a level, by what compressing has shown so far.

use std::time::Duration;

use crate::rate::FAST;

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
pub(super) struct Choice {
    /// What level 1 does here, once it is known.
    pub(super) known: Option<(f64, f64)>,
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
    pub(super) fn level(&mut self, rate: u32) -> u32 {
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
    pub(super) fn tried(
        &mut self,
        level: u32,
        before: usize,
        after: usize,
        took: Duration,
    ) -> bool {
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
}

//! How fast a link is: each side measures what comes to it and tells the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// From so many KiB a second on a link is fast: nothing is compressed.
pub(crate) const FAST: u32 = 1 << 15;
/// What a frame must have for its bytes to be measured: small ones do not wait for the link.
pub(crate) const BULK: usize = 4 << 10;
/// How many bytes tell how fast a link is: the first time, and later.
const FEW: u64 = 8 << 10;
const MANY: u64 = 256 << 10;
/// How many frames that nobody had to wait for do, and the least that they can tell, in KiB a second: less than what an agent
/// takes a link for that nobody knows is no news.
const WHOLE: u32 = 3;
const LEAST: u32 = 1 << 10;
/// While nobody has said it.
const UNKNOWN: u64 = u64::MAX;

/// How many KiB a second the link carries to the agent, as that sees it.
#[derive(Clone, Debug)]
pub(crate) struct Rate(Arc<AtomicU64>);

impl Rate {
    pub(crate) fn new(rate: Option<u32>) -> Self {
        Self(Arc::new(AtomicU64::new(rate.map_or(UNKNOWN, u64::from))))
    }

    pub(crate) fn set(&self, rate: u32) {
        self.0.store(rate.into(), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Option<u32> {
        u32::try_from(self.0.load(Ordering::Relaxed)).ok()
    }
}

/// Measures the bytes of frames that have begun: their sender waits for nothing but the link.
#[derive(Debug)]
pub(crate) struct Meter {
    bytes: u64,
    waited: Duration,
    need: u64,
    told: Option<u32>,
    /// Frames one after another of which nobody has waited for a part: how many, how large, and since when.
    whole: u32,
    large: u64,
    since: Option<Instant>,
    /// Whether a part of the next one was waited for.
    awaited: bool,
    /// How many times it was waited for.
    waits: u32,
    /// Whether all that was there has been read.
    drained: bool,
    /// Whether what has come since counts.
    counts: bool,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            bytes: 0,
            waited: Duration::ZERO,
            need: FEW,
            told: None,
            whole: 0,
            large: 0,
            since: None,
            awaited: false,
            waits: 0,
            drained: true,
            counts: false,
        }
    }
}

impl Meter {
    /// Takes a read of so many bytes that had room for more, and how long it has waited if a frame had begun before it. Gives
    /// the rate, in KiB a second, if it is news.
    pub(crate) fn read(
        &mut self,
        bytes: usize,
        room: usize,
        waited: Option<Duration>,
    ) -> Option<u32> {
        if self.drained {
            // Else it is what came with the read before.
            self.counts = waited.is_some();
            self.waits = self.waits.saturating_add(self.counts.into());
            self.awaited |= self.counts;
        }
        self.drained = bytes < room;
        if self.counts {
            self.add(bytes, waited.unwrap_or_default())
        } else {
            None
        }
    }

    /// Takes the size of a frame that is there. Many that nobody waited for: their sender is slower than the link, which carries
    /// more than they. Gives the rate, if it is news.
    pub(crate) fn came(&mut self, bytes: usize, now: Instant) -> Option<u32> {
        let Some(since) = self.since.filter(|_| !self.awaited) else {
            self.awaited = false;
            (self.whole, self.large, self.since) = (0, 0, Some(now));
            return None;
        };
        self.whole += 1;
        self.large += bytes as u64;
        if self.whole < WHOLE {
            return None;
        }
        let rate = rate(2 * self.large, now.saturating_duration_since(since));
        (self.whole, self.large, self.since) = (0, 0, Some(now));
        if 3 * rate <= 4 * self.told.unwrap_or(LEAST) {
            return None;
        }
        (self.bytes, self.waited) = (0, Duration::ZERO);
        self.told = Some(rate);
        self.told
    }

    fn add(&mut self, bytes: usize, waited: Duration) -> Option<u32> {
        self.bytes += bytes as u64;
        self.waited += waited;
        if self.bytes < self.need {
            return None;
        }
        let rate = rate(self.bytes, self.waited);
        if rate == FAST && self.waits < 2 {
            // Once is chance.
            return None;
        }
        self.need = MANY.min(4 * self.need);
        // Half of it counts the next time, too: one moment in which this machine was busy is not the link.
        self.bytes /= 2;
        self.waited /= 2;
        if let Some(told) = self.told
            && (rate == FAST) == (told == FAST)
            && 3 * told <= 4 * rate
            && 3 * rate <= 4 * told
        {
            return None;
        }
        self.told = Some(rate);
        Some(rate)
    }
}

/// In KiB a second.
fn rate(bytes: u64, time: Duration) -> u32 {
    let rate = u128::from(bytes) * 1_000_000 / 1024 / time.as_micros().max(1);
    u32::try_from(rate).unwrap_or(FAST).clamp(1, FAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A link of so many bytes a second.
    fn read(meter: &mut Meter, bytes: usize, rate: u64) -> Option<u32> {
        meter.add(
            bytes,
            Duration::from_nanos(bytes as u64 * 1_000_000_000 / rate),
        )
    }

    #[test]
    fn a_rate_is_told_once_it_is_known_and_when_it_changes() {
        let mut meter = Meter::default();
        assert_eq!(read(&mut meter, 5 << 10, 1 << 20), None, "too few bytes");
        assert_eq!(read(&mut meter, 5 << 10, 1 << 20), Some(1024));
        for _ in 0..100 {
            assert_eq!(
                read(&mut meter, 32 << 10, 1_200_000),
                None,
                "about the same"
            );
        }
        let told: Vec<u32> = (0..100)
            .filter_map(|_| read(&mut meter, 32 << 10, 12 << 20))
            .collect();
        assert!(told.len() > 1 && told.is_sorted(), "{told:?}");
        assert!((9_000..=12_288).contains(told.last().unwrap()), "{told:?}");
    }

    #[test]
    fn a_fast_link_is_told_once() {
        let mut meter = Meter::default();
        let mut burst = || meter.read(64 << 10, 1 << 20, Some(Duration::ZERO));
        assert_eq!(burst(), None, "once is chance");
        assert_eq!(burst(), Some(FAST));
        for _ in 0..1000 {
            assert_eq!(read(&mut meter, 64 << 10, 1 << 30), None);
            assert_eq!(read(&mut meter, 64 << 10, 100 << 20), None);
        }
    }

    #[test]
    fn what_was_there_already_says_nothing() {
        let mut meter = Meter::default();
        let (none, second) = (None, Duration::from_secs(1));
        // Between two frames; it fills the read, so that the next one does not wait for the link either.
        assert_eq!(meter.read(4 << 10, 4 << 10, none), None);
        assert_eq!(meter.read(28 << 10, 90 << 10, Some(Duration::ZERO)), None);
        // A packet comes within a frame, whose rest is not all of it.
        assert_eq!(meter.read(5 << 10, 5 << 10, Some(second)), None);
        assert_eq!(meter.read(27 << 10, 90 << 10, none), Some(32));
    }

    #[test]
    fn frames_that_nobody_waits_for_say_that_the_link_carries_more() {
        let mut meter = Meter::default();
        let start = Instant::now();
        let mut frames = |range: std::ops::Range<u32>, every: Duration, waited: bool| {
            range
                .filter_map(|at| {
                    let wait = waited.then(|| every / 2);
                    meter.read(28 << 10, 90 << 10, None);
                    let told = wait.and_then(|wait| meter.read(9 << 10, 90 << 10, Some(wait)));
                    meter.came(37 << 10, start + at * every).or(told)
                })
                .collect::<Vec<_>>()
        };
        let millis = Duration::from_millis;
        assert_eq!(frames(0..20, millis(100), false), [], "no news");
        assert_eq!(frames(400..410, millis(10), false), [2 * 3700]);
        let slow = frames(1000..1400, millis(18), true);
        assert_eq!(slow.last(), Some(&1000), "{slow:?}");
    }

    #[test]
    fn one_stall_is_not_the_link() {
        let mut meter = Meter::default();
        for _ in 0..100 {
            read(&mut meter, 64 << 10, 1 << 30);
        }
        let told = meter.add(64 << 10, Duration::from_millis(2));
        assert_eq!(told, None);
        assert_eq!(
            (0..20).find_map(|_| read(&mut meter, 64 << 10, 1 << 30)),
            None
        );
    }
}

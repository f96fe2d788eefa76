//! How fast a link is: each side measures what comes to it and tells the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// From so many KiB a second on a link is fast: nothing is compressed.
pub(crate) const FAST: u32 = 1 << 15;
/// What a frame must have for its bytes to be measured: small ones do not wait for the link.
pub(crate) const BULK: usize = 16 << 10;
/// How many bytes tell how fast a link is: the first time, and later.
const FEW: u64 = 64 << 10;
const MANY: u64 = 256 << 10;
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
#[derive(Debug, Default)]
pub(crate) struct Meter {
    bytes: u64,
    waited: Duration,
    told: Option<u32>,
}

impl Meter {
    /// Takes what a read has brought and how long it has waited. Gives the rate, in KiB a second, if it is news.
    pub(crate) fn add(&mut self, bytes: usize, waited: Duration) -> Option<u32> {
        self.bytes += bytes as u64;
        self.waited += waited;
        if self.bytes < self.told.map_or(FEW, |_| MANY) {
            return None;
        }
        let micros = self.waited.as_micros().max(1);
        let rate = u128::from(self.bytes) * 1_000_000 / 1024 / micros;
        let rate = u32::try_from(rate).unwrap_or(FAST).clamp(1, FAST);
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
        assert_eq!(read(&mut meter, 40 << 10, 1 << 20), None, "too few bytes");
        assert_eq!(read(&mut meter, 40 << 10, 1 << 20), Some(1024));
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
        assert_eq!(meter.add(64 << 10, Duration::ZERO), Some(FAST));
        for _ in 0..1000 {
            assert_eq!(read(&mut meter, 64 << 10, 1 << 30), None);
            assert_eq!(read(&mut meter, 64 << 10, 100 << 20), None);
        }
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

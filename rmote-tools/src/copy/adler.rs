//! Adler-32, which can be rolled over a window byte by byte.

const BASE: u32 = 65_521;

/// How many bytes can be summed before the sums have to be brought below the base again.
const RUN: usize = 5552;

/// The sum of a window of fixed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Adler {
    low: u32,
    high: u32,
    /// What a byte that leaves the window has added to `high`, but for the byte itself.
    length: u32,
}

impl Adler {
    /// Sums a window.
    pub(crate) fn new(window: &[u8]) -> Self {
        let (mut low, mut high) = (1_u32, 0_u32);
        for run in window.chunks(RUN) {
            // Eight at a time: their order counts through the factors, so the sums need not wait for each other.
            let mut eights = run.chunks_exact(8);
            for eight in &mut eights {
                let mut weighted = 0;
                let mut plain = 0;
                for (factor, byte) in (1..=8).rev().zip(eight) {
                    plain += u32::from(*byte);
                    weighted += factor * u32::from(*byte);
                }
                high += 8 * low + weighted;
                low += plain;
            }
            for byte in eights.remainder() {
                low += u32::from(*byte);
                high += low;
            }
            low %= BASE;
            high %= BASE;
        }
        let length = u32::try_from(window.len() % BASE as usize).expect("less than the base");
        Self { low, high, length }
    }

    /// The sum as zlib gives it.
    pub(crate) fn sum(self) -> u32 {
        self.high << 16 | self.low
    }

    /// Moves the window on by one byte.
    pub(crate) fn roll(&mut self, leaving: u8, coming: u8) {
        let (leaving, coming) = (u32::from(leaving), u32::from(coming));
        self.low = reduce(reduce(self.low + BASE - leaving) + coming);
        // The sum began with 1, which each byte has carried along.
        let gone = (self.length * leaving + 1) % BASE;
        self.high = reduce(reduce(self.high + BASE - gone) + self.low);
    }
}

/// A number below twice the base, brought below the base.
fn reduce(number: u32) -> u32 {
    if number >= BASE {
        number - BASE
    } else {
        number
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(data: &[u8]) -> u32 {
        let (mut low, mut high) = (1_u64, 0_u64);
        for byte in data {
            low = (low + u64::from(*byte)) % 65_521;
            high = (high + low) % 65_521;
        }
        u32::try_from(high << 16 | low).unwrap()
    }

    #[test]
    fn it_is_what_zlib_computes() {
        assert_eq!(Adler::new(b"").sum(), 1);
        assert_eq!(Adler::new(b"Wikipedia").sum(), 0x11E6_0398);
        let worst = vec![0xff; 200_000];
        assert_eq!(Adler::new(&worst).sum(), naive(&worst));
    }

    proptest! {
        #[test]
        fn rolling_is_summing_anew(data in prop::collection::vec(any::<u8>(), 1..9000), window in 1_usize..8192) {
            let window = window.min(data.len());
            let mut rolled = Adler::new(&data[..window]);
            for end in window..data.len() {
                rolled.roll(data[end - window], data[end]);
                let begin = end + 1 - window;
                if end % 97 == 0 || end + 1 == data.len() {
                    prop_assert_eq!(rolled.sum(), naive(&data[begin..=end]));
                }
            }
            prop_assert_eq!(Adler::new(&data).sum(), naive(&data));
        }
    }
}

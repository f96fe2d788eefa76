//! Finds the blocks of one file in another.

use std::collections::HashMap;
use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use super::adler::Adler;

/// How many bytes the sums of a block take: four that roll, sixteen that are sure.
pub(crate) const SUM: usize = 20;

/// Literal bytes are given out when there are this many, at the latest.
const PART: usize = 1 << 17;

/// The sums of a file's blocks, as the host computed them.
#[derive(Debug)]
pub(crate) struct Blocks {
    size: u64,
    block: usize,
    strong: Vec<[u8; 16]>,
    /// The first block with a weak sum; the next one with the same is in `next`.
    first: HashMap<u32, u32, Spread>,
    next: Vec<u32>,
    /// Bits of the weak sums that there are, so that most windows cost one look.
    filter: Vec<u64>,
    shift: u32,
    tail: u32,
}

/// What a file consists of, piece by piece.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Bytes that no block has.
    Literal(&'a [u8]),
    /// A run of the blocks' file, and where it was found.
    Found { offset: u64, size: usize, at: u64 },
}

const NONE: u32 = u32::MAX;

impl Blocks {
    /// Reads the sums of a file of this size; none if they are not as many as they must be.
    pub(crate) fn new(size: u64, block: usize, sums: &[u8]) -> Option<Self> {
        if block < 16 {
            return None;
        }
        let count = usize::try_from(size.div_ceil(block as u64)).ok()?;
        if count.checked_mul(SUM) != Some(sums.len()) || count >= NONE as usize {
            return None;
        }
        let bits = (count * 32).next_power_of_two().max(1 << 12);
        let mut blocks = Self {
            size,
            block,
            strong: Vec::with_capacity(count),
            first: HashMap::with_capacity_and_hasher(count, Spread),
            next: vec![NONE; count],
            filter: vec![0; bits / 64],
            shift: 64 - bits.trailing_zeros(),
            tail: 0,
        };
        for (index, sum) in (0_u32..).zip(sums.chunks_exact(SUM)) {
            let (weak, strong) = sum.split_at(4);
            let weak = u32::from_le_bytes(weak.try_into().expect("four of them"));
            blocks.strong.push(strong.try_into().expect("sixteen"));
            if blocks.length(index) < block {
                // It can only be the end of the other file too.
                blocks.tail = weak;
                continue;
            }
            let bit = blocks.bit(weak);
            blocks.filter[bit / 64] |= 1 << (bit % 64);
            // In front, so that the first is found last: the one after the last match is looked at before.
            blocks.next[index as usize] = blocks.first.insert(weak, index).unwrap_or(NONE);
        }
        Some(blocks)
    }

    /// The size of the file whose blocks these are.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// How many blocks there are.
    pub(crate) fn count(&self) -> usize {
        self.next.len()
    }

    fn bit(&self, weak: u32) -> usize {
        let spread = u64::from(weak).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift;
        usize::try_from(spread).expect("as many bits as the filter has")
    }

    fn length(&self, index: u32) -> usize {
        let begin = u64::from(index) * self.block as u64;
        usize::try_from((self.size - begin).min(self.block as u64)).expect("at most a block")
    }

    /// The block that a window is, by preference the one that follows the last.
    fn find(&self, weak: u32, window: &[u8], expected: u32) -> Option<u32> {
        let bit = self.bit(weak);
        if self.filter[bit / 64] & 1 << (bit % 64) == 0 {
            return None;
        }
        let mut index = *self.first.get(&weak)?;
        let strong = strong(window);
        let mut found = None;
        // Many blocks alike are alike: after some it does not matter which.
        for _ in 0..64 {
            if index == NONE {
                break;
            }
            if self.strong[index as usize] == strong {
                found = Some(index);
                if index == expected {
                    break;
                }
            }
            index = self.next[index as usize];
        }
        let follows = self.strong.get(expected as usize) == Some(&strong)
            && self.length(expected) == self.block;
        if follows { Some(expected) } else { found }
    }

    /// Reads a file to its end and tells what it consists of.
    ///
    /// # Errors
    ///
    /// Those of the reader and of `give`.
    pub(crate) fn search(
        &self,
        mut source: impl Read,
        mut give: impl FnMut(Piece<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let block = self.block;
        let mut buffer = vec![0; 2 * PART + 4 * block];
        // Of the buffer: what is not given out yet begins at `begin`, the window at `at`, the content ends at `end`.
        let (mut begin, mut at, mut end) = (0, 0, 0);
        let mut before = 0_u64;
        let mut expected = 0;
        let mut sum: Option<Adler> = None;
        loop {
            if end - at < block + 1 {
                if at - begin > 0 {
                    give(Piece::Literal(&buffer[begin..at]))?;
                }
                buffer.copy_within(at..end, 0);
                before += at as u64;
                (end, at, begin) = (end - at, 0, 0);
                end += fill(&mut source, &mut buffer[end..])?;
            }
            if end - at < block {
                break;
            }
            let rolling = sum.get_or_insert_with(|| Adler::new(&buffer[at..at + block]));
            if let Some(index) = self.find(rolling.sum(), &buffer[at..at + block], expected) {
                if at > begin {
                    give(Piece::Literal(&buffer[begin..at]))?;
                }
                give(Piece::Found {
                    offset: u64::from(index) * block as u64,
                    size: block,
                    at: before + at as u64,
                })?;
                at += block;
                begin = at;
                expected = index + 1;
                sum = None;
                continue;
            }
            if end - at > block {
                rolling.roll(buffer[at], buffer[at + block]);
                at += 1;
            } else {
                // The last window of the file.
                break;
            }
            if at - begin >= PART {
                give(Piece::Literal(&buffer[begin..at]))?;
                begin = at;
            }
        }
        self.end(&buffer[begin..end], before + begin as u64, give)
    }

    /// What is left at the end of the file: its last bytes may be the last, short block.
    fn end(
        &self,
        rest: &[u8],
        at: u64,
        mut give: impl FnMut(Piece<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let size = usize::try_from(self.size % self.block as u64).expect("less than a block");
        let (literal, tail) = rest.split_at(rest.len().saturating_sub(size));
        let same = size > 0
            && tail.len() == size
            && Adler::new(tail).sum() == self.tail
            && self.strong.last() == Some(&strong(tail));
        if !same {
            return if rest.is_empty() {
                Ok(())
            } else {
                give(Piece::Literal(rest))
            };
        }
        if !literal.is_empty() {
            give(Piece::Literal(literal))?;
        }
        give(Piece::Found {
            offset: self.size - size as u64,
            size,
            at: at + literal.len() as u64,
        })
    }
}

/// The sure sum of a block.
pub(crate) fn strong(data: &[u8]) -> [u8; 16] {
    Sha256::digest(data)[..16]
        .try_into()
        .expect("sixteen of thirty-two")
}

fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Hashes sums, which are spread well enough but for a factor.
#[derive(Debug, Clone, Copy, Default)]
struct Spread;

/// See [`Spread`].
#[derive(Debug, Default)]
struct Spreader(u64);

impl std::hash::BuildHasher for Spread {
    type Hasher = Spreader;

    fn build_hasher(&self) -> Spreader {
        Spreader(0)
    }
}

impl std::hash::Hasher for Spreader {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 ^= self.0 >> 29;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sums(data: &[u8], block: usize) -> Vec<u8> {
        data.chunks(block)
            .flat_map(|block| {
                let mut sum = Adler::new(block).sum().to_le_bytes().to_vec();
                sum.extend(strong(block));
                sum
            })
            .collect()
    }

    /// The file put together again, and how many of its bytes were literal.
    fn rebuild(old: &[u8], new: &[u8], block: usize) -> (Vec<u8>, usize) {
        let blocks = Blocks::new(old.len() as u64, block, &sums(old, block)).unwrap();
        let (mut built, mut literal) = (Vec::new(), 0);
        let give = |piece: Piece<'_>| {
            match piece {
                Piece::Literal(bytes) => {
                    assert!(!bytes.is_empty());
                    literal += bytes.len();
                    built.extend(bytes);
                }
                Piece::Found { offset, size, at } => {
                    assert_eq!(at, built.len() as u64);
                    let offset = usize::try_from(offset).unwrap();
                    built.extend(&old[offset..offset + size]);
                }
            }
            Ok(())
        };
        blocks.search(new, give).unwrap();
        (built, literal)
    }

    /// The same search without rolling, filters and buffers.
    fn naive(old: &[u8], new: &[u8], block: usize) -> usize {
        let whole: Vec<_> = old.chunks(block).collect();
        let (mut at, mut literal) = (0, 0);
        while at < new.len() {
            let rest = &new[at..];
            let found = whole.iter().find(|block| {
                rest.starts_with(block)
                    && (block.len() == whole[0].len() || rest.len() == block.len())
            });
            if let Some(found) = found {
                at += found.len();
            } else {
                at += 1;
                literal += 1;
            }
        }
        literal
    }

    fn noise(size: usize, seed: u64) -> Vec<u8> {
        let mut state = seed;
        let next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state.to_be_bytes()[0]
        };
        std::iter::repeat_with(next).take(size).collect()
    }

    #[test]
    fn a_small_change_of_a_big_file_costs_its_block() {
        let old = noise(3_000_000, 1);
        let mut new = old.clone();
        new[1_000_000] ^= 1;
        let (built, literal) = rebuild(&old, &new, 2048);
        assert!(built == new && literal == 2048, "{literal}");
        // Bytes that come in or go move all that follows.
        let moved = [
            &new[..500_001],
            b"inserted",
            &new[500_001..2_000_000],
            &new[2_000_777..],
        ]
        .concat();
        let (built, literal) = rebuild(&old, &moved, 2048);
        assert!(built == moved && literal < 5 * 2048, "{literal}");
        let (built, literal) = rebuild(&old, &old, 2048);
        assert!(built == old && literal == 0);
    }

    #[test]
    fn many_equal_blocks_are_fast_and_right() {
        let (old, new) = (vec![0; 1 << 22], vec![0; (1 << 22) + 5]);
        let (built, literal) = rebuild(&old, &new, 2048);
        assert!(built == new && literal == 5, "{literal}");
    }

    #[test]
    fn sums_that_do_not_fit_the_size_are_refused() {
        assert!(Blocks::new(100, 64, &[0; 20]).is_none());
        assert!(Blocks::new(100, 0, &[0; 40]).is_none());
        assert!(Blocks::new(u64::MAX, 16, &[0; 40]).is_none());
        assert!(Blocks::new(100, 64, &[0; 40]).is_some());
    }

    proptest! {
        #[test]
        fn what_was_taken_apart_is_put_together(
            old in prop::collection::vec(0_u8..3, 0..3000),
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), 0_usize..100), 0..8),
            block in 16_usize..200,
        ) {
            let mut new = old.clone();
            for (index, insert, size) in edits {
                let at = index.index(new.len() + 1);
                if insert {
                    new.splice(at..at, noise(size, size as u64));
                } else {
                    let end = (at + size).min(new.len());
                    new.drain(at..end);
                }
            }
            let (built, literal) = rebuild(&old, &new, block);
            prop_assert_eq!(&built, &new);
            // The short last block is only looked for at the very end, where the naive search may have passed it.
            let best = naive(&old, &new, block);
            prop_assert!(literal <= best + block, "{} against {}", literal, best);
        }
    }
}

//! Compression of what is bulky, on a link so slow that it pays.

mod choice;
mod inflater;
mod packer;

pub(crate) use self::inflater::{Inflater, inflate};
pub(crate) use self::packer::{Packer, SMALL};

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

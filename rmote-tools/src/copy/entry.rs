//! One thing of a tree, as both sides describe it.

use bytes::Bytes;
use rustix::fs::{FileType, Stat};
use serde::{Deserialize, Serialize};

/// What a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    File,
    Directory,
    Link,
    /// A device, a pipe, a socket.
    Special,
}

/// A thing with its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Relative to the root, which itself is the empty path.
    pub(crate) path: Bytes,
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    /// Nanoseconds since 1970.
    pub(crate) mtime: i128,
    pub(crate) size: u64,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Where a symbolic link leads.
    pub(crate) target: Bytes,
    /// How many names a file has.
    pub(crate) links: u64,
}

/// The fields as they travel.
pub(crate) type Fields = (Bytes, String, u32, i128, u64, u32, u32, Bytes, u64);

impl Kind {
    pub(crate) fn of(mode: u32) -> Self {
        match FileType::from_raw_mode(mode) {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Link,
            _ => Self::Special,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Link => "link",
            Self::Special => "special",
        }
    }
}

impl Entry {
    pub(crate) fn new(path: Bytes, stat: &Stat, target: Bytes) -> Self {
        Self {
            path,
            kind: Kind::of(stat.st_mode),
            mode: stat.st_mode & 0o7777,
            mtime: mtime(stat),
            size: u64::try_from(stat.st_size).unwrap_or(0),
            uid: stat.st_uid,
            gid: stat.st_gid,
            target,
            links: stat.st_nlink,
        }
    }

    /// The fields for the host, which needs no count of names.
    pub(crate) fn fields(&self) -> impl Serialize + use<> {
        (
            self.path.clone(),
            self.kind.name(),
            self.mode,
            self.mtime,
            self.size,
            self.uid,
            self.gid,
            self.target.clone(),
        )
    }

    /// An entry from a host. Its path and all else may be anything; `None` for what is no path below a root.
    pub(crate) fn checked(fields: Fields) -> Option<Self> {
        let (path, kind, mode, mtime, size, uid, gid, target, links) = fields;
        let kind = match kind.as_str() {
            "file" => Kind::File,
            "directory" => Kind::Directory,
            "link" => Kind::Link,
            _ => Kind::Special,
        };
        let sound = is_below(&path) && !target.contains(&0);
        sound.then_some(Self {
            path,
            kind,
            mode: mode & 0o7777,
            mtime,
            size,
            uid,
            gid,
            target,
            links,
        })
    }
}

/// When a thing's content changed.
pub(crate) fn mtime(stat: &Stat) -> i128 {
    i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec)
}

/// Whether a path stays below the directory that it starts from: relative, of plain names; the empty one too.
fn is_below(path: &[u8]) -> bool {
    let plain = |name: &[u8]| !matches!(name, b"" | b"." | b"..") && !name.contains(&0);
    path.is_empty() || path.split(|byte| *byte == b'/').all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_from_a_host_stay_below_the_root() {
        for sound in ["", "a", "a/b", "...", "a/..b/c", ".hidden", "a\nb", "a\\b"] {
            assert!(is_below(sound.as_bytes()), "{sound:?}");
        }
        for bad in [
            "/", "/etc", "a/", "a//b", "..", "a/..", "../a", "a/../b", ".", "a/.", "a\0b",
        ] {
            assert!(!is_below(bad.as_bytes()), "{bad:?}");
        }
    }
}

//! The files that are read, made once.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// What is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Does not compress.
    Random,
    /// Lines of words, as in a log.
    Text,
}

/// Makes the file unless it is there, and gives its name.
pub(crate) fn file(folder: &Path, content: Content, size: u64) -> std::io::Result<String> {
    let name = match content {
        Content::Random => format!("random-{size}"),
        Content::Text => format!("text-{size}"),
    };
    let path = folder.join(&name);
    if fs::metadata(&path).is_ok_and(|found| found.len() == size) {
        return Ok(name);
    }
    fs::create_dir_all(folder)?;
    // Renamed when whole.
    let half: PathBuf = folder.join(format!("{name}.part"));
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&half)?);
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut left = usize::try_from(size).unwrap_or(usize::MAX);
    while left > 0 {
        let block = match content {
            Content::Random => numbers.next().to_le_bytes().to_vec(),
            Content::Text => numbers.line().into_bytes(),
        };
        let length = block.len().min(left);
        out.write_all(&block[..length])?;
        left -= length;
    }
    out.into_inner()?.sync_all()?;
    fs::rename(half, path)?;
    Ok(name)
}

/// Numbers without a pattern that a compressor finds (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        for _ in 0..12 {
            let number = self.next() >> 32;
            let word = WORDS[usize::try_from(number).unwrap_or_default() % WORDS.len()];
            line.push_str(word);
            line.push(' ');
        }
        line.push_str(&(self.next() >> 44).to_string());
        line.push('\n');
        line
    }
}

const WORDS: [&str; 32] = [
    "accepted",
    "agent",
    "bytes",
    "call",
    "closed",
    "connection",
    "controller",
    "daemon",
    "error",
    "failed",
    "file",
    "frame",
    "from",
    "host",
    "info",
    "kernel",
    "link",
    "message",
    "opened",
    "packet",
    "port",
    "process",
    "read",
    "reply",
    "request",
    "root",
    "service",
    "session",
    "started",
    "stream",
    "user",
    "written",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_their_size_and_stay() {
        let dir = tempfile::tempdir().unwrap();
        for content in [Content::Random, Content::Text] {
            let name = file(dir.path(), content, 10_001).unwrap();
            let first = fs::read(dir.path().join(&name)).unwrap();
            assert_eq!(first.len(), 10_001);
            file(dir.path(), content, 10_001).unwrap();
            assert_eq!(fs::read(dir.path().join(&name)).unwrap(), first);
        }
    }
}

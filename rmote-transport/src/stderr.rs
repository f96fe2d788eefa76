//! The end of what a child wrote to stderr.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;

use crate::clean::{clean, decode};

/// Kept bytes: enough for every message of ssh or docker, small enough for a thousand hosts.
const BYTES: usize = 8 * 1024;
/// Kept lines.
const LINES: usize = 64;
/// How long [`StderrTail::settle`] waits. The text is complete a moment after the exit unless some process that stays
/// in the background holds the pipe.
const SETTLE: Duration = Duration::from_millis(500);

/// The last lines that a child wrote to stderr: at most 64 lines and 8 KiB, whatever it writes.
///
/// Clones are cheap and share the text. The text may be read at any time and stays after the process is dropped.
#[derive(Clone)]
pub struct StderrTail {
    shared: Arc<Shared>,
    closed: watch::Receiver<bool>,
}

struct Shared {
    ring: Mutex<Ring>,
}

#[derive(Default)]
struct Ring {
    bytes: VecDeque<u8>,
    cut: bool,
}

impl StderrTail {
    /// Reads the pipe in a task of its own until it ends.
    pub(crate) fn read(mut pipe: impl AsyncRead + Send + Unpin + 'static) -> Self {
        let (sender, closed) = watch::channel(false);
        let shared = Arc::new(Shared {
            ring: Mutex::new(Ring::default()),
        });
        let tail = Self {
            shared: Arc::clone(&shared),
            closed,
        };
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            // An error ends the text as well: there is nobody to tell.
            while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
                shared.lock().push(&buffer[..count]);
            }
            _ = sender.send(true);
        });
        tail
    }

    /// The text so far, cleaned as by [`clean`](crate::clean()), without empty lines at its end.
    pub fn text(&self) -> String {
        self.shared.lock().text()
    }

    /// Waits until the text is complete, half a second at most.
    ///
    /// Worth calling between [`Process::wait`](crate::Process::wait) and reading the text: the exit may be known before
    /// the last bytes were read.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only waits.
    pub async fn settle(&self) {
        _ = tokio::time::timeout(SETTLE, self.closed()).await;
    }

    /// Waits until every process that held the pipe has gone.
    pub(crate) async fn closed(&self) {
        let mut closed = self.closed.clone();
        _ = closed.wait_for(|closed| *closed).await;
    }

    /// Whether every process that held the pipe has gone (or the runtime that read it).
    pub(crate) fn is_closed(&self) -> bool {
        *self.closed.borrow() || self.closed.has_changed().is_err()
    }
}

impl fmt::Debug for StderrTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StderrTail").field(&self.text()).finish()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Ring> {
        // The ring holds plain bytes: it is usable whatever happened to a thread that held the lock.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn push(&mut self, new: &[u8]) {
        let new = if new.len() > BYTES {
            self.cut = true;
            &new[new.len() - BYTES..]
        } else {
            new
        };
        let over = (self.bytes.len() + new.len()).saturating_sub(BYTES);
        self.cut |= over > 0;
        self.bytes.drain(..over);
        self.bytes.extend(new);
    }

    fn text(&self) -> String {
        let bytes: Vec<u8> = self.bytes.iter().copied().collect();
        let mut kept = bytes.as_slice();
        if self.cut {
            // The first line lost its begin, perhaps in the middle of a character.
            if let Some(end) = kept
                .iter()
                .position(|&byte| byte == b'\n')
                .filter(|end| end + 1 < kept.len())
            {
                kept = &kept[end + 1..];
            }
        }
        let text = clean(&decode(kept));
        // Escapes are longer than what they stand for, so the limit is applied to the clean lines again.
        let mut room = BYTES;
        let mut lines: Vec<&str> = text
            .trim_end()
            .rsplit('\n')
            .take(LINES)
            .take_while(|line| {
                let fits = line.len() < room;
                room = room.saturating_sub(line.len() + 1);
                fits
            })
            .collect();
        lines.reverse();
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(chunks: &[&[u8]]) -> String {
        let mut ring = Ring::default();
        for chunk in chunks {
            ring.push(chunk);
        }
        ring.text()
    }

    #[test]
    fn short_text_is_whole() {
        assert_eq!(text_of(&[b"one\r\n", b"two", b"\n\n"]), "one\ntwo");
        assert_eq!(text_of(&[]), "");
    }

    #[test]
    fn old_lines_go_first() {
        let lines: Vec<String> = (0..2000).map(|n| format!("line {n}\n")).collect();
        let text = text_of(&lines.iter().map(String::as_bytes).collect::<Vec<_>>());
        assert_eq!(text.lines().count(), LINES);
        assert!(
            text.starts_with("line 1936\n") && text.ends_with("line 1999"),
            "{text}"
        );
    }

    #[test]
    fn a_long_line_is_cut_and_kept() {
        let text = text_of(&[&vec![b'x'; 100_000]]);
        assert!(text.starts_with("xxx") && text.len() < 1000);
    }

    #[test]
    fn escapes_do_not_pass_the_limit() {
        let text = text_of(&[
            &b"\x1b[31m\n".repeat(100),
            &vec![0x1b; 20_000],
            b"\n\x1b\xff\n",
        ]);
        assert!(text.len() <= BYTES);
        assert!(!text.contains('\x1b'));
        assert!(text.ends_with("\\x1b\u{fffd}"), "{text}");
    }

    #[tokio::test]
    async fn settle_waits_for_the_end() {
        use tokio::io::AsyncWriteExt;
        let (mut far, near) = tokio::io::duplex(16);
        let tail = StderrTail::read(near);
        let writer = tokio::spawn(async move {
            far.write_all(b"a message that is longer than the pipe")
                .await
                .unwrap();
        });
        tail.settle().await;
        writer.await.unwrap();
        assert_eq!(tail.text(), "a message that is longer than the pipe");
        assert!(tail.is_closed());
    }
}

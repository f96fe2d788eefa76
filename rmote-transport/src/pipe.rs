//! One end of a pipe to or from a child.

use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Who moves this much at once moves a lot, and waits less for the other side if more fits in between.
#[cfg(target_os = "linux")]
const BULK: usize = 32 << 10;
/// What the pipe then holds. Linux makes pipes of 64 KiB, and lets any user have 1 MiB (`/proc/sys/fs/pipe-max-size`).
#[cfg(target_os = "linux")]
const GROWN: usize = 512 << 10;

/// A pipe that grows once much goes through it; one of a session that makes small calls never does.
#[derive(Debug)]
pub(crate) struct Pipe<T> {
    end: T,
    grown: bool,
}

impl<T: AsFd> Pipe<T> {
    pub(crate) fn new(end: T) -> Self {
        Self { end, grown: false }
    }

    /// Says how much has moved at once, or was to.
    fn moved(&mut self, bytes: usize) {
        #[cfg(target_os = "linux")]
        if bytes >= BULK && !self.grown {
            self.grown = true;
            // Whose user has too many large pipes goes on with a small one.
            _ = rustix::pipe::fcntl_setpipe_size(&self.end, GROWN);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (bytes, &mut self.grown);
    }
}

impl<T: AsyncRead + AsFd + Unpin> AsyncRead for Pipe<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = ready!(Pin::new(&mut self.end).poll_read(cx, buffer));
        self.moved(buffer.filled().len() - before);
        Poll::Ready(result)
    }
}

impl<T: AsyncWrite + AsFd + Unpin> AsyncWrite for Pipe<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.moved(bytes.len());
        Pin::new(&mut self.end).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.moved(slices.iter().map(|slice| slice.len()).sum());
        Pin::new(&mut self.end).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.end.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.end).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.end).poll_shutdown(cx)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Stdio;

    use rustix::pipe::fcntl_getpipe_size;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::process::Command;

    use super::*;

    #[tokio::test]
    async fn a_pipe_grows_when_much_goes_through_it() {
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = Pipe::new(child.stdin.take().unwrap());
        let mut stdout = Pipe::new(child.stdout.take().unwrap());
        let sizes = |stdin: &Pipe<_>, stdout: &Pipe<_>| {
            [
                fcntl_getpipe_size(&stdin.end).unwrap(),
                fcntl_getpipe_size(&stdout.end).unwrap(),
            ]
        };
        let small = sizes(&stdin, &stdout);

        let mut buffer = vec![0; 1 << 20];
        stdin.write_all(b"little").await.unwrap();
        assert_eq!(stdout.read(&mut buffer).await.unwrap(), 6);
        assert_eq!(sizes(&stdin, &stdout), small);

        let feed = tokio::spawn(async move {
            stdin.write_all(&vec![7; 4 << 20]).await.unwrap();
            stdin
        });
        let mut count = 0;
        while count < 4 << 20 {
            count += stdout.read(&mut buffer).await.unwrap();
        }
        let stdin = feed.await.unwrap();
        assert_eq!(sizes(&stdin, &stdout), [GROWN; 2]);
    }
}

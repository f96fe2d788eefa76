//! The near ends of a command's streams.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use rmote_client::ByteReader;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

/// The standard input of a [`Child`](super::Child).
///
/// What is written waits in a buffer of 256 KiB, then while the command does not read. A command that has ended is a
/// `BrokenPipe`; one that has only closed its input is not noticed before its end.
#[derive(Debug)]
pub struct ChildStdin(pub(super) DuplexStream);

impl AsyncWrite for ChildStdin {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

macro_rules! reader {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Reads are cancel safe. An output that broke off is an error with a [`CallError`](rmote_client::CallError)
        /// within. Dropping it throws away what the command still prints.
        #[derive(Debug)]
        pub struct $name(pub(super) ByteReader);

        impl AsyncRead for $name {
            fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.0).poll_read(cx, buf)
            }
        }

        impl AsyncBufRead for $name {
            fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
                Pin::new(&mut self.get_mut().0).poll_fill_buf(cx)
            }

            fn consume(mut self: Pin<&mut Self>, amount: usize) {
                Pin::new(&mut self.0).consume(amount);
            }
        }
    };
}

reader! {
    /// The standard output of a [`Child`](super::Child), or all that its terminal shows.
    ChildStdout
}

reader! {
    /// The standard error of a [`Child`](super::Child).
    ChildStderr
}

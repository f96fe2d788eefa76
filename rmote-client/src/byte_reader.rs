//! A stream of bytes as a reader.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use rmote_wire::FLAG_RAW;
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use crate::stream::Pieces;

/// The bytes of a stream from the host, without the borders of its items. Made by
/// [`Streaming::into_reader`](crate::Streaming::into_reader).
///
/// A failed call is an [`io::Error`] with the [`CallError`](crate::CallError) within. Reads are cancel safe.
pub struct ByteReader {
    pieces: Pieces,
    current: Bytes,
}

impl ByteReader {
    pub(crate) fn new(pieces: Pieces) -> Self {
        Self {
            pieces,
            current: Bytes::new(),
        }
    }
}

impl AsyncBufRead for ByteReader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        while this.current.is_empty() {
            match ready!(this.pieces.poll_piece(cx)) {
                None => break,
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                Some(Ok((flags, payload))) => {
                    if flags & FLAG_RAW == 0 {
                        let kind = io::ErrorKind::InvalidData;
                        let error = io::Error::new(kind, "an item of the stream is no bytes");
                        return Poll::Ready(Err(error));
                    }
                    this.current = payload;
                }
            }
        }
        Poll::Ready(Ok(&this.current))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.current.advance(amount);
    }
}

impl AsyncRead for ByteReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let available = ready!(self.as_mut().poll_fill_buf(cx))?;
        let amount = available.len().min(buffer.remaining());
        buffer.put_slice(&available[..amount]);
        self.consume(amount);
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for ByteReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteReader").finish_non_exhaustive()
    }
}

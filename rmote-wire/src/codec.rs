use std::io;

use bytes::{Buf, BufMut, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use crate::frame::{Frame, Kind, LENGTH_COUNTED_HEADER};

/// Cuts a byte stream into frames and joins frames to a byte stream.
///
/// A payload is a part of the read buffer, not a copy. It keeps that buffer alive, so a small payload that is kept for
/// long is better copied.
///
/// ```
/// use bytes::BytesMut;
/// use rmote_wire::{Frame, FrameCodec, Kind, Limits};
/// use tokio_util::codec::{Decoder, Encoder};
///
/// let mut codec = FrameCodec::new(Limits::default().frame);
/// let mut stream = BytesMut::new();
/// codec.encode(Frame::new(Kind::Ping, 0, "are you there"), &mut stream)?;
/// let frame = codec.decode(&mut stream)?.expect("the frame is whole");
/// assert_eq!(frame.payload, "are you there");
/// # Ok::<(), rmote_wire::FrameError>(())
/// ```
#[derive(Debug, Clone)]
pub struct FrameCodec {
    limit: usize,
}

impl FrameCodec {
    /// Accepts frames whose `length` is at most `limit`, in both directions.
    pub fn new(limit: usize) -> Self {
        Self { limit }
    }

    /// The largest `length` that is accepted.
    pub fn limit(&self) -> usize {
        self.limit
    }
}

impl Decoder for FrameCodec {
    type Item = Frame;
    type Error = FrameError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let Some(needed) = self.check_header(src)? else {
            return Ok(None);
        };
        if src.len() < needed {
            // At most as much again as has come: a claimed length costs no memory before its bytes arrive.
            src.reserve((needed - src.len()).min(src.len().max(RESERVE_STEP)));
            return Ok(None);
        }
        let mut frame = src.split_to(needed);
        frame.advance(4);
        let kind = Kind::try_from(frame.get_u8())?;
        let flags = frame.get_u8();
        let id = frame.get_u32_le();
        Ok(Some(Frame::with_flags(kind, flags, id, frame.freeze())))
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        match self.decode(src)? {
            Some(frame) => Ok(Some(frame)),
            None if src.is_empty() => Ok(None),
            None => Err(FrameError::Truncated { left: src.len() }),
        }
    }
}

impl FrameCodec {
    /// How many bytes are missing of the frame that `src` begins with; `None` before its header is whole.
    ///
    /// Who reads no more than these and the next header has each payload in a buffer of its own, never moved.
    pub fn missing(&self, src: &[u8]) -> Option<usize> {
        let needed = self.check_header(src).ok()??;
        Some(needed.saturating_sub(src.len()))
    }

    /// Checks as much of a header as is there, so that damage shows before a wait for the rest of the frame. Gives the
    /// bytes of the whole frame once the header is complete.
    fn check_header(&self, src: &[u8]) -> Result<Option<usize>, FrameError> {
        let Some((length, rest)) = src.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let claimed = u32::from_le_bytes(*length);
        // Only a 16-bit usize could not hold it, and there the limit says no.
        let length = usize::try_from(claimed).unwrap_or(usize::MAX);
        if length < LENGTH_COUNTED_HEADER || length > self.limit {
            return Err(FrameError::Length {
                length,
                limit: self.limit,
            });
        }
        if let Some(&kind) = rest.first() {
            let kind = Kind::try_from(kind)?;
            if let Some(&flags) = rest.get(1) {
                kind.check_flags(flags)?;
            }
        }
        let whole = src.len() >= Frame::HEADER_LEN;
        Ok(whole.then_some(length.saturating_add(4)))
    }
}

impl Encoder<Frame> for FrameCodec {
    type Error = FrameError;

    fn encode(&mut self, frame: Frame, dst: &mut BytesMut) -> Result<(), FrameError> {
        frame.check(self.limit)?;
        dst.reserve(Frame::HEADER_LEN + frame.payload.len());
        dst.put_slice(&frame.header());
        dst.put_slice(&frame.payload);
        Ok(())
    }
}

/// A byte stream that is no sequence of frames, or a frame that must not be sent.
///
/// After an error from the decoder the place of the next frame is unknown: the link is over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The stream is damaged, or the peer does not keep the limit.
    #[error("a frame of length {length} is not within 6 and {limit}")]
    Length {
        /// What the header says.
        length: usize,
        /// What is accepted.
        limit: usize,
    },
    /// The peer speaks another version, or the stream is damaged.
    #[error("unknown frame kind {kind}")]
    UnknownKind {
        /// The number in the header.
        kind: u8,
    },
    /// The peer speaks another version, or the stream is damaged.
    #[error("unknown flags {flags:#04x} of a {kind} frame")]
    UnknownFlags {
        /// The frame's kind.
        kind: Kind,
        /// All its flags.
        flags: u8,
    },
    /// The stream ended within a frame.
    #[error("the stream ended within a frame, {left} bytes after its start")]
    Truncated {
        /// The bytes of the frame that came.
        left: usize,
    },
    /// The stream below failed.
    #[error("the stream failed")]
    Io(#[from] io::Error),
}

/// Large enough that a usual frame needs one read, small enough to be wasted on a lie.
const RESERVE_STEP: usize = 64 << 10;

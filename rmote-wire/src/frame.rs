use std::fmt;

use bytes::Bytes;

use crate::codec::FrameError;

/// Bit 0 of a [`Kind::Load`]: the payload is a zlib stream.
pub const FLAG_COMPRESSED: u8 = 1;

/// Bit 1 of a [`Kind::Load`], without bit 0: the payload is the rest of the agent itself, a zlib stream of its modules.
/// From the agent, empty: it needs them.
pub const FLAG_REST: u8 = 2;

/// Bit 0 of an [`Kind::Output`]: written to standard error, else to standard output.
pub const FLAG_STDERR: u8 = 1;

/// Bit 0 of a [`Kind::Call`]: the caller takes a stream of results. Bit 0 of a [`Kind::Return`]: it ends such a stream.
pub const FLAG_STREAM: u8 = 1;

/// Bit 0 of a [`Kind::Input`] and a [`Kind::Data`]: the payload is bytes as they are, else one value.
pub const FLAG_RAW: u8 = 1;

/// Bit 1 of a [`Kind::Input`] and a [`Kind::Data`]: the next frame of the stream goes on with these bytes.
pub const FLAG_MORE: u8 = 2;

/// Bit 2 of a [`Kind::Input`], a [`Kind::Data`] and a [`Kind::Return`]: the payload is a zlib stream of what it would be.
pub const FLAG_DEFLATED: u8 = 4;

/// Bit 3 of a [`Kind::Input`] and a [`Kind::Data`], beside [`FLAG_DEFLATED`]: the payload goes on with the zlib stream of the
/// stream's last deflated frame.
pub const FLAG_CONTINUED: u8 = 8;

/// Bit 0 of a [`Kind::Log`]: the payload is how many records were dropped.
pub const FLAG_DROPPED: u8 = 1;

/// Bit 0 of a [`Kind::InputEnd`]: the stream failed, and the payload says why.
pub const FLAG_FAILED: u8 = 1;

/// What a frame is for. The numbers are those on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Kind {
    /// The first frame in each direction: version and limits.
    Hello = 1,
    /// The controller brings a module's source.
    Load = 2,
    /// The controller calls a function.
    Call = 3,
    /// The controller no longer wants a call's result.
    Cancel = 4,
    /// The controller asks whether the agent still lives.
    Ping = 5,
    /// The controller ends the session.
    Close = 6,
    /// The controller sends a part of a stream that a call reads.
    Input = 7,
    /// The controller lets the agent send more of a stream, or, with id 0, says how fast large frames come.
    Credit = 8,
    /// The controller ends a stream that a call reads.
    InputEnd = 9,
    /// A call returned a value.
    Return = 33,
    /// A call raised an exception.
    Raise = 34,
    /// A call, or what it left running, printed something.
    Output = 35,
    /// A record of Python's `logging`.
    Log = 36,
    /// The answer to a ping.
    Pong = 37,
    /// The agent ends the session.
    Bye = 38,
    /// The agent sends a part of a call's results, or of a stream that a call writes.
    Data = 39,
    /// The agent lets the controller send more of a stream, or, with id 0, says how fast large frames come.
    InputCredit = 40,
    /// The agent ends a stream that a call writes.
    DataEnd = 41,
}

impl Kind {
    /// The name in the protocol's table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Load => "load",
            Self::Call => "call",
            Self::Cancel => "cancel",
            Self::Ping => "ping",
            Self::Close => "close",
            Self::Input => "input",
            Self::Credit => "credit",
            Self::InputEnd => "input end",
            Self::Return => "return",
            Self::Raise => "raise",
            Self::Output => "output",
            Self::Log => "log",
            Self::Pong => "pong",
            Self::Bye => "bye",
            Self::Data => "data",
            Self::InputCredit => "input credit",
            Self::DataEnd => "data end",
        }
    }

    /// The flags that the protocol names for this kind.
    pub fn known_flags(self) -> u8 {
        match self {
            Self::Load => FLAG_COMPRESSED | FLAG_REST,
            Self::Output => FLAG_STDERR,
            Self::Call => FLAG_STREAM,
            Self::Return => FLAG_STREAM | FLAG_DEFLATED,
            Self::Input | Self::Data => FLAG_RAW | FLAG_MORE | FLAG_DEFLATED | FLAG_CONTINUED,
            Self::InputEnd => FLAG_FAILED,
            Self::Log => FLAG_DROPPED,
            _ => 0,
        }
    }

    pub(crate) fn check_flags(self, flags: u8) -> Result<(), FrameError> {
        if flags & !self.known_flags() == 0 {
            Ok(())
        } else {
            Err(FrameError::UnknownFlags { kind: self, flags })
        }
    }
}

impl TryFrom<u8> for Kind {
    type Error = FrameError;

    fn try_from(number: u8) -> Result<Self, FrameError> {
        Ok(match number {
            1 => Self::Hello,
            2 => Self::Load,
            3 => Self::Call,
            4 => Self::Cancel,
            5 => Self::Ping,
            6 => Self::Close,
            7 => Self::Input,
            8 => Self::Credit,
            9 => Self::InputEnd,
            33 => Self::Return,
            34 => Self::Raise,
            35 => Self::Output,
            36 => Self::Log,
            37 => Self::Pong,
            38 => Self::Bye,
            39 => Self::Data,
            40 => Self::InputCredit,
            41 => Self::DataEnd,
            _ => return Err(FrameError::UnknownKind { kind: number }),
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One message between a controller and an agent.
///
/// ```text
///  0               4      5       6               10
///  +---------------+------+-------+---------------+--------------------+
///  | length u32    | kind | flags | id u32        | payload            |
///  +---------------+------+-------+---------------+--------------------+
///                  |<---------------- length --------------------------|
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// What the frame is for.
    pub kind: Kind,
    /// What the kind knows of [`FLAG_COMPRESSED`], [`FLAG_STDERR`], [`FLAG_STREAM`], [`FLAG_RAW`], [`FLAG_MORE`],
    /// [`FLAG_DEFLATED`], [`FLAG_CONTINUED`], [`FLAG_DROPPED`] and [`FLAG_FAILED`].
    pub flags: u8,
    /// The call or stream that the frame belongs to, 0 for the session.
    pub id: u32,
    /// The content, by kind.
    pub payload: Bytes,
}

impl Frame {
    /// The bytes in front of a payload.
    pub const HEADER_LEN: usize = 10;

    /// Makes a frame without flags.
    pub fn new(kind: Kind, id: u32, payload: impl Into<Bytes>) -> Self {
        Self::with_flags(kind, 0, id, payload)
    }

    /// Makes a frame with flags. Flags that the kind does not know are found when the frame is encoded or checked.
    pub fn with_flags(kind: Kind, flags: u8, id: u32, payload: impl Into<Bytes>) -> Self {
        Self {
            kind,
            flags,
            id,
            payload: payload.into(),
        }
    }

    /// The first bytes of the frame, so that a writer can send header and payload without joining them.
    ///
    /// Such a writer calls [`check`](Self::check) first: a payload that no `length` can count has a header with the
    /// largest one.
    pub fn header(&self) -> [u8; Self::HEADER_LEN] {
        let length = u32::try_from(self.length()).unwrap_or(u32::MAX);
        let mut header = [0; Self::HEADER_LEN];
        header[..4].copy_from_slice(&length.to_le_bytes());
        header[4] = self.kind as u8;
        header[5] = self.flags;
        header[6..].copy_from_slice(&self.id.to_le_bytes());
        header
    }

    /// What the header's `length` says: 6 plus the payload.
    pub fn length(&self) -> usize {
        LENGTH_COUNTED_HEADER + self.payload.len()
    }

    /// Tells whether a peer with this limit would accept the frame.
    ///
    /// # Errors
    ///
    /// [`FrameError::Length`] and [`FrameError::UnknownFlags`].
    pub fn check(&self, limit: usize) -> Result<(), FrameError> {
        let length = self.length();
        if length > limit || u32::try_from(length).is_err() {
            return Err(FrameError::Length { length, limit });
        }
        self.kind.check_flags(self.flags)
    }
}

impl fmt::Debug for Frame {
    /// Leaves the payload out: it may be large, and a call's arguments may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("kind", &self.kind)
            .field("flags", &self.flags)
            .field("id", &self.id)
            .field("payload", &format_args!("{} bytes", self.payload.len()))
            .finish()
    }
}

/// The part of the header that `length` counts.
pub(crate) const LENGTH_COUNTED_HEADER: usize = 6;

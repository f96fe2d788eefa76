//! What comes out of the correlator.

use std::time::Duration;

use bytes::Bytes;
use rmote_wire::{AgentHello, LogRecord, Raise};

use crate::error::Fate;

/// What happened.
#[derive(Debug)]
pub(crate) enum Event<W> {
    /// The agent introduced itself.
    Hello(AgentHello),
    /// A call ended. Its streams have ended before.
    Ended(W, Outcome),
    /// A part of a stream.
    Data { id: u32, flags: u8, payload: Bytes },
    /// So many bytes more may be sent of a stream.
    Credit { id: u32, bytes: u32 },
    /// The agent says how many KiB a second come to it.
    Rate(u32),
    /// A stream is over: all of it has come or gone, or its call has failed.
    StreamEnded { id: u32, whole: bool },
    /// A call printed something, or something without a call (id 0) did.
    Output { id: u32, stderr: bool, data: Bytes },
    /// A log record.
    Log { id: u32, record: LogRecord },
    /// So many records were dropped on the host.
    Dropped(u64),
    /// The agent says good-bye.
    Bye,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// With this encoded value; the flags say whether it comes after a stream of results, and whether it is deflated.
    Returned { payload: Bytes, flags: u8 },
    /// With an exception.
    Raised(Box<Raise>),
    /// Its time was over.
    Expired(Duration, Fate),
    /// It was told to stop before it was sent.
    NeverSent,
}

//! What ends a running session.

use std::time::Duration;

use rmote_transport::Exit;
use rmote_wire::{FrameError, Kind, MessageError};

use super::quoted;

/// Why a running session ended. All calls that were in flight end with it.
#[derive(Debug)]
#[non_exhaustive]
pub struct LinkError {
    /// The target, safe to print.
    pub target: String,
    /// What ended it.
    pub kind: LinkErrorKind,
}

/// What ended a session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkErrorKind {
    /// The session was closed by this side.
    #[error("the session is closed")]
    Closed,
    /// The agent ended in order because a call told it to: `Quit.exit`.
    #[error("a call on the host has ended the agent: {exit}")]
    Quit {
        /// How the process that carries the link ended; most carry the agent's exit code on.
        exit: Exit,
    },
    /// The stream from the agent ended: the agent or what carries the link ended or was killed.
    #[error("the link was lost: {exit}{}", quoted("; it said", .said))]
    Lost {
        /// How the process that carries the link ended.
        exit: Exit,
        /// The last lines of its standard error, safe to print.
        said: String,
    },
    /// Nothing came from the host for three heartbeats: the network, the host or what carries the link is gone.
    #[error("nothing was heard for {after:?}")]
    Silent {
        /// How long.
        after: Duration,
    },
    /// The agent did not end within the grace after it was asked to.
    #[error("the agent did not end when asked to and was cut off")]
    NoBye,
    /// The agent broke the protocol, or noise got into the stream.
    #[error("the stream from the agent is damaged")]
    Protocol(#[source] ProtocolError),
}

/// What an agent may not send.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A frame could not be read.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The first frame is no hello.
    #[error("the first frame is {0:?}, not a hello")]
    NoHello(Kind),
    /// A frame that nothing asked for.
    #[error("a frame {0:?} with id {1} that nothing asked for")]
    Unexpected(Kind, u32),
    /// More of a stream than there was credit for.
    #[error("more of stream {0} than there was credit for")]
    NoCredit(u32),
    /// The payload of a frame could not be read.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The agent speaks another version of the protocol.
    #[error("the agent speaks version {0} of the protocol")]
    Version(u32),
}

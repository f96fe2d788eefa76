//! What keeps an agent from running.

use std::time::Duration;

use rmote_transport::{Fault, SpawnError};

use super::link::ProtocolError;
use super::quoted;

/// Why no agent runs on the host. Says where, and what to do about it.
#[derive(Debug)]
#[non_exhaustive]
pub struct StartError {
    /// The target, safe to print.
    pub target: String,
    /// What went wrong.
    pub kind: StartErrorKind,
}

/// What kept the agent from running.
///
/// Text that came from the host is safe to print: control characters are escaped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartErrorKind {
    /// The local program that reaches the host could not be started.
    #[error("the way to the host could not be started")]
    Spawn(#[from] SpawnError),
    /// The way to the host failed: refused, unknown host, no such container and the like.
    #[error("{}", .0.message)]
    Transport(Fault),
    /// No interpreter was found on the host.
    #[error("no Python was found there; install python3 (3.6 or newer) or name an interpreter{}", quoted(": the host said", .said))]
    NoPython {
        /// What the host said on its standard error.
        said: String,
    },
    /// The interpreters on the host are too old.
    #[error("the Python there is too old: found {found}, need 3.6 or newer")]
    PythonTooOld {
        /// The versions found, such as `2.7.18`.
        found: String,
    },
    /// A terminal is in the way and changes the bytes.
    #[error("a terminal is in the way: start the command without one (no -t, no RequestTTY)")]
    Terminal,
    /// What answered is no agent: too much noise, or the end, before the agent's mark.
    #[error("no agent answered: {exit}{}{}", quoted("; it printed", .printed), quoted("; it said", .said))]
    NoAgent {
        /// How the command ended.
        exit: String,
        /// The end of what came on its standard output.
        printed: String,
        /// The last lines of its standard error.
        said: String,
    },
    /// The agent was started and ended before it was ready.
    #[error("the agent ended at its start: {exit}{}", quoted("; it said", .said))]
    Died {
        /// How the command ended.
        exit: String,
        /// The last lines of its standard error.
        said: String,
    },
    /// The host did not answer in time.
    #[error("no answer within {after:?}{}{}", quoted("; it printed", .printed), quoted("; it said", .said))]
    TimedOut {
        /// The start's time-out.
        after: Duration,
        /// The end of what came on its standard output.
        printed: String,
        /// The last lines of its standard error.
        said: String,
    },
    /// What follows the agent's mark is not the protocol.
    #[error("the agent does not keep to the protocol")]
    Protocol(#[source] ProtocolError),
    /// The session was closed, or its last handle dropped, before the agent was ready.
    #[error("the session was closed before the agent was ready")]
    Closed,
}

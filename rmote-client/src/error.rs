//! What can go wrong: at the start, on the link, in one call.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rmote_transport::{Exit, Fault, SpawnError};
use rmote_wire::{
    DecodeError, EncodeError, FrameError, FromBytesError, Kind, MessageError, Raise, RaisedBy,
    Value, ValueError,
};

use crate::module::ModuleError;
use crate::remote_error::RemoteError;

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

fn quoted(label: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{label}: {text}")
    }
}

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

/// Why a call gave no value: where, which function, and what.
#[derive(Debug)]
#[non_exhaustive]
pub struct CallError {
    /// The target, safe to print.
    pub target: Arc<str>,
    /// The function's name as it was given.
    pub function: Arc<str>,
    /// What went wrong.
    pub kind: CallErrorKind,
}

// The kind is part of the message already, so the source is what stands behind the kind.
macro_rules! error_of_kind {
    ($type:ty, $format:literal, $($field:ident),+) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, $format, $(self.$field),+, self.kind)
            }
        }

        impl Error for $type {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                self.kind.source()
            }
        }
    };
}

error_of_kind!(StartError, "{}: {}", target);
error_of_kind!(LinkError, "{}: {}", target);
error_of_kind!(CallError, "{}: {}: {}", target, function);

/// Who failed in a call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallErrorKind {
    /// The function raised an exception. The session goes on.
    #[error("the function raised {0}")]
    Raised(Box<RemoteError>),
    /// The agent could not make the call: no such function, arguments that do not fit, a result that is no data.
    #[error("the agent could not make the call: {0}")]
    Agent(Box<RemoteError>),
    /// The result is over a limit.
    #[error("over a limit: {0}")]
    Limit(Box<RemoteError>),
    /// The host lacks what the function needs, such as a program: [`CallError::missing`] names it.
    #[error("not supported there: {0}")]
    Unsupported(Box<RemoteError>),
    /// The call was cancelled on the host.
    #[error("cancelled: {0}")]
    Cancelled(Box<RemoteError>),
    /// The caller's deadline came first. The agent was told to stop the call.
    #[error("no answer within the deadline of {after:?}; {fate}")]
    Deadline {
        /// The deadline.
        after: Duration,
        /// What became of the call.
        fate: Fate,
    },
    /// The call was told to stop before it was sent.
    #[error("stopped before it was sent")]
    NeverSent,
    /// The call that writes this stream failed or was given up before the stream's end.
    #[error("the call that writes the stream has failed")]
    Unfinished,
    /// The arguments cannot be sent. Nothing was sent.
    #[error("the arguments cannot be sent")]
    Arguments(#[source] ArgumentsError),
    /// The tool's source cannot be sent. Nothing was sent.
    #[error("the tool cannot be sent")]
    Module(#[from] ModuleError),
    /// The result is not of the type that was asked for.
    #[error("the result does not fit")]
    Result(#[from] ResultError),
    /// There is no agent.
    #[error("no agent runs there")]
    Start(#[source] Arc<StartError>),
    /// The session ended before the answer came.
    #[error("the session ended before the answer; {progress}")]
    Link {
        /// Why it ended.
        #[source]
        error: Arc<LinkError>,
        /// How far the call had come.
        progress: Progress,
    },
}

/// What became of a call whose time was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// It was never sent.
    NeverSent,
    /// It was stopped on the host.
    Stopped,
    /// It ended on the host by itself, a moment too late.
    Finished,
    /// It did not stop within the [grace](crate::Options::stop_grace) and may still run.
    Running,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NeverSent => "it was never sent",
            Self::Stopped => "it was stopped",
            Self::Finished => "it ended too late",
            Self::Running => "it may still run on the host",
        })
    }
}

/// How far a call had come when its session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Nothing of it left this process: it did not run.
    NotSent,
    /// It was sent: it may have run or not.
    Sent,
    /// It had begun: something that it printed, logged or sent had come.
    Started,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSent => "the call was not sent",
            Self::Sent => "the call may have run",
            Self::Started => "the call had begun",
        })
    }
}

/// Why arguments cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
#[non_exhaustive]
pub enum ArgumentsError {
    /// They are no values.
    Value(#[from] ValueError),
    /// They are over a limit.
    Encode(#[from] EncodeError),
}

/// Why a result cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultError {
    /// It is not of the type that was asked for.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// It is damaged or over a limit.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The function returned no iterator, but a value of this type.
    #[error("the function returned no stream but {0}")]
    NoStream(String),
    /// An item of a stream is over the limit of so many bytes.
    #[error("an item of the stream is larger than the limit of {0} bytes")]
    ItemTooLarge(usize),
    /// It inflates to more than the limit of so many bytes.
    #[error("it inflates to more than the limit of {0} bytes")]
    InflatesTooLarge(usize),
    /// It is no zlib stream, though it is marked as one.
    #[error("it is a damaged zlib stream")]
    Deflated,
}

impl From<FromBytesError> for ResultError {
    fn from(error: FromBytesError) -> Self {
        match error {
            FromBytesError::Value(error) => Self::Value(error),
            FromBytesError::Decode(error) => Self::Decode(error),
        }
    }
}

impl CallErrorKind {
    pub(crate) fn of(raise: Raise) -> Self {
        let by = raise.by;
        let error = Box::new(RemoteError::from(raise));
        match by {
            RaisedBy::Agent => Self::Agent(error),
            RaisedBy::Limit => Self::Limit(error),
            RaisedBy::Cancelled => Self::Cancelled(error),
            RaisedBy::Host => Self::Unsupported(error),
            _ => Self::Raised(error),
        }
    }
}

impl CallError {
    /// The exception that the function raised, if that is what happened.
    pub fn raised(&self) -> Option<&RemoteError> {
        match &self.kind {
            CallErrorKind::Raised(error) => Some(error),
            _ => None,
        }
    }

    /// What the host lacks that the function needs, such as `systemctl`, if that is why it failed.
    pub fn missing(&self) -> Option<&str> {
        match &self.kind {
            CallErrorKind::Unsupported(error) => match error.args.as_deref() {
                Some([Value::Text(missing), ..]) => Some(missing),
                _ => Some(&error.message),
            },
            _ => None,
        }
    }

    /// Whether the call was stopped, on the host or before it was sent.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            self.kind,
            CallErrorKind::Cancelled(_)
                | CallErrorKind::NeverSent
                | CallErrorKind::Deadline {
                    fate: Fate::Stopped | Fate::NeverSent,
                    ..
                }
        )
    }

    /// What the far side said, whoever of function, agent or limit failed there.
    pub fn remote(&self) -> Option<&RemoteError> {
        match &self.kind {
            CallErrorKind::Raised(error)
            | CallErrorKind::Agent(error)
            | CallErrorKind::Limit(error)
            | CallErrorKind::Unsupported(error)
            | CallErrorKind::Cancelled(error) => Some(error),
            _ => None,
        }
    }
}

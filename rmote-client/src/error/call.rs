//! What goes wrong in one call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rmote_wire::{DecodeError, EncodeError, FromBytesError, Raise, RaisedBy, Value, ValueError};

use super::link::LinkError;
use super::start::StartError;
use crate::module::ModuleError;
use crate::remote_error::RemoteError;

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

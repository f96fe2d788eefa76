//! The exit codes, part of the interface.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitCode, ExitStatus};

use rmote_tools::{CallError, CallErrorKind};

/// How the command ended. Of several targets the highest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// 0: done.
    Done = 0,
    /// 1: the function raised, or its result cannot travel.
    Raised = 1,
    /// 2: the command line is wrong: no such target, function or argument.
    Usage = 2,
    /// 3: no connection, no agent, or the link was lost.
    Link = 3,
    /// 4: the deadline came first.
    Deadline = 4,
    /// 5: the host lacks what the function needs.
    Unsupported = 5,
    /// 130: interrupted by Ctrl-C or ended by a signal.
    Interrupted = 130,
}

impl Exit {
    pub(crate) fn of(error: &CallError) -> Self {
        match &error.kind {
            // The exception says which: a result that is no data is the function's doing.
            CallErrorKind::Agent(error)
                if error.is("NoSuchFunction") || error.class == "TypeError" =>
            {
                Self::Usage
            }
            CallErrorKind::Arguments(_) | CallErrorKind::Module(_) => Self::Usage,
            CallErrorKind::Start(_) | CallErrorKind::Link { .. } => Self::Link,
            CallErrorKind::Deadline { .. } => Self::Deadline,
            CallErrorKind::Unsupported(_) => Self::Unsupported,
            _ => Self::Raised,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// How `exec` and `shell` ended: as the command on the host did, with the codes of shells and ssh for all else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Code(u8);

impl Code {
    /// The command line is wrong.
    pub(crate) const USAGE: Self = Self(2);
    /// No connection, no agent, the link was lost, or the person hung up.
    pub(crate) const FAILED: Self = Self(255);
    /// Interrupted a second time, or ended by a signal.
    pub(crate) const INTERRUPTED: Self = Self(130);
    /// Nobody reads our output any more: 128 and SIGPIPE.
    pub(crate) const BROKEN_PIPE: Self = Self(141);

    /// The command's own: its exit code, or 128 and the signal that ended it.
    pub(crate) fn of(status: ExitStatus) -> Self {
        let code = status.code().or(status.signal().map(|signal| 128 + signal));
        code.and_then(|code| code.try_into().ok())
            .map_or(Self::FAILED, Self)
    }

    /// Why the command did not run to its end.
    pub(crate) fn failed(error: &CallError) -> Self {
        let raised = |class| error.raised().is_some_and(|raised| raised.is(class));
        if raised("FileNotFoundError") {
            Self(127)
        } else if raised("PermissionError") {
            Self(126)
        } else {
            Self::FAILED
        }
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code.0)
    }
}

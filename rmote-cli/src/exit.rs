//! The exit codes, part of the interface.

use std::process::ExitCode;

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
            _ => Self::Raised,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

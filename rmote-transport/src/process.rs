//! The local process behind a link.

use std::fmt;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::Child;
use tokio::runtime::Handle;

use crate::clean::clean;
use crate::fault::{Family, Fault, FaultKind};
use crate::master::{Channel, Hold};
use crate::stderr::StderrTail;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// It ended with this code. `ssh` passes the remote code on, or says 255 for its own failures.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It ended, and nobody knows how: the shared connection went away, or a signal ended the remote program.
    Unknown,
}

/// The local process that carries a link: `ssh`, `docker`, the program itself.
///
/// Dropped, it is killed with its process group, unless [`leave_on_drop`](Self::leave_on_drop) was asked for.
pub struct Process {
    body: Body,
    stderr: StderrTail,
    family: Family,
    leave: bool,
    // Kept so that Drop, which may run anywhere, can leave a task behind.
    runtime: Handle,
}

#[derive(Debug)]
enum Body {
    /// A child; the hold keeps the directory of a shared connection alive.
    Child { child: Child, hold: Option<Hold> },
    /// A channel of a connection that another start made.
    Channel(Channel),
    /// Handed over in drop.
    Gone,
}

impl Process {
    pub(crate) fn child(child: Child, stderr: StderrTail, family: Family) -> Self {
        Self {
            body: Body::Child { child, hold: None },
            stderr,
            family,
            leave: false,
            runtime: Handle::current(),
        }
    }

    pub(crate) fn channel(channel: Channel, stderr: StderrTail, family: Family) -> Self {
        Self {
            body: Body::Channel(channel),
            stderr,
            family,
            leave: false,
            runtime: Handle::current(),
        }
    }

    /// Ties the life of a shared connection to this process.
    pub(crate) fn hold(&mut self, master: Hold) {
        if let Body::Child { hold, .. } = &mut self.body {
            *hold = Some(master);
        }
    }

    /// Waits until the process has ended. May be called again and gives the same answer.
    ///
    /// It does not close stdin: drop [`Link::stdin`](crate::Link::stdin) first if the program waits for its end.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a dropped future leaves the process running and loses nothing.
    pub async fn wait(&mut self) -> Exit {
        match &mut self.body {
            Body::Child { child, .. } => child.wait().await.map_or(Exit::Unknown, Exit::from),
            Body::Channel(channel) => channel.wait().await,
            Body::Gone => Exit::Unknown,
        }
    }

    /// Sends SIGKILL to the process and its process group; never blocks and does nothing once it has ended.
    ///
    /// A channel of a shared connection is cut instead: the remote program sees the end of its input.
    pub fn kill(&mut self) {
        match &mut self.body {
            Body::Child { child, hold } => {
                // No id: it was waited for, and the number may belong to somebody else by now.
                let Some(pid) = child
                    .id()
                    .and_then(|id| i32::try_from(id).ok())
                    .and_then(Pid::from_raw)
                else {
                    return;
                };
                // Once the shared connection is up, its helpers (a jump host's ssh) are in this group, too, and
                // other links need them.
                let result = match hold {
                    Some(hold) if hold.is_listening() => kill_process(pid, Signal::KILL),
                    _ => kill_process_group(pid, Signal::KILL),
                };
                if let Err(error) = result {
                    tracing::debug!(%error, "could not kill the process group");
                }
            }
            Body::Channel(channel) => channel.cut(),
            Body::Gone => {}
        }
    }

    /// The last lines that the process wrote to stderr.
    pub fn stderr(&self) -> StderrTail {
        self.stderr.clone()
    }

    /// What the exit and the program's stderr mean.
    ///
    /// Call [`StderrTail::settle`] first, or the last lines may be missing.
    pub fn fault(&self, exit: Exit) -> Fault {
        self.family.interpret(exit, &self.stderr.text())
    }

    /// Like [`fault`](Self::fault), for a caller that has text from stdout which is not the program's.
    ///
    /// docker writes some of its own failures to stdout: a program or a user that the container does not have.
    pub fn fault_with(&self, exit: Exit, stdout: &str) -> Fault {
        let plain = self.fault(exit);
        let says_enough = plain.kind != FaultKind::Other && !plain.message.is_empty();
        if says_enough || !matches!(self.family, Family::Container | Family::Unknown) {
            return plain;
        }
        let both = self
            .family
            .interpret(exit, &format!("{}\n{}", self.stderr.text(), clean(stdout)));
        if both.kind == FaultKind::Other && !plain.message.is_empty() {
            plain
        } else {
            both
        }
    }

    /// Whether dropping this leaves the process alone; `false` by default, which kills it.
    ///
    /// A program that ends by itself at the end of its input needs the time to end its own children. The caller must
    /// then drop [`Link::stdin`](crate::Link::stdin) as well: the process ends when its input does.
    pub fn leave_on_drop(&mut self, leave: bool) {
        self.leave = leave;
    }

    /// The local process id; `None` once it has ended, or for a channel of a shared connection.
    pub fn id(&self) -> Option<u32> {
        match &self.body {
            Body::Child { child, .. } => child.id(),
            _ => None,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.leave {
            self.kill();
            return;
        }
        match std::mem::replace(&mut self.body, Body::Gone) {
            // The shared connection must stay until this process has passed its last bytes on.
            Body::Child {
                mut child,
                hold: Some(hold),
            } => {
                self.runtime.spawn(async move {
                    _ = child.wait().await;
                    drop(hold);
                });
            }
            // tokio reaps a dropped child.
            Body::Child { .. } | Body::Gone => {}
            Body::Channel(channel) => channel.leave(),
        }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("body", &self.body)
            .field("family", &self.family)
            .field("leave", &self.leave)
            .field("stderr", &self.stderr)
            .finish_non_exhaustive()
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        use std::os::unix::process::ExitStatusExt;
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Unknown,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Unknown => f.write_str("unknown exit"),
        }
    }
}

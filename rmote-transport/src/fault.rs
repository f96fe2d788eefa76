//! What the stderr of a program and its exit mean.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use crate::process::Exit;

/// Why a link ended or never came to be, as far as the program that carried it says so.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The kind to match on.
    pub kind: FaultKind,
    /// The lines of stderr that say it, cleaned; empty if there were none.
    pub message: String,
}

/// The kinds of [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// The connection was made and then closed by the other side or lost.
    Disconnected,
    /// The host's key is unknown or not the one that is known.
    HostKey,
    /// There is no such container or pod, or it does not run.
    NoSuchContainer,
    /// Nothing that is known: see the message and the exit.
    Other,
    /// The other side does not accept this user or key.
    PermissionDenied,
    /// The far side does not have the program.
    ProgramNotFound,
    /// Nothing listens there, or the daemon does not run.
    Refused,
    /// No answer in time.
    TimedOut,
    /// The host's name has no address.
    UnknownHost,
    /// There is no way to the host's network.
    Unreachable,
}

/// Programs that fail with the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// docker, podman, nerdctl.
    Container,
    Kubectl,
    /// The program itself, without anything that carries it.
    Plain,
    Ssh,
    /// A command that nobody knows: it may end in any of them.
    Unknown,
}

/// What a family of programs says.
struct Words {
    /// How its own lines begin; empty for any. The remote program writes to the same stderr.
    begins: &'static [&'static str],
    /// The first kind that fits wins, so causes stand before consequences ("connection closed" follows most others).
    phrases: &'static [(FaultKind, &'static [&'static str])],
}

const SSH: Words = Words {
    begins: &[],
    phrases: &[
        (
            FaultKind::HostKey,
            &[
                "REMOTE HOST IDENTIFICATION HAS CHANGED",
                "Host key verification failed",
                "host key is known for",
            ],
        ),
        (
            FaultKind::UnknownHost,
            &["Could not resolve hostname", "Name or service not known"],
        ),
        (
            FaultKind::PermissionDenied,
            &["Permission denied (", "Too many authentication failures"],
        ),
        (
            FaultKind::Refused,
            &["Connection refused", "administratively prohibited"],
        ),
        (FaultKind::TimedOut, &["timed out", "Timeout, server"]),
        (
            FaultKind::Unreachable,
            &["No route to host", "Network is unreachable", "Host is down"],
        ),
        (
            FaultKind::Disconnected,
            &[
                "Connection closed by",
                "closed by remote host",
                "Connection reset by",
                "Broken pipe",
            ],
        ),
    ],
};

const CONTAINER: Words = Words {
    begins: &[
        "Error",
        "error",
        "Cannot connect",
        "failed to connect",
        "OCI runtime",
        "unable to find user",
        "permission denied while",
        "Got permission denied",
        "crun: ",
    ],
    phrases: &[
        (
            FaultKind::Refused,
            &[
                "Cannot connect to the Docker daemon",
                "Cannot connect to Podman",
                "failed to connect to the docker API",
                "connection refused",
            ],
        ),
        (
            FaultKind::PermissionDenied,
            &[
                "permission denied while trying to connect",
                "unable to find user",
                "no matching entries in passwd",
            ],
        ),
        (
            FaultKind::NoSuchContainer,
            &[
                "No such container",
                "no such container",
                "no container with name",
                "is not running",
                "container state improper",
                "is paused",
            ],
        ),
        // Has the words of the next kind in it.
        (FaultKind::Other, &["chdir to cwd"]),
        (
            FaultKind::ProgramNotFound,
            &["executable file not found", "no such file or directory"],
        ),
    ],
};

const KUBECTL: Words = Words {
    begins: &[
        "Error",
        "error",
        "Unable to connect",
        "The connection to the server",
        "command terminated",
        "OCI runtime",
        "You must be logged in",
    ],
    phrases: &[
        (
            FaultKind::ProgramNotFound,
            &[
                "executable file not found",
                "no such file or directory: unknown",
                "exit code 127",
            ],
        ),
        (
            FaultKind::NoSuchContainer,
            &[
                "(NotFound)",
                "container not found",
                "is not valid for pod",
                "in a completed pod",
            ],
        ),
        (
            FaultKind::PermissionDenied,
            &["(Forbidden)", "(Unauthorized)", "must be logged in"],
        ),
        (FaultKind::UnknownHost, &["no such host"]),
        (FaultKind::Refused, &["was refused", "connection refused"]),
        (
            FaultKind::TimedOut,
            &["i/o timeout", "timed out", "deadline exceeded"],
        ),
    ],
};

/// The shell's code for a command that does not exist.
const NOT_FOUND: i32 = 127;
/// The shell's code for a command that cannot be run; older dockers say so for one that does not exist, too.
const NOT_EXECUTABLE: i32 = 126;
/// What `ssh` says for its own failures.
const SSH_FAILED: i32 = 255;
/// Lines of a message without known words.
const LAST_LINES: usize = 4;

impl Family {
    /// The family by the program's file name.
    pub(crate) fn of_program(program: &str) -> Self {
        match Path::new(program).file_name().and_then(OsStr::to_str) {
            Some("docker" | "podman" | "nerdctl") => Self::Container,
            Some("kubectl" | "oc") => Self::Kubectl,
            Some("ssh") => Self::Ssh,
            _ => Self::Unknown,
        }
    }

    /// The one place that translates a program's words.
    pub(crate) fn interpret(self, exit: Exit, stderr: &str) -> Fault {
        let known = match self {
            Self::Container => find(&CONTAINER, stderr),
            Self::Kubectl => find(&KUBECTL, stderr),
            Self::Plain => None,
            Self::Ssh => ssh(exit, stderr),
            Self::Unknown => ssh(exit, stderr)
                .or_else(|| find(&CONTAINER, stderr))
                .or_else(|| find(&KUBECTL, stderr)),
        };
        // A program that ended well says nothing about the way to it, whatever it printed.
        let known = known.filter(|_| exit != Exit::Code(0));
        known.unwrap_or_else(|| {
            let kind = match exit {
                Exit::Code(NOT_FOUND) => FaultKind::ProgramNotFound,
                // docker writes this one failure to stdout, where it is lost to us: the code must do.
                Exit::Code(NOT_EXECUTABLE) if self == Self::Container => FaultKind::ProgramNotFound,
                _ => FaultKind::Other,
            };
            Fault {
                kind,
                message: last_lines(stderr),
            }
        })
    }
}

/// Only with ssh's own exit code: another one is the remote program's, and so is what it printed.
fn ssh(exit: Exit, stderr: &str) -> Option<Fault> {
    match exit {
        Exit::Code(SSH_FAILED) | Exit::Unknown | Exit::Signal(_) => find(&SSH, stderr),
        Exit::Code(_) => None,
    }
}

fn find(words: &Words, stderr: &str) -> Option<Fault> {
    let begins = |line: &&str| {
        words.begins.is_empty() || words.begins.iter().any(|begin| line.starts_with(begin))
    };
    words.phrases.iter().find_map(|(kind, phrases)| {
        let says = |line: &&str| begins(line) && phrases.iter().any(|phrase| line.contains(phrase));
        // ssh frames its loudest warning with @.
        let lines: Vec<&str> = stderr
            .lines()
            .filter(says)
            .map(|line| line.trim_matches(['@', ' ']))
            .collect();
        (!lines.is_empty()).then(|| Fault {
            kind: *kind,
            message: lines.join("\n"),
        })
    })
}

fn last_lines(stderr: &str) -> String {
    let lines: Vec<&str> = stderr
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with("Warning: Permanently added"))
        .collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}

impl FaultKind {
    /// A few plain words, such as `host key not accepted`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "connection closed",
            Self::HostKey => "host key not accepted",
            Self::NoSuchContainer => "no such running container",
            Self::Other => "failed",
            Self::PermissionDenied => "permission denied",
            Self::ProgramNotFound => "program not found",
            Self::Refused => "connection refused",
            Self::TimedOut => "timed out",
            Self::UnknownHost => "unknown host",
            Self::Unreachable => "host unreachable",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        if self.message.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.message)
        }
    }
}

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;

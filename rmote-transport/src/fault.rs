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

type Phrases = &'static [(FaultKind, &'static [&'static str])];

/// The first kind that fits wins, so causes stand before consequences ("connection closed" follows most others).
const SSH: Phrases = &[
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
            "Connection to ",
        ],
    ),
];

const CONTAINER: Phrases = &[
    (
        FaultKind::Refused,
        &[
            "Cannot connect to the Docker daemon",
            "Cannot connect to Podman",
            "connection refused",
        ],
    ),
    (
        FaultKind::PermissionDenied,
        &[
            "permission denied while trying to connect",
            "unable to find user",
            "no matching entries in passwd file",
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
    (
        FaultKind::ProgramNotFound,
        &[
            "executable file not found",
            "stat ",
            "exec: no such file or directory",
        ],
    ),
];

const KUBECTL: Phrases = &[
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
            "cannot exec into a container in a completed pod",
        ],
    ),
    (
        FaultKind::PermissionDenied,
        &["(Forbidden)", "Unauthorized", "must be logged in"],
    ),
    (FaultKind::UnknownHost, &["no such host"]),
    (FaultKind::Refused, &["was refused", "connection refused"]),
    (
        FaultKind::TimedOut,
        &["i/o timeout", "timed out", "deadline exceeded"],
    ),
];

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
            Self::Container => find(CONTAINER, stderr),
            Self::Kubectl => find(KUBECTL, stderr),
            Self::Plain => None,
            Self::Ssh => ssh(exit, stderr),
            Self::Unknown => ssh(exit, stderr)
                .or_else(|| find(CONTAINER, stderr))
                .or_else(|| find(KUBECTL, stderr)),
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
        Exit::Code(SSH_FAILED) | Exit::Unknown | Exit::Signal(_) => find(SSH, stderr),
        Exit::Code(_) => None,
    }
}

fn find(phrases: Phrases, stderr: &str) -> Option<Fault> {
    phrases.iter().find_map(|(kind, phrases)| {
        let says = |line: &&str| phrases.iter().any(|phrase| line.contains(phrase));
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
mod tests {
    use super::*;

    #[track_caller]
    fn check(family: Family, code: i32, stderr: &str, kind: FaultKind, message: &str) {
        assert_eq!(
            family.interpret(Exit::Code(code), stderr),
            Fault {
                kind,
                message: message.into()
            },
            "{stderr}"
        );
    }

    #[test]
    fn ssh_words() {
        use FaultKind::*;
        for (line, kind) in [
            (
                "ssh: connect to host web01 port 22: Connection refused",
                Refused,
            ),
            (
                "deploy@web01: Permission denied (publickey,password).",
                PermissionDenied,
            ),
            (
                "ssh: Could not resolve hostname web01: Name or service not known",
                UnknownHost,
            ),
            ("Host key verification failed.", HostKey),
            (
                "No ED25519 host key is known for web01 and you have requested strict checking.",
                HostKey,
            ),
            (
                "ssh: connect to host web01 port 22: Connection timed out",
                TimedOut,
            ),
            ("Connection timed out during banner exchange", TimedOut),
            ("Timeout, server web01 not responding.", TimedOut),
            (
                "ssh: connect to host web01 port 22: No route to host",
                Unreachable,
            ),
            (
                "kex_exchange_identification: Connection closed by remote host",
                Disconnected,
            ),
            ("Connection to web01 closed by remote host.", Disconnected),
            ("client_loop: send disconnect: Broken pipe", Disconnected),
            (
                "channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed",
                Refused,
            ),
            (
                "/root/.ssh/config: line 3: Bad configuration option: nonsense",
                Other,
            ),
        ] {
            let fault = Family::Ssh.interpret(Exit::Code(255), line);
            assert_eq!(fault.kind, kind, "{line}");
            assert!(line.contains(&fault.message), "{line}: {}", fault.message);
        }
    }

    #[test]
    fn a_changed_host_key_is_named_without_the_frame() {
        let text = "@@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@@@@\nIT IS POSSIBLE\n\
                    Password authentication is disabled\nHost key verification failed.";
        let message =
            "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key verification failed.";
        check(Family::Ssh, 255, text, FaultKind::HostKey, message);
    }

    #[test]
    fn the_remote_programs_words_are_not_sshs() {
        check(
            Family::Ssh,
            1,
            "curl: Connection refused",
            FaultKind::Other,
            "curl: Connection refused",
        );
        check(
            Family::Ssh,
            0,
            "Connection refused",
            FaultKind::Other,
            "Connection refused",
        );
        check(
            Family::Ssh,
            127,
            "sh: 1: python3: not found",
            FaultKind::ProgramNotFound,
            "sh: 1: python3: not found",
        );
    }

    #[test]
    fn container_words() {
        use FaultKind::*;
        for (code, line, kind) in [
            (
                1,
                "Error response from daemon: No such container: db",
                NoSuchContainer,
            ),
            (1, "Error: No such container: db", NoSuchContainer),
            (
                1,
                "Error response from daemon: container 1f2e is not running",
                NoSuchContainer,
            ),
            (
                125,
                "Error: no container with name or ID \"db\" found: no such container",
                NoSuchContainer,
            ),
            (
                255,
                "Error: can only create exec sessions on running containers: container state improper",
                NoSuchContainer,
            ),
            (
                127,
                "OCI runtime exec failed: exec: \"x\": executable file not found in $PATH: unknown",
                ProgramNotFound,
            ),
            (
                127,
                "OCI runtime exec failed: exec: \"/x\": stat /x: no such file or directory: unknown",
                ProgramNotFound,
            ),
            (
                1,
                "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.",
                Refused,
            ),
            (
                1,
                "permission denied while trying to connect to the Docker daemon socket",
                PermissionDenied,
            ),
            (
                126,
                "unable to find user nobody2: no matching entries in passwd file",
                PermissionDenied,
            ),
            (3, "anything", Other),
            (126, "", ProgramNotFound),
        ] {
            check(Family::Container, code, line, kind, line);
        }
    }

    #[test]
    fn kubectl_words() {
        use FaultKind::*;
        for (line, kind) in [
            (
                "Error from server (NotFound): pods \"web\" not found",
                NoSuchContainer,
            ),
            (
                "Error from server (BadRequest): container app is not valid for pod web",
                NoSuchContainer,
            ),
            (
                "Error from server (Forbidden): pods \"web\" is forbidden",
                PermissionDenied,
            ),
            (
                "The connection to the server localhost:8080 was refused",
                Refused,
            ),
            (
                "Unable to connect to the server: dial tcp: lookup k8s: no such host",
                UnknownHost,
            ),
            (
                "Unable to connect to the server: dial tcp 10.0.0.1:443: i/o timeout",
                TimedOut,
            ),
            ("command terminated with exit code 127", ProgramNotFound),
        ] {
            check(Family::Kubectl, 1, line, kind, line);
        }
    }

    #[test]
    fn unknown_commands_try_all() {
        check(
            Family::Unknown,
            255,
            "Host key verification failed.",
            FaultKind::HostKey,
            "Host key verification failed.",
        );
        check(
            Family::Unknown,
            1,
            "Error: No such container: a",
            FaultKind::NoSuchContainer,
            "Error: No such container: a",
        );
        check(
            Family::Unknown,
            1,
            "a\nb\n\nc\nd\ne",
            FaultKind::Other,
            "b\nc\nd\ne",
        );
        check(Family::Plain, 127, "", FaultKind::ProgramNotFound, "");
        assert_eq!(Family::of_program("/usr/bin/ssh"), Family::Ssh);
        assert_eq!(Family::of_program("sudo"), Family::Unknown);
    }

    #[test]
    fn fault_reads_as_a_sentence() {
        let fault = Family::Ssh.interpret(Exit::Code(255), "Host key verification failed.");
        assert_eq!(
            fault.to_string(),
            "host key not accepted: Host key verification failed."
        );
        assert_eq!(
            Family::Plain.interpret(Exit::Unknown, "").to_string(),
            "failed"
        );
    }
}

//! Targets as text, and the rules for names in them.

use std::fmt;
use std::str::FromStr;

use crate::clean::{clean_line, is_hidden};
use crate::command::{Command, display_words};
use crate::docker::Docker;
use crate::fault::Family;
use crate::kubectl::Kubectl;
use crate::link::Transport;
use crate::local::Local;
use crate::name::{Destination, NameKind, check_name};
use crate::ssh::Ssh;

/// A place to start programs at, as people write it.
///
/// | text | transport |
/// | --- | --- |
/// | `local` | [`Local`] |
/// | `web01`, `deploy@web01`, `ssh://deploy@web01:2222`, `ssh://[::1]:22` | [`Ssh`] |
/// | `docker://test-db`, `docker://postgres@test-db` | [`Docker`] |
/// | `podman://test-db` | [`Docker::podman`] |
/// | `kubectl://namespace/pod`, `kubectl://namespace/pod/container` | [`Kubectl`] |
/// | `cmd:sudo -n --` | [`Command`], split as a shell would |
///
/// Text may come from anywhere but for `cmd:`, which runs what it says: names that could be taken for an option, or that
/// hold spaces, control characters or the shell's special characters, are refused.
///
/// # Examples
///
/// ```
/// use rmote_transport::Target;
///
/// let target: Target = "deploy@web01".parse()?;
/// assert_eq!(target.to_string(), "ssh://deploy@web01");
/// assert!("-oProxyCommand=reboot".parse::<Target>().is_err());
/// # Ok::<(), rmote_transport::TargetError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Kind {
    Command(Vec<String>),
    Docker {
        podman: bool,
        user: Option<String>,
        container: String,
    },
    Kubectl {
        namespace: String,
        pod: String,
        container: Option<String>,
    },
    Local,
    Ssh(Destination),
}

/// Why a text is not a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// `host:port` may be a host and a port or a scheme: it must be written in full.
    #[error("\"{text}\" may be a port or a scheme, write ssh://{text}")]
    Ambiguous {
        /// The text, cleaned.
        text: String,
    },
    /// The words of `cmd:` have an open quote.
    #[error("the words of the command have an open quote")]
    OpenQuote,
    /// A name holds a character that it must not.
    #[error("the {part} \"{name}\" must not contain {character:?}")]
    Character {
        /// Which part: `host`, `user`, `container`, …
        part: &'static str,
        /// The name, cleaned.
        name: String,
        /// The character.
        character: char,
    },
    /// A part is missing.
    #[error("the {part} is missing")]
    Empty {
        /// Which part.
        part: &'static str,
    },
    /// A name begins or ends so that a program would read it as something else, such as an option.
    #[error("the {part} \"{name}\" must not {verb} with {character:?}")]
    Edge {
        /// Which part.
        part: &'static str,
        /// The name, cleaned.
        name: String,
        /// `begin` or `end`.
        verb: &'static str,
        /// The character.
        character: char,
    },
    /// Passwords do not belong into a target: every user of this machine could read it.
    #[error("a password cannot be part of a target")]
    Password,
    /// The port is not a number from 1 to 65535.
    #[error("\"{port}\" is not a port")]
    Port {
        /// The text, cleaned.
        port: String,
    },
    /// The text before `:` names no transport.
    #[error("unknown scheme \"{scheme}\", known are ssh, docker, podman, kubectl and cmd")]
    Scheme {
        /// The scheme, cleaned.
        scheme: String,
    },
}

impl Target {
    /// The transport with its defaults.
    pub fn transport(&self) -> Box<dyn Transport> {
        match &self.kind {
            Kind::Command(words) => {
                // ssh hands its words to a shell; see Command::remote_shell.
                let shell = Family::of_program(&words[0]) == Family::Ssh;
                Box::new(
                    Command::new(&words[0])
                        .args(&words[1..])
                        .remote_shell(shell),
                )
            }
            Kind::Docker {
                podman,
                user,
                container,
            } => {
                let docker = if *podman {
                    Docker::podman(container)
                } else {
                    Docker::new(container)
                };
                Box::new(if let Some(user) = user {
                    docker.user(user)
                } else {
                    docker
                })
            }
            Kind::Kubectl {
                namespace,
                pod,
                container,
            } => Box::new(Kubectl::new(namespace, pod, container.as_deref())),
            Kind::Local => Box::new(Local::new()),
            Kind::Ssh(destination) => Box::new(Ssh::from(destination.clone())),
        }
    }

    /// The settings of an ssh target, to change them; `None` for the others.
    pub fn ssh(&self) -> Option<Ssh> {
        match &self.kind {
            Kind::Ssh(destination) => Some(Ssh::from(destination.clone())),
            _ => None,
        }
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if let Some(character) = text.chars().find(|&c| is_hidden(c)) {
            return Err(TargetError::Character {
                part: "target",
                name: clean_line(text),
                character,
            });
        }
        let kind = if text.is_empty() {
            return Err(TargetError::Empty { part: "target" });
        } else if text == "local" {
            Kind::Local
        } else if let Some(rest) = text.strip_prefix("cmd:") {
            let words = shlex::split(rest).ok_or(TargetError::OpenQuote)?;
            if words.first().is_none_or(String::is_empty) {
                return Err(TargetError::Empty { part: "command" });
            }
            Kind::Command(words)
        } else if let Some((scheme, rest)) = text.split_once("://") {
            match scheme {
                "docker" | "podman" => docker(scheme == "podman", rest)?,
                "kubectl" => kubectl(rest)?,
                "ssh" => Kind::Ssh(Destination::from_authority(rest)?),
                _ => {
                    return Err(TargetError::Scheme {
                        scheme: clean_line(scheme),
                    });
                }
            }
        } else {
            Kind::Ssh(text.parse()?)
        };
        Ok(Self { kind })
    }
}

fn docker(podman: bool, rest: &str) -> Result<Kind, TargetError> {
    let (user, container) = match rest.rsplit_once('@') {
        Some((user, container)) => (
            Some(check_name(NameKind::ContainerUser, user)?.to_string()),
            container,
        ),
        None => (None, rest),
    };
    Ok(Kind::Docker {
        podman,
        user,
        container: check_name(NameKind::Container, container)?.into(),
    })
}

fn kubectl(rest: &str) -> Result<Kind, TargetError> {
    let mut parts = rest
        .splitn(3, '/')
        .map(|part| check_name(NameKind::Kubernetes, part).map(String::from));
    let namespace = parts
        .next()
        .ok_or(TargetError::Empty { part: "namespace" })??;
    let pod = parts.next().ok_or(TargetError::Empty { part: "pod" })??;
    Ok(Kind::Kubectl {
        namespace,
        pod,
        container: parts.next().transpose()?,
    })
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Command(words) => write!(f, "cmd:{}", display_words(words)),
            Kind::Docker {
                podman,
                user,
                container,
            } => {
                let scheme = if *podman { "podman" } else { "docker" };
                let user = user
                    .as_ref()
                    .map(|user| format!("{user}@"))
                    .unwrap_or_default();
                write!(f, "{scheme}://{user}{container}")
            }
            Kind::Kubectl {
                namespace,
                pod,
                container,
            } => {
                write!(f, "kubectl://{namespace}/{pod}")?;
                container
                    .iter()
                    .try_for_each(|container| write!(f, "/{container}"))
            }
            Kind::Local => f.write_str("local"),
            Kind::Ssh(destination) => write!(f, "ssh://{destination}"),
        }
    }
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;

//! The rules for names that become words on a command line.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::clean::clean_line;
use crate::target::TargetError;

/// `[user@]host[:port]`, checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Destination {
    pub(crate) user: Option<String>,
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

impl Destination {
    /// The part of a URL after `ssh://`.
    pub(crate) fn from_authority(text: &str) -> Result<Self, TargetError> {
        let (user, rest) = Self::split_user(text)?;
        let (host, port) = if let Some(rest) = rest.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or(TargetError::Character {
                part: "host",
                name: clean_line(text),
                character: '[',
            })?;
            let port = match rest.strip_prefix(':') {
                None if rest.is_empty() => None,
                port => Some(port.unwrap_or(rest)),
            };
            (host, port)
        } else {
            match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            }
        };
        let port = port.map(parse_port).transpose()?;
        Ok(Self {
            user,
            host: check_name(NameKind::Host, host)?.into(),
            port,
        })
    }

    fn split_user(text: &str) -> Result<(Option<String>, &str), TargetError> {
        // The last @: a user may be written as name@domain.
        let Some((user, rest)) = text.rsplit_once('@') else {
            return Ok((None, text));
        };
        if user.contains(':') {
            return Err(TargetError::Password);
        }
        Ok((Some(check_name(NameKind::User, user)?.into()), rest))
    }
}

/// `[user@]host` or `ssh://…`.
impl FromStr for Destination {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if let Some(rest) = text.strip_prefix("ssh://") {
            return Self::from_authority(rest);
        }
        let (user, host) = Self::split_user(text)?;
        if host.contains(':') && !is_ipv6(host) {
            return Err(TargetError::Ambiguous {
                text: clean_line(text),
            });
        }
        Ok(Self {
            user,
            host: check_name(NameKind::Host, host)?.into(),
            port: None,
        })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        self.port.iter().try_for_each(|port| write!(f, ":{port}"))
    }
}

fn parse_port(text: &str) -> Result<u16, TargetError> {
    // u16's own parser takes a plus sign.
    let port = text
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten();
    port.filter(|&port| port != 0)
        .ok_or_else(|| TargetError::Port {
            port: clean_line(text),
        })
}

fn is_ipv6(host: &str) -> bool {
    let (address, zone) = host.split_once('%').unwrap_or((host, "0"));
    address.parse::<Ipv6Addr>().is_ok() && !zone.is_empty()
}

/// Which rules a name follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameKind {
    Container,
    ContainerUser,
    Host,
    Kubernetes,
    User,
}

/// Checks a name that becomes a word of its own on a command line.
///
/// The programs' own checks come too late or not at all: ssh hands user and host to the shell of a `ProxyCommand`.
pub(crate) fn check_name(kind: NameKind, name: &str) -> Result<&str, TargetError> {
    let (part, extra) = match kind {
        NameKind::Container => ("container", "_.-"),
        NameKind::ContainerUser => ("user", "_.-:"),
        NameKind::Host => ("host", "_.-+~,"),
        NameKind::Kubernetes => ("name", "_.-"),
        NameKind::User => ("user", "_.-+~,@\\=%#$"),
    };
    let Some(first) = name.chars().next() else {
        return Err(TargetError::Empty { part });
    };
    let edge = |verb, character| TargetError::Edge {
        part,
        name: clean_line(name),
        verb,
        character,
    };
    if first == '-' {
        return Err(edge("begin", first));
    }
    if name.ends_with('\\') {
        return Err(edge("end", '\\'));
    }
    if kind == NameKind::Host && name.contains(':') && is_ipv6(name) {
        // The zone is an interface's name: what follows holds for it.
        let (address, zone) = name.split_once('%').unwrap_or((name, "0"));
        return check_name(NameKind::Container, zone)
            .map(|_| if zone == "0" { address } else { name });
    }
    // Docker and Kubernetes know ASCII alone; a user or a Host entry of the ssh configuration may be in any language.
    let allowed = |c: char| {
        c.is_ascii_alphanumeric()
            || extra.contains(c)
            || (matches!(kind, NameKind::Host | NameKind::User) && c.is_alphanumeric())
    };
    match name.chars().find(|&c| !allowed(c)) {
        Some(character) => Err(TargetError::Character {
            part,
            name: clean_line(name),
            character,
        }),
        None => Ok(name),
    }
}

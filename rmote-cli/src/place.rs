//! Where a copy comes from or goes to: a path here, or one on a host.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use rmote_tools::{HostPath, Target, escape};

/// A path here, or one on a host.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Here(PathBuf),
    Host(Target, HostPath),
}

impl Place {
    /// Reads `path`, `host:path` or `scheme://host:path`. As with scp, a colon behind a slash is a part of a path.
    pub(crate) fn parse(word: &OsStr) -> Result<Self, String> {
        let bytes = word.as_bytes();
        let Some((host, path)) = split(bytes)? else {
            return Ok(Self::Here(word.into()));
        };
        let text = std::str::from_utf8(host).map_err(|_| {
            format!(
                "{}: a host's name is UTF-8",
                escape(&word.to_string_lossy())
            )
        })?;
        // scp knows an address by its brackets, without a scheme.
        let address = text.contains('[') && !text.contains("://");
        let text = format!("{}{text}", if address { "ssh://" } else { "" });
        let target: Target = text.parse().map_err(|error| format!("target: {error}"))?;
        // ssh starts in the home directory, and there is no shell to know the tilde.
        let path = match path {
            b"~" if target.ssh().is_some() => b"".as_slice(),
            path if target.ssh().is_some() => path.strip_prefix(b"~/").unwrap_or(path),
            path => path,
        };
        let path = if path.is_empty() { b"." } else { path };
        Ok(Self::Host(target, HostPath::from_os_bytes(path.to_vec())))
    }

    /// The path as a word, for a message.
    pub(crate) fn display(&self) -> String {
        match self {
            Self::Here(path) => escape(&path.to_string_lossy()),
            Self::Host(target, path) => {
                format!("{target}:{}", escape(&path.as_path().to_string_lossy()))
            }
        }
    }
}

/// A host and a path.
type Parts<'a> = (&'a [u8], &'a [u8]);

/// The host and the path, or nothing for a path here.
fn split(word: &[u8]) -> Result<Option<Parts<'_>>, String> {
    let position = |bytes: &[u8], wanted: u8| bytes.iter().position(|byte| *byte == wanted);
    let part = |at: usize| Some((&word[..at], &word[at + 1..]));
    if word.starts_with(b"cmd:") {
        let last = word
            .iter()
            .rposition(|byte| *byte == b':')
            .filter(|at| *at > 3);
        return last.map(part).ok_or_else(|| wants_path(word));
    }
    let slash = position(word, b'/').unwrap_or(word.len());
    if let Some(at) = position(word, b':').filter(|at| *at > 0 && *at < slash) {
        if !word[at..].starts_with(b"://") {
            // The colons of an address in brackets are its own.
            let close = word.windows(2).position(|pair| pair == b"]:");
            let close = close.filter(|close| word[..at].contains(&b'[') && *close < slash);
            return Ok(part(close.map_or(at, |close| close + 1)));
        }
        let rest = at + 3;
        let user = &word[rest..];
        if word.starts_with(b"ssh://") {
            let slash = rest + position(user, b'/').unwrap_or(user.len());
            let colon = word[rest..slash].iter().rposition(|byte| *byte == b':');
            let colon = colon.map(|colon| rest + colon);
            let colon = colon.filter(|colon| !word[*colon..slash].contains(&b']'));
            // A number is the port if a slash follows it.
            let is_port = |colon: usize| {
                let number = &word[colon + 1..slash];
                !number.is_empty() && number.iter().all(u8::is_ascii_digit) && slash < word.len()
            };
            return match colon {
                Some(colon) if !is_port(colon) => Ok(part(colon)),
                _ if slash < word.len() => Ok(Some((&word[..slash], &word[slash..]))),
                _ => Err(wants_path(word)),
            };
        }
        let colon = position(user, b':').map(|colon| rest + colon);
        return colon.map(part).ok_or_else(|| wants_path(word));
    }
    Ok(None)
}

fn wants_path(word: &[u8]) -> String {
    let word = OsString::from_vec(word.to_vec());
    let word = escape(&word.to_string_lossy());
    format!("{word} names no path; write {word}:PATH")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(word: &str) -> Option<(String, String)> {
        match Place::parse(OsStr::new(word)).unwrap_or_else(|error| panic!("{word}: {error}")) {
            Place::Here(path) => {
                assert_eq!(path, PathBuf::from(word));
                None
            }
            Place::Host(target, path) => {
                Some((target.to_string(), path.to_string_lossy().into_owned()))
            }
        }
    }

    #[test]
    fn words_are_read_as_scp_reads_them() {
        for here in ["file", "./a:b", "/a:b", "dir/a:b", ":x", ".", "../x", "~/x"] {
            assert_eq!(parts(here), None, "{here}");
        }
        for (word, host, path) in [
            ("web01:/etc/hosts", "ssh://web01", "/etc/hosts"),
            ("deploy@web01:x/y:z", "ssh://deploy@web01", "x/y:z"),
            ("web01:", "ssh://web01", "."),
            ("web01:~", "ssh://web01", "."),
            ("web01:~/x", "ssh://web01", "x"),
            ("[::1]:/x", "ssh://[::1]", "/x"),
            ("deploy@[::1]:x", "ssh://deploy@[::1]", "x"),
            ("ssh://web01:2222:/x", "ssh://web01:2222", "/x"),
            ("ssh://web01:2222/x", "ssh://web01:2222", "/x"),
            ("ssh://web01/x", "ssh://web01", "/x"),
            ("ssh://web01:x/y", "ssh://web01", "x/y"),
            ("ssh://[::1]/x", "ssh://[::1]", "/x"),
            ("ssh://[::1]:22/x", "ssh://[::1]:22", "/x"),
            ("docker://db:/x", "docker://db", "/x"),
            ("docker://postgres@db:x/y", "docker://postgres@db", "x/y"),
            (
                "kubectl://space/pod/box:/x",
                "kubectl://space/pod/box",
                "/x",
            ),
            ("local:/x", "local", "/x"),
            ("local:~/x", "local", "~/x"),
            ("cmd:sudo -n --:/x", "cmd:sudo -n --", "/x"),
        ] {
            assert_eq!(
                parts(word),
                Some((host.to_owned(), path.to_owned())),
                "{word}"
            );
        }
        for bad in [
            "docker://db",
            "ssh://web01",
            "cmd:sudo",
            "-oProxyCommand=x:/y",
            "a b:/x",
        ] {
            assert!(Place::parse(OsStr::new(bad)).is_err(), "{bad}");
        }
    }
}

//! Any command that carries bytes.

use std::ffi::OsString;

use async_trait::async_trait;

use crate::child::spawn;
use crate::clean::clean_line;
use crate::error::SpawnError;
use crate::fault::Family;
use crate::link::{Link, Transport};
use crate::quote::command_line;

/// Runs a command of one's own and appends the program to its words.
///
/// Whatever passes bytes will do: `sudo`, `nsenter`, `machinectl shell`, a chain of them.
///
/// # Examples
///
/// ```
/// use rmote_transport::{Command, Transport};
///
/// let sandbox = Command::new("unshare").args(["--net", "--"]);
/// assert_eq!(sandbox.target(), "cmd:unshare --net --");
/// ```
#[derive(Debug, Clone)]
pub struct Command {
    words: Vec<String>,
    remote_shell: bool,
}

impl Command {
    /// A command that begins with this program. The words are used as they are, without a shell.
    pub fn new(program: impl Into<String>) -> Self {
        Self {
            words: vec![program.into()],
            remote_shell: false,
        }
    }

    /// Adds one word.
    pub fn arg(mut self, word: impl Into<String>) -> Self {
        self.words.push(word.into());
        self
    }

    /// Adds words.
    pub fn args<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }

    /// Whether a shell at the far side reads the program, as with `ssh`: then it is appended as one quoted word, else as
    /// separate words. Defaults to `false`.
    pub fn remote_shell(mut self, yes: bool) -> Self {
        self.remote_shell = yes;
        self
    }

    /// The whole argument vector for a program.
    pub(crate) fn argument_vector(&self, argv: &[String]) -> Result<Vec<OsString>, SpawnError> {
        let mut words: Vec<OsString> = self.words.iter().map(Into::into).collect();
        if argv.is_empty() {
            return Err(SpawnError::NoProgram {
                target: self.target(),
            });
        }
        if self.remote_shell {
            let line = command_line(argv);
            words.push(
                line.map_err(|source| SpawnError::Command {
                    target: self.target(),
                    source,
                })?
                .into(),
            );
        } else {
            words.extend(argv.iter().map(Into::into));
        }
        Ok(words)
    }
}

#[async_trait]
impl Transport for Command {
    fn target(&self) -> String {
        clean_line(&format!("cmd:{}", display_words(&self.words)))
    }

    async fn start(&self, argv: &[String]) -> Result<Link, SpawnError> {
        let family = Family::of_program(&self.words[0]);
        spawn(&self.target(), family, &self.argument_vector(argv)?)
    }
}

/// The words as a shell would take them.
pub(crate) fn display_words(words: &[String]) -> String {
    let quoted = words
        .iter()
        .map(|word| shlex::try_quote(word).unwrap_or(word.into()));
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn program_is_appended_as_words() {
        let command = Command::new("sudo").args(["-n", "--"]);
        let vector = command
            .argument_vector(&words(&["python3", "-c", "a b"]))
            .unwrap();
        assert_eq!(vector, ["sudo", "-n", "--", "python3", "-c", "a b"]);
    }

    #[test]
    fn program_is_one_word_for_a_remote_shell() {
        let command = Command::new("ssh").arg("web01").remote_shell(true);
        let vector = command
            .argument_vector(&words(&["python3", "-c", "a b"]))
            .unwrap();
        assert_eq!(vector, ["ssh", "web01", "python3 -c 'a b'"]);
        assert!(matches!(
            command.argument_vector(&words(&["it's"])),
            Err(SpawnError::Command { .. })
        ));
    }

    #[test]
    fn target_is_clean() {
        assert_eq!(
            Command::new("a b").arg("\x1b[2J").target(),
            r"cmd:'a b' '\x1b[2J'"
        );
    }
}

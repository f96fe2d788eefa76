//! The terminal that a person sits at.

use std::io::{self, IsTerminal as _, Stdin};

use rmote_tools::Pty;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// The size where there is no terminal to ask.
const SIZE: (u16, u16) = (24, 80);

/// Standard input in raw mode: each key goes to the host as it is pressed. Dropped, it is as it was before.
#[derive(Debug)]
pub(crate) struct RawMode {
    stdin: Stdin,
    before: Termios,
}

impl RawMode {
    /// `None` where standard input is no terminal.
    pub(crate) fn enter() -> io::Result<Option<Self>> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return Ok(None);
        }
        let before = tcgetattr(&stdin)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&stdin, OptionalActions::Drain, &raw)?;
        Ok(Some(Self { stdin, before }))
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // Nobody to tell when the terminal is gone.
        _ = tcsetattr(&self.stdin, OptionalActions::Drain, &self.before);
    }
}

/// Rows and columns of the terminal, wherever one of the streams has it.
pub(crate) fn size() -> (u16, u16) {
    let sizes = [
        tcgetwinsize(io::stdout()),
        tcgetwinsize(io::stdin()),
        tcgetwinsize(io::stderr()),
    ];
    let known = sizes.into_iter().flatten().find(|size| size.ws_row > 0);
    known.map_or(SIZE, |size| (size.ws_row, size.ws_col))
}

/// A terminal on the host like the one here.
pub(crate) fn pty() -> Pty {
    let (rows, columns) = size();
    let term = std::env::var("TERM").unwrap_or_else(|_| "dumb".to_owned());
    Pty::new(term, rows, columns)
}

/// Finds `~.` at the start of a line, which hangs up, as ssh has it. `~~` is a tilde there.
#[derive(Debug)]
pub(crate) struct Escapes(Place);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    LineStart,
    /// Behind a tilde that was not sent yet.
    Tilde,
    Within,
}

impl Escapes {
    pub(crate) fn new() -> Self {
        Self(Place::LineStart)
    }

    /// What to send of what was typed; `None` to hang up.
    pub(crate) fn filter(&mut self, typed: &[u8]) -> Option<Vec<u8>> {
        let mut sent = Vec::with_capacity(typed.len() + 1);
        for &key in typed {
            match (self.0, key) {
                (Place::LineStart, b'~') => {
                    self.0 = Place::Tilde;
                    continue;
                }
                (Place::Tilde, b'.') => return None,
                (Place::Tilde, b'~') => {}
                (Place::Tilde, _) => sent.push(b'~'),
                _ => {}
            }
            sent.push(key);
            self.0 = if matches!(key, b'\r' | b'\n') {
                Place::LineStart
            } else {
                Place::Within
            };
        }
        Some(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(parts: &[&str]) -> Option<String> {
        let mut escapes = Escapes::new();
        let mut all = Vec::new();
        for part in parts {
            all.extend(escapes.filter(part.as_bytes())?);
        }
        Some(String::from_utf8(all).unwrap())
    }

    #[test]
    fn a_tilde_and_a_dot_at_the_start_of_a_line_hang_up() {
        for parts in [
            &["~."][..],
            &["~", "."],
            &["ls\r~."],
            &["a\n", "~", "."],
            &["\r~x\r~."],
        ] {
            assert_eq!(sent(parts), None, "{parts:?}");
        }
    }

    #[test]
    fn anything_else_is_sent_as_it_was_typed() {
        for (parts, all) in [
            (&["ls ~.", "\r"][..], "ls ~.\r"),
            (&["~~."], "~."),
            (&["~", "~", "~."], "~~."),
            (&["~/bin"], "~/bin"),
            (&["~\r", "x~."], "~\rx~."),
            (&["a~", "."], "a~."),
        ] {
            assert_eq!(sent(parts).as_deref(), Some(all), "{parts:?}");
        }
    }
}

//! Makes text of a remote host safe to show on a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A line longer than this many characters is cut: one error must not fill a screen.
const LINE_LIMIT: usize = 400;

/// Replaces control, escape and bidirectional characters by visible escapes and cuts long lines.
///
/// Line ends and tabs stay; `\r\n` becomes `\n`. A line is cut after 400 characters. Everything that reaches a person
/// from a remote host should pass through here, since a terminal obeys what it is shown.
///
/// # Examples
///
/// ```
/// use rmote_transport::clean;
///
/// assert_eq!(clean("done\x1b[2J\u{202e}txt"), r"done\x1b[2J\u{202e}txt");
/// ```
pub fn clean(text: &str) -> String {
    lines(text, LINE_LIMIT)
}

/// Like [`clean`], but nothing is cut: for text that a person asked to see.
pub fn escape(text: &str) -> String {
    lines(text, usize::MAX)
}

/// Like [`clean`], but the result is one line: line ends become visible escapes too.
///
/// For names and other short values inside a message.
pub fn clean_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_line(&mut out, text, LINE_LIMIT);
    out
}

/// Decodes bytes as UTF-8 where they are, without failing elsewhere.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn lines(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        push_line(&mut out, line.strip_suffix('\r').unwrap_or(line), limit);
    }
    out
}

fn push_line(out: &mut String, line: &str, limit: usize) {
    for (count, c) in line.chars().enumerate() {
        if count == limit {
            out.push('…');
            return;
        }
        match c {
            '\t' => out.push(c),
            '\n' => out.push_str(r"\n"),
            '\r' => out.push_str(r"\r"),
            // Writing to a String cannot fail.
            c if c.is_ascii_control() => _ = write!(out, r"\x{:02x}", u32::from(c)),
            c if is_hidden(c) => _ = write!(out, r"\u{{{:x}}}", u32::from(c)),
            c => out.push(c),
        }
    }
}

/// Characters that move the cursor, change the direction or cannot be seen.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays() {
        assert_eq!(clean("grüße\tan\nalle 🎉"), "grüße\tan\nalle 🎉");
        assert_eq!(clean(""), "");
    }

    #[test]
    fn terminal_sequences_become_visible() {
        assert_eq!(clean("\x1b]0;title\x07"), r"\x1b]0;title\x07");
        assert_eq!(clean("a\u{9b}31mb\x7f\0"), r"a\u{9b}31mb\x7f\x00");
        assert_eq!(clean("50%\r100%"), r"50%\r100%");
        assert_eq!(
            clean("\u{feff}a\u{2066}b\u{2069}"),
            r"\u{feff}a\u{2066}b\u{2069}"
        );
    }

    #[test]
    fn windows_line_ends_become_plain() {
        assert_eq!(clean("a\r\nb\r\n"), "a\nb\n");
    }

    #[test]
    fn long_lines_are_cut() {
        let text = clean(&format!("{}\nnext", "x".repeat(1000)));
        assert_eq!(text, format!("{}…\nnext", "x".repeat(LINE_LIMIT)));
    }

    #[test]
    fn one_line_is_one_line() {
        assert_eq!(clean_line("a\nb\r\n"), r"a\nb\r\n");
    }
}

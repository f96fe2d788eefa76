//! Makes Python sources small for the wire: without comments, docstrings and needless spaces, as a zlib stream.
//!
//! Every line keeps its number, so tracebacks are true. The rules hold for sources in this project's style: four spaces
//! an indent, and a docstring begins its line with three double quotes.

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};

/// Returns the source without comments, docstrings, and spaces that mean nothing.
pub fn minify(source: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    // The line and indent of a docstring that has to leave something behind if nothing else follows in its block.
    let mut alone: Option<(usize, usize)> = None;
    let mut state = State::default();
    let mut docstring = false;
    for line in source.lines() {
        let text = line.trim();
        let indent = line.len() - line.trim_start().len();
        let within = state.within();
        let mut kept = String::new();
        if docstring {
            docstring = !text.ends_with("\"\"\"");
        } else if let Some(rest) = text
            .strip_prefix('r')
            .unwrap_or(text)
            .strip_prefix("\"\"\"")
            .filter(|_| !within)
        {
            docstring = !rest.ends_with("\"\"\"");
            alone = Some((lines.len(), indent));
        } else if within {
            state.squeeze(line, &mut kept);
        } else if !text.is_empty() && !text.starts_with('#') {
            if let Some((at, depth)) = alone.take() {
                keep_block(&mut lines, at, depth, indent);
            }
            kept = " ".repeat(indent / 4);
            state.squeeze(line, &mut kept);
        }
        lines.push(kept);
    }
    if let Some((at, depth)) = alone {
        keep_block(&mut lines, at, depth, 0);
    }
    let mut minified = lines.join("\n");
    minified.truncate(minified.trim_end().len());
    minified.push('\n');
    minified
}

/// Puts a statement in the place of a docstring that was all of its block.
fn keep_block(lines: &mut [String], at: usize, depth: usize, next: usize) {
    if next < depth {
        lines[at] = format!("{}0", " ".repeat(depth / 4));
    }
}

/// What one line leaves open for the next.
#[derive(Default)]
struct State {
    brackets: usize,
    string: Option<&'static str>,
    joined: bool,
}

impl State {
    /// Whether the next line goes on with a statement, so that its indent means nothing.
    fn within(&self) -> bool {
        self.brackets > 0 || self.string.is_some() || self.joined
    }

    /// Appends a line, without its comment and without spaces that part no words.
    fn squeeze(&mut self, line: &str, kept: &mut String) {
        let begin = kept.len();
        let mut rest = line;
        if self.string.is_none() {
            rest = rest.trim();
        }
        self.joined = false;
        while let Some(first) = rest.chars().next() {
            if let Some(end) = self.string {
                let (text, after) = cut_string(rest, end);
                kept.push_str(text);
                if after.is_none() && end.len() > 1 {
                    return;
                }
                self.string = None;
                rest = after.unwrap_or("");
                continue;
            }
            match first {
                '#' => break,
                '"' | '\'' => {
                    let end = ["\"\"\"", "'''", "\"", "'"]
                        .into_iter()
                        .find(|end| rest.starts_with(end))
                        .expect("a quote is one of these");
                    kept.push_str(end);
                    rest = &rest[end.len()..];
                    self.string = Some(end);
                    continue;
                }
                ' ' => {
                    rest = rest.trim_start();
                    let before = kept[begin..].chars().next_back();
                    if needs_space(before, rest.chars().next()) {
                        kept.push(' ');
                    }
                    continue;
                }
                '(' | '[' | '{' => self.brackets += 1,
                ')' | ']' | '}' => self.brackets = self.brackets.saturating_sub(1),
                '\\' => self.joined = rest.len() == 1,
                _ => {}
            }
            kept.push(first);
            rest = &rest[first.len_utf8()..];
        }
        kept.truncate(kept.trim_end().len());
    }
}

/// Splits a line where a string ends: what belongs to the string, and what follows if it ends here.
fn cut_string<'a>(line: &'a str, end: &str) -> (&'a str, Option<&'a str>) {
    let mut at = 0;
    while at < line.len() {
        if line[at..].starts_with(end) {
            let at = at + end.len();
            return (&line[..at], Some(&line[at..]));
        }
        // A backslash takes the next character with it, in raw strings too.
        let mut chars = line[at..].chars();
        if chars.next() == Some('\\') {
            chars.next();
        }
        at = line.len() - chars.as_str().len();
    }
    (line, None)
}

/// Whether two neighbours would become one word, or one number, without a space.
fn needs_space(before: Option<char>, after: Option<char>) -> bool {
    let word = |c: char| c == '_' || c.is_alphanumeric();
    match (before, after) {
        (Some(before), Some(after)) => {
            word(before) && (word(after) || after == '.' && before.is_ascii_digit())
        }
        _ => false,
    }
}

/// Returns the bytes as a zlib stream, as small as it gets.
///
/// # Panics
///
/// Never: writing to memory does not fail.
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("writing to memory does not fail")
}

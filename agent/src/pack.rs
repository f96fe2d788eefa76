//! Makes Python sources small for the wire: without comments and docstrings, one space an indent, as a zlib stream.
//!
//! Every line keeps its number, so tracebacks are true. The rules hold for sources in this project's style: a docstring
//! begins its line with three double quotes, and no other text of several lines stands in the code.

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};

/// Returns the source without comment lines, docstrings and most of its indentation.
pub fn minify(source: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    // The indent of a docstring that had to leave something behind if nothing else follows in its block.
    let mut alone: Option<(usize, usize)> = None;
    let mut inside = false;
    for line in source.lines() {
        let text = line.trim();
        let indent = line.len() - line.trim_start().len();
        if inside {
            inside = !text.ends_with("\"\"\"");
            lines.push(String::new());
        } else if let Some(rest) = text.strip_prefix("\"\"\"") {
            inside = !rest.ends_with("\"\"\"");
            alone = Some((lines.len(), indent));
            lines.push(String::new());
        } else if text.is_empty() || text.starts_with('#') {
            lines.push(String::new());
        } else {
            if let Some((at, depth)) = alone.take() {
                keep_block(&mut lines, at, depth, indent);
            }
            lines.push(format!(
                "{}{text}",
                " ".repeat(indent / 4 + usize::from(indent % 4 > 0))
            ));
        }
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

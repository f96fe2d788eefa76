//! What is written but for a command's own streams: results to standard output, all else to standard error.

use std::io::{self, IsTerminal as _, Write as _};

use rmote_tools::{Event, Value, escape};
use serde_json::Value as Json;

use crate::json;

/// Writes a result: text and bytes as they are, anything else as a line of JSON.
pub(crate) fn result(value: &Value) -> io::Result<()> {
    match value {
        Value::Text(text) => write(text.as_bytes()),
        Value::RawText(raw) => write(&raw.to_os_bytes()),
        Value::Bytes(bytes) => write(bytes),
        value => line(&json::from_value(value)),
    }
}

/// Writes one line of JSON.
pub(crate) fn line(json: &Json) -> io::Result<()> {
    write(format!("{json}\n").as_bytes())
}

/// Writes text to standard output.
pub(crate) fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Says what went wrong. The text must be safe to print.
pub(crate) fn error(message: &str) {
    say(&format!("error: {message}"));
}

/// Says something to the person at the terminal. The text must be safe to print.
pub(crate) fn say(message: &str) {
    // Nowhere to complain to when standard error is gone.
    _ = writeln!(io::stderr().lock(), "{message}");
}

/// Which of our streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Output,
    Error,
}

/// Writes a line that a host printed behind the host's name; safe to look at where a person does.
pub(crate) fn labelled(target: &str, line: &[u8], stream: Stream) -> io::Result<()> {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    let label = |shown: &[u8]| [target.as_bytes(), b": ", shown, b"\n"].concat();
    let shown = |terminal| {
        if terminal {
            label(escape(&String::from_utf8_lossy(text)).as_bytes())
        } else {
            label(text)
        }
    };
    match stream {
        Stream::Output => write(&shown(io::stdout().is_terminal())),
        Stream::Error => io::stderr()
            .lock()
            .write_all(&shown(io::stderr().is_terminal())),
    }
}

/// Shows what happened beside a result.
pub(crate) fn event(target: &str, event: &Event) {
    match event {
        Event::Output { data, .. } => {
            let mut err = io::stderr().lock();
            if err.is_terminal() {
                _ = err.write_all(escape(&String::from_utf8_lossy(data)).as_bytes());
            } else {
                _ = err.write_all(data);
            }
        }
        Event::Log {
            level,
            logger,
            message,
            ..
        } => {
            let level = match level {
                50.. => "critical",
                40.. => "error",
                30.. => "warning",
                20.. => "info",
                _ => "debug",
            };
            say(&format!(
                "{target}: {level}: {}: {}",
                escape(logger),
                escape(message)
            ));
        }
        Event::Dropped(count) => say(&format!(
            "{target}: {count} lines of output or log were dropped"
        )),
        _ => {}
    }
}

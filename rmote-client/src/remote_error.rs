//! An exception as it was raised on the host.

use std::fmt::{self, Write as _};
use std::io;
use std::path::PathBuf;

use rmote_transport::escape;
use rmote_wire::{HostPath, Raise, Value};

/// How deep a chain of causes is shown.
const CAUSES: usize = 16;

/// An exception that was raised on the host, whole: class, bases, message, arguments, traceback and cause.
///
/// Its fields hold what the host sent. `Display` and [`traceback`](Self::traceback) escape control characters, so that
/// a hostile host cannot drive the terminal.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rmote_client::{Local, Session};
///
/// let host = Session::connect(Local::new()).await?;
/// let error = host.call::<String>("os.readlink", ("/no/such/link",)).await.unwrap_err();
/// let error = error.raised().unwrap();
/// assert!(error.is("FileNotFoundError") && error.is("OSError") && !error.is("ValueError"));
/// assert_eq!(error.io_kind(), Some(std::io::ErrorKind::NotFound));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RemoteError {
    /// The class's qualified name, such as `ValueError`.
    pub class: String,
    /// The module of the class, such as `builtins`.
    pub module: String,
    /// The class and its bases as `except` sees them, the class first: `module.Name`, without module for builtins.
    pub bases: Vec<String>,
    /// `str()` of the exception.
    pub message: String,
    /// Its `args`, where all of them are plain data.
    pub args: Option<Vec<Value>>,
    /// `errno` of an `OSError`.
    pub errno: Option<i64>,
    /// `filename` of an `OSError`.
    pub filename: Option<PathBuf>,
    /// Where it was raised, the outermost call first; at most 64 frames.
    pub frames: Vec<TracebackFrame>,
    /// Its notes, and for a group what it holds.
    pub notes: Vec<String>,
    /// The exception behind it.
    pub cause: Option<Box<Self>>,
    /// Whether the cause was given by `raise ... from`; otherwise it was being handled at the time.
    pub explicit_cause: bool,
}

/// One frame of a traceback.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TracebackFrame {
    /// The source's file name; for a tool's own source the name that it was loaded under.
    pub file: String,
    /// The line, from 1.
    pub line: i64,
    /// The function.
    pub function: String,
    /// The line's text, if its source was to be had.
    pub text: Option<String>,
}

impl RemoteError {
    /// Whether `except NAME` would catch it: its class or one of its bases has this name.
    ///
    /// The name may carry the module (`json.decoder.JSONDecodeError`) or not (`JSONDecodeError`, `OSError`).
    pub fn is(&self, name: &str) -> bool {
        // Old names that Python itself keeps as aliases.
        let name = match name {
            "IOError" | "EnvironmentError" | "socket.error" | "select.error" => "OSError",
            name => name.strip_prefix("builtins.").unwrap_or(name),
        };
        self.bases
            .iter()
            .any(|base| base == name || base.rsplit('.').next() == Some(name))
    }

    /// The kind of an `OSError` as the standard library of Rust names it.
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        use io::ErrorKind as Kind;
        // By class first: the numbers of errno differ between systems, the classes do not.
        let by_class = [
            ("FileNotFoundError", Kind::NotFound),
            ("PermissionError", Kind::PermissionDenied),
            ("FileExistsError", Kind::AlreadyExists),
            ("IsADirectoryError", Kind::IsADirectory),
            ("NotADirectoryError", Kind::NotADirectory),
            ("ConnectionRefusedError", Kind::ConnectionRefused),
            ("ConnectionResetError", Kind::ConnectionReset),
            ("ConnectionAbortedError", Kind::ConnectionAborted),
            ("BrokenPipeError", Kind::BrokenPipe),
            ("TimeoutError", Kind::TimedOut),
            ("InterruptedError", Kind::Interrupted),
            ("BlockingIOError", Kind::WouldBlock),
        ];
        if !self.is("OSError") {
            return None;
        }
        let kind = by_class
            .iter()
            .find(|(class, _)| self.is(class))
            .map(|&(_, kind)| kind);
        Some(
            kind.or_else(|| {
                self.errno
                    .and_then(|errno| i32::try_from(errno).ok())
                    .map(|errno| io::Error::from_raw_os_error(errno).kind())
            })
            .unwrap_or(Kind::Other),
        )
    }

    /// The traceback as Python prints it, causes first, safe to print.
    pub fn traceback(&self) -> String {
        let mut text = String::new();
        self.write_traceback(&mut text, 0);
        text
    }

    fn write_traceback(&self, text: &mut String, depth: usize) {
        if let Some(cause) = self.cause.as_deref().filter(|_| depth < CAUSES) {
            cause.write_traceback(text, depth + 1);
            text.push_str(if self.explicit_cause {
                "\nThe above exception was the direct cause of the following exception:\n\n"
            } else {
                "\nDuring handling of the above exception, another exception occurred:\n\n"
            });
        }
        if !self.frames.is_empty() {
            text.push_str("Traceback (most recent call last):\n");
        }
        // Writing to a String cannot fail.
        for frame in &self.frames {
            _ = writeln!(
                text,
                "  File \"{}\", line {}, in {}",
                escape(&frame.file),
                frame.line,
                escape(&frame.function)
            );
            if let Some(line) = &frame.text {
                _ = writeln!(text, "    {}", escape(line));
            }
        }
        _ = writeln!(text, "{self}");
        for note in self.notes.iter().flat_map(|note| note.lines()) {
            _ = writeln!(text, "{}", escape(note));
        }
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.module != "builtins" && !self.module.is_empty() {
            write!(f, "{}.", escape(&self.module))?;
        }
        write!(f, "{}", escape(&self.class))?;
        for (number, line) in self.message.lines().enumerate() {
            f.write_str(if number == 0 { ": " } else { "\n" })?;
            f.write_str(&escape(line))?;
        }
        Ok(())
    }
}

impl std::error::Error for RemoteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

impl From<Raise> for RemoteError {
    fn from(raise: Raise) -> Self {
        Self {
            class: raise.kind,
            module: raise.module,
            bases: raise.bases,
            message: raise.message,
            args: raise.args,
            errno: raise.errno,
            filename: raise.filename.map(HostPath::into_path_buf),
            frames: raise
                .traceback
                .into_iter()
                .map(|frame| TracebackFrame {
                    file: frame.file,
                    line: frame.line,
                    function: frame.function,
                    text: frame.source,
                })
                .collect(),
            notes: raise.notes,
            cause: raise.cause.map(|cause| Box::new(Self::from(*cause))),
            explicit_cause: raise.explicit,
        }
    }
}

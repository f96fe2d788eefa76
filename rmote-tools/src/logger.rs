//! The host's log.

use rmote_client::Value;
use serde::{Serialize, Serializer};

crate::tool! {
    /// Logs on the host, and says from which level on records are sent.
    ///
    /// What tools log with Python's `logging` arrives as [`Event::Log`](crate::Event::Log) and as an event of `tracing` (target
    /// `rmote::log`, fields `host`, `function`, `call` and `logger`), formatted on the host; the Python rmote showed it under
    /// the logger `rmote.remote.<logger>`. Records below the level, INFO unless [`Options`](crate::Options::log_level)
    /// says otherwise, are neither formatted nor sent. So many wait on the host that a reply is held up by a twentieth of a
    /// second at most; what is more is dropped and counted ([`Event::Dropped`](crate::Event::Dropped)). From DEBUG on the
    /// commands that calls start, and their ends, are records of the logger `rmote.process`.
    ///
    /// # Errors
    ///
    /// `ValueError`: there is no such level.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{Event, Level, Local, Logger, Session};
    ///
    /// let host = Session::connect(Local::new()).await?;
    /// let mut events = host.events();
    /// let logger = Logger::new(&host);
    /// assert_eq!(logger.set_level(Level::Warning).await?, 20);
    /// logger.log(Level::Warning, "deployed %s", ["shop"]).await?;
    /// let Some(Event::Log { message, .. }) = events.try_next() else { panic!("it comes before the result") };
    /// assert_eq!(message, "deployed shop");
    /// # Ok(()) }
    /// ```
    ///
    /// # Command line
    ///
    /// ```sh
    /// rmote-cli call web01 Logger.log ERROR 'disk %s is full' /dev/sda1
    /// ```
    pub struct Logger = &crate::python::LOGGER;

    /// Sets the level from which on records are sent, and gives what it was.
    [idempotent] fn set_level(level: Level) -> i64;

    /// Does what [`set_level`](Self::set_level) does, under the name that rmote 0.3 gave it.
    [idempotent] fn set_log_level(level: Level) -> i64;

    /// Logs a message on the host, into which the values are put as Python's `%` does.
    fn log(level: Level, message: String [args: Value]) -> (), log_with(LogOptions);
}

crate::options! {
    /// How to log.
    pub struct LogOptions {
        /// The logger's name; defaults to `rmote`.
        name: String,
    }
}

/// How severe a record is: the levels of Python's `logging`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// All records, 0.
    NotSet,
    /// Details, 10.
    Debug,
    /// What goes as it should, 20.
    Info,
    /// What may go wrong, 30.
    Warning,
    /// What went wrong, 40.
    Error,
    /// What cannot go on, 50.
    Critical,
    /// Any other.
    Number(u16),
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(match self {
            Self::NotSet => 0,
            Self::Debug => 10,
            Self::Info => 20,
            Self::Warning => 30,
            Self::Error => 40,
            Self::Critical => 50,
            Self::Number(number) => *number,
        })
    }
}

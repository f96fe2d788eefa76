//! The settings of a session.

use std::time::Duration;

use rmote_agent::Module;
use rmote_wire::Limits;

use crate::compression::Compression;
use crate::reconnect::Reconnect;

/// The settings of a session, each with a default.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rmote_client::Options;
///
/// let options = Options::new().start_timeout(Duration::from_secs(5)).interpreter("/usr/bin/python3");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    pub(crate) start_timeout: Duration,
    pub(crate) close_timeout: Duration,
    pub(crate) interpreter: Option<String>,
    pub(crate) limits: Limits,
    pub(crate) log_level: u8,
    pub(crate) in_flight: usize,
    pub(crate) events: usize,
    pub(crate) stream_window: u32,
    pub(crate) stop_grace: Duration,
    pub(crate) heartbeat: Option<Duration>,
    pub(crate) reconnect: Option<Reconnect>,
    pub(crate) library: Vec<&'static Module>,
    pub(crate) compression: Compression,
}

impl Options {
    /// All defaults.
    pub fn new() -> Self {
        Self {
            start_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(5),
            interpreter: None,
            limits: Limits::default(),
            log_level: 20,
            in_flight: 10_000,
            events: 1024,
            stream_window: 1 << 20,
            stop_grace: Duration::from_millis(500),
            heartbeat: Some(Duration::from_secs(10)),
            reconnect: None,
            library: Vec::new(),
            compression: Compression::Auto,
        }
    }

    /// How long the host may take from the start of the connection to the agent's first word; defaults to 30 s.
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.start_timeout = limit;
        self
    }

    /// How long the agent may take to end when it is asked to, before it is cut off; defaults to 5 s.
    pub fn close_timeout(mut self, limit: Duration) -> Self {
        self.close_timeout = limit;
        self
    }

    /// The interpreter on the host, a path or a name; defaults to the first on its PATH that is new enough.
    pub fn interpreter(mut self, path: impl Into<String>) -> Self {
        self.interpreter = Some(path.into());
        self
    }

    /// The limits on what the host may send; see [`Limits`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The lowest level of log records that leave the host, as in Python's `logging`; defaults to 20 (INFO).
    pub fn log_level(mut self, level: u8) -> Self {
        self.log_level = level;
        self
    }

    /// How many calls may wait for an answer at once; more wait here. Defaults to 10,000.
    pub fn in_flight(mut self, calls: usize) -> Self {
        self.in_flight = calls.max(1);
        self
    }

    /// How many events are kept for a reader that is behind, before the oldest are dropped; defaults to 1024.
    pub fn events(mut self, events: usize) -> Self {
        self.events = events.max(1);
        self
    }

    /// How many bytes of a stream from the host may be on their way or unread; defaults to 1 MiB, 256 KiB at least.
    ///
    /// A way with a long round trip wants more: its bandwidth times the round trip.
    pub fn stream_window(mut self, bytes: u32) -> Self {
        self.stream_window = bytes.max(rmote_wire::STREAM_CREDIT);
        self
    }

    /// How long a call whose deadline has come waits to learn whether it was stopped; defaults to 0.5 s.
    pub fn stop_grace(mut self, limit: Duration) -> Self {
        self.stop_grace = limit;
        self
    }

    /// How often each side makes sure that the other is there; defaults to 10 s, `None` is never.
    ///
    /// Bytes of any kind are a sign of life, so a busy link carries nothing more; a session without calls does with every
    /// thirtieth heartbeat. After three heartbeats without one the
    /// link is dead: calls here end, and on the host the agent ends with all that its calls have started. A function that
    /// takes long does no harm, unless it is written in C and keeps Python's interpreter lock all the time.
    pub fn heartbeat(mut self, interval: impl Into<Option<Duration>>) -> Self {
        let interval: Option<Duration> = interval.into();
        self.heartbeat = interval.map(|interval| interval.max(Duration::from_millis(10)));
        self
    }

    /// Makes a link that was lost anew; defaults to never. See [`Reconnect`].
    pub fn reconnect(mut self, policy: Reconnect) -> Self {
        self.reconnect = Some(policy);
        self
    }

    /// Python modules that tools may import beyond the agent's own; they are sent when a tool imports them.
    pub fn library(mut self, modules: impl IntoIterator<Item = &'static Module>) -> Self {
        self.library.extend(modules);
        self
    }

    /// Which large results and parts of streams are compressed, in both directions; defaults to
    /// [`Compression::Auto`].
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

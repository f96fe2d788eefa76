//! What a session tells beside the results of its calls.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rmote_transport::clean;
use tokio::sync::broadcast;

use crate::error::LinkError;

/// Something that happened on the host beside a result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A call printed something, or a program that it started did.
    #[non_exhaustive]
    Output {
        /// The call's number in its session; 0 if it cannot be told which call it was.
        call: u32,
        /// The function of the call; `None` if it cannot be told which call it was.
        function: Option<Arc<str>>,
        /// Whether it was standard error.
        stderr: bool,
        /// The bytes, as they were written. Not safe to print to a terminal as they are.
        data: Bytes,
    },
    /// A record of Python's `logging`.
    #[non_exhaustive]
    Log {
        /// The call's number in its session; 0 if it cannot be told which call it was.
        call: u32,
        /// The function of the call; `None` if it cannot be told which call it was.
        function: Option<Arc<str>>,
        /// The level as in Python: 10 debug, 20 info, 30 warning, 40 error, 50 critical.
        level: i64,
        /// The logger's name.
        logger: String,
        /// The text. Not safe to print to a terminal as it is.
        message: String,
    },
    /// The link was lost, and is being made [anew](crate::Reconnect).
    Lost(Arc<LinkError>),
    /// A new agent serves after the link was lost.
    Reconnected,
    /// So many events before the next one were dropped: the reader was too slow, or the host logged more than its link
    /// carries.
    Dropped(u64),
}

/// The events of a session, from the moment it was asked for them.
///
/// All of a call's events are here when its result is.
#[derive(Debug)]
pub struct Events(pub(crate) broadcast::Receiver<Event>);

impl Events {
    /// Waits for the next event; `None` once the session has ended and all were read.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no event is lost.
    pub async fn next(&mut self) -> Option<Event> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(count)) => Some(Event::Dropped(count)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }

    /// The next event if there is one already.
    pub fn try_next(&mut self) -> Option<Event> {
        match self.0.try_recv() {
            Ok(event) => Some(event),
            Err(broadcast::error::TryRecvError::Lagged(count)) => Some(Event::Dropped(count)),
            Err(_) => None,
        }
    }
}

/// Where a session's events go. Nothing is set up for them before somebody wants to read them.
#[derive(Clone, Debug)]
pub(crate) struct Audience(Arc<Mutex<Readers>>);

#[derive(Debug)]
enum Readers {
    /// None so far; so many events would be kept for one.
    None(usize),
    Some(broadcast::Sender<Event>),
    /// The session is over.
    Gone,
}

impl Audience {
    pub(crate) fn new(kept: usize) -> Self {
        Self(Arc::new(Mutex::new(Readers::None(kept))))
    }

    /// A new reader.
    pub(crate) fn join(&self) -> Events {
        let mut readers = self.lock();
        Events(match &*readers {
            Readers::None(kept) => {
                let (sender, receiver) = broadcast::channel(*kept);
                *readers = Readers::Some(sender);
                receiver
            }
            Readers::Some(sender) => sender.subscribe(),
            Readers::Gone => broadcast::channel(1).1,
        })
    }

    pub(crate) fn tell(&self, event: Event) {
        if let Readers::Some(sender) = &*self.lock() {
            // No reader is no fault.
            _ = sender.send(event);
        }
    }

    /// No more events will come.
    pub(crate) fn close(&self) {
        *self.lock() = Readers::Gone;
    }

    fn lock(&self) -> MutexGuard<'_, Readers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Event {
    /// Tells `tracing`, with the text made safe to print.
    pub(crate) fn trace(&self, host: &str) {
        let name = |function: &Option<Arc<str>>| function.as_deref().unwrap_or("").to_owned();
        match self {
            Self::Output {
                call,
                function,
                stderr,
                data,
            } => {
                if tracing::enabled!(target: "rmote::output", tracing::Level::INFO) {
                    let text = clean(&String::from_utf8_lossy(data));
                    tracing::info!(target: "rmote::output", host, function = name(function), call, stderr, "{text}");
                }
            }
            Self::Log {
                call,
                function,
                level,
                logger,
                message,
            } => {
                let (function, logger, message) = (name(function), clean(logger), clean(message));
                match level {
                    40.. => {
                        tracing::error!(target: "rmote::log", host, function, call, logger, "{message}");
                    }
                    30.. => {
                        tracing::warn!(target: "rmote::log", host, function, call, logger, "{message}");
                    }
                    20.. => {
                        tracing::info!(target: "rmote::log", host, function, call, logger, "{message}");
                    }
                    _ => {
                        tracing::debug!(target: "rmote::log", host, function, call, logger, "{message}");
                    }
                }
            }
            Self::Lost(error) => {
                tracing::warn!(target: "rmote", host, "{error}; trying again");
            }
            Self::Reconnected => tracing::warn!(target: "rmote", host, "connected again"),
            Self::Dropped(count) => {
                tracing::warn!(target: "rmote::log", host, count, "log records were dropped on the host");
            }
        }
    }
}

//! The signals that this process hands on or heeds.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Caught from now on, for good.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    resize: Signal,
    terminate: Signal,
    hangup: Signal,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Ctrl-C.
    Interrupt,
    /// The size of the terminal has changed.
    Resize,
    /// This process is to end.
    End,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            resize: signal(SignalKind::window_change())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Ask {
        tokio::select! {
            _ = self.interrupt.recv() => Ask::Interrupt,
            _ = self.resize.recv() => Ask::Resize,
            _ = self.terminate.recv() => Ask::End,
            _ = self.hangup.recv() => Ask::End,
        }
    }
}

//! Whether and how a session makes a lost link anew.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::command::{Ended, fail};
use crate::driver::{Carrier, Driver, End};
use crate::error::{LinkError, LinkErrorKind};
use crate::event::Event;
use crate::opened::{Opened, Streams};
use crate::outbox::Outbox;

/// The policy for a link that is lost: how often to try, and how long to wait before.
///
/// A new link has a new agent: what tools kept in memory there is gone, and what its calls had started has ended with the
/// old one. Calls that were not sent go to the new agent; one that may have run is repeated only if it
/// [says](crate::Arguments::idempotent) that this does no harm. A call with streams is never repeated.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rmote_client::{Options, Reconnect};
///
/// // After 0.5, 1, 2, 4 and 8 seconds.
/// let policy = Reconnect::attempts(5).backoff(Duration::from_millis(500), Duration::from_secs(8));
/// let options = Options::new().reconnect(policy);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a policy does nothing until it is given to a session"]
pub struct Reconnect {
    pub(crate) attempts: u32,
    first: Duration,
    longest: Duration,
}

impl Reconnect {
    /// Tries so often in a row, after 0.2 s and then twice as long each time, 10 s at most.
    pub fn attempts(attempts: u32) -> Self {
        Self {
            attempts,
            first: Duration::from_millis(200),
            longest: Duration::from_secs(10),
        }
    }

    /// How long to wait before the first attempt; each further one waits twice as long, up to the longest.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.first = first;
        self.longest = longest;
        self
    }

    /// How long to wait before an attempt, counted from 0.
    pub(crate) fn delay(&self, attempt: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempt).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

/// A link that is being made anew.
#[derive(Debug)]
pub(crate) struct Renewal {
    /// Why there is none.
    error: Arc<LinkError>,
    attempt: u32,
}

impl Driver {
    /// Makes a link that was lost anew, if that is wanted and possible; gives the end back if not.
    pub(crate) async fn renew(&mut self, end: End) -> Result<Streams, End> {
        let Some(policy) = self
            .options
            .reconnect
            .filter(|_| !self.correlator.is_closing())
        else {
            return Err(end);
        };
        let mut renewal = match (end, self.renewal.take()) {
            (End::Link(kind @ (LinkErrorKind::Lost { .. } | LinkErrorKind::Silent { .. })), _) => {
                self.forget(kind)
            }
            // An attempt that failed.
            (End::Start(kind), Some(renewal)) => {
                tracing::debug!(target: "rmote", host = %self.target, error = %kind, "not connected");
                renewal
            }
            (end, _) => return Err(end),
        };
        while renewal.attempt < policy.attempts {
            self.wait(policy.delay(renewal.attempt)).await;
            if self.correlator.is_closing() {
                return Err(End::Link(LinkErrorKind::Closed));
            }
            renewal.attempt += 1;
            match Opened::new(&*self.transport, &self.options).await {
                Ok(opened) => {
                    self.carrier = Carrier::new(opened.process, opened.handshake, &self.options);
                    self.renewal = Some(renewal);
                    return Ok(opened.streams);
                }
                Err(error) => {
                    tracing::debug!(target: "rmote", host = %self.target, %error, "not connected");
                }
            }
        }
        Err(End::Lost(renewal.error))
    }

    /// Ends the calls that may have run, and makes ready to send the others once more.
    fn forget(&mut self, kind: LinkErrorKind) -> Renewal {
        let target = self.target.to_string();
        let error = Arc::new(LinkError { target, kind });
        let unsent = self.outbox.unsent().collect();
        self.outbox = Outbox::default();
        let over = self.correlator.restart(&unsent);
        self.deliver();
        fail(over, &Ended::Link(error.clone()));
        for frame in self.sources.again() {
            self.correlator.load_first(frame);
        }
        self.events.tell(Event::Lost(error.clone()));
        Renewal { error, attempt: 0 }
    }

    /// Waits, and hears meanwhile what the session's handles ask for.
    async fn wait(&mut self, delay: Duration) {
        let until = Instant::now() + delay;
        while !self.correlator.is_closing() {
            let deadline = self.correlator.poll_timeout().map(Instant::from_std);
            let next = deadline.map_or(until, |at| at.min(until));
            tokio::select! {
                command = self.commands.recv() => self.command(command),
                Some(wish) = self.wishes.recv() => self.grant(wish),
                () = sleep_until(next) => {
                    self.correlator.handle_timeout(Instant::now().into_std());
                    self.deliver();
                    if Instant::now() >= until {
                        return;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        let policy = Reconnect::attempts(99);
        let delays: Vec<u128> = (0..8).map(|n| policy.delay(n).as_millis()).collect();
        assert_eq!(delays, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        assert_eq!(policy.delay(u32::MAX), Duration::from_secs(10));
    }
}

//! Whether the other side still lives: a state machine without I/O and clock.

use std::time::{Duration, Instant};

/// How many heartbeats in a row may pass without a byte from the other side.
pub(crate) const MISSED: u32 = 3;

/// How many heartbeats are left out while there are no calls: nobody waits for anything, and thousands of sessions that
/// rest are not to keep a machine awake.
pub(crate) const REST: u32 = 30;

/// Counts heartbeats. Bytes of any kind are a sign of life, so a busy link costs nothing more.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    /// `None` if there are none.
    interval: Option<Duration>,
    /// When the last one was, or the last change between rest and work.
    last: Instant,
    missed: u32,
    heard: bool,
    spoke: bool,
    resting: bool,
}

/// What a heartbeat asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// All is well.
    Quiet,
    /// A ping: one of the sides has said nothing since the last beat, and each must hear the other.
    Ping,
    /// The other side is gone.
    Dead,
}

impl Heartbeat {
    pub(crate) fn new(interval: Option<Duration>, now: Instant) -> Self {
        Self {
            interval,
            last: now,
            missed: 0,
            heard: true,
            spoke: true,
            resting: false,
        }
    }

    /// Bytes have come.
    pub(crate) fn heard(&mut self) {
        self.heard = true;
    }

    /// Bytes have gone.
    pub(crate) fn spoke(&mut self) {
        self.spoke = true;
    }

    /// Says whether there is no call. After a rest the other side has all of its time to be heard.
    pub(crate) fn rest(&mut self, resting: bool, now: impl FnOnce() -> Instant) {
        if self.resting != resting {
            self.resting = resting;
            if !resting {
                self.last = now();
                self.missed = 0;
                self.heard = true;
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let beats = if self.resting { REST } else { 1 };
        // Too far for the clock is never.
        self.last.checked_add(self.interval?.checked_mul(beats)?)
    }

    /// Time has come to look. Beats are counted, not time: after a sleep of the machine the other side gets the same
    /// chance to answer as ever.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Beat {
        if self.poll_timeout().is_none_or(|at| at > now) {
            return Beat::Quiet;
        }
        self.last = now;
        self.missed = if self.heard { 0 } else { self.missed + 1 };
        if self.missed >= MISSED {
            return Beat::Dead;
        }
        let quiet = self.heard && self.spoke;
        (self.heard, self.spoke) = (false, false);
        if quiet { Beat::Quiet } else { Beat::Ping }
    }

    /// How long the other side has been silent when it is taken for dead.
    pub(crate) fn patience(&self) -> Duration {
        let beats = if self.resting { REST } else { 1 };
        self.interval
            .map_or(Duration::ZERO, |interval| interval * (MISSED * beats))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEAT: Duration = Duration::from_secs(1);

    #[test]
    fn a_busy_link_is_never_pinged_and_a_quiet_one_at_each_beat() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(Some(BEAT), start);
        for beat in 1..10 {
            heartbeat.heard();
            heartbeat.spoke();
            assert_eq!(heartbeat.handle_timeout(start + BEAT * beat), Beat::Quiet);
        }
        assert_eq!(heartbeat.handle_timeout(start + BEAT * 10), Beat::Ping);
        // It answers, and this side has spoken by its ping; but then nobody has anything to say.
        heartbeat.heard();
        heartbeat.spoke();
        assert_eq!(heartbeat.handle_timeout(start + BEAT * 11), Beat::Quiet);
        assert_eq!(heartbeat.handle_timeout(start + BEAT * 12), Beat::Ping);
    }

    #[test]
    fn one_that_only_listens_still_lets_the_other_side_hear_it() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(Some(BEAT), start);
        heartbeat.handle_timeout(start + BEAT);
        heartbeat.heard();
        assert_eq!(heartbeat.handle_timeout(start + BEAT * 2), Beat::Ping);
    }

    #[test]
    fn silence_is_death_after_three_beats_and_a_sleep_counts_as_one() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(Some(BEAT), start);
        assert_eq!(heartbeat.handle_timeout(start + BEAT), Beat::Quiet);
        assert_eq!(heartbeat.handle_timeout(start + BEAT * 1000), Beat::Ping);
        assert_eq!(
            heartbeat.handle_timeout(start + BEAT * 1000),
            Beat::Quiet,
            "too early"
        );
        assert_eq!(heartbeat.handle_timeout(start + BEAT * 1001), Beat::Ping);
        assert_eq!(heartbeat.handle_timeout(start + BEAT * 1002), Beat::Dead);
        assert_eq!(heartbeat.patience(), BEAT * 3);
    }

    #[test]
    fn a_rest_needs_few_beats_and_what_comes_after_it_counts_anew() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(Some(BEAT), start);
        heartbeat.rest(true, || start);
        assert_eq!(heartbeat.poll_timeout(), Some(start + BEAT * REST));
        assert_eq!(heartbeat.handle_timeout(start + BEAT * REST), Beat::Quiet);
        let later = start + BEAT * REST * 2;
        assert_eq!(heartbeat.handle_timeout(later), Beat::Ping);
        assert_eq!(heartbeat.handle_timeout(later + BEAT * REST), Beat::Ping);
        // A call: it does not matter that nothing was heard so far.
        let begun = later + BEAT * (REST + 5);
        heartbeat.rest(false, || begun);
        assert_eq!(heartbeat.poll_timeout(), Some(begun + BEAT));
        for (beat, expected) in [(1, Beat::Ping), (2, Beat::Ping), (3, Beat::Ping)] {
            assert_eq!(heartbeat.handle_timeout(begun + BEAT * beat), expected);
        }
        assert_eq!(heartbeat.handle_timeout(begun + BEAT * 4), Beat::Dead);
        assert_eq!(heartbeat.patience(), BEAT * MISSED);
    }

    #[test]
    fn without_an_interval_there_is_nothing_to_wait_for() {
        let heartbeat = Heartbeat::new(None, Instant::now());
        assert_eq!(heartbeat.poll_timeout(), None);
    }
}

//! A delay line between two TUN devices, for kernels without netem: each packet is held for a time and, if the line has a
//! rate, waits for those before it.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use nix::unistd::{read, write};

/// More than any packet of a TUN device with the usual MTU.
const PACKET: usize = 2048;
/// How many packets may be under way in one direction.
const PACKETS: usize = 1 << 16;
/// How long the queue before a line with a rate may become; beyond it packets are lost, as in a router.
const QUEUE: Duration = Duration::from_millis(100);
const IDLE: Duration = Duration::from_secs(1);

/// The packets under way in one direction.
struct Line {
    packets: VecDeque<(Instant, Vec<u8>)>,
    delay: Duration,
    rate: Option<u64>,
    /// When the last packet has left.
    free: Instant,
}

/// Passes packets between standard input and standard output, which are both devices, until it is killed.
pub(crate) fn main(delay_us: u64, rate: Option<u64>) -> anyhow::Result<()> {
    let (first, second) = (io::stdin(), io::stdout());
    let delay = Duration::from_micros(delay_us);
    let mut there = Line::new(delay, rate);
    let mut back = Line::new(delay, rate);
    loop {
        let now = Instant::now();
        there.deliver(&second, now)?;
        back.deliver(&first, now)?;
        let next = [there.next(), back.next()].into_iter().flatten().min();
        let wait = next.map_or(IDLE, |next| next.saturating_duration_since(Instant::now()));
        let mut wanted = [
            PollFd::new(first.as_fd(), PollFlags::POLLIN),
            PollFd::new(second.as_fd(), PollFlags::POLLIN),
        ];
        match ppoll(&mut wanted, Some(TimeSpec::from_duration(wait)), None) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        there.take(&first)?;
        back.take(&second)?;
    }
}

impl Line {
    fn new(delay: Duration, rate: Option<u64>) -> Self {
        Self {
            packets: VecDeque::new(),
            delay,
            rate,
            free: Instant::now(),
        }
    }

    /// When the first packet is due.
    fn next(&self) -> Option<Instant> {
        self.packets.front().map(|packet| packet.0)
    }

    /// Takes what has come.
    fn take(&mut self, device: &impl AsFd) -> anyhow::Result<()> {
        let mut buffer = [0; PACKET];
        while self.packets.len() < PACKETS {
            match read(device, &mut buffer) {
                Ok(length) => self.add(Instant::now(), &buffer[..length]),
                // EIO: the device is not up yet.
                Err(Errno::EAGAIN | Errno::EINTR | Errno::EIO) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn add(&mut self, now: Instant, packet: &[u8]) {
        if let Some(rate) = self.rate {
            let begins = self.free.max(now);
            if begins.duration_since(now) > QUEUE {
                return;
            }
            let bits = packet.len() as u64 * 8;
            self.free = begins + Duration::from_nanos(bits * 1_000_000_000 / rate);
        } else {
            self.free = now;
        }
        self.packets
            .push_back((self.free + self.delay, packet.to_vec()));
    }

    /// Passes on what is due.
    fn deliver(&mut self, device: &impl AsFd, now: Instant) -> anyhow::Result<()> {
        while let Some((due, packet)) = self.packets.front() {
            if *due > now {
                break;
            }
            match write(device, packet) {
                Err(Errno::EAGAIN) => break,
                // EIO: the device is not up yet. The packet is lost.
                Ok(_) | Err(Errno::EINTR | Errno::EIO | Errno::EINVAL) => {}
                Err(error) => return Err(error.into()),
            }
            self.packets.pop_front();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_held_and_wait_for_those_before_them() {
        let now = Instant::now();
        let delay = Duration::from_millis(25);
        // 1,000 bytes take 8 ms.
        let mut line = Line::new(delay, Some(1_000_000));
        line.free = now;
        for _ in 0..20 {
            line.add(now, &[0; 1000]);
        }
        let dues: Vec<_> = line.packets.iter().map(|packet| packet.0 - now).collect();
        assert_eq!(dues[0], Duration::from_millis(33));
        assert_eq!(dues[1], Duration::from_millis(41));
        // The 14th would have to wait for more than 100 ms before it leaves.
        assert_eq!(dues.len(), 13);
    }

    #[test]
    fn without_a_rate_there_is_only_the_delay() {
        let now = Instant::now();
        let mut line = Line::new(Duration::from_millis(25), None);
        line.add(now, &[0; 1000]);
        line.add(now, &[0; 1000]);
        assert!(
            line.packets
                .iter()
                .all(|packet| packet.0 == now + line.delay)
        );
    }
}

//! A command whose standard input and output pass through here, with a log of every chunk.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::Context as _;
use nix::time::{ClockId, clock_gettime};

/// How many bytes are taken at once.
const CHUNK: usize = 1 << 18;

/// Runs the command. Each line of the log is the monotonic time in nanoseconds, a direction and a count of bytes; the
/// first one has the bytes of the command line.
pub(crate) fn main(log: &Path, command: &[String]) -> anyhow::Result<()> {
    let (program, args) = command.split_first().context("relay what?")?;
    let log = File::options().append(true).create(true).open(log)?;
    let words: usize = command.iter().map(|word| word.len() + 1).sum();
    writeln!(&log, "{} = {words}", monotonic_ns())?;
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| program.clone())?;
    let stdin = child.stdin.take().context("no pipe")?;
    let stdout = child.stdout.take().context("no pipe")?;
    let up = log.try_clone()?;
    // Not joined: it waits for the caller, who may outlive the command.
    thread::spawn(move || pass(io::stdin(), stdin, &up, '>'));
    pass(stdout, io::stdout(), &log, '<')?;
    child.wait()?;
    Ok(())
}

fn pass(mut from: impl Read, mut to: impl Write, mut log: &File, way: char) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        // One write a line, so that the two threads do not mix.
        log.write_all(format!("{} {way} {count}\n", monotonic_ns()).as_bytes())?;
        to.write_all(&buffer[..count])?;
        to.flush()?;
    }
}

/// The clock that all processes of this machine share, Python's `time.monotonic` too.
pub(crate) fn monotonic_ns() -> i64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |time| time.tv_sec() * 1_000_000_000 + time.tv_nsec())
}

/// What passed before the first result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) command_line: u64,
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// How often bytes from the host came after bytes to it.
    pub(crate) round_trips: u64,
}

impl Traffic {
    /// Reads a log up to a moment.
    pub(crate) fn read(log: &str, until_ns: i64) -> Self {
        let mut chunks: Vec<(i64, &str, u64)> = log
            .lines()
            .filter_map(|line| {
                let mut words = line.split(' ');
                let time = words.next()?.parse().ok()?;
                Some((time, words.next()?, words.next()?.parse().ok()?))
            })
            .filter(|chunk| chunk.0 <= until_ns)
            .collect();
        chunks.sort_by_key(|chunk| chunk.0);
        let mut traffic = Self {
            command_line: 0,
            sent: 0,
            received: 0,
            round_trips: 0,
        };
        let mut asked = false;
        for (_, way, count) in chunks {
            match way {
                ">" => {
                    traffic.sent += count;
                    asked = true;
                }
                "<" => {
                    traffic.received += count;
                    traffic.round_trips += u64::from(asked);
                    asked = false;
                }
                _ => traffic.command_line += count,
            }
        }
        traffic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_trip_is_an_answer_after_a_question() {
        let log = "1 = 300\n2 < 8\n3 > 1000\n5 < 4\n4 > 10\n6 < 4\n7 > 5\n8 < 9\n9 > 100\n";
        let traffic = Traffic::read(log, 8);
        let expected = Traffic {
            command_line: 300,
            sent: 1015,
            received: 25,
            round_trips: 2,
        };
        assert_eq!(traffic, expected);
    }
}

//! Finds the agent in what a host prints before it: a state machine without I/O.

use bytes::{Buf, BytesMut};
use rmote_agent::Mark;

/// What the host may print before the agent's mark.
const NOISE_LIMIT: usize = 1 << 20;
/// How much of the noise's end is kept for an error.
const NOISE_KEPT: usize = 400;
/// What the controller writes first. A host that sends it back has a terminal in the way, which echoes.
const ECHO: &[u8] = b"#rmote";
/// How the zlib stream behind it begins: no banner holds this.
const ZLIB: &[u8] = b"x\xda";
/// So many bytes of the bootstrap's echo are no accident.
const FRAGMENT: usize = 5;
/// How a terminal shows the header of the first call. It throws away what it has not shown yet when it meets the byte
/// that stands for Ctrl-C, which is the kind of a call and stands in the bootstrap, too.
const ECHOED_CALL: &[u8] = b"^C^@^A^@^@^@";
/// The longest text after a status.
const TEXT_LIMIT: usize = 4096;

/// Reads from the first byte of a host to its first frame.
#[derive(Debug)]
pub(crate) struct Handshake {
    mark: Mark,
    bootstrap: &'static [u8],
    noise: Vec<u8>,
    skipped: usize,
    echo: Echo,
    status: Option<u8>,
}

/// Whether the host sends back what is written to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Echo {
    None,
    /// A line like the first that was written: nothing else explains an end, but a banner may hold it, too.
    Line,
    /// That line and the bytes that follow it.
    Certain,
}

/// What the host answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The agent runs; frames follow.
    Proceed,
    /// No interpreter was found.
    NoPython,
    /// These versions were found, all too old.
    TooOld(String),
    /// A terminal is in the way.
    Terminal,
    /// The agent's standard input ended before the bootstrap was whole.
    CutOff,
    /// More noise than a login shell prints.
    Noise,
    /// A status that this version does not know.
    Unknown(u8),
}

impl Handshake {
    /// Waits for the mark of an agent to which this bootstrap is written.
    pub(crate) fn new(mark: Mark, bootstrap: &'static [u8]) -> Self {
        Self {
            mark,
            bootstrap,
            noise: Vec::new(),
            skipped: 0,
            echo: Echo::None,
            status: None,
        }
    }

    /// Takes bytes from `input` until it knows the answer; `None` asks for more.
    pub(crate) fn advance(&mut self, input: &mut BytesMut) -> Option<Answer> {
        if self.status.is_none() {
            let mark = self.mark.as_bytes();
            let Some(at) = find(input, mark) else {
                // The mark may be cut in two by the end of the input.
                let noise = input.len().saturating_sub(mark.len() - 1);
                self.skip(&input.split_to(noise));
                return match self.echo {
                    Echo::Certain => Some(Answer::Terminal),
                    _ if self.skipped > NOISE_LIMIT => Some(Answer::Noise),
                    _ => None,
                };
            };
            if input.len() <= at + mark.len() {
                return None;
            }
            self.skip(&input.split_to(at));
            input.advance(Mark::LEN);
            self.status = Some(input.get_u8());
        }
        match self.status? {
            b'P' => Some(Answer::Proceed),
            b'N' => Some(Answer::NoPython),
            b'T' => Some(Answer::Terminal),
            b'E' => Some(Answer::CutOff),
            b'O' => {
                let end = input.iter().position(|&byte| byte == b'\n');
                let end = end.or_else(|| (input.len() > TEXT_LIMIT).then_some(TEXT_LIMIT))?;
                Some(Answer::TooOld(
                    String::from_utf8_lossy(&input[..end]).trim().to_owned(),
                ))
            }
            status => Some(Answer::Unknown(status)),
        }
    }

    /// The end of what the host printed before the mark, and what it has printed since if no mark came.
    pub(crate) fn noise(&self, input: &[u8]) -> String {
        let mut bytes = self.noise.clone();
        bytes.extend_from_slice(&input[..input.len().min(NOISE_KEPT)]);
        bytes.drain(..bytes.len().saturating_sub(NOISE_KEPT));
        rmote_transport::clean(String::from_utf8_lossy(&bytes).trim())
    }

    /// Whether the host sent back what was written to it.
    pub(crate) fn echoed(&self, input: &[u8]) -> bool {
        let seen = [self.noise.as_slice(), input].concat();
        if self.echo.max(echo(&seen)) > Echo::None || find(&seen, ECHOED_CALL).is_some() {
            return true;
        }
        // The first line is text that a banner may hold in part.
        let written = self.bootstrap.get(ECHO.len() + 1..).unwrap_or_default();
        let shown = shown_by_terminal(written);
        seen.windows(FRAGMENT)
            .any(|fragment| find(&shown, fragment).is_some())
    }

    fn skip(&mut self, bytes: &[u8]) {
        self.skipped += bytes.len();
        // The part kept overlaps, so that an echo that is cut in two is found too.
        self.noise.extend_from_slice(bytes);
        self.echo = self.echo.max(echo(&self.noise));
        let surplus = self.noise.len().saturating_sub(NOISE_KEPT);
        self.noise.drain(..surplus);
    }
}

/// Whether these bytes hold the first line that was written, its end as a terminal or a program sends it back.
fn echo(bytes: &[u8]) -> Echo {
    let mut echo = Echo::None;
    let mut rest = bytes;
    while let Some(at) = find(rest, ECHO) {
        rest = &rest[at + ECHO.len()..];
        let line = rest.strip_prefix(b"\r").unwrap_or(rest);
        if let Some(next) = line.strip_prefix(b"\n") {
            echo = echo.max(if next.starts_with(ZLIB) {
                Echo::Certain
            } else {
                Echo::Line
            });
        }
    }
    echo
}

/// What a terminal echoes, but for what erases.
fn shown_by_terminal(written: &[u8]) -> Vec<u8> {
    let mut shown = Vec::with_capacity(written.len() * 2);
    for &byte in written {
        match byte {
            b'\n' => shown.extend(b"\r\n"),
            b'\t' => shown.push(byte),
            0..0x20 => shown.extend([b'^', byte | 0x40]),
            _ => shown.push(byte),
        }
    }
    shown
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: &str = "0123456789abcdef00112233445566ff";
    const BOOTSTRAP: &[u8] = b"#rmote\nx\xda\xbd\x03\x7f\xdb\x01w\xd8gh\n\xfe\xfd";

    fn handshake() -> Handshake {
        Handshake::new(Mark::new(MARK).unwrap(), BOOTSTRAP)
    }

    #[test]
    fn the_mark_is_found_at_every_split_and_after_any_noise() {
        let noise = [
            b"Welcome\r\n\x1b[31m0123456789abcdef".as_slice(),
            b"",
            b"no newline",
        ];
        for noise in noise {
            let bytes = [noise, MARK.as_bytes(), b"Prest"].concat();
            for split in 0..=bytes.len() {
                let (mut handshake, mut input) = (handshake(), BytesMut::from(&bytes[..split]));
                let first = handshake.advance(&mut input);
                input.extend_from_slice(&bytes[split..]);
                let answer = first.or_else(|| handshake.advance(&mut input));
                assert_eq!(answer, Some(Answer::Proceed), "split at {split}");
                assert!(input.ends_with(b"rest"));
            }
        }
    }

    #[test]
    fn versions_too_old_are_named() {
        let mut input = BytesMut::from(format!("{MARK}O2.7.18 3.5.3 \n").as_bytes());
        assert_eq!(
            handshake().advance(&mut input),
            Some(Answer::TooOld("2.7.18 3.5.3".to_owned()))
        );
    }

    #[test]
    fn noise_is_bounded_and_its_end_kept_clean() {
        let mut handshake = handshake();
        let mut input = BytesMut::from(&vec![b'x'; 300_000][..]);
        assert_eq!(handshake.advance(&mut input), None);
        input.extend_from_slice(b"\x1b[2J last");
        assert_eq!(handshake.advance(&mut input), None);
        let noise = handshake.noise(&input);
        assert!(
            noise.ends_with("last") && !noise.contains('\x1b'),
            "{noise}"
        );
        input.extend_from_slice(&vec![b'x'; NOISE_LIMIT]);
        assert_eq!(handshake.advance(&mut input), Some(Answer::Noise));
    }

    #[test]
    fn an_echo_is_a_terminal_at_every_split() {
        for end in ["\n", "\r\n"] {
            let bytes = [
                b"a login banner #rmote",
                end.as_bytes(),
                b"x\xda and more, longer than the mark is",
            ]
            .concat();
            for split in 0..=bytes.len() {
                let (mut handshake, mut input) = (handshake(), BytesMut::from(&bytes[..split]));
                let first = handshake.advance(&mut input);
                input.extend_from_slice(&bytes[split..]);
                assert_eq!(
                    first.or_else(|| handshake.advance(&mut input)),
                    Some(Answer::Terminal)
                );
            }
        }
    }

    #[test]
    fn a_terminal_is_known_by_what_is_left_of_its_echo() {
        for seen in [
            &b"noise ^C\x7f\xdb^Aw"[..],
            b"^Aw\xd8gh\r\n",
            b"gh\r\n\xfe and more",
            b"^C^@^A^@^@^@ a call's",
        ] {
            assert!(handshake().echoed(seen), "{seen:?}");
        }
        for seen in [
            &b"to promote\r\nsomething"[..],
            b"press ^C to end",
            b"x\xda\xbd\x03\x7f",
            b"",
        ] {
            assert!(!handshake().echoed(seen), "{seen:?}");
        }
    }

    #[test]
    fn a_banner_like_the_first_line_is_no_reason_to_give_up() {
        let mut handshake = handshake();
        let mut input = BytesMut::from(&b"#rmote\r\nwelcome to this managed host\n"[..]);
        assert_eq!(handshake.advance(&mut input), None);
        assert!(handshake.echoed(&input));
        input.extend_from_slice(format!("{MARK}P").as_bytes());
        assert_eq!(handshake.advance(&mut input), Some(Answer::Proceed));
        let mut other = self::handshake();
        let mut input = BytesMut::from(&b"#rmote managed host, do not touch: ask first\n"[..]);
        assert_eq!(other.advance(&mut input), None);
        assert!(!other.echoed(&input));
    }
}

//! The way to a host, open, and nothing said yet.

use rmote_agent::{INTERPRETERS, Mark, python, python_first_of};
use rmote_transport::{Process, Reader, Transport, Writer};
use tokio::time::{Instant, timeout};

use crate::compiled::bootstrap as compiled;
use crate::error::StartErrorKind;
use crate::handshake::Handshake;
use crate::options::Options;

/// An interpreter that is being started on a host.
pub(crate) struct Opened {
    pub(crate) process: Process,
    pub(crate) handshake: Handshake,
    pub(crate) streams: Streams,
}

/// The streams to it, and what goes first.
pub(crate) struct Streams {
    pub(crate) stdin: Writer,
    pub(crate) stdout: Reader,
    pub(crate) payload: &'static [u8],
    /// What follows the agent's first answer.
    pub(crate) rest: &'static [u8],
    /// When the start's time-out began to run.
    pub(crate) started: Instant,
}

impl Opened {
    pub(crate) async fn new(
        transport: &dyn Transport,
        options: &Options,
    ) -> Result<Self, StartErrorKind> {
        let started = Instant::now();
        let mark = new_mark();
        let injection = match (&options.interpreter, transport.installed(INTERPRETERS)) {
            (None, Some(found)) if !found.is_empty() => {
                python_first_of(&found[0], &found[1..], &mark, compiled(&found[0]))
            }
            (Some(named), Some(_)) => python_first_of(named, &[], &mark, compiled(named)),
            (interpreter, _) => python(interpreter.as_deref(), &mark),
        };
        let after = options.start_timeout;
        let link = timeout(after, transport.start(&injection.argv))
            .await
            .map_err(|_| StartErrorKind::TimedOut {
                after,
                printed: String::new(),
                said: String::new(),
            })??;
        Ok(Self {
            process: link.process,
            handshake: Handshake::new(mark, injection.payload),
            streams: Streams {
                stdin: link.stdin,
                stdout: link.stdout,
                payload: injection.payload,
                rest: injection.rest,
                started,
            },
        })
    }
}

/// A mark from the process's source of random hash keys: it only has to differ from whatever a host prints.
fn new_mark() -> Mark {
    use std::hash::{BuildHasher, RandomState};
    let word = || RandomState::new().hash_one(std::time::SystemTime::now());
    Mark::new(&format!("{:016x}{:016x}", word(), word())).expect("32 hexadecimal digits")
}

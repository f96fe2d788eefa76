//! The process that carries the link, and how far the agent behind it has come.

use std::time::Duration;

use bytes::BytesMut;
use rmote_transport::{Exit, FaultKind, Process};
use tokio::time::timeout;

use super::end::End;
use crate::error::{LinkErrorKind, StartErrorKind};
use crate::handshake::{Answer, Handshake};
use crate::options::Options;

/// How long a process that is no agent may take to end once its output has.
const EXIT: Duration = Duration::from_secs(2);

/// How far a session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// No mark yet.
    Starting,
    /// The first stage has answered; no hello yet.
    Started,
    /// The agent serves.
    Serving,
    /// The agent has said good-bye.
    Gone,
}

/// What a link that is made anew brings anew.
#[derive(Debug)]
pub(crate) struct Carrier {
    process: Process,
    handshake: Handshake,
    phase: Phase,
    start_timeout: Duration,
    close_timeout: Duration,
}

impl Carrier {
    pub(crate) fn new(process: Process, handshake: Handshake, options: &Options) -> Self {
        Self {
            process,
            handshake,
            phase: Phase::Starting,
            start_timeout: options.start_timeout,
            close_timeout: options.close_timeout,
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether the agent may still fail to start.
    pub(super) fn is_starting(&self) -> bool {
        matches!(self.phase, Phase::Starting | Phase::Started)
    }

    /// Looks for the agent's mark in what has come. `true` once it was found: what is left is frames.
    pub(super) fn begin(&mut self, inbox: &mut BytesMut) -> Result<bool, StartErrorKind> {
        if self.phase != Phase::Starting {
            return Ok(true);
        }
        Err(match self.handshake.advance(inbox) {
            None => return Ok(false),
            Some(Answer::Proceed) => {
                self.phase = Phase::Started;
                return Ok(true);
            }
            Some(Answer::NoPython) => StartErrorKind::NoPython {
                said: String::new(),
            },
            Some(Answer::TooOld(found)) => StartErrorKind::PythonTooOld {
                found: rmote_transport::clean(&found),
            },
            Some(Answer::Terminal) => {
                self.process.kill();
                StartErrorKind::Terminal
            }
            Some(Answer::CutOff | Answer::Unknown(_)) => StartErrorKind::Died {
                exit: "its input was cut off".to_owned(),
                said: String::new(),
            },
            Some(Answer::Noise) => {
                self.process.kill();
                self.no_agent("it printed more and more".to_owned(), inbox)
            }
        })
    }

    /// The agent has said hello.
    pub(super) fn serve(&mut self) {
        self.phase = Phase::Serving;
        // It ends by itself at the end of its input, and must get the time to end its own children.
        self.process.leave_on_drop(true);
    }

    /// The agent has said good-bye.
    pub(super) fn go(&mut self) {
        self.phase = Phase::Gone;
    }

    pub(super) fn kill(&mut self) {
        self.process.kill();
    }

    /// Finds out why the stream from the host has ended.
    pub(super) async fn lost(&mut self, inbox: &[u8]) -> End {
        let exit = self.settle().await;
        let said = self.process.stderr().text();
        match self.phase {
            Phase::Starting => {
                let fault = self.process.fault_with(exit, &self.handshake.noise(inbox));
                End::Start(match fault.kind {
                    _ if self.handshake.echoed(inbox) || of_terminal(exit, &said) => {
                        StartErrorKind::Terminal
                    }
                    FaultKind::ProgramNotFound => StartErrorKind::NoPython { said },
                    FaultKind::Other => self.no_agent(exit.to_string(), inbox),
                    _ => StartErrorKind::Transport(fault),
                })
            }
            Phase::Started => End::Start(StartErrorKind::Died {
                exit: exit.to_string(),
                said,
            }),
            Phase::Serving | Phase::Gone => End::Link(LinkErrorKind::Lost { exit, said }),
        }
    }

    /// What a start means that has taken too long.
    pub(super) fn timed_out(&self, inbox: &[u8]) -> StartErrorKind {
        if self.phase == Phase::Starting && self.handshake.echoed(inbox) {
            return StartErrorKind::Terminal;
        }
        StartErrorKind::TimedOut {
            after: self.start_timeout,
            printed: self.handshake.noise(inbox),
            said: self.process.stderr().text(),
        }
    }

    /// Waits for the process to end, or ends it, and for the last lines of its standard error.
    pub(super) async fn settle(&mut self) -> Exit {
        // An agent that serves has to end its own children first.
        let grace = if self.is_starting() {
            EXIT
        } else {
            EXIT.max(self.close_timeout)
        };
        let exit = if let Ok(exit) = timeout(grace, self.process.wait()).await {
            exit
        } else {
            self.process.kill();
            // A process of another user (sudo) cannot be killed, and nobody may wait for it for ever.
            let killed = timeout(EXIT, self.process.wait()).await;
            killed.unwrap_or(Exit::Unknown)
        };
        self.process.stderr().settle().await;
        exit
    }

    fn no_agent(&self, exit: String, inbox: &[u8]) -> StartErrorKind {
        StartErrorKind::NoAgent {
            exit,
            printed: self.handshake.noise(inbox),
            said: self.process.stderr().text(),
        }
    }
}

/// Whether an end is what a terminal makes of our bytes: some of them are its Ctrl-C and Ctrl-\, and end what runs there
/// before it has said anything.
fn of_terminal(exit: Exit, said: &str) -> bool {
    let interrupted = matches!(exit, Exit::Signal(2 | 3) | Exit::Code(130 | 131));
    // ssh says the first only where it has asked for a terminal; docker does not even try.
    let told = |line: &str| {
        line.starts_with("Connection to ") && line.ends_with(" closed.")
            || line.contains("input device is not a TTY")
    };
    interrupted || said.lines().any(told)
}

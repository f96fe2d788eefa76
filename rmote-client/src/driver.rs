//! The one task of a session: it alone reads, writes, waits and ends the process.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use rmote_transport::{Exit, FaultKind, Process, Transport, Writer};
use rmote_wire::{AgentHello, FLAG_REST, Frame, Hello, Kind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::command::{Command, Ended, NewCall, Pending, StreamEnd, Wish, fail};
use crate::compression::Compression;
use crate::correlator::{Correlator, Event as Happened};
use crate::error::{LinkError, LinkErrorKind, ProtocolError, StartError, StartErrorKind};
use crate::event::{Audience, Event};
use crate::handshake::{Answer, Handshake};
use crate::heartbeat::{Beat, Heartbeat};
use crate::inbox::Inbox;
use crate::input::Sending;
use crate::module::Source;
use crate::opened::Streams;
use crate::options::Options;
use crate::outbox::Outbox;
use crate::rate::Rate;
use crate::reconnect::Renewal;
use crate::stream::Piece;

/// How long the first write waits for the first call, so that both leave as one. The interpreter takes longer to start.
const GATHER: Duration = Duration::from_millis(1);
/// No further frame is made ready while this much waits to be written.
const OUTBOX: usize = 1 << 20;
/// The same for parts of streams, so that a call need not wait for many of them.
const BULK: usize = 256 << 10;
/// A part of a stream below this size is copied: kept unread, it must not keep the whole of what was read with it.
const SMALL: usize = 16 << 10;
/// How many commands are taken in one turn, so that calls that are made together leave together.
const COMMANDS: usize = 256;
/// How long a process that is no agent may take to end once its output has.
const EXIT: Duration = Duration::from_secs(2);

/// Everything of a session but its streams.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) target: Arc<str>,
    pub(crate) options: Options,
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) process: Process,
    pub(crate) handshake: Handshake,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) wishes: mpsc::UnboundedReceiver<Wish>,
    pub(crate) hello: watch::Sender<Option<Arc<AgentHello>>>,
    pub(crate) events: Audience,
    pub(crate) ended: Arc<OnceLock<Ended>>,
    pub(crate) correlator: Correlator<Pending>,
    pub(crate) phase: Phase,
    pub(crate) sent: HashMap<String, Arc<Source>>,
    /// What the agent gets of itself once it has said hello.
    pub(crate) rest: &'static [u8],
    /// What interrupts a call, sent when the first is to be.
    pub(crate) interrupt: Arc<[Arc<Source>]>,
    pub(crate) outbox: Outbox,
    pub(crate) receivers: HashMap<u32, mpsc::UnboundedSender<Piece>>,
    pub(crate) senders: HashMap<u32, Sending>,
    pub(crate) renewal: Option<Renewal>,
    /// How fast the link is to the agent.
    pub(crate) rate: Rate,
}

/// How far a session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// No mark yet.
    Starting,
    /// The first stage has answered; no hello yet.
    Started,
    /// The agent serves.
    Serving,
    /// The agent has said good-bye.
    Gone,
}

/// What ends the driver's loop.
#[derive(Debug)]
pub(crate) enum End {
    Start(StartErrorKind),
    /// It was lost, and could not be made anew.
    Lost(Arc<LinkError>),
    Link(LinkErrorKind),
}

impl From<ProtocolError> for End {
    fn from(error: ProtocolError) -> Self {
        Self::Link(LinkErrorKind::Protocol(error))
    }
}

impl Driver {
    /// Drives the session to its end.
    pub(crate) async fn run(mut self, mut streams: Streams) {
        let end = loop {
            let end = self.drive(streams).await;
            match self.renew(end).await {
                Ok(renewed) => streams = renewed,
                Err(end) => break end,
            }
        };
        let target = self.target.to_string();
        let ended = match self.meant(end) {
            End::Start(kind) => Ended::Start(Arc::new(StartError { target, kind })),
            End::Link(kind) => Ended::Link(Arc::new(LinkError { target, kind })),
            End::Lost(error) => Ended::Link(error),
        };
        tracing::debug!(target: "rmote", host = %self.target, reason = ?ended, "session ended");
        // Set before the waiters learn of it: whoever finds the driver gone looks here for the reason.
        _ = self.ended.set(ended.clone());
        self.events.close();
        self.receivers.clear();
        self.senders.clear();
        let unsent = self.outbox.unsent().collect();
        fail(self.correlator.drain(&unsent), &ended);
    }

    /// What an end means for the phase in which it came.
    fn meant(&self, end: End) -> End {
        let starting = matches!(self.phase, Phase::Starting | Phase::Started);
        let closing = self.correlator.is_closing();
        match end {
            // However it ended, it was this side that gave it up.
            _ if starting && closing => End::Start(StartErrorKind::Closed),
            End::Link(LinkErrorKind::Protocol(error)) if starting => {
                End::Start(StartErrorKind::Protocol(error))
            }
            // Its good-bye is all that was asked for. Or the wish came before the agent was ready, so the end of its input
            // told it, and it said none.
            End::Link(
                LinkErrorKind::Quit { .. }
                | LinkErrorKind::Lost {
                    exit: Exit::Code(0),
                    ..
                },
            ) if closing => End::Link(LinkErrorKind::Closed),
            end => end,
        }
    }

    async fn drive(&mut self, streams: Streams) -> End {
        let Streams {
            stdin,
            mut stdout,
            payload,
            rest,
            started,
        } = streams;
        let mut stdin = Some(stdin);
        let mut heartbeat = Heartbeat::new(self.options.heartbeat, started.into_std());
        let mut inbox = Inbox::new(self.options.limits.frame);
        // Times too far for the clock never come.
        let start_at = started.checked_add(self.options.start_timeout);
        let (mut closing, mut close_at) = (false, None);
        self.outbox.push(payload);
        self.rest = rest;
        self.greet();
        if let Ok(command) = timeout(GATHER, self.commands.recv()).await {
            self.take(command);
        }
        loop {
            self.fill();
            heartbeat.rest(self.correlator.is_idle(), || Instant::now().into_std());
            if self.correlator.is_closing() && !closing {
                closing = true;
                close_at = Instant::now().checked_add(self.options.close_timeout);
            }
            if self.phase == Phase::Gone || stdin.is_none() && self.outbox.len() > 0 {
                self.outbox = Outbox::default();
            }
            let starting = matches!(self.phase, Phase::Starting | Phase::Started);
            if closing && (starting || self.outbox.len() == 0) {
                // The end of its input says it once more, and alone to what is no agent yet.
                drop(stdin.take());
            }
            let timer = [
                close_at,
                start_at.filter(|_| starting),
                self.correlator.poll_timeout().map(Instant::from_std),
                heartbeat.poll_timeout().map(Instant::from_std),
            ]
            .into_iter()
            .flatten()
            .min();
            let mut space = inbox.space(self.phase != Phase::Starting);
            let slices = self.outbox.slices();
            tokio::select! {
                read = stdout.read_buf(&mut space) => {
                    let result = match read {
                        Ok(0) | Err(_) => {
                            drop(stdin.take());
                            return self.lost(&inbox.bytes).await;
                        }
                        Ok(count) => {
                            heartbeat.heard();
                            inbox.filled(count);
                            self.receive(&mut inbox)
                        }
                    };
                    if let Err(end) = result {
                        drop(stdin.take());
                        self.settle().await;
                        return end;
                    }
                    if self.phase == Phase::Gone {
                        // It ends by itself now.
                        drop(stdin.take());
                        drop(stdout);
                        let exit = self.settle().await;
                        return End::Link(LinkErrorKind::Quit { exit });
                    }
                }
                written = write(&mut stdin, &slices), if !slices.is_empty() => match written {
                    Ok(written) => {
                        heartbeat.spoke();
                        self.outbox.advance(written);
                    }
                    // The reason comes with the end of stdout.
                    Err(_) => stdin = None,
                },
                // Always: a call that waits here has a deadline, too, and a wish to close must be heard.
                command = self.commands.recv(), if !closing => self.take(command),
                Some(wish) = self.wishes.recv() => self.grant(wish),
                () = sleep_until(timer.unwrap_or(started)), if timer.is_some() => {
                    let now = Instant::now();
                    self.correlator.handle_timeout(now.into_std());
                    self.deliver();
                    let end = if close_at.is_some_and(|at| at <= now) {
                        End::Link(LinkErrorKind::NoBye)
                    } else if starting && start_at.is_some_and(|at| at <= now) {
                        End::Start(self.timed_out(&inbox.bytes))
                    } else if let Some(end) = self.beat(&mut heartbeat, now).filter(|_| !starting) {
                        end
                    } else {
                        continue;
                    };
                    drop(stdin.take());
                    self.process.kill();
                    self.settle().await;
                    return end;
                }
            }
        }
    }

    /// The controller's first frame.
    fn greet(&mut self) {
        let hello = Hello {
            version: rmote_wire::VERSION,
            frame_limit: self.options.limits.frame,
            log_level: self.options.log_level.into(),
            heartbeat: self.options.heartbeat.map_or(0, whole_millis),
        };
        match hello.encode(&self.options.limits) {
            Ok(frame) => self.outbox.push_frame(frame),
            Err(error) => tracing::error!(target: "rmote", %error, "own hello"),
        }
    }

    /// Makes ready what is to be written next.
    fn fill(&mut self) {
        while self.outbox.len() < OUTBOX
            && let Some(frame) = self.correlator.poll_transmit()
        {
            self.outbox.push_frame(frame);
        }
        while self.outbox.len() < BULK
            && let Some(frame) = self.correlator.poll_bulk()
        {
            self.outbox.push_frame(frame);
        }
        // A call that was sent may send its streams.
        self.deliver();
    }

    /// What a beat of the heart brings.
    fn beat(&mut self, heartbeat: &mut Heartbeat, now: Instant) -> Option<End> {
        match heartbeat.handle_timeout(now.into_std()) {
            Beat::Quiet => None,
            Beat::Ping => {
                self.correlator.ping();
                None
            }
            Beat::Dead => {
                let after = heartbeat.patience();
                Some(End::Link(LinkErrorKind::Silent { after }))
            }
        }
    }

    /// Takes a command, and those that have come with it.
    fn take(&mut self, command: Option<Command>) {
        self.command(command);
        for _ in 1..COMMANDS {
            let Ok(command) = self.commands.try_recv() else {
                break;
            };
            self.command(Some(command));
        }
    }

    pub(crate) fn command(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Call(call)) => self.call(*call),
            Some(Command::Input(frame)) => self.correlator.input(frame),
            // All handles are gone, or one of them said so.
            None | Some(Command::Close) => self.correlator.close(),
        }
    }

    fn call(&mut self, call: NewCall) {
        // Its future was dropped, and the wish to cancel it may have been here before it.
        if call.start.waiter.waiter.is_closed() {
            return;
        }
        for source in call.sources.iter() {
            if let Some(frame) = self.first(source) {
                self.correlator.load(frame);
            }
        }
        let mut inputs = Vec::new();
        for (id, end) in call.ends {
            match end {
                StreamEnd::Receive(sender) => _ = self.receivers.insert(id, sender),
                StreamEnd::Send(sending) => {
                    inputs.push(id);
                    self.senders.insert(id, sending);
                }
            }
        }
        self.correlator.call(Instant::now().into_std(), call.start);
        for id in inputs {
            self.end_failed(id);
        }
    }

    /// Ends an input that has failed on this side; also one that did before its call came here.
    fn end_failed(&mut self, id: u32) {
        if let Some(frame) = self
            .senders
            .get(&id)
            .and_then(|sending| sending.0.failure(id))
        {
            self.correlator.input(frame);
        }
    }

    /// A module as a frame, if the agent has not got it.
    fn first(&mut self, source: &Arc<Source>) -> Option<Frame> {
        if self.sent.contains_key(&source.name) {
            return None;
        }
        // Another agent, on a link that is made anew, may need it sooner than this one.
        self.sent.insert(source.name.clone(), source.clone());
        let brought = source.is_own() && self.phase == Phase::Serving;
        if brought { None } else { self.load(source) }
    }

    /// Brings what it takes to stop a call that the agent has.
    fn prepare_stop(&mut self, id: u32) {
        if self.correlator.is_sent(id) {
            for source in self.interrupt.clone().iter() {
                if let Some(frame) = self.first(source) {
                    self.correlator.load_urgent(frame);
                }
            }
        }
    }

    /// A module as a frame.
    pub(crate) fn load(&self, source: &Source) -> Option<Frame> {
        source
            .load(&self.options.limits)
            // The agent then says that there is no such module.
            .inspect_err(|error| {
                tracing::warn!(target: "rmote", %error, module = source.name, "module not sent");
            })
            .ok()
    }

    /// Takes a wish, and those that have come with it.
    pub(crate) fn grant(&mut self, wish: Wish) {
        // What was asked for before the wish came through the other channel: the call that it is about may wait there.
        while let Ok(command) = self.commands.try_recv() {
            self.command(Some(command));
        }
        let mut next = Some(wish);
        while let Some(wish) = next {
            match wish {
                Wish::Cancel(id) => {
                    self.prepare_stop(id);
                    self.correlator.cancel(id);
                }
                Wish::Stop(id) => {
                    self.prepare_stop(id);
                    self.correlator.stop(id);
                }
                Wish::Grant(id, bytes) => self.correlator.grant(id, bytes),
                Wish::Fail(id) => self.end_failed(id),
            }
            next = self.wishes.try_recv().ok();
        }
        self.deliver();
    }

    /// Takes what has come in so far.
    fn receive(&mut self, inbox: &mut Inbox) -> Result<(), End> {
        if self.phase == Phase::Starting {
            let kind = match self.handshake.advance(&mut inbox.bytes) {
                None => return Ok(()),
                Some(Answer::Proceed) => {
                    self.phase = Phase::Started;
                    return self.receive(inbox);
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
                    self.no_agent("it printed more and more".to_owned(), &inbox.bytes)
                }
            };
            return Err(End::Start(kind));
        }
        // The agent keeps deadlines, too, a moment later: what it then answers must not come before this side's own end.
        self.correlator.handle_timeout(Instant::now().into_std());
        self.deliver();
        // Nothing counts after its good-bye: not what its calls answer when their commands are ended.
        while self.phase != Phase::Gone
            && let Some(frame) = inbox.frame().map_err(ProtocolError::from)?
        {
            self.correlator.handle_frame(frame)?;
            self.deliver();
            if self.phase == Phase::Started {
                self.ready();
            }
        }
        if self.phase == Phase::Serving
            && self.options.compression == Compression::Auto
            && let Some(rate) = inbox.news.take()
        {
            self.correlator.rate(rate);
        }
        Ok(())
    }

    fn ready(&mut self) {
        if self.hello.borrow().is_some() {
            self.phase = Phase::Serving;
            let mut rest = Frame::new(Kind::Load, 0, self.rest);
            rest.flags = FLAG_REST;
            self.correlator.load_urgent(rest);
            if let Some(rate) = self.options.compression.fixed() {
                self.correlator.rate(rate);
            }
            // It ends by itself at the end of its input, and must get the time to end its own children.
            self.process.leave_on_drop(true);
        }
    }

    /// Hands out what has happened.
    pub(crate) fn deliver(&mut self) {
        while let Some(happened) = self.correlator.poll_event() {
            let event = match happened {
                Happened::Hello(hello) => {
                    self.hello.send_replace(Some(Arc::new(hello)));
                    if self.renewal.take().is_none() {
                        continue;
                    }
                    Event::Reconnected
                }
                Happened::Ended(pending, outcome) => {
                    _ = pending.waiter.send(Ok(outcome));
                    continue;
                }
                Happened::Data { id, flags, payload } => {
                    self.receive_piece(id, flags, payload);
                    continue;
                }
                Happened::Credit { id, bytes } => {
                    if let Some(Sending(channel)) = self.senders.get(&id) {
                        channel.grant(bytes);
                    }
                    continue;
                }
                Happened::Rate(rate) => {
                    if self.options.compression == Compression::Auto {
                        self.rate.set(rate);
                    }
                    continue;
                }
                Happened::StreamEnded { id, whole } => {
                    self.senders.remove(&id);
                    if let Some(receiver) = self.receivers.remove(&id).filter(|_| whole) {
                        _ = receiver.send(Piece::End);
                    }
                    continue;
                }
                Happened::Bye => {
                    self.phase = Phase::Gone;
                    continue;
                }
                Happened::Dropped(count) => Event::Dropped(count),
                Happened::Output { id, stderr, data } => Event::Output {
                    call: id,
                    function: self.function(id),
                    stderr,
                    data,
                },
                Happened::Log { id, record } => Event::Log {
                    call: id,
                    function: self.function(id),
                    level: record.level,
                    logger: record.logger,
                    message: record.message,
                },
            };
            event.trace(&self.target);
            self.events.tell(event);
        }
    }

    fn receive_piece(&mut self, id: u32, flags: u8, payload: Bytes) {
        let Some(receiver) = self.receivers.get(&id) else {
            return;
        };
        let size = Frame::HEADER_LEN + payload.len();
        let payload = if payload.len() < SMALL {
            Bytes::copy_from_slice(&payload)
        } else {
            payload
        };
        if receiver.send(Piece::Data { flags, payload }).is_err() {
            // An output that nobody reads any more must not hold its call up.
            self.correlator
                .grant(id, u32::try_from(size).unwrap_or(u32::MAX));
        }
    }

    fn function(&self, id: u32) -> Option<Arc<str>> {
        self.correlator
            .waiter(id)
            .map(|pending| pending.function.clone())
    }

    /// Finds out why the stream from the host has ended.
    async fn lost(&mut self, inbox: &[u8]) -> End {
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

    fn no_agent(&self, exit: String, inbox: &[u8]) -> StartErrorKind {
        StartErrorKind::NoAgent {
            exit,
            printed: self.handshake.noise(inbox),
            said: self.process.stderr().text(),
        }
    }

    fn timed_out(&self, inbox: &[u8]) -> StartErrorKind {
        if self.phase == Phase::Starting && self.handshake.echoed(inbox) {
            return StartErrorKind::Terminal;
        }
        StartErrorKind::TimedOut {
            after: self.options.start_timeout,
            printed: self.handshake.noise(inbox),
            said: self.process.stderr().text(),
        }
    }

    /// Waits for the process to end, or ends it, and for the last lines of its standard error.
    async fn settle(&mut self) -> Exit {
        // An agent that serves has to end its own children first.
        let grace = match self.phase {
            Phase::Starting | Phase::Started => EXIT,
            Phase::Serving | Phase::Gone => EXIT.max(self.options.close_timeout),
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
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
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

async fn write(stdin: &mut Option<Writer>, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
    match stdin {
        Some(stdin) => stdin.write_vectored(slices).await,
        None => std::future::pending().await,
    }
}

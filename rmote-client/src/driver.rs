//! The one task of a session: it alone reads, writes, waits and ends the process.

mod carrier;
mod end;
mod requests;
mod sources;
mod stream_ends;

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use rmote_transport::{Transport, Writer};
use rmote_wire::{AgentHello, FLAG_REST, Frame, Hello, Kind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

pub(crate) use self::carrier::Carrier;
use self::carrier::Phase;
pub(crate) use self::end::End;
pub(crate) use self::sources::Sources;
pub(crate) use self::stream_ends::StreamEnds;
use crate::command::{Command, Ended, Pending, Wish, fail};
use crate::compression::Compression;
use crate::correlator::{Correlator, Event as Happened};
use crate::error::{LinkError, LinkErrorKind, ProtocolError, StartError};
use crate::event::{Audience, Event};
use crate::heartbeat::{Beat, Heartbeat};
use crate::inbox::Inbox;
use crate::opened::Streams;
use crate::options::Options;
use crate::outbox::Outbox;
use crate::rate::Rate;
use crate::reconnect::Renewal;

/// How long the first write waits for the first call, so that both leave as one. The interpreter takes longer to start.
const GATHER: Duration = Duration::from_millis(1);
/// No further frame is made ready while this much waits to be written.
const OUTBOX: usize = 1 << 20;
/// The same for parts of streams, so that a call need not wait for many of them.
const BULK: usize = 256 << 10;

/// Everything of a session but its streams.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) target: Arc<str>,
    pub(crate) options: Options,
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) carrier: Carrier,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) wishes: mpsc::UnboundedReceiver<Wish>,
    pub(crate) hello: watch::Sender<Option<Arc<AgentHello>>>,
    pub(crate) events: Audience,
    pub(crate) ended: Arc<OnceLock<Ended>>,
    pub(crate) correlator: Correlator<Pending>,
    pub(crate) sources: Sources,
    /// What the agent gets of itself once it has said hello.
    pub(crate) rest: &'static [u8],
    pub(crate) outbox: Outbox,
    pub(crate) ends: StreamEnds,
    pub(crate) renewal: Option<Renewal>,
    /// How fast the link is to the agent.
    pub(crate) rate: Rate,
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
        let end = end.meant(self.carrier.is_starting(), self.correlator.is_closing());
        let ended = match end {
            End::Start(kind) => Ended::Start(Arc::new(StartError { target, kind })),
            End::Link(kind) => Ended::Link(Arc::new(LinkError { target, kind })),
            End::Lost(error) => Ended::Link(error),
        };
        tracing::debug!(target: "rmote", host = %self.target, reason = ?ended, "session ended");
        // Set before the waiters learn of it: whoever finds the driver gone looks here for the reason.
        _ = self.ended.set(ended.clone());
        self.events.close();
        self.ends.clear();
        let unsent = self.outbox.unsent().collect();
        fail(self.correlator.drain(&unsent), &ended);
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
        self.outbox.push(Bytes::from_static(payload));
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
            if self.carrier.phase() == Phase::Gone || stdin.is_none() && self.outbox.len() > 0 {
                self.outbox = Outbox::default();
            }
            let starting = self.carrier.is_starting();
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
            let mut space = inbox.space(self.carrier.phase() != Phase::Starting);
            let slices = self.outbox.slices();
            tokio::select! {
                read = stdout.read_buf(&mut space) => {
                    let result = match read {
                        Ok(0) | Err(_) => {
                            drop(stdin.take());
                            return self.carrier.lost(&inbox.bytes).await;
                        }
                        Ok(count) => {
                            heartbeat.heard();
                            inbox.filled(count);
                            self.receive(&mut inbox)
                        }
                    };
                    if let Err(end) = result {
                        drop(stdin.take());
                        self.carrier.settle().await;
                        return end;
                    }
                    if self.carrier.phase() == Phase::Gone {
                        // It ends by itself now.
                        drop(stdin.take());
                        drop(stdout);
                        let exit = self.carrier.settle().await;
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
                        End::Start(self.carrier.timed_out(&inbox.bytes))
                    } else if let Some(end) = self.beat(&mut heartbeat, now).filter(|_| !starting) {
                        end
                    } else {
                        continue;
                    };
                    drop(stdin.take());
                    self.carrier.kill();
                    self.carrier.settle().await;
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

    /// Takes what has come in so far.
    fn receive(&mut self, inbox: &mut Inbox) -> Result<(), End> {
        if !self.carrier.begin(&mut inbox.bytes).map_err(End::Start)? {
            return Ok(());
        }
        // The agent keeps deadlines, too, a moment later: what it then answers must not come before this side's own end.
        self.correlator.handle_timeout(Instant::now().into_std());
        self.deliver();
        // Nothing counts after its good-bye: not what its calls answer when their commands are ended.
        while self.carrier.phase() != Phase::Gone
            && let Some(frame) = inbox.frame().map_err(ProtocolError::from)?
        {
            self.correlator.handle_frame(frame)?;
            self.deliver();
            if self.carrier.phase() == Phase::Started {
                self.ready();
            }
        }
        if self.carrier.phase() == Phase::Serving
            && self.options.compression == Compression::Auto
            && let Some(rate) = inbox.news.take()
        {
            self.correlator.rate(rate);
        }
        Ok(())
    }

    fn ready(&mut self) {
        if self.hello.borrow().is_some() {
            self.carrier.serve();
            self.correlator
                .keep_rest(Frame::with_flags(Kind::Load, FLAG_REST, 0, self.rest));
            if let Some(rate) = self.options.compression.fixed() {
                self.correlator.rate(rate);
            }
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
                    if let Some(size) = self.ends.receive(id, flags, payload) {
                        // An output that nobody reads any more must not hold its call up.
                        self.correlator.grant(id, size);
                    }
                    continue;
                }
                Happened::Credit { id, bytes } => {
                    self.ends.grant(id, bytes);
                    continue;
                }
                Happened::Rate(rate) => {
                    if self.options.compression == Compression::Auto {
                        self.rate.set(rate);
                    }
                    continue;
                }
                Happened::StreamEnded { id, whole } => {
                    self.ends.end(id, whole);
                    continue;
                }
                Happened::Bye => {
                    self.carrier.go();
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

    fn function(&self, id: u32) -> Option<Arc<str>> {
        self.correlator
            .waiter(id)
            .map(|pending| pending.function.clone())
    }
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

async fn write(stdin: &mut Option<Writer>, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
    match stdin {
        Some(stdin) => stdin.write_vectored(slices).await,
        None => std::future::pending().await,
    }
}

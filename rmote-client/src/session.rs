//! A handle to a running agent.

mod begin;
mod tools;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use rmote_transport::Transport;
use rmote_wire::{AgentHello, Limits, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, watch};

use crate::arguments::Arguments;
use crate::command::{Command, Ended, Wish};
use crate::compression::Compression;
use crate::correlator::Correlator;
use crate::driver::{Carrier, Driver, Sources, StreamEnds};
use crate::error::{CallError, LinkError, LinkErrorKind, StartError, StartErrorKind};
use crate::event::{Audience, Events};
use crate::input::Sending;
use crate::module::Library;
use crate::opened::Opened;
use crate::options::Options;
use crate::outbox::Outbox;
use crate::rate::Rate;
use crate::running::Running;
use crate::stream::Streaming;

/// How many commands may wait for the driver.
const COMMANDS: usize = 1024;

/// A session: an agent on a host, and calls into it.
///
/// Cheap to clone; all clones share the one agent. When the last of them and the last [`Tool`](crate::Tool) of it are dropped, the
/// agent is told to end, and does so with everything that its calls have started; [`close`](Self::close) does the same
/// and says how it went.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rmote_client::{Local, Session};
///
/// let host = Session::connect(Local::new()).await?;
/// let (name, total): (String, u64) = tokio::try_join!(
///     host.call("platform.node", ()),
///     host.call("builtins.sum", ([1, 2, 3],)),
/// )?;
/// assert_eq!(total, 6);
/// host.close().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Session {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    target: Arc<str>,
    options: Options,
    library: Library,
    next_id: AtomicU32,
    commands: mpsc::Sender<Command>,
    // Unbounded, since Drop writes it and cannot wait.
    wishes: mpsc::UnboundedSender<Wish>,
    hello: watch::Receiver<Option<Arc<AgentHello>>>,
    events: Audience,
    ended: Arc<OnceLock<Ended>>,
    /// How fast the link is to the agent.
    rate: Rate,
}

impl Session {
    /// Starts an agent with the default [`Options`].
    ///
    /// This returns as soon as the way to the host is open: the agent, the first tool and the first call then leave
    /// together, and the first result is there after one round trip. What keeps the agent from starting is told by the
    /// first call, or by [`ready`](Self::ready).
    ///
    /// The second local session of a process has the agent compiled in the background for the interpreter, by a thread and
    /// a process that end by themselves; later ones start the faster for it.
    ///
    /// # Errors
    ///
    /// The local program that reaches the host could not be started.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends what it has started.
    pub async fn connect(transport: impl Transport) -> Result<Self, StartError> {
        Self::connect_with(transport, Options::default()).await
    }

    /// Starts an agent; see [`connect`](Self::connect).
    ///
    /// # Errors
    ///
    /// The local program that reaches the host could not be started, or not within the start's time-out.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends what it has started.
    pub async fn connect_with(
        transport: impl Transport,
        options: Options,
    ) -> Result<Self, StartError> {
        let mut options = options;
        if options.compression == Compression::Auto && !transport.leaves_machine() {
            options.compression = Compression::Never;
        }
        let target: Arc<str> = transport.target().into();
        let opened = Opened::new(&transport, &options)
            .await
            .map_err(|kind| StartError {
                target: target.to_string(),
                kind,
            })?;

        let (commands, commands_rx) = mpsc::channel(COMMANDS);
        let (wishes, wishes_rx) = mpsc::unbounded_channel();
        let (hello_tx, hello) = watch::channel(None);
        let events = Audience::new(options.events);
        let rate = Rate::new(options.compression.fixed());
        let inner = Inner {
            target: target.clone(),
            library: Library::new(&options.library),
            next_id: AtomicU32::new(1),
            commands,
            wishes,
            hello,
            events: events.clone(),
            ended: Arc::default(),
            options: options.clone(),
            rate: rate.clone(),
        };
        let driver = Driver {
            target,
            transport: Box::new(transport),
            carrier: Carrier::new(opened.process, opened.handshake, &options),
            commands: commands_rx,
            wishes: wishes_rx,
            hello: hello_tx,
            events,
            ended: inner.ended.clone(),
            correlator: Correlator::new(
                options.limits.clone(),
                options.in_flight,
                options.stop_grace,
                options.reconnect.is_some(),
            ),
            sources: Sources::new(
                options.limits.clone(),
                inner.library.with_imports("rmote.interrupt"),
            ),
            options,
            rest: &[],
            outbox: Outbox::default(),
            ends: StreamEnds::default(),
            renewal: None,
            rate,
        };
        tokio::spawn(driver.run(opened.streams));
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The target as text, safe to print.
    pub fn target(&self) -> &str {
        &self.inner.target
    }

    /// Waits until the agent runs and says what it is. No call needs to wait for this.
    ///
    /// # Errors
    ///
    /// The agent could not be started, or the session is over.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn ready(&self) -> Result<Arc<AgentHello>, CallError> {
        let mut hello = self.inner.hello.clone();
        let hello = hello.wait_for(Option::is_some).await;
        let hello = hello.ok().and_then(|hello| hello.clone());
        if let Some(hello) = hello.filter(|_| self.inner.ended.get().is_none()) {
            return Ok(hello);
        }
        Err(self.error(&"(start)".into(), self.lost()))
    }

    /// Calls a function by its name and waits for its result.
    ///
    /// `function` is a dotted name of anything that can be imported on the host (`platform.node`), or
    /// `module:Tool.method`. `args` are the positional arguments: a tuple or array of anything that serializes.
    ///
    /// # Errors
    ///
    /// The function raised, the agent could not make the call, the link was lost and so on: see
    /// [`CallErrorKind`](crate::CallErrorKind).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future tells the agent to stop the call; its answer is thrown away.
    pub async fn call<T: DeserializeOwned>(
        &self,
        function: &str,
        args: impl Serialize,
    ) -> Result<T, CallError> {
        let function = Arc::from(function);
        let arguments = self.arguments(&function, &args)?;
        self.run(function, &[].into(), arguments).await
    }

    /// Calls a function with arguments by name, or with a deadline; see [`call`](Self::call).
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call), and the deadline.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future tells the agent to stop the call; its answer is thrown away.
    pub async fn call_with<T: DeserializeOwned>(
        &self,
        function: &str,
        arguments: Arguments,
    ) -> Result<T, CallError> {
        self.run(Arc::from(function), &[].into(), arguments).await
    }

    /// Calls a function and gives the value as it came: bytes in it are not copied. See [`call_with`](Self::call_with).
    ///
    /// # Errors
    ///
    /// As for [`call_with`](Self::call_with).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future tells the agent to stop the call; its answer is thrown away.
    pub async fn call_value(
        &self,
        function: &str,
        arguments: Arguments,
    ) -> Result<Value, CallError> {
        self.run_value(&Arc::from(function), &[].into(), arguments)
            .await
    }

    /// Calls a function whose results are a stream: what a generator yields, or any iterator gives. See
    /// [`call`](Self::call) and [`Streaming`].
    ///
    /// # Errors
    ///
    /// The arguments cannot be sent; all else is told by the stream.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future or the stream tells the agent to stop the call.
    pub async fn stream<T>(
        &self,
        function: &str,
        args: impl Serialize,
    ) -> Result<Streaming<T>, CallError> {
        let function = Arc::from(function);
        let arguments = self.arguments(&function, &args)?;
        self.run_stream(function, &[].into(), arguments).await
    }

    /// Calls a function whose results are a stream; see [`stream`](Self::stream) and [`call_with`](Self::call_with).
    ///
    /// # Errors
    ///
    /// The arguments cannot be sent; all else is told by the stream.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future or the stream tells the agent to stop the call.
    pub async fn stream_with<T>(
        &self,
        function: &str,
        arguments: Arguments,
    ) -> Result<Streaming<T>, CallError> {
        self.run_stream(Arc::from(function), &[].into(), arguments)
            .await
    }

    /// Starts a call and gives it as a value, which can be told to stop and says what became of it.
    ///
    /// # Errors
    ///
    /// The arguments cannot be sent; all else is told by the call.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future or the call tells the agent to stop it.
    pub async fn start_with<T: DeserializeOwned>(
        &self,
        function: &str,
        arguments: Arguments,
    ) -> Result<Running<T>, CallError> {
        let function = Arc::from(function);
        let call = self.begin(&function, &[].into(), arguments, None).await?;
        Ok(Running::new(call))
    }

    /// The session's events from now on.
    pub fn events(&self) -> Events {
        self.inner.events.join()
    }

    /// Ends the agent and everything that its calls have started, and waits until it has ended.
    ///
    /// Calls that are in flight end with an error.
    ///
    /// # Errors
    ///
    /// The agent was never started, was lost before, or did not end in time and was cut off.
    ///
    /// # Cancel safety
    ///
    /// The session ends all the same.
    pub async fn close(&self) -> Result<(), CloseError> {
        // The driver empties a full queue whatever the host does.
        _ = self.inner.commands.send(Command::Close).await;
        self.inner.commands.closed().await;
        match self.ended() {
            Ended::Start(error) => match error.kind {
                StartErrorKind::Closed => Ok(()),
                _ => Err(CloseError::Start(error)),
            },
            Ended::Link(error) => match error.kind {
                LinkErrorKind::Closed | LinkErrorKind::Quit { .. } => Ok(()),
                _ => Err(CloseError::Link(error)),
            },
        }
    }
}

impl Inner {
    /// What the agent takes, once it has said so. A frame over its limit would end the session for all calls.
    fn limits_of_agent(&self) -> Limits {
        let limits = self.options.limits.clone();
        let accepted = self.hello.borrow().as_ref().map(|hello| hello.frame_limit);
        let frame = accepted.map_or(limits.frame, |accepted| accepted.min(limits.frame));
        limits.with_frame(frame)
    }

    /// The call of an input begins.
    fn open(&self, id: u32, input: &Sending) {
        let (commands, wishes) = (self.commands.downgrade(), self.wishes.clone());
        input.0.open(id, commands, wishes, self.rate.clone());
    }

    fn new_id(&self) -> u32 {
        loop {
            let id = self.next_id.fetch_add(1, Ordering::Relaxed);
            // 0 is the session's own.
            if id != 0 {
                return id;
            }
        }
    }
}

/// Why a session did not close in order.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
#[non_exhaustive]
pub enum CloseError {
    /// Its agent was never started.
    Start(Arc<StartError>),
    /// It was lost.
    Link(Arc<LinkError>),
}

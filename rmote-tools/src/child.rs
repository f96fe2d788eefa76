//! Commands whose streams are live.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::pin::Pin;
use std::process::{self, ExitStatus};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use rmote_client::{
    Arguments, ByteReader, CallError, Cancelled, HostPath, Input, Output, Running, SendError,
    Sender, Session, ValueError,
};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt as _, AsyncWrite, DuplexStream, ReadBuf};

/// What waits between a writer and the link.
const BUFFER: usize = 256 << 10;

/// A command that is to run beside its caller, with streams. Made by [`Exec::child`](crate::Exec::child).
///
/// Shaped after `tokio::process::Command`, with these differences: there is nothing to inherit, so a stream is the null
/// device unless it is [`Stdio::Piped`] or a [terminal](Self::pty), and the child ends when its handle is dropped.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rmote_tools::{Exec, Local, Session, Stdio};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// let host = Session::connect(Local::new()).await?;
/// let mut child = Exec::new(&host)
///     .child(["tr", "a-z", "A-Z"])
///     .stdin(Stdio::Piped)
///     .stdout(Stdio::Piped)
///     .spawn()
///     .await?;
/// let mut stdin = child.stdin.take().expect("it is piped");
/// stdin.write_all(b"live").await?;
/// drop(stdin); // the end of its input
/// let mut text = String::new();
/// child.stdout.take().expect("it is piped").read_to_string(&mut text).await?;
/// assert_eq!(text, "LIVE");
/// assert!(child.wait().await?.success());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing runs before it is spawned"]
pub struct ChildBuilder {
    session: Session,
    deadline: Option<Duration>,
    /// Without words the login shell.
    argv: Option<Vec<HostPath>>,
    env: BTreeMap<String, Option<HostPath>>,
    clear_env: bool,
    cwd: Option<HostPath>,
    stdin: Stdio,
    stdout: Stdio,
    stderr: Stdio,
    pty: Option<Pty>,
}

impl ChildBuilder {
    pub(crate) fn new(
        session: &Session,
        deadline: Option<Duration>,
        argv: Option<Vec<HostPath>>,
    ) -> Self {
        Self {
            session: session.clone(),
            deadline,
            argv,
            env: BTreeMap::new(),
            clear_env: false,
            cwd: None,
            stdin: Stdio::Null,
            stdout: Stdio::Null,
            stderr: Stdio::Null,
            pty: None,
        }
    }

    /// Sets a variable; the others are those of the agent.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<HostPath>) -> Self {
        self.env.insert(name.into(), Some(value.into()));
        self
    }

    /// Removes a variable.
    pub fn env_remove(mut self, name: impl Into<String>) -> Self {
        self.env.insert(name.into(), None);
        self
    }

    /// Begins with an empty environment; what was set with [`env`](Self::env) stays.
    pub fn env_clear(mut self) -> Self {
        self.clear_env = true;
        self
    }

    /// The directory to run in; defaults to the agent's.
    pub fn current_dir(mut self, directory: impl Into<HostPath>) -> Self {
        self.cwd = Some(directory.into());
        self
    }

    /// The standard input; defaults to the null device.
    pub fn stdin(mut self, stdio: Stdio) -> Self {
        self.stdin = stdio;
        self
    }

    /// The standard output; defaults to the null device.
    pub fn stdout(mut self, stdio: Stdio) -> Self {
        self.stdout = stdio;
        self
    }

    /// The standard error; defaults to the null device.
    pub fn stderr(mut self, stdio: Stdio) -> Self {
        self.stderr = stdio;
        self
    }

    /// Runs it on a terminal of its own.
    ///
    /// All of its streams are then that terminal: what is typed goes to [`Child::stdin`], all that it prints comes from
    /// [`Child::stdout`], and [`Child::stderr`] is `None`. Whether streams were piped does not matter.
    pub fn pty(mut self, pty: Pty) -> Self {
        self.pty = Some(pty);
        self
    }

    /// Starts it, and waits until it was started.
    ///
    /// # Errors
    ///
    /// There is no such program (`FileNotFoundError`) or it cannot be run, the link was lost and so on.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends what was started.
    #[expect(
        clippy::missing_panics_doc,
        reason = "what it is made of can always be sent"
    )]
    pub async fn spawn(self) -> Result<Child, CallError> {
        let terminal = self.pty.is_some();
        let (near, far) = tokio::io::duplex(BUFFER);
        let (stdout, printed) = Output::channel::<Bytes>();
        let (stderr, errors) = Output::channel::<Bytes>();
        let (started, mut start) = Output::channel::<u32>();
        let (control, orders) = Input::channel();
        let piped = |stdio: Stdio| stdio == Stdio::Piped;
        let (reads, prints) = (
            terminal || piped(self.stdin),
            terminal || piped(self.stdout),
        );
        let complains = !terminal && piped(self.stderr);

        let mut arguments = self
            .arguments()
            .expect("text, numbers and lists of them are values")
            .keyword_input("control", orders)
            .keyword_output("started", started);
        if let Some(after) = self.deadline {
            arguments = arguments.deadline(after);
        }
        if reads {
            arguments = arguments.keyword_input("stdin", Input::reader(far));
        }
        if prints {
            arguments = arguments.keyword_output("stdout", stdout);
        }
        if complains {
            arguments = arguments.keyword_output("stderr", stderr);
        }
        let tool = self.session.module(&crate::python::CHILD);
        let mut call = tool.start_with("spawn", arguments).await?;
        let (state, id) = match start.next().await {
            Some(Ok(id)) => (State::Running(call), Some(id)),
            // The call itself says why.
            _ => (State::Ended((&mut call).await?.status()), None),
        };
        Ok(Child {
            state,
            id,
            control,
            stdin: reads.then(|| ChildStdin(near)),
            stdout: prints.then(|| ChildStdout(printed.into_reader())),
            stderr: complains.then(|| ChildStderr(errors.into_reader())),
        })
    }

    fn arguments(&self) -> Result<Arguments, ValueError> {
        let mut arguments = Arguments::new(&(&self.argv,))?.keyword("env", &self.env)?;
        if self.clear_env {
            arguments = arguments.keyword("clear_env", &true)?;
        }
        if let Some(cwd) = &self.cwd {
            arguments = arguments.keyword("cwd", cwd)?;
        }
        if let Some(pty) = &self.pty {
            arguments = arguments.keyword("pty", pty)?;
        }
        Ok(arguments)
    }
}

/// What one of a command's streams is connected to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stdio {
    /// The null device: nothing to read, and what is printed is lost.
    #[default]
    Null,
    /// The handle in [`Child`].
    Piped,
}

/// The terminal that a command is to run on.
#[derive(Clone, Debug, Serialize)]
pub struct Pty {
    term: String,
    rows: u16,
    columns: u16,
}

impl Pty {
    /// A terminal of this kind, as `TERM` names it, and of this size in characters.
    pub fn new(term: impl Into<String>, rows: u16, columns: u16) -> Self {
        Self {
            term: term.into(),
            rows,
            columns,
        }
    }
}

/// A command that runs on the host.
///
/// Shaped after `tokio::process::Child`. Dropping it ends the command, as tokio does with `kill_on_drop`: its process
/// group, on a terminal its whole session, gets TERM, and KILL two seconds later; so does the end of the session.
///
/// The streams have flow control: a command whose output is not read stops when the buffers are full, and nothing else
/// stops with it. So read `stdout` and `stderr` at once where both are piped. Dropping an output's handle throws away what
/// the command still prints.
#[derive(Debug)]
pub struct Child {
    // Dropped first: a command that is given up must not take the end of its input for a whole one.
    state: State,
    control: Sender,
    id: Option<u32>,
    /// What it reads, unless that is the null device. Dropped or shut down, the command finds the end of its input; on a
    /// terminal the end-of-file character is typed, if the terminal is in line mode.
    pub stdin: Option<ChildStdin>,
    /// What it prints, unless that goes to the null device. On a terminal these are the errors too.
    pub stdout: Option<ChildStdout>,
    /// What it prints as errors, unless that goes to the null device.
    pub stderr: Option<ChildStderr>,
}

impl Child {
    /// Its process id on the host.
    pub fn id(&self) -> Option<u32> {
        self.id
    }

    /// Waits for its end and that of its outputs. The standard input, if it is still here, is closed first.
    ///
    /// Read the outputs meanwhile, or drop them: a command that waits for its reader does not end. Processes that it leaves
    /// in the background keep running; where they hold its outputs, this waits half a second longer.
    ///
    /// # Errors
    ///
    /// The call failed, not the command: the link was lost, the deadline came and so on.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the command keeps running, and this can be called again, also after the end.
    ///
    /// # Panics
    ///
    /// It is called again after it gave an error.
    pub async fn wait(&mut self) -> Result<ExitStatus, CallError> {
        drop(self.stdin.take());
        let ended = match &mut self.state {
            State::Running(call) => call.await,
            State::Ended(status) => return Ok(*status),
            State::Failed => panic!("the command is waited for again after an error"),
        };
        self.state = State::Failed;
        let status = ended?.status();
        self.state = State::Ended(status);
        Ok(status)
    }

    /// Waits for its end and reads what it prints meanwhile, without a limit.
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait), with the [`CallError`] within.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the command.
    pub async fn wait_with_output(mut self) -> io::Result<process::Output> {
        let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
        let (status, stdout, stderr) = tokio::join!(self.wait(), read(stdout), read(stderr));
        // Where an output broke off the call has failed, and says why.
        Ok(process::Output {
            status: status.map_err(io::Error::other)?,
            stdout: stdout?,
            stderr: stderr?,
        })
    }

    /// Sends a signal to its process group; on a terminal that is the shell alone, while Ctrl-C and the like are typed.
    ///
    /// # Errors
    ///
    /// The command has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the signal was sent or not.
    pub async fn signal(&mut self, number: i32) -> Result<(), SendError> {
        self.control.send_value(&("signal", number)).await
    }

    /// Tells the command the size of its terminal, if it has one.
    ///
    /// # Errors
    ///
    /// The command has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the size was sent or not.
    pub async fn resize(&mut self, rows: u16, columns: u16) -> Result<(), SendError> {
        self.control.send_value(&("resize", rows, columns)).await
    }

    /// Ends it with KILL, and waits for its end.
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait). That it has ended already is none.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the signal was sent or not.
    pub async fn kill(&mut self) -> Result<ExitStatus, CallError> {
        const KILL: i32 = 9;
        // Who has ended needs none.
        _ = self.signal(KILL).await;
        self.wait().await
    }

    /// Ends it as dropping it does, and waits so long to see that: whether it has ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the command all the same.
    pub async fn end(self, patience: Duration) -> bool {
        match self.state {
            State::Running(call) => !matches!(call.cancel(patience).await, Cancelled::Running(_)),
            State::Ended(_) | State::Failed => true,
        }
    }
}

/// All that an output gives; nothing of one that is not piped.
async fn read(output: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut output) = output {
        output.read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

#[derive(Debug)]
enum State {
    Running(Running<Ended>),
    Ended(ExitStatus),
    Failed,
}

/// How the call ends.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Ended {
    code: Option<u8>,
    signal: Option<u8>,
}

impl Ended {
    fn status(self) -> ExitStatus {
        // As `waitpid` has it.
        let code = i32::from(self.code.unwrap_or(0)) << 8;
        ExitStatus::from_raw(self.signal.map_or(code, i32::from))
    }
}

/// The standard input of a [`Child`].
///
/// What is written waits in a buffer of 256 KiB, then while the command does not read. A command that has ended is a
/// `BrokenPipe`; one that has only closed its input is not noticed before its end.
#[derive(Debug)]
pub struct ChildStdin(DuplexStream);

impl AsyncWrite for ChildStdin {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

macro_rules! reader {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Reads are cancel safe. An output that broke off is an error with a [`CallError`] within. Dropping it throws
        /// away what the command still prints.
        #[derive(Debug)]
        pub struct $name(ByteReader);

        impl AsyncRead for $name {
            fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.0).poll_read(cx, buf)
            }
        }

        impl AsyncBufRead for $name {
            fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
                Pin::new(&mut self.get_mut().0).poll_fill_buf(cx)
            }

            fn consume(mut self: Pin<&mut Self>, amount: usize) {
                Pin::new(&mut self.0).consume(amount);
            }
        }
    };
}

reader! {
    /// The standard output of a [`Child`], or all that its terminal shows.
    ChildStdout
}

reader! {
    /// The standard error of a [`Child`].
    ChildStderr
}

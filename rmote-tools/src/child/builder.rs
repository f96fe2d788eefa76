//! Commands that are to run, and how they are started.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use rmote_client::{Arguments, CallError, HostPath, Input, Output, Session, ValueError};
use serde::Serialize;

use super::streams::{ChildStderr, ChildStdin, ChildStdout};
use super::{Child, State};

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

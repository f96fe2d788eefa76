//! Commands on the host.

use std::collections::BTreeMap;

use bytes::Bytes;
use rmote_client::HostPath;
use serde::Deserialize;

use crate::child::ChildBuilder;
use crate::content::Content;

crate::tool! {
    /// Runs commands and shell expressions on the host.
    ///
    /// Each command is a process group of its own and ends with its call: at its time-out, when the call is cancelled,
    /// when the link ends. A command that fails is an error, unless it was asked not to be: `CommandFailed` names the
    /// exit code or the signal and has the last lines of standard error, `CommandTimedOut` is a `TimeoutError`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{Exec, Local, RunOptions, Session};
    ///
    /// let host = Session::connect(Local::new()).await?;
    /// let exec = Exec::new(&host);
    /// assert_eq!(exec.command(["echo", "hello"]).await?.stdout, "hello\n");
    ///
    /// let done = exec.shell_with("exit 3", RunOptions::new().check(false)).await?;
    /// assert_eq!((done.code, done.signal), (Some(3), None));
    /// # Ok(()) }
    /// ```
    ///
    /// # Command line
    ///
    /// ```sh
    /// rmote-cli call web01 Exec.command uname -s
    /// rmote-cli call web01 Exec.shell 'ps aux | wc -l' timeout=10
    /// ```
    pub struct Exec = &crate::python::EXEC;

    /// Runs a program with its arguments.
    fn command([args: String]) -> Completed, command_with(RunOptions);

    /// Runs an expression with `/bin/sh -c`.
    fn shell(expression: String) -> Completed, shell_with(RunOptions);
}

impl Exec {
    /// Prepares a program that runs beside its caller, with live streams; its first word is looked up in `PATH`.
    pub fn child<W: Into<HostPath>>(&self, argv: impl IntoIterator<Item = W>) -> ChildBuilder {
        let argv = argv.into_iter().map(Into::into).collect();
        ChildBuilder::new(self.tool.session(), self.deadline, Some(argv))
    }

    /// Prepares the user's login shell: `$SHELL`, else that of the user database. To be used by a person, it wants a
    /// [terminal](ChildBuilder::pty).
    pub fn login_shell(&self) -> ChildBuilder {
        ChildBuilder::new(self.tool.session(), self.deadline, None)
    }
}

crate::options! {
    /// How to run a command.
    pub struct RunOptions {
        /// Whether another exit code than 0, or a signal, is an error; defaults to yes.
        check: bool,
        /// Variables over those of the agent's environment; `None` removes one.
        env: BTreeMap<String, Option<String>>,
        /// Whether the environment starts empty; defaults to no.
        clear_env: bool,
        /// The directory to run in; defaults to the agent's.
        cwd: HostPath,
        /// What the command reads on its standard input; defaults to nothing.
        stdin: Content,
        /// How many seconds it may take before it and what it started are stopped; defaults to no limit.
        timeout: f64,
        /// How many bytes of each of its outputs are kept; defaults to 16 MiB.
        limit: u64,
    }
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Completed {
    /// The command's words.
    pub args: Vec<HostPath>,
    /// The exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The number of the signal that ended it.
    pub signal: Option<i32>,
    /// The first bytes of what it printed.
    pub stdout: Bytes,
    /// The last bytes of what it printed as errors.
    pub stderr: Bytes,
    /// Whether it printed more than the limit.
    pub truncated: bool,
    /// Whether processes that it left in the background still had its output open.
    pub held: bool,
}

impl Completed {
    /// Whether it ended with exit code 0.
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }
}

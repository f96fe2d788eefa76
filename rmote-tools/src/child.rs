//! Commands whose streams are live.

mod builder;
mod streams;

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{self, ExitStatus};
use std::time::Duration;

use rmote_client::{CallError, Cancelled, Running, SendError, Sender};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt as _};

pub use self::builder::{ChildBuilder, Pty, Stdio};
pub use self::streams::{ChildStderr, ChildStdin, ChildStdout};

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

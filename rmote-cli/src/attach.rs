//! A command on a host with the streams of this process.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::process::ExitStatus;
use std::time::Duration;

use rmote_tools::{CallError, Child, ChildBuilder, ChildStdin, Exec, Session, Target, escape};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::cli::Host;
use crate::exit::Code;
use crate::printer;
use crate::run::{chain, close, connect, failed};
use crate::signals::{Ask, Signals};
use crate::terminal::{self, Escapes, RawMode};

const CHUNK: usize = 64 << 10;

const INTERRUPT: i32 = 2;

/// For a command that is left to end.
const PATIENCE: Duration = Duration::from_secs(1);

/// Which of our streams the command gets beside the outputs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streams {
    pub(crate) stdin: bool,
    /// A terminal of its own on the host, like ours.
    pub(crate) tty: bool,
}

/// Why a command was left before its end.
pub(crate) enum Cut {
    /// The person typed `~.`.
    HungUp,
    /// A second interrupt, or the wish that this process ends.
    Interrupted,
    /// What it prints cannot be written here.
    Output(io::Error),
    /// This machine has no signals or no terminal for it.
    Local(io::Error),
    /// The call failed: no such program, link lost and so on.
    Call(CallError),
}

impl From<CallError> for Cut {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// Runs a command on one host to its end.
pub(crate) async fn run(
    target: &Target,
    host: &Host,
    streams: Streams,
    prepare: impl FnOnce(&Exec) -> ChildBuilder,
) -> Code {
    let session = match connect(target, host).await {
        Ok(session) => session,
        Err(error) => {
            printer::error(&chain(&error));
            return Code::FAILED;
        }
    };
    let builder = prepare(&Exec::new(&session));
    let ended = attached(builder, streams).await;
    finish(&session, target, ended).await
}

/// Ends the session and says what there is to say.
pub(crate) async fn finish(
    session: &Session,
    target: &Target,
    ended: Result<ExitStatus, Cut>,
) -> Code {
    close(session, ended.is_ok()).await;
    match ended {
        Ok(status) => Code::of(status),
        Err(Cut::HungUp) => {
            printer::say(&format!("{target}: hung up"));
            Code::FAILED
        }
        Err(Cut::Interrupted) => {
            printer::error(&format!("{target}: interrupted"));
            Code::INTERRUPTED
        }
        Err(Cut::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Code::BROKEN_PIPE,
        Err(Cut::Output(error) | Cut::Local(error)) => {
            printer::error(&error.to_string());
            Code::FAILED
        }
        Err(Cut::Call(error)) => {
            // What the command's start raised says all.
            let raised = error.raised();
            let message = raised.map_or_else(
                || failed(&error),
                |raised| format!("{target}: {}", escape(&raised.message)),
            );
            printer::error(&message);
            Code::failed(&error)
        }
    }
}

async fn attached(builder: ChildBuilder, streams: Streams) -> Result<ExitStatus, Cut> {
    let mut signals = Signals::new().map_err(Cut::Local)?;
    let mut child = spawn(builder, &mut signals).await?;
    // Whichever way this is left, the terminal is as it was.
    let raw = if streams.tty && streams.stdin {
        RawMode::enter().map_err(Cut::Local)?
    } else {
        None
    };
    let input = feed(child.stdin.take(), raw.is_some());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let outputs = async {
        tokio::try_join!(
            copy(stdout, tokio::io::stdout()),
            copy(stderr, tokio::io::stderr())
        )
    };
    attend(child, signals, input, outputs).await
}

/// Starts a command, unless a signal comes first.
pub(crate) async fn spawn(builder: ChildBuilder, signals: &mut Signals) -> Result<Child, Cut> {
    let mut starting = pin!(builder.spawn());
    let mut resized = false;
    let mut child = loop {
        tokio::select! {
            child = &mut starting => break child?,
            ask = signals.next() => match ask {
                Ask::Resize => resized = true,
                Ask::Interrupt | Ask::End => return Err(Cut::Interrupted),
            }
        }
    };
    if resized {
        resize(&mut child).await;
    }
    Ok(child)
}

/// Gives the command's terminal the size of ours.
async fn resize(child: &mut Child) {
    let (rows, columns) = terminal::size();
    // Who has just ended needs none.
    _ = child.resize(rows, columns).await;
}

/// Waits for a command and what it prints, and hands on the first interrupt. `input` says whether the person hung up.
pub(crate) async fn attend<T>(
    mut child: Child,
    mut signals: Signals,
    input: impl Future<Output = bool>,
    outputs: impl Future<Output = io::Result<T>>,
) -> Result<ExitStatus, Cut> {
    let (mut input, mut outputs) = (pin!(input), pin!(outputs));
    let (mut fed, mut printed, mut interrupted) = (false, false, false);
    let ended = loop {
        tokio::select! {
            status = child.wait() => break status.map_err(Cut::Call),
            hung_up = &mut input, if !fed => {
                fed = true;
                if hung_up {
                    break Err(Cut::HungUp);
                }
            }
            done = &mut outputs, if !printed => {
                printed = true;
                if let Err(error) = done {
                    break Err(Cut::Output(error));
                }
            }
            ask = signals.next() => match ask {
                Ask::Interrupt if !std::mem::replace(&mut interrupted, true) => {
                    // Who has just ended needs none.
                    _ = child.signal(INTERRUPT).await;
                }
                Ask::Interrupt | Ask::End => break Err(Cut::Interrupted),
                Ask::Resize => resize(&mut child).await,
            }
        }
    };
    if ended.is_err() {
        // What does not go by itself ends with the session.
        child.end(PATIENCE).await;
    } else if !printed {
        outputs.await.map_err(Cut::Output)?;
    }
    ended
}

/// Forwards our standard input to its end; says whether the person hung up.
async fn feed(stdin: Option<ChildStdin>, escapes: bool) -> bool {
    let Some(mut stdin) = stdin else { return false };
    let (mut typed, mut escapes) = (tokio::io::stdin(), escapes.then(Escapes::new));
    let mut buffer = vec![0; CHUNK];
    loop {
        // What cannot be read has ended.
        let count = typed.read(&mut buffer).await.unwrap_or(0);
        if count == 0 {
            return false;
        }
        let data = &buffer[..count];
        let sent = match &mut escapes {
            None => stdin.write_all(data).await,
            Some(escapes) => match escapes.filter(data) {
                None => return true,
                Some(data) => stdin.write_all(&data).await,
            },
        };
        if sent.is_err() {
            // The command has ended.
            return false;
        }
    }
}

/// Writes all that an output gives; the error is the writer's.
async fn copy(
    from: Option<impl AsyncRead + Unpin>,
    mut to: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let Some(mut from) = from else { return Ok(()) };
    let mut buffer = vec![0; CHUNK];
    // If it breaks off the call has failed, and says why.
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        to.write_all(&buffer[..count]).await?;
        to.flush().await?;
    }
    Ok(())
}

//! `rmote-cli exec`.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;

use rmote_tools::{ChildBuilder, HostPath, Stdio, Target};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};
use tokio::task::JoinSet;

use crate::attach::{self, Cut, Streams};
use crate::cli::{Exec, Surroundings};
use crate::exit::Code;
use crate::printer::{self, Stream};
use crate::run::{chain, connect, targets};
use crate::signals::Signals;
use crate::terminal;

/// What is longer is shown as several lines.
const LINE: u64 = 64 << 10;

/// Runs a command on one host with our own streams, or on several at once.
pub(crate) async fn run(exec: Exec) -> Code {
    let mut targets = match targets(&exec.target) {
        Ok(targets) => targets,
        Err(message) => {
            printer::error(&message);
            return Code::USAGE;
        }
    };
    if targets.len() > 1 {
        if exec.tty {
            printer::error("--tty needs a single target");
            return Code::USAGE;
        }
        return on_several(targets, exec).await;
    }
    let target = targets.remove(0);
    let streams = Streams {
        stdin: !exec.no_stdin,
        tty: exec.tty,
    };
    attach::run(&target, &exec.host, streams, |tool| {
        let builder = prepare(tool, &exec)
            .stdout(Stdio::Piped)
            .stderr(Stdio::Piped);
        match streams {
            Streams { tty: true, .. } => builder.pty(terminal::pty()),
            Streams { stdin: true, .. } => builder.stdin(Stdio::Piped),
            _ => builder,
        }
    })
    .await
}

fn prepare(tool: &rmote_tools::Exec, exec: &Exec) -> ChildBuilder {
    let words = exec.argv.iter().map(PathBuf::from);
    surround(tool.child(words.map(HostPath::from)), &exec.surroundings)
}

/// Sets variables and directory as the command line says.
pub(crate) fn surround(builder: ChildBuilder, surroundings: &Surroundings) -> ChildBuilder {
    let builder = match &surroundings.cwd {
        Some(cwd) => builder.current_dir(cwd.as_path()),
        None => builder,
    };
    let variables = surroundings.env.iter();
    variables.fold(builder, |builder, (name, value)| {
        builder.env(name, PathBuf::from(value))
    })
}

/// Shows what each host prints line by line behind its name. The highest code counts.
async fn on_several(targets: Vec<Target>, exec: Exec) -> Code {
    let exec = Arc::new(exec);
    let mut running = JoinSet::new();
    for target in targets {
        running.spawn(on_one_of_several(target, exec.clone()));
    }
    let codes = running.join_all().await;
    codes.into_iter().max().unwrap_or(Code::FAILED)
}

async fn on_one_of_several(target: Target, exec: Arc<Exec>) -> Code {
    let session = match connect(&target, &exec.host).await {
        Ok(session) => session,
        Err(error) => {
            printer::error(&chain(&error));
            return Code::FAILED;
        }
    };
    let builder = prepare(&rmote_tools::Exec::new(&session), &exec);
    let ended = followed(builder, &target.to_string()).await;
    attach::finish(&session, &target, ended).await
}

async fn followed(builder: ChildBuilder, target: &str) -> Result<ExitStatus, Cut> {
    let mut signals = Signals::new().map_err(Cut::Local)?;
    let builder = builder.stdout(Stdio::Piped).stderr(Stdio::Piped);
    let mut child = attach::spawn(builder, &mut signals).await?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let outputs = async {
        tokio::try_join!(
            lines(stdout, target, Stream::Output),
            lines(stderr, target, Stream::Error)
        )
    };
    attach::attend(child, signals, std::future::ready(false), outputs).await
}

/// Shows each line as it comes.
async fn lines(
    output: Option<impl AsyncBufRead + Unpin>,
    target: &str,
    stream: Stream,
) -> io::Result<()> {
    let Some(mut output) = output else {
        return Ok(());
    };
    let mut line = Vec::new();
    // If it breaks off the call has failed, and says why.
    while let Ok(1..) = (&mut output).take(LINE).read_until(b'\n', &mut line).await {
        printer::labelled(target, &line, stream)?;
        line.clear();
    }
    Ok(())
}

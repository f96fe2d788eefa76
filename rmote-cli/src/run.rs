//! What the commands share: from the command line to sessions, and an orderly end whatever happens.

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use rmote_tools::{
    CallError, CallErrorKind, CloseError, Options, Session, StartError, Target, Tool, Transport,
};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Cli, Command, Host};
use crate::exit::Exit;
use crate::{call, cp, exec, facts, printer, shell, sync, template, tools};

/// Runs a command.
pub(crate) async fn run(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Call(call) => call::run(call).await.into(),
        Command::Cp(cp) => cp::run(cp).await.into(),
        Command::Exec(exec) => exec::run(exec).await.into(),
        Command::Facts(facts) => facts::run(facts).await.into(),
        Command::Shell(shell) => shell::run(shell).await.into(),
        Command::Sync(sync) => sync::run(sync).await.into(),
        Command::Template(template) => template::run(template).await.into(),
        Command::Tools(tools) => tools::run(tools).await.into(),
    }
}

/// Reads one or several targets.
pub(crate) fn targets(text: &str) -> Result<Vec<Target>, String> {
    // A command may hold commas of its own.
    let parts: Vec<&str> = if text.starts_with("cmd:") {
        vec![text]
    } else {
        text.split(',').collect()
    };
    parts
        .into_iter()
        .map(|part| part.parse().map_err(|error| format!("target: {error}")))
        .collect()
}

/// Opens a session as the command line says.
pub(crate) async fn connect(target: &Target, host: &Host) -> Result<Session, StartError> {
    let mut options = Options::new()
        .start_timeout(host.connect_timeout)
        .log_level(host.log_level as u8)
        .library(rmote_tools::library());
    if let Some(python) = &host.python {
        options = options.interpreter(python);
    }
    Session::connect_with(transport(target, host), options).await
}

fn transport(target: &Target, host: &Host) -> Arc<dyn Transport> {
    let Some(mut ssh) = target.ssh() else {
        return target.transport().into();
    };
    ssh = ssh
        .known_hosts(host.known_hosts.into())
        .connect_timeout(host.connect_timeout);
    if let Some(config) = &host.ssh_config {
        ssh = ssh.config_file(config);
    }
    if let Some(identity) = &host.identity {
        ssh = ssh.identity(identity);
    }
    for jump in &host.jump {
        ssh = ssh.jump(jump);
    }
    Arc::new(ssh)
}

/// Brings the tool files of the command line; the error says which one is wrong.
pub(crate) fn load(session: &Session, files: &[PathBuf]) -> Result<Vec<Tool>, String> {
    let load = |path| session.load_file(path).map_err(|error| chain(&error));
    files.iter().map(load).collect()
}

/// Does the work with a session, then ends the session in order, also when a signal ends the work.
pub(crate) async fn finish<T>(session: Session, work: impl Future<Output = T>) -> Result<T, Exit> {
    let interrupted = async {
        let (interrupt, terminate) = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
        );
        match (interrupt, terminate) {
            (Ok(mut interrupt), Ok(mut terminate)) => {
                tokio::select! { _ = interrupt.recv() => (), _ = terminate.recv() => () }
            }
            // Without handlers a signal simply ends this process; the agent then sees the end of its input.
            _ => std::future::pending().await,
        }
    };
    let result = tokio::select! {
        result = work => Ok(result),
        () = interrupted => Err(Exit::Interrupted),
    };
    close(&session, result.is_ok()).await;
    result
}

/// Ends a session in order; `tell` says what went wrong then, unless a call that failed has said so.
pub(crate) async fn close(session: &Session, tell: bool) {
    if let Err(CloseError::Link(error)) = session.close().await
        && tell
        && !matches!(error.kind, rmote_tools::LinkErrorKind::Lost { .. })
    {
        printer::say(&format!("warning: {error}"));
    }
}

/// An error with all that stands behind it, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        // Some errors say what stands behind them themselves.
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        source = error.source();
    }
    text
}

/// What a call's error says, without the function's name.
pub(crate) fn failed(error: &CallError) -> String {
    match &error.kind {
        // They name the host themselves.
        CallErrorKind::Start(error) => chain(error),
        CallErrorKind::Link { error, progress } => format!("{}; {progress}", chain(error)),
        kind => format!("{}: {}", error.target, chain(kind)),
    }
}

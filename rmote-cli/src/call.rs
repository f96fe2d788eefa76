//! `rmote-cli call`.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use rmote_tools::{
    Builtin, CallError, CallErrorKind, RemoteError, Session, Signature, Streaming, Target, Value,
    escape,
};
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

use crate::cli::{Call, Host};
use crate::exit::Exit;
use crate::run::{chain, connect, failed, finish, load, targets};
use crate::{arguments, json, printer};

/// What one target gave.
pub(crate) struct Outcome {
    pub(crate) target: String,
    seconds: f64,
    /// None after a stream that has nothing more to say.
    pub(crate) result: Result<Option<Value>, Failure>,
}

/// Why a target gave nothing.
pub(crate) struct Failure {
    exit: Exit,
    /// Safe to print.
    message: String,
    remote: Option<Box<RemoteError>>,
    /// Whether it was the function that raised it.
    raised: bool,
}

impl Failure {
    /// What a call's error says, with the function as it was typed.
    pub(crate) fn of(error: &CallError, callable: &str) -> Self {
        let message = match &error.kind {
            // They name the host themselves, and it is not this call's fault.
            CallErrorKind::Start(_) | CallErrorKind::Link { .. } => failed(error),
            kind => format!("{}: {}: {}", error.target, escape(callable), chain(kind)),
        };
        Self {
            exit: Exit::of(error),
            message,
            remote: error.remote().cloned().map(Box::new),
            raised: error.raised().is_some(),
        }
    }

    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            remote: None,
            raised: false,
        }
    }
}

/// How a target's result is shown to a person: the target, whether there are others, and the result.
pub(crate) type Show = fn(&str, bool, &Value) -> io::Result<()>;

/// Calls the function on every target at once.
pub(crate) async fn run(call: Call) -> Exit {
    run_shown(call, |target, several, value| {
        if several {
            printer::say(&format!("{target}:"));
        }
        printer::result(value)
    })
    .await
}

/// The same, with results shown in another way.
pub(crate) async fn run_shown(call: Call, show: Show) -> Exit {
    let prepared = targets(&call.target).and_then(|targets| {
        Ok((
            targets,
            arguments::parse(&call.args, &call.texts, signature(&call))?,
        ))
    });
    let targets = match prepared {
        Ok((targets, _)) => targets,
        Err(message) => {
            printer::error(&message);
            return Exit::Usage;
        }
    };
    let several = targets.len() > 1;
    let (json, host) = (call.json, call.host.clone());
    let call = Arc::new(call);
    let work = move |session: Session, target: String| {
        let call = call.clone();
        async move { run_call(&session, &target, &call).await }
    };
    on_all(targets, &host, work, |outcome| {
        if json {
            print_json(outcome)
        } else {
            print(outcome, several, show)
        }
    })
    .await
}

/// Works on every target at once, and shows each outcome as it comes.
pub(crate) async fn on_all<W>(
    targets: Vec<Target>,
    host: &Host,
    work: impl Fn(Session, String) -> W + Clone + Send + 'static,
    show: impl Fn(&Outcome) -> io::Result<()>,
) -> Exit
where
    W: Future<Output = Result<Option<Value>, Failure>> + Send + 'static,
{
    let mut running = JoinSet::new();
    for target in targets {
        running.spawn(one(target, host.clone(), work.clone()));
    }
    let mut exit = Exit::Done;
    while let Some(Ok(outcome)) = running.join_next().await {
        // A reader that has seen enough is no failure.
        if show(&outcome).is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe) {
            exit = exit.max(Exit::Link);
        }
        exit = exit.max(
            outcome
                .result
                .err()
                .map_or(Exit::Done, |failure| failure.exit),
        );
    }
    exit
}

async fn one<W>(target: Target, host: Host, work: impl FnOnce(Session, String) -> W) -> Outcome
where
    W: Future<Output = Result<Option<Value>, Failure>>,
{
    let started = Instant::now();
    let name = target.to_string();
    let result = match connect(&target, &host).await {
        Ok(session) => {
            let work = with_events(&session, &name, work(session.clone(), name.clone()));
            finish(session.clone(), work)
                .await
                .unwrap_or_else(|exit| Err(Failure::new(exit, format!("{name}: interrupted"))))
        }
        Err(error) => Err(Failure::new(Exit::Link, chain(&error))),
    };
    Outcome {
        target: name,
        seconds: started.elapsed().as_secs_f64(),
        result,
    }
}

/// Shows what happens on a host while the work is done.
async fn with_events<T>(session: &Session, target: &str, work: impl Future<Output = T>) -> T {
    let mut events = session.events();
    tokio::pin!(work);
    let result = loop {
        tokio::select! {
            biased;
            Some(event) = events.next() => printer::event(target, &event),
            result = &mut work => break result,
        }
    };
    while let Some(event) = events.try_next() {
        printer::event(target, &event);
    }
    result
}

/// The tool that comes with rmote in whose name the callable begins.
fn builtin(callable: &str) -> Option<&'static Builtin> {
    let (first, _) = callable.split_once('.')?;
    rmote_tools::TOOLS.iter().find(|tool| tool.name == first)
}

fn signature(call: &Call) -> Option<&'static Signature> {
    let (_, method) = call.callable.split_once('.')?;
    let signatures = builtin(&call.callable)?.signatures;
    signatures.iter().find(|known| known.method == method)
}

/// Calls, and prints the items of a stream as they come.
async fn run_call(session: &Session, target: &str, call: &Call) -> Result<Option<Value>, Failure> {
    let usage = |message| Failure::new(Exit::Usage, message);
    let tools = load(session, &call.tool).map_err(usage)?;
    let mut arguments =
        arguments::parse(&call.args, &call.texts, signature(call)).map_err(usage)?;
    if let Some(timeout) = call.timeout {
        arguments = arguments.deadline(timeout);
    }
    let (first, rest) = call
        .callable
        .split_once('.')
        .unwrap_or((&call.callable, ""));
    // A tool that comes with rmote, then FILE.Tool.method, then Tool.method of a file, then what Python can import.
    let builtin = builtin(&call.callable);
    let failure = |error: CallError| Failure::of(&error, &call.callable);
    if let Some(builtin) = builtin {
        // None of them is a generator.
        let tool = session.module(builtin.module);
        let value = tool.call_value(&call.callable, arguments).await;
        return value.map(Some).map_err(failure);
    }
    let mut stream: Streaming<Value> = if let Some(tool) = tools
        .iter()
        .find(|tool| tool.module() == first && !rest.is_empty())
    {
        tool.stream_with(rest, arguments).await
    } else if let Some(tool) = defining(&call.tool, first).and_then(|index| tools.get(index)) {
        tool.stream_with(&call.callable, arguments).await
    } else {
        session.stream_with(&call.callable, arguments).await
    }
    .map_err(failure)?;
    while let Some(item) = stream.next().await {
        match item {
            Ok(item) => match print_item(&item, target, call.json) {
                // Whoever reads has seen enough: the generator ends.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(None),
                shown => shown.map_err(|error| Failure::new(Exit::Link, error.to_string()))?,
            },
            Err(error) => {
                let value = stream.returned().cloned();
                return value.map(Some).ok_or_else(|| failure(error));
            }
        }
    }
    // What a generator returns is rarely more than None.
    Ok(stream
        .returned()
        .filter(|value| **value != Value::None)
        .cloned())
}

/// Which of the tool files defines a class or function of this name.
fn defining(files: &[PathBuf], name: &str) -> Option<usize> {
    files.iter().position(|path| {
        let source = std::fs::read_to_string(path).unwrap_or_default();
        source.lines().any(|line| {
            let defined = ["class ", "def ", "async def "]
                .iter()
                .find_map(|word| line.strip_prefix(word));
            defined.is_some_and(|rest| rest.split([' ', '(', ':']).next() == Some(name))
        })
    })
}

/// Prints an item on a line of its own; bytes are a stream and have no lines.
fn print_item(item: &Value, target: &str, json: bool) -> io::Result<()> {
    if json {
        return printer::line(&json!({ "target": target, "item": json::from_value(item) }));
    }
    printer::result(item)?;
    match item {
        Value::Text(text) if !text.ends_with('\n') => printer::write(b"\n"),
        _ => Ok(()),
    }
}

fn print(outcome: &Outcome, several: bool, show: Show) -> io::Result<()> {
    match &outcome.result {
        Ok(None) => Ok(()),
        Ok(Some(value)) => show(&outcome.target, several, value),
        Err(failure) => {
            print_failure(failure);
            Ok(())
        }
    }
}

pub(crate) fn print_failure(failure: &Failure) {
    match &failure.remote {
        // Of what the agent refused, the message says all.
        Some(remote) if failure.raised => {
            printer::error(&format!(
                "{}\n{}",
                failure.message,
                remote.traceback().trim_end()
            ));
        }
        _ => printer::error(&failure.message),
    }
}

pub(crate) fn print_json(outcome: &Outcome) -> io::Result<()> {
    let mut line = json!({
        "target": outcome.target,
        "ok": outcome.result.is_ok(),
        "seconds": (outcome.seconds * 1e6).round() / 1e6,
    });
    match &outcome.result {
        Ok(value) => {
            line["value"] = json::from_value(value.as_ref().unwrap_or(&Value::None));
        }
        Err(failure) => line["error"] = error_json(failure),
    }
    printer::line(&line)
}

fn error_json(failure: &Failure) -> Json {
    let kind = match failure.exit {
        Exit::Done | Exit::Raised => "raised",
        Exit::Usage => "usage",
        Exit::Link => "link",
        Exit::Deadline => "deadline",
        Exit::Unsupported => "unsupported",
        Exit::Interrupted => "interrupted",
    };
    let mut error = json!({ "kind": kind, "message": failure.message });
    if let Some(remote) = &failure.remote {
        error["type"] = json!(remote.class);
        error["message"] = json!(remote.message);
        error["traceback"] = json!(remote.traceback());
    }
    error
}

//! `rmote-cli tools`.

use std::fmt::Write as _;

use rmote_tools::{Session, Value, escape};
use tokio::time::timeout;

use crate::cli::{Host, Tools};
use crate::exit::Exit;
use crate::run::{chain, connect, finish, load, targets};
use crate::{json, printer};

/// Lists the tools as a host knows them.
pub(crate) async fn run(tools: Tools) -> Exit {
    let target = match targets(&tools.target).map(<[_; 1]>::try_from) {
        Ok(Ok([target])) => target,
        Ok(Err(_)) => return fail(Exit::Usage, "one target is enough"),
        Err(message) => return fail(Exit::Usage, &message),
    };
    let session = match connect(&target, &tools.host).await {
        Ok(session) => session,
        Err(error) => return fail(Exit::Link, &chain(&error)),
    };
    // The start has a limit of its own; a tool file that hangs when it is imported must not hang this.
    let work = timeout(
        tools.host.connect_timeout * 2,
        describe(&session, &tools.host),
    );
    let described = match finish(session.clone(), work).await {
        Ok(Ok(Ok(described))) => described,
        Ok(Ok(Err((exit, message)))) => return fail(exit, &message),
        Ok(Err(_)) => return fail(Exit::Deadline, "the tools could not be listed in time"),
        Err(exit) => return exit,
    };
    let shown = if tools.json {
        printer::line(&json::from_value(&described))
    } else {
        printer::write(text(&described).as_bytes())
    };
    if shown.is_err() {
        Exit::Link
    } else {
        Exit::Done
    }
}

fn fail(exit: Exit, message: &str) -> Exit {
    printer::error(message);
    exit
}

async fn describe(session: &Session, host: &Host) -> Result<Value, (Exit, String)> {
    let own = load(session, host).map_err(|message| (Exit::Usage, message))?;
    let builtin = rmote_tools::TOOLS
        .iter()
        .map(|(_, module)| session.module(module));
    let tools: Vec<_> = builtin.chain(own).collect();
    session
        .describe(&tools)
        .await
        .map_err(|error| (Exit::of(&error), chain(&error)))
}

/// The list for people: a tool, below it a line a method.
fn text(described: &Value) -> String {
    let field = |value: &Value, name: &str| {
        escape(value.get(name).and_then(Value::as_str).unwrap_or_default())
    };
    let list = |value: Option<&Value>| match value {
        Some(Value::List(items)) => items.clone(),
        _ => Vec::new(),
    };
    let mut text = String::new();
    for tool in list(Some(described)) {
        let (name, doc) = (field(&tool, "name"), field(&tool, "doc"));
        // Writing to a String cannot fail.
        _ = writeln!(
            text,
            "{}{name}{}{doc}",
            if text.is_empty() { "" } else { "\n" },
            if doc.is_empty() { "" } else { ": " }
        );
        for method in list(tool.get("methods")) {
            let full = match field(&method, "name").as_str() {
                "" => name.clone(),
                method => format!("{name}.{method}"),
            };
            _ = writeln!(text, "  {full}{}", field(&method, "signature"));
            let doc = field(&method, "doc");
            if !doc.is_empty() {
                _ = writeln!(text, "      {doc}");
            }
        }
    }
    text
}

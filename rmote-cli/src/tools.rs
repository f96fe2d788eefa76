//! `rmote-cli tools`.

use std::path::PathBuf;

use rmote_tools::{Session, ToolDescription, escape};
use serde_json::{Value as Json, json};
use tokio::time::timeout;

use crate::cli::Tools;
use crate::exit::Exit;
use crate::printer;
use crate::run::{chain, connect, finish, load, targets};

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
        describe(&session, &tools.tool),
    );
    let described = match finish(session.clone(), work).await {
        Ok(Ok(Ok(described))) => described,
        Ok(Ok(Err((exit, message)))) => return fail(exit, &message),
        Ok(Err(_)) => return fail(Exit::Deadline, "the tools could not be listed in time"),
        Err(exit) => return exit,
    };
    let shown = if tools.json {
        printer::line(&described.iter().map(json).collect())
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

async fn describe(
    session: &Session,
    files: &[PathBuf],
) -> Result<Vec<ToolDescription>, (Exit, String)> {
    let own = load(session, files).map_err(|message| (Exit::Usage, message))?;
    let builtin = rmote_tools::TOOLS
        .iter()
        .map(|tool| session.module(tool.module));
    let tools: Vec<_> = builtin.chain(own).collect();
    let described = session.describe(&tools).await;
    let mut described = described.map_err(|error| (Exit::of(&error), chain(&error)))?;
    // The sources of our own tools travel without their texts.
    for tool in &mut described {
        let Some(builtin) = rmote_tools::TOOLS
            .iter()
            .find(|known| known.module.name == tool.module)
        else {
            continue;
        };
        builtin.doc.clone_into(&mut tool.doc);
        for method in &mut tool.methods {
            let signature = builtin
                .signatures
                .iter()
                .find(|known| known.method == method.name);
            method.doc = signature.map_or_else(String::new, |known| known.doc.to_owned());
        }
    }
    Ok(described)
}

fn json(tool: &ToolDescription) -> Json {
    let methods: Json = tool
        .methods
        .iter()
        .map(|method| json!({ "name": method.name, "signature": method.signature, "doc": method.doc }))
        .collect();
    json!({ "module": tool.module, "name": tool.name, "doc": tool.doc, "methods": methods })
}

/// The list for people: a tool, below it a line a method.
fn text(tools: &[ToolDescription]) -> String {
    let mut lines = Vec::new();
    for tool in tools {
        let (name, doc) = (escape(&tool.name), escape(&tool.doc));
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(if doc.is_empty() {
            name.clone()
        } else {
            format!("{name}: {doc}")
        });
        for method in &tool.methods {
            let full = if method.name.is_empty() {
                name.clone()
            } else {
                format!("{name}.{}", escape(&method.name))
            };
            lines.push(format!("  {full}{}", escape(&method.signature)));
            if !method.doc.is_empty() {
                lines.push(format!("      {}", escape(&method.doc)));
            }
        }
    }
    lines.join("\n") + "\n"
}

//! `rmote-cli template`.

use std::io::{IsTerminal as _, Read as _, stdin, stdout};
use std::path::Path;
use std::sync::Arc;

use rmote_tools::{
    Change, FileSystem, HostPath, LocalTemplate, Record, Session, Value, Values, WriteOptions,
    escape,
};
use serde_json::Value as Json;

use crate::call::{Failure, Outcome, on_all, print_failure, print_json};
use crate::cli::Template;
use crate::exit::Exit;
use crate::run::targets;
use crate::{arguments, json, printer};

/// Renders once, here, and writes the file on every target at once.
pub(crate) async fn run(template: Template) -> Exit {
    let prepared = targets(&template.target).and_then(|targets| Ok((targets, render(&template)?)));
    let (targets, text) = match prepared {
        Ok(prepared) => prepared,
        Err(message) => {
            printer::error(&message);
            return Exit::Usage;
        }
    };
    let several = targets.len() > 1;
    let (json, check) = (template.json, template.check);
    let template = Arc::new(template);
    let host = template.host.clone();
    let work = move |session: Session, _: String| {
        let (template, text) = (template.clone(), text.clone());
        async move { write(&session, &template, text).await }
    };
    on_all(targets, &host, work, |outcome| {
        if json {
            print_json(outcome)
        } else {
            print(outcome, several, check)
        }
    })
    .await
}

/// The text; the error is safe to print.
fn render(template: &Template) -> Result<String, String> {
    let mut values = Values::new();
    for path in &template.vars {
        values = read(path, values).map_err(|error| format!("{}: {error}", shown(path)))?;
    }
    for word in &template.var {
        let (name, value) = arguments::variable(word)?;
        values = values.set(name, &value);
    }
    LocalTemplate::read(&template.source)
        .and_then(|source| source.secret(template.secret).render(values))
        .map_err(|error| error.to_string())
}

/// Adds the values of a JSON file, `-` being standard input.
fn read(path: &Path, values: Values) -> Result<Values, String> {
    let data = if path.as_os_str() == "-" {
        let mut data = Vec::new();
        stdin().read_to_end(&mut data).map(|_| data)
    } else {
        std::fs::read(path)
    };
    let data = data.map_err(|error| error.to_string())?;
    match serde_json::from_slice(&data) {
        Ok(Json::Object(object)) => Ok(object.iter().fold(values, |values, (name, value)| {
            values.set(name, &json::to_value(value))
        })),
        Ok(_) => Err("an object with the values is needed".to_owned()),
        // It tells the place, and nothing that the file holds.
        Err(error) => Err(escape(&error.to_string())),
    }
}

fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy())
}

async fn write(
    session: &Session,
    template: &Template,
    text: String,
) -> Result<Option<Value>, Failure> {
    let mut options = WriteOptions::new()
        .backup(template.backup)
        .check(template.check)
        .secret(template.secret);
    if let Some(mode) = template.mode {
        options = options.mode(mode);
    }
    if let Some(owner) = &template.owner {
        options = options.owner(owner);
    }
    if let Some(group) = &template.group {
        options = options.group(group);
    }
    if let Some(command) = &template.validate {
        options = options.validate(command);
    }
    let mut fs = FileSystem::new(session);
    if let Some(timeout) = template.timeout {
        fs = fs.deadline(timeout);
    }
    let path = HostPath::from(template.destination.as_path());
    let change = fs
        .write_with(path, text, options)
        .await
        .map_err(|error| Failure::of(&error, "FileSystem.write"))?;
    Ok(Some(value(change)))
}

fn value(change: Change) -> Value {
    let backup = change
        .backup
        .map_or(Value::None, |path| Value::path(path.as_path()));
    Value::Record(Record::new(
        "Change",
        [
            ("changed", change.changed.into()),
            ("diff", change.diff.into()),
            ("backup", backup),
            ("in_place", change.in_place.into()),
        ],
    ))
}

/// The diff is data; what became of each target is said beside it.
fn print(outcome: &Outcome, several: bool, check: bool) -> std::io::Result<()> {
    let change = match &outcome.result {
        Ok(Some(change)) => change,
        Ok(None) => return Ok(()),
        Err(failure) => {
            print_failure(failure);
            return Ok(());
        }
    };
    let word = match (change.get("changed").and_then(Value::as_bool), check) {
        (Some(true), false) => "changed",
        (Some(true), true) => "would change",
        _ => "unchanged",
    };
    let label = if several {
        format!("{}: ", outcome.target)
    } else {
        String::new()
    };
    printer::say(&format!("{label}{word}"));
    let diff = change.get("diff").and_then(Value::as_str).unwrap_or("");
    if stdout().is_terminal() {
        // It shows what the host had.
        printer::write(escape(diff).as_bytes())
    } else {
        printer::write(diff.as_bytes())
    }
}

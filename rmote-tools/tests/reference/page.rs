//! A page of the reference.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rmote_tools::ToolDescription;

use crate::source::{Fields, Method, Sources, Tool};

pub(crate) fn file_name(tool: &str) -> String {
    let mut name = String::new();
    for (at, char) in tool.char_indices() {
        if char.is_uppercase() && at > 0 {
            name.push('-');
        }
        name.extend(char.to_lowercase());
    }
    name + ".md"
}

/// The page of a tool, from its stub and from what Python says of its parameters.
pub(crate) fn of(tool: &Tool, described: &ToolDescription, sources: &Sources) -> String {
    let mut page = format!("# {}\n\n{}\n", tool.name, prose(&tool.doc));
    page += "\n## Methods\n";
    // A tool says itself which errors it has: no method does.
    let mut named = types_in(&tool.doc, sources);
    named.retain(|name| name.ends_with("Error"));
    for method in &tool.methods {
        let python = described
            .methods
            .iter()
            .find(|known| known.name == method.name)
            .unwrap_or_else(|| panic!("Python has no {}.{}", tool.name, method.name));
        page += &section(method, &python.signature, sources);
        named.extend(types_in(&method.result, sources));
        for (_, kind) in &method.arguments {
            named.extend(types_in(kind, sources));
        }
        if let Some(options) = method
            .with
            .as_ref()
            .and_then(|with| sources.types.get(&with.1))
        {
            for field in &options.parts {
                named.extend(types_in(&field.kind, sources));
            }
        }
    }
    loop {
        let within: BTreeSet<String> = named
            .iter()
            .flat_map(|name| &sources.types[name].parts)
            .flat_map(|field| types_in(&field.kind, sources))
            .collect();
        let before = named.len();
        named.extend(within);
        if named.len() == before {
            break;
        }
    }
    if !named.is_empty() {
        page += "\n## Types\n";
    }
    for name in named {
        let fields = &sources.types[&name];
        _ = write!(page, "\n### {name}\n\n{}\n", prose(&fields.doc));
        page += &table(fields);
    }
    page
}

fn section(method: &Method, signature: &str, sources: &Sources) -> String {
    let mut text = format!("\n### {}\n\n", method.name);
    let with = method.with.as_ref();
    _ = writeln!(
        text,
        "```python\n{}{}\n```\n",
        method.name,
        wrapped(&method.name, signature)
    );
    text += &prose(&method.doc);
    text.push('\n');
    _ = write!(text, "\nGives `{}`.", method.result);
    if let Some((name, options)) = with {
        _ = write!(
            text,
            " In Rust, what is given by name goes to `{name}` as `{options}`."
        );
    }
    if method.idempotent {
        text += " Repeated by itself when the link is lost and made anew.";
    }
    text.push('\n');
    let takes: Vec<_> = method
        .arguments
        .iter()
        .map(|(name, kind)| format!("`{name}: {kind}`"))
        .collect();
    if !takes.is_empty() {
        _ = write!(text, "\nTakes {}", takes.join(", "));
        text += if with.is_some() {
            ", and by name:\n"
        } else {
            ".\n"
        };
    }
    let Some(fields) = with.map(|(_, options)| &sources.types[options]) else {
        return text;
    };
    text += "\n| name | type | default | meaning |\n| --- | --- | --- | --- |\n";
    let defaults = defaults(signature);
    for field in &fields.parts {
        let default = defaults
            .iter()
            .find_map(|(known, value)| (*known == field.name).then_some(value.as_deref()?))
            .unwrap_or_else(|| panic!("{} of {} has no default", field.name, method.name));
        let (name, kind, meaning) = (&field.name, cell(&field.kind), cell(&prose(&field.doc)));
        _ = writeln!(
            text,
            "| `{name}` | `{kind}` | `{}` | {meaning} |",
            cell(default)
        );
    }
    text
}

fn table(fields: &Fields) -> String {
    let mut text = String::new();
    if fields.parts.is_empty() {
        return text;
    }
    text += if fields.is_enum {
        "\n| value | meaning |\n| --- | --- |\n"
    } else {
        "\n| field | type | meaning |\n| --- | --- | --- |\n"
    };
    for field in &fields.parts {
        let meaning = cell(&prose(&field.doc));
        if fields.is_enum {
            _ = writeln!(text, "| `{}` | {meaning} |", field.name);
        } else {
            _ = writeln!(
                text,
                "| `{}` | `{}` | {meaning} |",
                field.name,
                cell(&field.kind)
            );
        }
    }
    text
}

/// The types of this crate that are named in a type.
fn types_in(kind: &str, sources: &Sources) -> BTreeSet<String> {
    kind.split(|char: char| !char.is_alphanumeric())
        .filter(|word| sources.types.contains_key(*word))
        .map(str::to_owned)
        .collect()
}

/// A signature in lines of at most 100 characters.
fn wrapped(name: &str, signature: &str) -> String {
    if name.len() + signature.len() <= 100 {
        return signature.to_owned();
    }
    let parts = parameters(signature);
    format!("(\n    {},\n)", parts.join(",\n    "))
}

/// Names and defaults of the parameters.
fn defaults(signature: &str) -> Vec<(String, Option<String>)> {
    let pair = |part: &String| match part.split_once('=') {
        Some((name, value)) => (name.trim().to_owned(), Some(value.trim().to_owned())),
        None => (part.clone(), None),
    };
    parameters(signature).iter().map(pair).collect()
}

/// The parameters as they are written between the parentheses.
fn parameters(signature: &str) -> Vec<String> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    let (mut depth, mut quote) = (0, None);
    for char in signature.chars() {
        match (quote, char) {
            (Some(mark), _) => quote = quote.filter(|_| char != mark),
            (None, '\'' | '"') => quote = Some(char),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 1 => {
                parts.push(std::mem::take(&mut part).trim().to_owned());
                continue;
            }
            _ => {}
        }
        let outer = depth == 1 && char == '(' && part.is_empty() && parts.is_empty();
        if !outer && depth > 0 {
            part.push(char);
        }
    }
    parts.push(part.trim().to_owned());
    parts.retain(|part| !part.is_empty());
    parts
}

/// Text of rustdoc as plain Markdown: no hidden lines in examples, no links into the crate, headings a level down.
fn prose(doc: &str) -> String {
    let mut lines = Vec::new();
    let mut code = None;
    for line in doc.lines() {
        if let Some(language) = line.strip_prefix("```") {
            if code.take().is_some() {
                lines.push("```".to_owned());
                continue;
            }
            let rust = matches!(language, "" | "no_run" | "ignore");
            let language = if rust { "rust" } else { language };
            lines.push(format!("```{language}"));
            code = Some(rust);
        } else if code == Some(true) {
            if line != "#" && !line.starts_with("# ") {
                lines.push(line.to_owned());
            }
        } else if code.is_none() {
            let heading = if line.starts_with("# ") { "#" } else { "" };
            lines.push(heading.to_owned() + &without_links(line));
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n").trim().to_owned()
}

/// ``[`Name`]`` and ``[text](path::of::it)`` without the link.
fn without_links(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('[') {
        text += before;
        let Some((inner, tail)) = after.split_once(']') else {
            text.push('[');
            rest = after;
            continue;
        };
        let target = tail.strip_prefix('(').and_then(|tail| tail.split_once(')'));
        match target {
            Some((target, tail)) if !target.contains('/') => {
                text += inner;
                rest = tail;
            }
            None if inner.starts_with('`') => {
                text += inner;
                rest = tail;
            }
            _ => {
                text.push('[');
                rest = after;
            }
        }
    }
    text + rest
}

/// Text that fits into a cell of a table.
fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

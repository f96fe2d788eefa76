//! A call's arguments as they are typed: `TEXT`, `:=JSON`, `NAME=TEXT`, `NAME:=JSON`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use rmote_tools::{Arguments, Value};

use crate::json;

/// Reads the arguments; the error says which one is wrong.
pub(crate) fn parse(args: &[OsString], texts: &[OsString]) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    for arg in args {
        let bytes = arg.as_bytes();
        let (name, value) = if let Some(json) = bytes.strip_prefix(b":=") {
            (None, parse_json(json, arg)?)
        } else if let Some((name, rest)) = named(bytes) {
            match rest.strip_prefix(b":=") {
                Some(json) => (Some(name), parse_json(json, arg)?),
                None => (Some(name), text(&rest[1..])),
            }
        } else {
            (None, text(bytes))
        };
        arguments = match name {
            Some(name) => arguments.keyword(name, &value),
            None => arguments.positional(&value),
        }
        .map_err(|error| format!("{}: {error}", arg.display()))?;
    }
    for arg in texts {
        arguments = arguments
            .positional(&text(arg.as_bytes()))
            .map_err(|error| format!("{}: {error}", arg.display()))?;
    }
    Ok(arguments)
}

/// Splits `NAME=...` or `NAME:=...` behind a name that Python takes.
fn named(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes
        .iter()
        .position(|&b| !b.is_ascii_alphanumeric() && b != b'_')?;
    let (name, rest) = bytes.split_at(end);
    let fits = name.first().is_some_and(|b| !b.is_ascii_digit())
        && (rest.starts_with(b"=") || rest.starts_with(b":="));
    fits.then(|| Some((std::str::from_utf8(name).ok()?, rest)))?
}

fn parse_json(json: &[u8], arg: &OsStr) -> Result<Value, String> {
    let parsed =
        serde_json::from_slice(json).map_err(|error| format!("{}: {error}", arg.display()))?;
    Ok(json::to_value(&parsed))
}

/// Text as Python has arguments of its own: bytes that are no UTF-8 survive.
fn text(bytes: &[u8]) -> Value {
    Value::path(OsStr::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str], texts: &[&str]) -> String {
        let os = |list: &[&str]| list.iter().map(OsString::from).collect::<Vec<_>>();
        format!("{:?}", parse(&os(args), &os(texts)))
    }

    #[test]
    fn names_and_json_are_told_from_text() {
        let all = parsed(
            &[
                "plain",
                ":=[1]",
                "mode:=384",
                "owner=root",
                "a b=c",
                "1=2",
                "=x",
                "k=",
            ],
            &["mode=1"],
        );
        for part in [
            r#"Text("plain")"#,
            "List([Int(1)])",
            r#"("mode", Int(384))"#,
            r#"("owner", Text("root"))"#,
            r#"Text("a b=c")"#,
            r#"Text("1=2")"#,
            r#"Text("=x")"#,
            r#"("k", Text(""))"#,
            r#"Text("mode=1")"#,
        ] {
            assert!(all.contains(part), "{part} in {all}");
        }
        assert!(parsed(&["a:={"], &[]).contains("a:={: EOF"));
    }

    #[test]
    fn bytes_that_are_no_text_survive() {
        let raw = parse(&[OsString::from(OsStr::from_bytes(b"caf\xe9"))], &[]).unwrap();
        assert!(format!("{raw:?}").contains("RawText"));
    }
}

//! A call's arguments as they are typed: `TEXT`, `:=JSON`, `NAME=TEXT`, `NAME:=JSON`.
//!
//! Where the types of the parameters are known, as with the tools that come with rmote, TEXT may be a number, `true` or
//! `false`, or a list with commas.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use rmote_tools::{Arguments, Signature, Value};

use crate::json;

/// Reads the arguments; the error says which one is wrong.
pub(crate) fn parse(
    args: &[OsString],
    texts: &[OsString],
    signature: Option<&Signature>,
) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    let mut index = 0;
    let positional = |bytes, index| {
        let kind = signature.and_then(|known| known.positional_kind(index));
        of_kind(bytes, "", kind)
    };
    for arg in args {
        let wrong = |error: String| format!("{}: {error}", arg.display());
        let bytes = arg.as_bytes();
        let (name, value) = if let Some(json) = bytes.strip_prefix(b":=") {
            (None, parse_json(json, arg)?)
        } else if let Some((name, rest)) = named(bytes) {
            if let Some(json) = rest.strip_prefix(b":=") {
                (Some(name), parse_json(json, arg)?)
            } else {
                let kind = signature.and_then(|known| known.kind(name));
                (Some(name), of_kind(&rest[1..], name, kind).map_err(wrong)?)
            }
        } else {
            (None, positional(bytes, index).map_err(wrong)?)
        };
        index += usize::from(name.is_none());
        arguments = match name {
            Some(name) => arguments.keyword(name, &value),
            None => arguments.positional(&value),
        }
        .map_err(|error| wrong(error.to_string()))?;
    }
    for (arg, index) in texts.iter().zip(index..) {
        let wrong = |error: String| format!("{}: {error}", arg.display());
        let value = positional(arg.as_bytes(), index).map_err(wrong)?;
        arguments = arguments
            .positional(&value)
            .map_err(|error| wrong(error.to_string()))?;
    }
    Ok(arguments)
}

/// Reads `NAME=TEXT` or `NAME:=JSON`; the error shows no value.
pub(crate) fn variable(word: &OsStr) -> Result<(String, Value), String> {
    let bytes = word.as_bytes();
    let (name, rest) = named(bytes).ok_or("a variable is NAME=TEXT or NAME:=JSON")?;
    let value = match rest.strip_prefix(b":=") {
        Some(json) => {
            let json = serde_json::from_slice(json).map_err(|error| format!("{name}: {error}"))?;
            json::to_value(&json)
        }
        None => text(&rest[1..]),
    };
    Ok((name.to_owned(), value))
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

/// Text as a parameter of this type takes it.
fn of_kind(bytes: &[u8], name: &str, kind: Option<&str>) -> Result<Value, String> {
    let Some((kind, typed)) = kind.zip(std::str::from_utf8(bytes).ok()) else {
        return Ok(text(bytes));
    };
    match kind {
        "bool" => match typed {
            "true" | "yes" | "on" => Ok(true.into()),
            "false" | "no" | "off" => Ok(false.into()),
            _ => Err("it is true or false".to_owned()),
        },
        "u8" | "u16" | "u32" | "u64" | "i32" | "i64" => {
            // As chmod has it.
            let octal = typed
                .strip_prefix("0o")
                .or((name == "mode" || name == "umask").then_some(typed));
            let number = match octal {
                Some(digits) => i64::from_str_radix(digits, 8),
                None => typed.parse(),
            };
            number
                .map(Value::from)
                .map_err(|_| "it is a number".to_owned())
        }
        "f64" => typed
            .parse::<f64>()
            .map(Value::from)
            .map_err(|_| "it is a number".to_owned()),
        list if list.starts_with("Vec<") && !list.contains("u8") => {
            Ok(typed.split(',').map(|part| text(part.as_bytes())).collect())
        }
        _ => Ok(text(bytes)),
    }
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
        format!("{:?}", parse(&os(args), &os(texts), None))
    }

    #[test]
    fn texts_become_what_a_known_method_takes() {
        let signature = Signature::new(
            "m",
            "",
            &["path", "size"],
            Some("rest"),
            &["check", "mode", "seconds", "groups", "owner"],
            [
                &["HostPath", "u64"],
                &["i64"],
                &["bool", "u32", "f64", "Vec<String>", "String"],
            ],
        );
        let parsed = |args: &[&str]| {
            let args: Vec<_> = args.iter().map(OsString::from).collect();
            parse(&args, &["-7".into()], Some(&signature)).map(|value| format!("{value:?}"))
        };
        let all = parsed(&[
            "12",
            ":=1",
            "3",
            "check=no",
            "mode=644",
            "seconds=0.5",
            "groups=a,b",
            "owner=1",
            "size=9",
        ])
        .unwrap();
        for part in [
            r#"[Text("12"), Int(1), Int(3), Int(-7)]"#,
            r#"("check", Bool(false))"#,
            r#"("mode", Int(420))"#,
            r#"("seconds", Float(0.5))"#,
            r#"("groups", List([Text("a"), Text("b")]))"#,
            r#"("owner", Text("1"))"#,
            r#"("size", Int(9))"#,
        ] {
            assert!(all.contains(part), "{part} in {all}");
        }
        for wrong in ["check=perhaps", "mode=9", "seconds=x", "size=1.5"] {
            let error = parsed(&[wrong]).unwrap_err();
            assert!(error.starts_with(wrong), "{error}");
        }
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
        let raw = parse(&[OsString::from(OsStr::from_bytes(b"caf\xe9"))], &[], None).unwrap();
        assert!(format!("{raw:?}").contains("RawText"));
    }
}

//! `rmote-cli call` and `rmote-cli tools` as a person types them, on this machine.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn rmote(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rmote-cli"))
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Exit code, standard output, standard error.
fn run(words: &[&str]) -> (i32, String, String) {
    let output = rmote(words);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// A folder with a tool file `audit.py`.
fn audit() -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.py");
    let source = r#"
import asyncio
import enum
from dataclasses import dataclass

from rmote.protocol import Tool, process, render_template


class Level(enum.Enum):
    LOW = 1


@dataclass
class Finding:
    """What was found."""
    path: str
    level: Level


class Audit(Tool):
    """Looks around."""

    @staticmethod
    async def run(root, depth=1):
        """Finds things below a path."""
        print("looking at", root)
        await asyncio.sleep(0)
        return [Finding(root, Level.LOW)] * depth

    @staticmethod
    def fail(text):
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError(text) from error

    @staticmethod
    def report(name):
        return render_template("hello ${name}\n", name=process("echo", name, capture_output=True, text=True).stdout.strip())


def shout(text):
    """Says it louder."""
    return text.upper()
"#;
    fs::write(&path, source).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (dir, path)
}

#[test]
fn text_and_bytes_come_as_they_are_and_all_else_as_json() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("f");
    fs::write(&file, b"no newline \xff\r\n\0end").unwrap();
    let file = file.to_str().unwrap();
    let bytes = rmote(&["call", "local", "FileSystem.read_bytes", file]);
    assert_eq!(
        (bytes.status.code(), &bytes.stdout[..]),
        (Some(0), b"no newline \xff\r\n\0end".as_slice())
    );
    assert_eq!(
        run(&["call", "local", "os.path.join", "a", "b"]),
        (0, "a/b".to_owned(), String::new())
    );
    assert_eq!(
        run(&["call", "local", "math.factorial", ":=25"]).1,
        "15511210043330985984000000\n"
    );
    assert_eq!(
        run(&[
            "call",
            "local",
            "builtins.sorted",
            ":=[3,1,2]",
            "reverse:=true"
        ])
        .1,
        "[3,2,1]\n"
    );
    assert_eq!(run(&["call", "local", "time.sleep", ":=0"]).1, "null\n");
    assert_eq!(
        run(&[
            "call",
            "local",
            "builtins.dict",
            "a=x",
            "b:={\"c\":[null,1.5]}"
        ])
        .1,
        "{\"a\":\"x\",\"b\":{\"c\":[null,1.5]}}\n"
    );
}

#[test]
fn behind_two_dashes_all_is_text_and_unknown_options_are_arguments() {
    let echo = |words: &[&str]| {
        let all = [&["call", "local", "Exec.command", "--json"], words].concat();
        let line: serde_json::Value = serde_json::from_str(&run(&all).1).unwrap();
        line["value"]["stdout"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        echo(&["--", "printf", "%s|", "check=no", ":=1", "--json"]),
        "check=no|:=1|--json|"
    );
    assert_eq!(echo(&["printf", "%s|", "-x", "--long"]), "-x|--long|");
}

#[test]
fn json_has_one_object_a_target() {
    let (code, out, _) = run(&["call", "local,local", "os.getcwd", "--json"]);
    assert_eq!(code, 0);
    let lines: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert!(
            line["ok"] == true
                && line["target"] == "local"
                && line["seconds"].is_number()
                && line["value"].is_string()
        );
    }
    let (code, out, err) = run(&["call", "local", "os.stat", "/no/such", "--json"]);
    let line: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &line["ok"], err.as_str()),
        (1, &serde_json::json!(false), "")
    );
    assert_eq!(line["error"]["type"], "FileNotFoundError");
    assert!(line.get("value").is_none());
}

#[test]
fn a_tool_file_is_called_by_its_tool_or_its_file() {
    let (_dir, path) = audit();
    let (code, out, err) = run(&[
        "call",
        "local",
        "--tool",
        &path,
        "Audit.run",
        "/etc",
        "depth:=2",
    ]);
    let found = "{\"level\":\"LOW\",\"path\":\"/etc\"}";
    assert_eq!(
        (code, out, err),
        (
            0,
            format!("[{found},{found}]\n"),
            "looking at /etc\n".to_owned()
        )
    );
    assert_eq!(
        run(&[
            "call",
            "local",
            "--tool",
            &path,
            "audit.Audit.report",
            "you"
        ])
        .1,
        "hello you\n"
    );
    assert_eq!(
        run(&["call", "local", "--tool", &path, "audit.shout", "ho"]).1,
        "HO"
    );
    assert_eq!(
        run(&["call", "local", "--tool", &path, "shout", "ho"]).1,
        "HO"
    );
}

#[test]
fn an_exception_looks_like_pythons_with_the_host_and_without_its_escapes() {
    let (_dir, path) = audit();
    let (code, out, err) = run(&[
        "call",
        "local",
        "--tool",
        &path,
        "Audit.fail",
        "bad \u{1b}[31m thing",
    ]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.starts_with("error: local: Audit.fail: "), "{err}");
    for part in [
        &format!("  File \"{path}\", line 35, in fail\n    raise ValueError(text) from error\n"),
        "KeyError: 'inner'\n",
        "The above exception was the direct cause",
        "ValueError: bad \\x1b[31m thing\n",
    ] {
        assert!(err.contains(part), "{part} in {err}");
    }
    assert!(
        !err.contains('\u{1b}') && !err.contains("loader.py"),
        "{err}"
    );
}

#[test]
fn each_way_to_fail_has_its_code() {
    let code = |words: &[&str]| {
        let (code, out, err) = run(words);
        assert!(
            out.is_empty() && err.starts_with("error: "),
            "{words:?}: {out} {err}"
        );
        code
    };
    assert_eq!(code(&["call", "local", "builtins.int", "x"]), 1);
    assert_eq!(
        code(&["call", "local", "builtins.object"]),
        1,
        "a result that is no data"
    );
    assert_eq!(code(&["call", "local", "no.such.function"]), 2);
    assert_eq!(code(&["call", "local", "FileSystem.no_such_method"]), 2);
    assert_eq!(code(&["call", "local", "FileSystem.read_str"]), 2);
    assert_eq!(code(&["call", "local", "os.getcwd", ":={"]), 2);
    assert_eq!(code(&["call", "local", "--tool", "/no/such.py", "a.b"]), 2);
    assert_eq!(code(&["call", "nonsense://x", "a.b"]), 2);
    assert_eq!(code(&["call"]), 2);
    assert_eq!(code(&["call", "local", "a.b", "--timeout", "soon"]), 2);
    assert_eq!(
        code(&["call", "local", "--python", "/no/such/python", "a.b"]),
        3
    );
    assert_eq!(code(&["call", "cmd:false", "a.b"]), 3);
    assert_eq!(code(&["call", "local", "os._exit", ":=7"]), 3);
    assert_eq!(
        code(&[
            "call",
            "local",
            "time.sleep",
            ":=1000",
            "--timeout",
            "300ms"
        ]),
        4
    );
    assert_eq!(
        run(&["call", "local,cmd:false", "os.getpid"]).0,
        3,
        "the highest counts"
    );
}

#[test]
fn hostile_targets_are_refused_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    let proof = dir.path().join("proof");
    let hostile = [
        format!("-oProxyCommand=touch {}", proof.display()),
        format!("ssh://-oProxyCommand=touch${{IFS}}{}", proof.display()),
        "x@-oProxyCommand=x".to_owned(),
        "docker://-it".to_owned(),
        "docker://--privileged".to_owned(),
        "podman://-v".to_owned(),
        "kubectl://-n/pod/c".to_owned(),
        "kubectl://ns/--as=root".to_owned(),
        "web01\n-oProxyCommand=x".to_owned(),
        "web01;reboot".to_owned(),
        "$(reboot)".to_owned(),
        "ssh://user:secret@host".to_owned(),
        "local,,local".to_owned(),
        String::new(),
    ];
    for target in &hostile {
        let output = rmote(&["call", "--connect-timeout=5", "--", target, "os.getcwd"]);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{target:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert!(!proof.exists());
}

#[test]
fn arguments_that_are_no_utf8_reach_the_host() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    fs::write(&path, "found").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_rmote-cli"))
        .args(["call", "local", "FileSystem.read_str"])
        .arg(&path)
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"found");
}

#[test]
fn the_tools_are_listed_with_arguments_and_docs() {
    let (_dir, path) = audit();
    let (code, out, _) = run(&["tools", "--tool", &path]);
    assert_eq!(code, 0);
    for line in [
        "Exec: Runs commands and shell expressions on the host.",
        "  FileSystem.read_str(path, *, encoding='utf-8')",
        "      Reads a file as text. Line ends stay as they are.",
        "Audit: Looks around.",
        "  Audit.run(root, depth=1)",
        "      Finds things below a path.",
        "  shout(text)",
    ] {
        assert!(out.lines().any(|known| known == line), "{line:?} in\n{out}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&run(&["tools", "local", "--json"]).1).unwrap();
    assert!(
        json.as_array()
            .unwrap()
            .iter()
            .any(|tool| tool["name"] == "FileSystem")
    );
}

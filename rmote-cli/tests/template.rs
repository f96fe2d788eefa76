//! `rmote-cli template` as a person types it, on this machine.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

const SOURCE: &str = "{# for nginx #}\r\nuser {{ user }};\r\n{% for port in ports %}\r\nlisten {{ port }};\r\n{% endfor %}\r\nend";
const RENDERED: &str = "user www;\r\nlisten 80;\r\nlisten 443;\r\nend";

/// Exit code, standard output, standard error.
fn run_with(dir: &Path, words: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rmote-cli"))
        .arg("template")
        .args(words)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that does not read it has ended.
    _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn run(dir: &Path, words: &[&str]) -> (i32, String, String) {
    run_with(dir, words, "")
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(dir.path().join(name), content).unwrap();
    }
    dir
}

#[test]
fn a_file_is_checked_written_and_left_alone() {
    let dir = folder(&[
        ("t", SOURCE),
        ("vars.json", r#"{"user": "nobody", "ports": [80]}"#),
    ]);
    let dir = dir.path();
    let out = dir.join("out").to_str().unwrap().to_owned();
    let words = [
        "local",
        "t",
        &out,
        "--vars",
        "vars.json",
        "--var",
        "user=www",
        "--var",
        "ports:=[80, 443]",
    ];
    let with = |more: &[&'static str]| run(dir, &[&words[..], more].concat());

    let (code, diff, said) = with(&["--check", "--mode", "600"]);
    assert_eq!((code, said.as_str()), (0, "would change\n"));
    assert!(
        diff.contains("+user www;") && diff.contains("+listen 443;"),
        "{diff}"
    );
    assert!(!Path::new(&out).exists());

    let written = with(&["--mode", "600"]);
    assert_eq!(written, (0, diff, "changed\n".to_owned()));
    assert_eq!(fs::read_to_string(&out).unwrap(), RENDERED);
    let mode = fs::metadata(&out).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);

    let nothing = (0, String::new(), "unchanged\n".to_owned());
    assert_eq!(with(&["--mode", "600"]), nothing);
    assert_eq!(with(&["--check"]), nothing);

    let (code, line, said) = with(&["--json", "--var", "user=root", "--backup"]);
    assert_eq!((code, said.as_str()), (0, ""));
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["ok"], true, "{line}");
    assert_eq!(line["value"]["changed"], true, "{line}");
    let backup = line["value"]["backup"].as_str().unwrap();
    assert_eq!(fs::read_to_string(backup).unwrap(), RENDERED);
    assert!(
        line["value"]["diff"]
            .as_str()
            .unwrap()
            .contains("+user root;")
    );
}

#[test]
fn several_targets_are_told_apart() {
    let dir = folder(&[("t", "{{ x }}\n")]);
    let out = dir.path().join("out");
    let words = ["local,local", "t", out.to_str().unwrap(), "--var", "x=1"];
    let (code, _, said) = run(dir.path(), &words);
    assert_eq!(code, 0, "{said}");
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(
        lines.iter().all(|line| line.starts_with("local: ")),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&out).unwrap(), "1\n");
}

#[test]
fn secrets_come_by_standard_input_and_are_not_shown() {
    let dir = folder(&[
        ("t", "password = {{ password }}\n"),
        ("bad", "{{ password | int }}\n"),
    ]);
    let dir = dir.path();
    let input = r#"{"password": "hunter2"}"#;
    let words = ["local", "t", "out", "--vars", "-", "--secret", "--json"];
    let (code, shown, said) = run_with(dir, &words, input);
    assert_eq!(code, 0, "{said}");
    assert!(
        shown.contains("hidden") && !shown.contains("hunter2"),
        "{shown}"
    );
    assert_eq!(
        fs::read_to_string(dir.join("out")).unwrap(),
        "password = hunter2\n"
    );
    let words = ["local", "bad", "out", "--vars", "-", "--secret"];
    let (code, shown, said) = run_with(dir, &words, r#"{"password": ["hunter2"]}"#);
    assert_eq!((code, shown.as_str()), (2, ""));
    assert!(
        said.contains("bad: line 1, column") && !said.contains("hunter2"),
        "{said}"
    );
    for broken in [r#"["hunter2"]"#, r#"{"a": hunter2}"#] {
        let (code, _, said) = run_with(dir, &words, broken);
        assert_eq!(code, 2);
        assert!(
            said.starts_with("error: -: ") && !said.contains("hunter2"),
            "{said}"
        );
    }
}

#[test]
fn mistakes_end_before_any_host_is_asked() {
    let dir = folder(&[
        ("t", "a\n  {{ missing }}\n"),
        ("syntax", "{% for %}"),
        (
            "endless",
            "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
        ),
        ("vars.json", "{}"),
        ("list.json", "[1]"),
    ]);
    let dir = dir.path();
    for (words, part) in [
        (&["t"][..], "t: line 2, column 6: undefined value: missing"),
        (&["syntax"], "syntax: line 1, column 8: syntax error: "),
        (&["endless"], "stopped: it takes too many steps"),
        (&["no-such"], "no-such: No such file"),
        (&["t", "--vars", "list.json"], "list.json: an object"),
        (&["t", "--vars", "none.json"], "none.json: No such file"),
        (&["t", "--var", "x"], "NAME=TEXT"),
        (&["t", "--var", "x:={"], "x: EOF"),
        (&["t", "--mode", "9"], "octal"),
    ] {
        // There is no way to this host: none is tried.
        let target = "cmd:/no/such/program";
        let words = [&[target, words[0], "/x"], &words[1..]].concat();
        let (code, shown, said) = run(dir, &words);
        assert_eq!((code, shown.as_str()), (2, ""), "{words:?}: {said}");
        assert!(said.contains(part), "{words:?}: {said}");
    }
}

#[test]
fn what_a_host_refuses_has_the_exit_codes_of_calls() {
    let dir = folder(&[("t", "new\n"), ("out", "old\n")]);
    let dir = dir.path();
    let (code, _, said) = run(dir, &["local", "t", "out", "--validate", "grep -q old {}"]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("local: FileSystem.write") && said.contains("validate"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(dir.join("out")).unwrap(), "old\n");
    let (code, _, said) = run(dir, &["local", "t", "/no/such/folder/out"]);
    assert_eq!(code, 1, "{said}");
    let (code, _, said) = run(dir, &["cmd:/no/such/program", "t", "out"]);
    assert_eq!(code, 3, "{said}");
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(files, ["out", "t"]);
}

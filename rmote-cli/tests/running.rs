//! `rmote-cli call` while the function runs: what comes of it meanwhile, and what ends it early.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};

/// Exit code, standard output, standard error.
fn run(words: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_rmote-cli"))
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn what_a_call_prints_comes_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let tool = dir.path().join("progress.py");
    let source = "import os, sys\n\ndef run(path):\n    print('line')\n    print('.', end='')\n    open(path).read()\n";
    fs::write(&tool, source).unwrap();
    // The function waits until somebody writes there.
    let gate = dir.path().join("gate");
    assert!(
        Command::new("mkfifo")
            .arg(&gate)
            .status()
            .unwrap()
            .success()
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_rmote-cli"))
        .args(["call", "local", "--tool"])
        .args([tool.as_os_str(), "run".as_ref(), gate.as_os_str()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut shown = [0; 6];
    child
        .stderr
        .as_mut()
        .unwrap()
        .read_exact(&mut shown)
        .unwrap();
    assert_eq!(&shown, b"line\n.");
    fs::write(&gate, "").unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_interrupt_ends_the_call_and_what_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let marker = format!("{}/interrupted", dir.path().display());
    let mut child = Command::new(env!("CARGO_BIN_EXE_rmote-cli"))
        .args([
            "call",
            "local",
            "Exec.shell",
            &format!("echo here > {marker}; exec tail -f /dev/null {marker}"),
        ])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The command says that it runs by what it writes; until then there is nothing to interrupt.
    while !fs::read_to_string(&marker).is_ok_and(|text| text.ends_with('\n')) {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    assert!(
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    let left = Command::new("pgrep")
        .args(["-f", &marker])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let script = format!(
        "{} call local FileSystem.read_bytes /proc/self/exe | head -c 4 | wc -c",
        env!("CARGO_BIN_EXE_rmote-cli")
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(
        (
            String::from_utf8_lossy(&output.stdout).trim(),
            output.stderr.len()
        ),
        ("4", 0)
    );
}

#[test]
fn what_a_generator_yields_is_printed_as_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("watch.py");
    let source = r"
import time

def words(n):
    for i in range(n):
        yield 'word %d' % i
    return {'words': n}

def mixed():
    yield 1
    yield {'a': [2]}
    raise ValueError('no more')

def forever():
    i = 0
    while True:
        yield str(i)
        i += 1
";
    fs::write(&path, source).unwrap();
    let path = path.to_str().unwrap();
    let (code, out, _) = run(&["call", "local", "--tool", path, "watch.words", ":=3"]);
    assert_eq!(
        (code, &*out),
        (0, "word 0\nword 1\nword 2\n{\"words\":3}\n")
    );
    let (code, out, err) = run(&["call", "local", "--tool", path, "watch.mixed"]);
    assert_eq!((code, &*out), (1, "1\n{\"a\":[2]}\n"));
    assert!(err.contains("no more"), "{err}");
    let (code, out, _) = run(&[
        "call",
        "local",
        "--json",
        "--tool",
        path,
        "watch.words",
        ":=1",
    ]);
    assert!(
        out.starts_with("{\"item\":\"word 0\",\"target\":\"local\"}\n"),
        "{out}"
    );
    assert!(code == 0 && out.contains("\"ok\":true"), "{out}");

    // It comes while the generator runs, and a reader that leaves ends it.
    let mut child = Command::new(env!("CARGO_BIN_EXE_rmote-cli"))
        .args(["call", "local", "--tool", path, "watch.forever"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut first = [0; 10];
    out.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"0\n1\n2\n3\n4\n");
    drop(out);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

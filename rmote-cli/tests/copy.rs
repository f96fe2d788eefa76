//! `rmote-cli cp` and `rmote-cli sync` as a person types them, on this machine and over a real sshd.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

#[path = "../../rmote-transport/tests/sshd/mod.rs"]
mod sshd;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use sshd::Sshd;
use tempfile::TempDir;

fn command(dir: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rmote-cli"));
    command.args(words).current_dir(dir).stdin(Stdio::null());
    command
}

/// Exit code, standard output, standard error.
fn run(dir: &Path, words: &[&str]) -> (i32, String, String) {
    let output = command(dir, words).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn files(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    dir
}

fn read(dir: &TempDir, path: &str) -> String {
    fs::read_to_string(dir.path().join(path)).unwrap()
}

const NOTHING: (i32, String, String) = (0, String::new(), String::new());

#[test]
fn files_go_to_a_path_or_into_a_directory_without_a_word() {
    let dir = files(&[
        ("a", "a"),
        ("b", "b"),
        ("tree/leaf", "leaf"),
        ("into/x", "x"),
    ]);
    for to in ["into", "local:into"] {
        _ = fs::remove_dir_all(dir.path().join("into/tree"));
        assert_eq!(run(dir.path(), &["cp", "a", "b", "tree", to]), NOTHING);
        assert_eq!(
            (read(&dir, "into/a"), read(&dir, "into/tree/leaf")),
            ("a".into(), "leaf".into())
        );
    }
    assert_eq!(run(dir.path(), &["cp", "local:a", "c"]), NOTHING);
    assert_eq!(
        run(dir.path(), &["cp", "local:tree", "local:b", "into/"]),
        NOTHING
    );
    assert_eq!(run(dir.path(), &["cp", "tree", "local:made"]), NOTHING);
    assert_eq!(
        (
            read(&dir, "c"),
            read(&dir, "into/b"),
            read(&dir, "made/leaf")
        ),
        ("a".into(), "b".into(), "leaf".into())
    );
}

#[test]
fn what_goes_wrong_is_said_on_one_line_with_its_exit_code() {
    let dir = files(&[("a", "a"), ("b", "b")]);
    let says = |words: &[&str], code: i32, part: &str| {
        let (exit, out, err) = run(dir.path(), words);
        assert_eq!((exit, out.as_str()), (code, ""), "{err}");
        assert!(
            err.starts_with("error: ") && err.contains(part) && err.lines().count() == 1,
            "{err}"
        );
    };
    says(
        &["cp", "a", "local:no/where"],
        1,
        "No such file or directory: 'no'",
    );
    says(
        &["cp", "local:missing", "c"],
        1,
        "No such file or directory",
    );
    says(
        &["cp", "missing", "local:c"],
        1,
        "missing: No such file or directory",
    );
    says(&["cp", "a", "b", "local:c"], 2, "c is no directory");
    says(&["cp", "a", "b", "c"], 2, "c is no directory");
    says(
        &["cp", "web01:a", "web02:b"],
        2,
        "copy to a path here first",
    );
    says(&["cp", "a", "docker://db"], 2, "write docker://db:PATH");
    says(
        &["sync", "--exclude", "[", "a", "local:c"],
        2,
        "exclude pattern",
    );
    says(&["cp", "a", "cmd:false:/x"], 3, "cmd:false");
    let (exit, _, err) = run(dir.path(), &["cp", "a"]);
    assert_eq!(exit, 2, "{err}");
}

#[test]
fn sync_makes_the_same_and_tells_what_it_would_do() {
    let dir = files(&[
        ("from/a", "a"),
        ("from/sub/b", "b"),
        ("from/skip.o", "o"),
        ("to/old/c", "c"),
        ("to/keep.o", "o"),
    ]);
    let words = ["sync", "--delete", "--exclude", "*.o", "from", "local:to"];
    let (exit, out, err) = run(dir.path(), &[&words[..], &["-n"]].concat());
    let mut lines: Vec<_> = out.lines().collect();
    lines.sort_unstable();
    let wanted = [
        "adjust   .",
        "create   a",
        "create   sub",
        "create   sub/b",
        "delete   old",
        "delete   old/c",
    ];
    assert_eq!((exit, &lines[..]), (0, &wanted[..]), "{err}");
    assert!(err.contains("(dry run)") && !dir.path().join("to/a").exists());
    assert_eq!(run(dir.path(), &words), NOTHING);
    assert_eq!(read(&dir, "to/sub/b"), "b");
    assert!(!dir.path().join("to/old").exists() && dir.path().join("to/keep.o").exists());
    let (_, out, err) = run(dir.path(), &[&words[..], &["-v"]].concat());
    assert!(out.is_empty() && err.contains("4 unchanged"), "{out}{err}");
}

#[test]
fn names_are_safe_to_print_and_failures_do_not_stop_the_rest() {
    let dir = files(&[("from/a", "a"), ("to/a/inner", "x")]);
    let odd = dir
        .path()
        .join("from")
        .join(OsStr::from_bytes(b"\x1b[31m\n\xff"));
    fs::write(&odd, "odd").unwrap();
    let (exit, out, err) = run(dir.path(), &["sync", "-v", "from", "local:to"]);
    assert_eq!(exit, 1);
    assert!(
        err.contains("error: a: ") && err.contains("directory"),
        "{err}"
    );
    assert!(
        !out.contains('\x1b') && out.lines().any(|line| line.contains("[31m")),
        "{out:?}"
    );
    assert_eq!(
        fs::read(dir.path().join("to").join(odd.file_name().unwrap())).unwrap(),
        b"odd"
    );
}

#[test]
fn over_ssh_to_the_home_directory_and_back() {
    let Some(server) = Sshd::start() else { return };
    let config = server.config_file().display().to_string();
    let dir = files(&[("tree/leaf", "leaf"), ("tree/sub/other", "other")]);
    let remote = server.dir().join("copy").display().to_string();
    let to = format!("rmote-test:{remote}");
    assert_eq!(
        run(dir.path(), &["cp", "--ssh-config", &config, "tree", &to]),
        NOTHING
    );
    assert_eq!(
        fs::read_to_string(format!("{remote}/sub/other")).unwrap(),
        "other"
    );
    assert_eq!(
        run(dir.path(), &["sync", "--ssh-config", &config, &to, "back"]),
        NOTHING
    );
    assert_eq!(read(&dir, "back/sub/other"), "other");
    // Relative to where ssh starts, which is no place to write in a test.
    let (exit, out, _) = run(
        dir.path(),
        &["cp", "-n", "--ssh-config", &config, "tree", "rmote-test:"],
    );
    assert_eq!(
        (
            exit,
            out.lines()
                .filter(|line| line.starts_with("create"))
                .count()
        ),
        (0, 4)
    );
}

#[test]
fn ctrl_c_ends_in_order_and_the_next_copy_goes_on() {
    let dir = files(&[]);
    let size = 512 << 20;
    // Random enough for its blocks to differ, and quick to make.
    let data: Vec<u8> = (0..size / 8_u64)
        .flat_map(|number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes())
        .collect();
    fs::write(dir.path().join("big"), &data).unwrap();
    let mut child = command(dir.path(), &["cp", "-v", "big", "local:copy"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "create   .\n");
    // Some of it has come.
    let part = || {
        let names = fs::read_dir(dir.path()).unwrap().flatten();
        names
            .filter(|name| name.file_name().as_bytes().ends_with(b".part"))
            .map(|name| name.metadata().unwrap().len())
            .next()
    };
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while part().is_none_or(|size| size < 4 << 20) {
        assert!(std::time::Instant::now() < end, "nothing comes");
        std::thread::yield_now();
    }
    assert!(
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut said = String::new();
    child.stderr.unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
    let left = part().expect("the part stays");
    let (exit, _, err) = run(dir.path(), &["cp", "-v", "big", "local:copy"]);
    assert_eq!(exit, 0, "{err}");
    assert!(
        err.contains(&format!("{left} found at the destination")),
        "{err}"
    );
    assert!(fs::read(dir.path().join("copy")).unwrap() == data);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

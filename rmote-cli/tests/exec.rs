//! `rmote-cli exec` and `rmote-cli shell`: with pipes, and at a terminal, where `terminal.py` is the person.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;
#[path = "../../rmote-transport/tests/sshd/mod.rs"]
mod sshd;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Output, Stdio};

const RMOTE: &str = env!("CARGO_BIN_EXE_rmote-cli");

fn exec(words: &[&str]) -> Command {
    let mut command = Command::new(RMOTE);
    command.arg("exec").args(words).stdin(Stdio::null());
    command
}

/// Exit code, standard output, standard error.
fn run(words: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = exec(words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn streams_and_exit_codes_are_the_commands() {
    let script = "echo out; echo err >&2; exit 9";
    assert_eq!(
        run(&["local", "--", "sh", "-c", script]),
        (9, "out\n".into(), "err\n".into())
    );
    // Behind the command's name nothing is ours.
    let words = ["local", "printf", "%s ", "-n", "--tty", "--", "x"];
    assert_eq!(run(&words).1, "-n --tty -- x ");
    assert_eq!(run(&["local", "sh", "-c", "kill -TERM $$"]).0, 128 + 15);
    let script = "echo $A ${HOME-none} $PWD";
    let words = ["--env", "A=b=c", "--cwd=/", "local", "sh", "-c", script];
    assert!(run(&words).1.starts_with("b=c "), "{:?}", run(&words));
    assert!(run(&words).1.ends_with(" /\n"));
}

#[test]
fn what_cannot_run_has_the_codes_of_a_shell() {
    let missing = run(&["local", "no-such-program"]);
    assert_eq!((missing.0, &*missing.1), (127, ""));
    assert!(missing.2.starts_with("error: local: "), "{}", missing.2);
    assert!(missing.2.contains("no-such-program"), "{}", missing.2);
    assert_eq!(run(&["local", "/etc/passwd"]).0, 126);
    assert_eq!(run(&["cmd:false", "true"]).0, 255);
    for usage in [
        &["local"][..],
        &["ssh://", "true"],
        &["local,local", "--tty", "true"],
        &["local", "--env", "=x", "true"],
    ] {
        assert_eq!(run(usage).0, 2, "{usage:?}");
    }
}

#[test]
fn standard_input_is_forwarded_byte_for_byte_while_output_comes() {
    let mut child = exec(&["local", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    // Each part comes back before the next is sent.
    for part in [b"\0\xff\r\n".as_slice(), b"x"] {
        stdin.write_all(part).unwrap();
        let mut back = vec![0; part.len()];
        stdout.read_exact(&mut back).unwrap();
        assert_eq!(back, part);
    }
    let block: Vec<u8> = (0..1_000_003_u32).map(|i| (i % 253) as u8).collect();
    let expected = block.repeat(16);
    let writer = std::thread::spawn(move || {
        for _ in 0..16 {
            stdin.write_all(&block).unwrap();
        }
    });
    let mut back = Vec::new();
    stdout.read_to_end(&mut back).unwrap();
    assert!(back == expected, "{} bytes came back", back.len());
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn input_that_stays_open_does_not_hold_the_end_up() {
    let mut child = exec(&["local", "true"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = child.stdin.take();
    assert!(child.wait().unwrap().success());
    drop(stdin);
    // And where it is left alone nobody reads it.
    let mut child = exec(&["-n", "local", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"not for it")
        .unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"");
}

#[test]
fn a_reader_that_leaves_ends_the_command() {
    let mut child = exec(&["local", "sh", "-c", "echo $$; exec yes"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pid = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut pid)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(141));
    // The session's end waited for it.
    let left = std::fs::read_to_string(format!("/proc/{}/cmdline", pid.trim()));
    assert!(!left.unwrap_or_default().starts_with("yes"));
}

#[test]
fn several_targets_show_lines_behind_their_names() {
    let script = "echo one; printf 'two\\033'; echo three >&2; exit ${CODE-3}";
    let (code, out, err) = run(&["local,cmd:env CODE=4", "sh", "-c", script]);
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    let other = "cmd:env 'CODE=4'";
    let both = |line: &str| [format!("{other}: {line}"), format!("local: {line}")];
    assert_eq!(
        sorted(&out),
        sorted(&[both("one"), both("two\x1b")].concat().join("\n"))
    );
    assert_eq!((code, sorted(&err)), (4, both("three").to_vec()));
    // The others go on, and the highest code counts.
    let (code, out, err) = run(&["local,ssh://nobody@127.0.0.1:1", "echo", "x"]);
    assert_eq!((code, &*out), (255, "local: x\n"));
    assert!(err.contains("127.0.0.1"), "{err}");
}

/// Has the person at the terminal do something.
fn person(case: &str, words: &[&str]) {
    let output = Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/terminal.py"))
        .args([RMOTE, case])
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{case}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

macro_rules! at_a_terminal {
    ($($case:ident),*) => {
        mod at_a_terminal {
            $(
                #[test]
                fn $case() {
                    super::person(stringify!($case), &["local"]);
                }
            )*
        }
    };
}

at_a_terminal![
    shell,
    screen,
    hang_up,
    told_to_end,
    killed,
    lost,
    interrupt,
    typed
];

#[test]
fn an_editor() {
    let found = Command::new("vi")
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("VIM"));
    if !found {
        assert!(
            std::env::var_os("RMOTE_TEST_REQUIRE").is_none_or(|value| value != "all"),
            "SKIPPED: no vim is installed"
        );
        eprintln!("SKIPPED: no vim is installed");
        return;
    }
    person("vi", &["local"]);
}

#[test]
fn over_ssh() {
    let Some(sshd) = sshd::Sshd::start() else {
        return;
    };
    let config = format!("--ssh-config={}", sshd.config_file().display());
    for case in ["shell", "screen", "hang_up", "interrupt", "killed"] {
        person(case, &[&config, "rmote-test"]);
    }
    let options = ["rmote-test", "sh", "-c", "cat; exit 5"];
    assert_eq!(run(&[&[&*config], &options[..]].concat()).0, 5);
}

#[test]
fn in_containers() {
    for image in ["bullseye", "trixie"] {
        let Some(container) = docker::Container::start(&format!("rmote-test:{image}")) else {
            continue;
        };
        let target = format!("docker://{}", container.name());
        for case in ["shell", "hang_up", "interrupt"] {
            person(case, &[&target]);
        }
        person("shell", &["--python=python3", &target]);
        assert_eq!(run(&[&target, "sh", "-c", "exit 5"]).0, 5);
        let processes = container.processes();
        assert!(!processes.contains("-ESsc"), "nothing is left: {processes}");
    }
}

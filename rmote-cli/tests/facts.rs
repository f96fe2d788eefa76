//! `rmote-cli facts` as a person types it and as a program reads it.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::process::{Command, Stdio};

#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;

use docker::Container;
use serde_json::Value as Json;

/// Exit code, standard output, standard error.
fn facts(words: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_rmote-cli"))
        .arg("facts")
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

/// The lines that begin a section.
fn headings(text: &str) -> Vec<&str> {
    let lines = text.lines();
    lines.filter(|line| !line.starts_with(' ')).collect()
}

#[test]
fn people_get_aligned_lines_of_all_sections_or_of_those_that_they_name() {
    let (code, all, err) = facts(&["local"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(
        headings(&all),
        [
            "system",
            "python",
            "cpu",
            "memory",
            "network",
            "storage",
            "packages",
            "service_manager",
            "users",
            "containers"
        ]
    );
    let (code, some, _) = facts(&["local", "memory", "system"]);
    assert_eq!((code, headings(&some)), (0, vec!["system", "memory"]));
    let memory: Vec<_> = some
        .lines()
        .skip_while(|line| *line != "memory")
        .skip(1)
        .collect();
    let value = |line: &str| {
        let end = 2 + line[2..].find(' ').unwrap();
        end + line[end..].find(|c| c != ' ').unwrap()
    };
    let begin: Vec<_> = memory.iter().map(|line| value(line)).collect();
    assert!(begin.windows(2).all(|pair| pair[0] == pair[1]), "{some}");
    assert!(some.contains("total") && some.contains("iB"), "{some}");
    assert!(
        some.contains("boot_time") && some.contains(" UTC"),
        "{some}"
    );
}

#[test]
fn programs_get_a_line_of_json_a_target() {
    let (code, out, _) = facts(&["local,cmd:false", "cpu", "packages", "--json", "--raw"]);
    assert_eq!(code, 3);
    let mut lines: Vec<Json> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    lines.sort_by_key(|line| line["ok"].as_bool());
    let [failed, told] = lines.as_slice() else {
        panic!("{out}")
    };
    assert_eq!(
        (&failed["ok"], &failed["error"]["kind"]),
        (&Json::Bool(false), &"link".into())
    );
    assert_eq!(told["target"], "local");
    assert!(told["value"]["cpu"]["logical"].as_u64().unwrap() > 0);
    assert_eq!(told["value"]["system"], Json::Null);
    let packages = &told["value"]["packages"];
    let listed = packages["packages"]
        .as_array()
        .map(|list| list.len() as u64);
    assert_eq!(listed, packages["count"].as_u64());
}

#[test]
fn several_targets_are_told_apart() {
    let (code, out, _) = facts(&["local,local", "python"]);
    assert_eq!(code, 0);
    assert_eq!(headings(&out), ["local", "local"]);
    assert_eq!(
        out.matches("\n  python\n    implementation").count(),
        2,
        "{out}"
    );
}

#[test]
fn exit_codes_are_those_of_calls() {
    for (words, code, said) in [
        (["local", "no-such"], 2, "service_manager"),
        (["no such target", "cpu"], 2, "target"),
        (["cmd:false", "cpu"], 3, "error: "),
        (["local", "--timeout=1ms"], 4, "deadline"),
    ] {
        let (exit, out, err) = facts(&words);
        assert_eq!((exit, out.as_str()), (code, ""), "{words:?}: {err}");
        assert!(err.contains(said), "{words:?}: {err}");
    }
}

#[test]
fn what_a_host_says_of_itself_does_nothing_to_a_terminal() {
    let Some(container) = Container::start("rmote-test:bookworm") else {
        return;
    };
    let script = r#"
rm /etc/os-release
printf 'ID=x\nPRETTY_NAME="\033[2J\033]0;title\007 evil \342\200\256"\n' > /etc/os-release
printf 'eve:x:5:5:\033[31m\tr\red:/:/bin/sh\n' >> /etc/passwd
"#;
    let (done, printed) = container.exec(&["sh", "-c", script]);
    assert!(done, "{printed}");
    let target = format!("docker://{}", container.name());
    let (code, out, err) = facts(&[&target, "system", "users"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(
        out.contains(r"\x1b[2J\x1b]0;title\x07 evil \u{202e}"),
        "{out}"
    );
    assert!(out.contains(r"\x1b[31m\tr\red"), "{out}");
    let control = out.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(control, None, "{out:?}");
    let (_, json, _) = facts(&[&target, "system", "--json"]);
    assert!(json.contains(r"\u001b[2J"), "{json}");
}

#[test]
fn a_host_without_python_is_told_so() {
    let Some(container) = Container::run(
        "rmote-test:nopython",
        &["--init"],
        &["/bin/busybox", "sleep", "3600"],
    ) else {
        return;
    };
    let (code, out, err) = facts(&[&format!("docker://{}", container.name()), "cpu"]);
    assert_eq!((code, out.as_str()), (3, ""));
    assert!(err.to_lowercase().contains("python"), "{err}");
}

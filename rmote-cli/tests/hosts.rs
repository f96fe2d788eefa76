//! `rmote-cli call` over a real sshd and to real containers of each Python.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::process::{Command, Output, Stdio};

#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;
#[path = "../../rmote-transport/tests/sshd/mod.rs"]
mod sshd;

const TOOL: &str = r#"
import asyncio
import sys
from dataclasses import dataclass
from typing import List, Optional

from rmote.protocol import Template, Tool, process


@dataclass
class Report:
    version: List[int]
    words: str
    note: Optional[str] = None


class Survey(Tool):
    count = 0

    @classmethod
    async def run(cls, name: str) -> Report:
        cls.count += 1
        print("surveying")
        await asyncio.sleep(0)
        words = process("echo", Template("${a} and ${b}").render(a=name, b=cls.count), capture_output=True, text=True)
        return Report(list(sys.version_info[:2]), words.stdout)
"#;

fn survey(words: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let tool = dir.path().join("survey.py");
    std::fs::write(&tool, TOOL).unwrap();
    Command::new(env!("CARGO_BIN_EXE_rmote-cli"))
        .args(["call", "--json", "--tool"])
        .arg(&tool)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn value(output: &Output) -> serde_json::Value {
    let line = serde_json::from_slice(&output.stdout);
    let line: serde_json::Value = line.unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!(line["ok"], true, "{line}");
    line["value"].clone()
}

#[test]
fn every_python_in_a_container_runs_a_tool_file() {
    let pythons = [
        ("rmote-test:bullseye", "python3", [3, 9]),
        ("rmote-test:bullseye", "pypy3", [3, 7]),
        ("rmote-test:bookworm", "python3", [3, 11]),
        ("rmote-test:trixie", "python3", [3, 13]),
        ("rmote-test:sid", "python3", [3, 14]),
    ];
    for (image, python, version) in pythons {
        let Some(container) = docker::Container::start(image) else {
            continue;
        };
        let target = format!("docker://{}", container.name());
        let output = survey(&["--python", python, &target, "Survey.run", "here"]);
        let value = value(&output);
        assert_eq!(value["version"], serde_json::json!(version), "{image}");
        assert_eq!(
            (&value["words"], &value["note"]),
            (&serde_json::json!("here and 1\n"), &serde_json::Value::Null)
        );
        assert_eq!(String::from_utf8_lossy(&output.stderr), "surveying\n");
        let processes = container.processes();
        assert!(!processes.contains("-ESsc"), "nothing is left: {processes}");
    }
}

#[test]
fn containers_without_a_python_that_fits_say_so() {
    for (image, said) in [
        ("rmote-test:nopython", "no Python was found"),
        ("rmote-test:python2", "found 2.7."),
    ] {
        let Some(container) = docker::Container::start(image) else {
            continue;
        };
        let output = survey(&[&format!("docker://{}", container.name()), "Survey.run", "x"]);
        assert_eq!(output.status.code(), Some(3));
        let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(
            line["error"]["message"].as_str().unwrap().contains(said),
            "{line}"
        );
    }
}

#[test]
fn ssh_with_the_users_own_configuration() {
    let Some(sshd) = sshd::Sshd::start() else {
        return;
    };
    let config = sshd.config_file();
    let output = survey(&[
        "--ssh-config",
        config.to_str().unwrap(),
        "rmote-test",
        "Survey.run",
        "there",
    ]);
    assert_eq!(value(&output)["words"], "there and 1\n");
    assert_eq!(sshd.logins(), 1);

    let identity = sshd.other_identity();
    let output = survey(&[
        "--known-hosts=accept-any",
        "--identity",
        identity.to_str().unwrap(),
        &sshd.url(),
        "Survey.run",
        "x",
    ]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("Permission denied"),
        "{output:?}"
    );
}

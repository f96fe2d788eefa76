//! The commands that `docs/tools` shows, each run against a container in the place of the host that it names.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;

use docker::Container;

/// The commands of a page, in their order.
fn commands(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let mut shell = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            shell = line == "```sh";
        } else if shell && line.starts_with("rmote-cli ") {
            commands.push(line.to_owned());
        }
    }
    commands
}

/// Runs a command as it is typed, but for the target. What is behind `#` says how it ends, if not well.
fn run(command: &str, container: &Container) {
    let target = command.split(' ').nth(2).unwrap();
    let here = command.replacen(target, &format!("docker://{}", container.name()), 1);
    let expected = command
        .rsplit_once("# exit code ")
        .map_or(0, |(_, code)| code.parse().unwrap());
    let folder = Path::new(env!("CARGO_BIN_EXE_rmote-cli")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-c", &here])
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(expected),
        "{command}: {output:?}"
    );
}

/// Runs what the pages show for which this kind of host is meant.
fn pages(container: &Container, meant: impl Fn(&str) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/tools");
    let mut ran = 0;
    let mut pages: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| meant(path.file_stem().unwrap().to_str().unwrap()))
        .collect();
    pages.sort();
    for page in pages {
        for command in commands(&page) {
            run(&command, container);
            ran += 1;
        }
    }
    assert!(ran > 0, "no page shows a command");
}

/// Pages of tools that Debian's hosts have no use for.
fn is_foreign(page: &str) -> bool {
    page.starts_with("pacman")
}

#[test]
fn on_a_debian_host() {
    if let Some(container) = Container::systemd("rmote-test:tools") {
        pages(&container, |page| !is_foreign(page));
    }
}

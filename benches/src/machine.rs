//! What the figures were measured on.

use std::fs;
use std::process::{Command, Stdio};

use serde::Serialize;

/// The machine, its programs, and what else it did at the start.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) date: String,
    cpu: String,
    cpus: usize,
    memory_mib: u64,
    system: String,
    kernel: String,
    python: String,
    ssh: String,
    docker: String,
    pub(crate) commit: String,
    /// The load average of the last minute.
    pub(crate) load: String,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str, end: char| {
            let line = text.lines().find_map(|line| line.trim().strip_prefix(name));
            line.map(|rest| rest.trim_matches([' ', '\t', ':', '=', end]).to_owned())
                .unwrap_or_default()
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal", ' ');
        let kib: u64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
        Self {
            date: said(&["date", "-u", "+%F %H:%M UTC"]),
            cpu: field(&read("/proc/cpuinfo"), "model name", ' '),
            cpus: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            memory_mib: kib / 1024,
            system: field(&read("/etc/os-release"), "PRETTY_NAME", '"'),
            kernel: said(&["uname", "-r"]),
            python: said(&[crate::peers::PYTHON, "-V"]),
            ssh: said(&["ssh", "-V"]),
            docker: said(&["docker", "--version"]),
            commit: said(&[
                "git",
                "-C",
                env!("CARGO_MANIFEST_DIR"),
                "describe",
                "--always",
                "--dirty",
            ]),
            load: read("/proc/loadavg")
                .split(' ')
                .next()
                .unwrap_or_default()
                .to_owned(),
        }
    }

    /// One sentence for people.
    pub(crate) fn sentence(&self) -> String {
        format!(
            "{}, commit {}; {} CPUs ({}), {} MiB, {}, Linux {}, {}, {}, {}; load {} at the start.",
            self.date,
            self.commit,
            self.cpus,
            self.cpu,
            self.memory_mib,
            self.system,
            self.kernel,
            self.python,
            self.ssh,
            self.docker,
            self.load
        )
    }
}

/// A program's first line, on either stream; empty without the program.
fn said(words: &[&str]) -> String {
    let output = Command::new(words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .output();
    let Ok(output) = output else {
        return String::new();
    };
    let text = if output.stdout.is_empty() {
        output.stderr
    } else {
        output.stdout
    };
    let text = String::from_utf8_lossy(&text);
    text.lines().next().unwrap_or_default().trim().to_owned()
}

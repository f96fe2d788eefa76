//! A container that can see the data.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

const IMAGE: &str = "rmote-test:bookworm";
/// Where the data is in it.
pub(crate) const DATA: &str = "/data";

/// A running container; dropped, it is removed.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) name: String,
}

impl Container {
    pub(crate) fn start(data: &Path) -> anyhow::Result<Self> {
        let output = Command::new("docker")
            .args(["version", "--format", "{{.Server.Version}}"])
            .stdin(Stdio::null())
            .output()
            .context("no docker")?;
        ensure!(output.status.success(), "no docker engine answers");
        let name = format!("rmote-compare-{}", std::process::id());
        let output = Command::new("docker")
            .args([
                "run",
                "--detach",
                "--rm",
                "--init",
                "--network",
                "none",
                "--name",
                &name,
            ])
            .arg(format!("--volume={}:{DATA}:ro", data.display()))
            .arg(IMAGE)
            .stdin(Stdio::null())
            .output()?;
        ensure!(
            output.status.success(),
            "no container of {IMAGE}; .ci/setup makes it: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(Self { name })
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        _ = Command::new("docker")
            .args(["rm", "--force", &self.name])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

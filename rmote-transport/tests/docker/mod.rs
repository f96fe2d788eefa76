//! A container for one test.
//!
//! Standard library only, so that other crates' tests can include this file with `#[path]`.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "test code that several files include and use in part"
)]

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A running container; dropped, it is removed.
#[derive(Debug)]
pub struct Container {
    name: String,
}

impl Container {
    /// Starts one that sleeps. `None`, said loudly, where docker or the image is missing; a panic instead if
    /// `RMOTE_TEST_REQUIRE=all`.
    pub fn start(image: &str) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        if !succeeds(&["version"]) {
            return skipped("docker does not run");
        }
        if !succeeds(&["image", "inspect", image]) {
            return skipped(&format!("there is no image {image}"));
        }
        let name = format!(
            "rmote-test-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let output = Command::new("docker")
            .args([
                "run",
                "-d",
                "--rm",
                "--init",
                "--network=none",
                "--name",
                &name,
                image,
                "sleep",
                "3600",
            ])
            .output()
            .unwrap();
        let container = Self { name };
        assert!(
            output.status.success(),
            "docker run {image}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Some(container)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The command lines of the processes inside.
    pub fn processes(&self) -> String {
        let output = Command::new("docker")
            .args(["top", &self.name, "-o", "pid,args"])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        succeeds(&["rm", "-f", &self.name]);
    }
}

fn succeeds(args: &[&str]) -> bool {
    let mut command = Command::new("docker");
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Says that a test did not run, or fails where all tests were asked for.
fn skipped(reason: &str) -> Option<Container> {
    assert!(
        std::env::var_os("RMOTE_TEST_REQUIRE").is_none_or(|value| value != "all"),
        "SKIPPED: {reason}"
    );
    eprintln!("SKIPPED: {reason}");
    None
}

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

/// An option of [`Container::run`]: the workspace, to be read, for [`Container::unittest`].
pub const WORKSPACE: &str = concat!("--volume=", env!("CARGO_MANIFEST_DIR"), "/..:/rmote:ro");

/// A running container; dropped, it is removed.
#[derive(Debug)]
pub struct Container {
    name: String,
}

impl Container {
    /// Starts one that sleeps. `None`, said loudly, where docker or the image is missing; a panic instead if
    /// `RMOTE_TEST_REQUIRE=all`.
    pub fn start(image: &str) -> Option<Self> {
        Self::run(image, &["--init"], &["sleep", "3600"])
    }

    /// Starts one whose first process is systemd, and waits until that has come up.
    pub fn systemd(image: &str) -> Option<Self> {
        let options = [
            "--cap-add=SYS_ADMIN",
            "--cap-add=NET_ADMIN",
            "--security-opt=seccomp=unconfined",
            "--security-opt=apparmor=unconfined",
            "--tmpfs=/run",
            "--tmpfs=/run/lock",
            "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw",
            WORKSPACE,
        ];
        let container = Self::run(image, &options, &["/sbin/init"])?;
        // Until its bus is there, systemctl does not wait.
        let up = "until systemctl is-system-running --wait 2> /dev/null | grep -qE 'running|degraded'; do sleep 0.1; done";
        let (status, output) = container.exec(&["timeout", "60", "sh", "-c", up]);
        assert!(status, "systemd does not come up in {image}: {output}");
        Some(container)
    }

    /// Starts one with options of `docker run` and a command. `None` and panics as for [`start`](Self::start).
    pub fn run(image: &str, options: &[&str], command: &[&str]) -> Option<Self> {
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
            .args(["run", "-d", "--rm", "--network=none", "--name", &name])
            .args(options)
            .arg(image)
            .args(command)
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

    /// Runs a command inside: whether it succeeded, and what it printed.
    pub fn exec(&self, command: &[&str]) -> (bool, String) {
        let output = Command::new("docker")
            .args(["exec", &self.name])
            .args(command)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let printed = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&printed).into_owned(),
        )
    }

    /// Runs Python's unit tests of one file inside, with everything that they need there: a skipped one has failed.
    ///
    /// The workspace must be mounted: [`WORKSPACE`] among the options.
    pub fn unittest(&self, module: &str) {
        let script = format!(
            "cd /rmote/rmote-tools/python/tests/disposable && RMOTE_TEST_REQUIRE=all RMOTE_TEST_DISPOSABLE=yes \
             PYTHONDONTWRITEBYTECODE=1 exec python3 -m unittest {module}"
        );
        let (succeeded, output) = self.exec(&["timeout", "600", "sh", "-c", &script]);
        assert!(succeeded, "{module}:\n{output}");
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

//! A host that is a directory: its programs are all that there is on its PATH.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::OnceLock;

use rmote_client::Command;
use tempfile::TempDir;

use super::Marker;

#[derive(Debug)]
pub struct Host {
    dir: TempDir,
    pub marker: Marker,
}

impl Host {
    /// A host with a shell and nothing else.
    pub fn new() -> Self {
        let host = Self {
            dir: TempDir::new().unwrap(),
            marker: Marker::new(),
        };
        // The search also tries some whole paths, which are there on this machine and must not be on the host.
        let hide =
            "for word; do shift; case $word in /*) ;; *) set -- \"$@\" \"$word\";; esac; done";
        host.with("sh", &format!("{hide}\nexec /bin/sh \"$@\""))
    }

    /// Adds a program: a script of `sh`.
    pub fn with(self, name: &str, script: &str) -> Self {
        let path = self.path(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// Adds the interpreter of this machine under a name.
    pub fn with_python(self, name: &str) -> Self {
        self.with(name, &format!("exec '{}' \"$@\"", python()))
    }

    /// Adds an interpreter that takes itself for another version.
    pub fn with_old_python(self, name: &str, version: &str) -> Self {
        let script = format!(
            "shift; code=$1; shift\nexec '{}' -ESsc \"import sys;sys.version_info=({version},'final',0);$code\" \"$@\"",
            python()
        );
        self.with(name, &script)
    }

    /// The way to it.
    pub fn transport(&self) -> Command {
        self.through(&[])
    }

    /// The way to it through a script of `sh`, which ends in `exec "$@"` or never comes to that.
    pub fn login(&self, script: &str) -> Command {
        self.through(&["/bin/sh", "-c", script, "login"])
    }

    fn through(&self, words: &[&str]) -> Command {
        Command::new("env")
            .args(["-i", self.marker.variable()])
            .arg(format!("PATH={}", self.dir.path().display()))
            .args(words.iter().copied())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

/// The path of this machine's interpreter itself, whatever stands before it on the PATH.
pub fn python() -> &'static str {
    static PYTHON: OnceLock<String> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let output = std::process::Command::new("python3")
            .args(["-c", "import sys; print(sys.executable)"])
            .output()
            .expect("the tests need a python3");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    })
}

//! The peers, each in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::contender::Who;

/// Debian's, for everybody: built with optimization, and no shim of a version manager.
pub(crate) const PYTHON: &str = "/usr/bin/python3";

/// Those that could be installed.
#[derive(Debug)]
pub(crate) struct Peers {
    installed: Vec<(Who, PathBuf)>,
}

impl Peers {
    /// Installs what is not there yet. A peer that cannot be installed is said loudly and left out.
    pub(crate) fn install(folder: &Path) -> Self {
        let mut installed = Vec::new();
        for who in Who::PEERS {
            let Some((name, version)) = who.requirement() else {
                continue;
            };
            let place = folder.join(format!("{name}-{version}"));
            match install(&place, &format!("{name}=={version}")) {
                Ok(()) => installed.push((who, place.join("bin/python"))),
                Err(reason) => {
                    eprintln!("LEFT OUT: {name} {version} cannot be installed: {reason}");
                }
            }
        }
        Self { installed }
    }

    /// The interpreter that has it.
    pub(crate) fn python_of(&self, who: Who) -> Option<PathBuf> {
        let found = self
            .installed
            .iter()
            .find(|(installed, _)| *installed == who);
        found.map(|(_, python)| python.clone())
    }
}

fn install(place: &Path, requirement: &str) -> Result<(), String> {
    // Written last, so that a half-made one is made anew.
    let done = place.join("installed");
    if std::fs::read_to_string(&done).is_ok_and(|text| text == requirement) {
        return Ok(());
    }
    eprintln!("installing {requirement}");
    run(Command::new(PYTHON)
        .args(["-m", "venv", "--clear"])
        .arg(place))?;
    run(Command::new(place.join("bin/python"))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .arg(requirement))?;
    std::fs::write(done, requirement).map_err(|error| error.to_string())
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let text = if text.trim().is_empty() {
        String::from_utf8_lossy(&output.stdout)
    } else {
        text
    };
    Err(text.lines().next_back().unwrap_or("it failed").to_owned())
}

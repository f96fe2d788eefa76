//! A program on this machine.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use async_trait::async_trait;

use crate::child::spawn;
use crate::error::SpawnError;
use crate::fault::Family;
use crate::link::{Link, Transport};

/// Runs the program as a child on this machine.
///
/// For tests, for root's work through the same code as remote work, and as the fastest of all links.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Local;

impl Local {
    /// The local machine.
    pub fn new() -> Self {
        Self
    }
}

#[async_trait]
impl Transport for Local {
    fn target(&self) -> String {
        "local".into()
    }

    async fn start(&self, argv: &[String]) -> Result<Link, SpawnError> {
        let words: Vec<_> = argv.iter().map(Into::into).collect();
        spawn("local", Family::Plain, &words)
    }

    fn leaves_machine(&self) -> bool {
        false
    }

    fn installed(&self, programs: &[&str]) -> Option<Vec<String>> {
        let path = std::env::var_os("PATH")?;
        let runs = |file: &Path| {
            file.metadata()
                .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
        };
        let found = programs.iter().filter(|program| {
            // A name with a slash stands for itself.
            std::env::split_paths(&path).any(|folder| runs(&folder.join(program)))
        });
        Some(found.map(|&program| program.to_owned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_is_found_in_the_order_that_was_asked_for() {
        let asked = [
            "no-such-program",
            "sh",
            "/bin/sh",
            "/etc/passwd",
            "/etc",
            "ls",
        ];
        let found = Local::new().installed(&asked).expect("this machine");
        assert_eq!(found, ["sh", "/bin/sh", "ls"]);
    }
}

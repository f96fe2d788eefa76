//! A program on this machine.

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
}

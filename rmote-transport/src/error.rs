//! Errors of starting a link.

use std::io;

use crate::quote::QuoteError;
use crate::target::TargetError;

/// Why a link could not be started. Always this side's fault: the far side was not spoken to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// The words of the command cannot be sent through a login shell.
    #[error("the command cannot be run at {target}")]
    Command {
        /// The target, cleaned.
        target: String,
        /// The word and the reason.
        #[source]
        source: QuoteError,
    },
    /// The system could not start the local program.
    #[error("could not start {program} for {target}")]
    Io {
        /// The local program, cleaned.
        program: String,
        /// The target, cleaned.
        target: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There is nothing to run.
    #[error("no program was given to run at {target}")]
    NoProgram {
        /// The target, cleaned.
        target: String,
    },
    /// The local program (`ssh`, `docker`, …) does not exist on this machine.
    #[error("the program {program} for {target} was not found on this machine")]
    NotFound {
        /// The local program, cleaned.
        program: String,
        /// The target, cleaned.
        target: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The target is refused.
    #[error("the target {target} is refused")]
    Target {
        /// The target, cleaned.
        target: String,
        /// The reason.
        #[source]
        source: TargetError,
    },
}

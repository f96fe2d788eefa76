//! The base of all transports: a child made of an argument vector.

use std::ffi::{OsStr, OsString};
use std::io;
use std::process::Stdio;

use tokio::process::Command;

use crate::clean::clean_line;
use crate::error::SpawnError;
use crate::fault::Family;
use crate::link::Link;
use crate::pipe::Pipe;
use crate::process::Process;
use crate::stderr::StderrTail;

/// Runs the words, the program first, with all three streams as pipes.
pub(crate) fn spawn(target: &str, family: Family, words: &[OsString]) -> Result<Link, SpawnError> {
    let Some((program, args)) = words
        .split_first()
        .filter(|(program, _)| !program.is_empty())
    else {
        return Err(SpawnError::NoProgram {
            target: target.into(),
        });
    };
    let name = || clean_line(&program.to_string_lossy());
    let failed = |source: io::Error| SpawnError::Io {
        program: name(),
        target: target.into(),
        source,
    };

    tracing::debug!(
        target_host = target,
        ?program,
        count = args.len(),
        "start a child"
    );
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C in a terminal goes to the whole foreground group. It must reach the controller alone, which then ends
        // the session in order.
        .process_group(0)
        .spawn()
        .map_err(|source| {
            if is_missing(program, &source) {
                SpawnError::NotFound {
                    program: name(),
                    target: target.into(),
                    source,
                }
            } else {
                failed(source)
            }
        })?;

    let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(stdin), Some(stdout), Some(stderr)) = streams else {
        return Err(failed(io::Error::other("a pipe is missing")));
    };
    let process = Process::child(child, StderrTail::read(stderr), family);
    Ok(Link {
        stdin: Box::new(Pipe::new(stdin)),
        stdout: Box::new(Pipe::new(stdout)),
        process,
    })
}

/// Whether the error means that there is no such program.
///
/// The system says "permission denied" for a missing one if a single directory of PATH cannot be read.
fn is_missing(program: &OsStr, error: &io::Error) -> bool {
    let nowhere = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        !program.to_string_lossy().contains('/')
            && !std::env::split_paths(&path).any(|dir| dir.join(program).exists())
    };
    error.kind() == io::ErrorKind::NotFound
        || (error.kind() == io::ErrorKind::PermissionDenied && nowhere())
}

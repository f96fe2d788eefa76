//! Bootstraps that were compiled for interpreters of this machine.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use rmote_agent::Compiler;

/// What is known of each interpreter, as long as this process lives. No agent has a part in it: a tool could have harmed
/// one.
static KNOWN: Mutex<BTreeMap<String, Known>> = Mutex::new(BTreeMap::new());

enum Known {
    /// One session has asked. For a program that opens no other, compiling would be a waste.
    Once,
    /// It is being compiled, or cannot be.
    Without,
    Compiled(&'static [u8]),
}

/// The compiled bootstrap for an interpreter of this machine, once there is one: the second session that asks has it made
/// in the background, and waits for nothing.
pub(crate) fn bootstrap(interpreter: &str) -> Option<&'static [u8]> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    match known.get(interpreter) {
        Some(Known::Compiled(bootstrap)) => return Some(bootstrap),
        Some(Known::Without) => {}
        Some(Known::Once) => {
            known.insert(interpreter.to_owned(), Known::Without);
            let interpreter = interpreter.to_owned();
            let compile = move || {
                if let Some(bootstrap) = compile(&interpreter) {
                    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
                    known.insert(interpreter, Known::Compiled(bootstrap.leak()));
                }
            };
            // Without a thread it stays uncompiled.
            _ = std::thread::Builder::new()
                .name("rmote compile".into())
                .spawn(compile);
        }
        None => {
            known.insert(interpreter.to_owned(), Known::Once);
        }
    }
    None
}

fn compile(interpreter: &str) -> Option<Vec<u8>> {
    let Compiler { argv, input, .. } = Compiler::new(interpreter);
    let mut child = Command::new(&argv[0])
        .args(&argv[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    // It reads all before it writes; an error shows in its status.
    _ = child.stdin.take()?.write_all(&input);
    let output = child.wait_with_output().ok()?;
    (output.status.success() && output.stdout.starts_with(b"#rmote\n")).then_some(output.stdout)
}

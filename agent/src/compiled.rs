//! The agent compiled ahead, for interpreters of the controller's own machine.

use crate::injection::{BOOTSTRAP, REST};

/// What `python3 -c` runs to compile the agent.
const COMPILE: &str = include_str!(concat!(env!("OUT_DIR"), "/compile"));
/// What stands before the loader in a compiled bootstrap.
const COMPILED: &str = include_str!(concat!(env!("OUT_DIR"), "/compiled"));

/// What is compiled beside the core, since nearly every session comes to need it. All of the agent would be more than a
/// pipe holds, and take longer to bring than it saves.
const COMMON: [&str; 5] = ["ending", "failure", "further", "output", "watcher"];

/// A program that compiles the agent for one interpreter, so that an agent started with it need not: some 5 ms of its
/// 12.
///
/// Run `argv` and write `input` to its standard input. What it prints is a bootstrap for that build of Python; agents of
/// any other build take the sources in it. It is as trusted as the interpreter: give it to none but those of the machine
/// on which it was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Compiler {
    /// The command's words.
    pub argv: Vec<String>,
    /// What goes to its standard input, up to the end.
    pub input: Vec<u8>,
}

impl Compiler {
    /// The program for an interpreter: a path, or a name on the PATH.
    pub fn new(interpreter: &str) -> Self {
        let size = BOOTSTRAP.len().to_string();
        let words = [interpreter, "-ESsc", COMPILE, COMPILED, &size];
        let words = words.into_iter().map(str::to_owned);
        let common = COMMON.iter().map(|name| format!("rmote.{name}"));
        Self {
            argv: words.chain(common).collect(),
            input: [BOOTSTRAP, REST].concat(),
        }
    }
}

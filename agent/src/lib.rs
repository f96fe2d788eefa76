//! The Python agent that rmote sends to a host: its sources, packed, and how to start it.
//!
//! Nothing of rmote is installed on a host. A controller starts a Python interpreter there with a *first stage* as its
//! `-c` argument and writes a *bootstrap* to its standard input: the loader and the agent's core, minified and
//! compressed when this crate is built. From then on both sides speak the frames of `rmote-wire`; the rest of the agent
//! answers its hello. Most programs want `rmote-client`, which does all of this; this crate is for those who bring their
//! own controller.
//!
//! # Examples
//!
//! Start an agent by hand and see that it answers with the mark that was asked for:
//!
//! ```
//! use std::io::{Read, Write};
//! use std::process::{Command, Stdio};
//!
//! let mark = rmote_agent::Mark::new("0123456789abcdef0123456789abcdef").unwrap();
//! let injection = rmote_agent::python(None, &mark);
//! let mut child = Command::new(&injection.argv[0])
//!     .args(&injection.argv[1..])
//!     .stdin(Stdio::piped())
//!     .stdout(Stdio::piped())
//!     .spawn()?;
//! child.stdin.take().unwrap().write_all(injection.payload)?;
//! let mut answer = Vec::new();
//! child.stdout.take().unwrap().read_to_end(&mut answer)?; // the agent ends when its standard input does
//! assert!(answer.starts_with(b"0123456789abcdef0123456789abcdefP"));
//! # child.wait()?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Limits
//!
//! The agent needs CPython or PyPy 3.6 or newer with the standard library's `zlib` and `select`. The command that starts
//! it needs a POSIX `sh` on the host unless an interpreter is named. Its words are safe in the login shells sh, bash,
//! dash, fish, csh and tcsh when each is put in single quotes.

mod compiled;
mod injection;
mod module;
pub mod pack;

pub use compiled::Compiler;
pub use injection::{INTERPRETERS, Injection, Mark, python, python_first_of};
pub use module::{FAILURE, LOGS, MODULES, Module, PROCESS, TEMPLATE};

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;

//! Byte streams to a process on another host.
//!
//! A [`Transport`] starts a program somewhere and gives the two streams to it: [`Ssh`] on another machine, [`Docker`] and
//! [`Kubectl`] in a container, [`Local`] on this machine, [`Command`] through whatever else carries bytes. The work is
//! done by the programs that users have set up already (`ssh`, `docker`, `podman`, `kubectl`), so their configuration,
//! keys, agents, jump hosts and contexts hold. This crate knows nothing of what the bytes mean.
//!
//! # Example
//!
//! ```
//! use rmote_transport::{Exit, Target, Transport};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Try "web01", "ssh://deploy@web01:2222" or "docker://test-db" in its place.
//! let target: Target = "local".parse()?;
//! let mut link = target.transport().start(&["cat".to_string()]).await?;
//!
//! link.stdin.write_all(b"over there and back").await?;
//! drop(link.stdin); // the end of cat's input
//! let mut answer = String::new();
//! link.stdout.read_to_string(&mut answer).await?;
//!
//! assert_eq!(answer, "over there and back");
//! assert_eq!(link.process.wait().await, Exit::Code(0));
//! # Ok(())
//! # }
//! ```
//!
//! # Targets as text
//!
//! [`Target`] reads `web01`, `ssh://deploy@web01:2222`, `docker://postgres@test-db` and so on. Names that a program
//! could take for an option (`-oProxyCommand=…`) or a shell for more than a name are refused, in text and in setters alike.
//!
//! # Errors
//!
//! [`SpawnError`]: nothing was started, and the fault is on this side. Afterwards the story is told by the local process:
//! [`Process::wait`] says how it ended, and [`Process::fault`] translates that and the words on its stderr into a
//! [`FaultKind`]: refused, permission denied, unknown host, host key, no such container, and so on. Text of the far side
//! is always cleaned of what a terminal would obey; [`clean()`] is there for other text that came from there.
//!
//! ```
//! use rmote_transport::{FaultKind, Local, Transport};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let argv = ["sh", "-c", "no-such-program"].map(String::from);
//! let mut link = Local::new().start(&argv).await?;
//! let exit = link.process.wait().await;
//! link.process.stderr().settle().await;
//! assert_eq!(link.process.fault(exit).kind, FaultKind::ProgramNotFound);
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//!
//! - A dropped [`Process`] is killed with its process group, unless [`Process::leave_on_drop`] says to let it end at the
//!   end of its input. Nothing in this crate blocks in `Drop`.
//! - Ctrl-C in a terminal reaches this process alone, not the children: each leads a process group of its own.
//! - Whatever a program writes to stderr, 8 KiB of it are kept.
//! - stdout is passed on untouched. What a login shell or a forced command prints there is the caller's to recognize.
//!
//! # What is not
//!
//! - Killing the local process does not kill the remote program: it sees the end of its input. One that does not read
//!   it lives on.
//! - ssh runs commands through the user's login shell, so words with `'`, `\`, `!` or control characters are refused
//!   there ([`QuoteError`]): no quoting protects them in all shells from dash to fish and tcsh.
//! - Nobody is ever asked for a password or a host key.
//! - Unix only.
mod child;
mod clean;
mod command;
mod docker;
mod error;
mod fault;
mod kubectl;
mod link;
mod local;
mod master;
mod name;
mod pipe;
mod process;
mod quote;
mod ssh;
mod stderr;
mod target;

pub use crate::clean::{clean, clean_line, escape};
pub use crate::command::Command;
pub use crate::docker::Docker;
pub use crate::error::SpawnError;
pub use crate::fault::{Fault, FaultKind};
pub use crate::kubectl::Kubectl;
pub use crate::link::{Link, Reader, Transport, Writer};
pub use crate::local::Local;
pub use crate::process::{Exit, Process};
pub use crate::quote::QuoteError;
pub use crate::ssh::{KnownHosts, Ssh};
pub use crate::stderr::StderrTail;
pub use crate::target::{Target, TargetError};

/// The examples of the README run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

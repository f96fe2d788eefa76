//! Typed tools for a host that rmote reaches, and the macro to declare more.
//!
//! Each tool is a Python class that goes to the host on first use, and a Rust struct with a typed method for each of
//! its methods.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use rmote_tools::{Exec, FileSystem, Local, Session};
//!
//! let host = Session::connect(Local::new()).await?;
//! let (fs, exec) = (FileSystem::new(&host), Exec::new(&host));
//! let (hosts, uname) = tokio::try_join!(fs.read_str("/etc/hosts"), exec.command(["uname", "-s"]))?;
//! assert!(uname.success());
//! # _ = hosts;
//! host.close().await?;
//! # Ok(()) }
//! ```
//!
//! # A tool of one's own
//!
//! [`tool!`] declares a stub for any Python class; see there for an example. For one call without a stub,
//! [`Session::load`] is enough.
//!
//! # Errors
//!
//! Every method gives a [`CallError`], which says who failed. What the Python method raised is there whole:
//! `error.raised().is_some_and(|e| e.is("FileNotFoundError"))`.

mod child;
mod copy;
mod exec;
mod fs;
mod stub;

#[doc(hidden)]
pub use stub::private as __private;

pub use rmote_client::*;

pub use crate::child::{Child, ChildBuilder, ChildStderr, ChildStdin, ChildStdout, Pty, Stdio};
pub use crate::copy::{Action, CopyError, CopyProgress, Failure, Summary, Transfer};
pub use crate::exec::{Completed, Exec, RunOptions};
pub use crate::fs::{
    AbsentOptions, Change, Content, DirectoryOptions, FileSystem, LineOptions, Match, ReadOptions,
    Stat, StatOptions, SymlinkOptions, TextOptions, WriteOptions,
};
pub use crate::stub::{Keywords, Signature, Source};

/// The Python modules of all tools here, for [`Options::library`]: a user's tool may import them.
pub static LIBRARY: [&Module; 3] = [
    crate::child::CHILD,
    crate::exec::EXEC,
    crate::fs::FILE_SYSTEM,
];

/// A tool that comes with rmote.
#[derive(Debug)]
#[non_exhaustive]
pub struct Builtin {
    /// The name of its class, in Python and in Rust.
    pub name: &'static str,
    /// The first line of its documentation.
    pub doc: &'static str,
    /// The module that defines it on the host.
    pub module: &'static Module,
    /// What its stub says of each method.
    pub signatures: &'static [Signature],
}

macro_rules! builtin {
    ($($tool:ident in $module:expr),* $(,)?) => {
        &[$(Builtin {
            name: stringify!($tool),
            doc: $tool::DOC,
            module: $module,
            signatures: $tool::SIGNATURES,
        }),*]
    };
}

/// All tools that come with rmote.
pub static TOOLS: &[Builtin] =
    builtin![Exec in crate::exec::EXEC, FileSystem in crate::fs::FILE_SYSTEM];

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;

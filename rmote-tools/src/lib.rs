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

mod apt;
mod apt_repository;
mod change;
mod child;
mod content;
mod copy;
mod exec;
mod facts;
mod fs;
mod hostname;
mod local_template;
mod logger;
mod package;
mod packages;
mod pacman;
mod pacman_repository;
mod python;
mod quit;
mod service;
mod stub;
mod sysctl;
mod template;
mod user;
mod values;

#[doc(hidden)]
pub use stub::private as __private;

pub use rmote_client::*;

pub use crate::apt::{
    Apt, AptOptions, AptUnholdOptions, AptUpdateOptions, AptUpgradeOptions, Conffiles,
    InstalledPackage,
};
pub use crate::apt_repository::{
    AptKeyOptions, AptRepository, AptSourceAbsentOptions, AptSourceOptions, RepositoryResult,
};
pub use crate::change::Change;
pub use crate::child::{Child, ChildBuilder, ChildStderr, ChildStdin, ChildStdout, Pty, Stdio};
pub use crate::content::{Content, Secret};
pub use crate::copy::{Action, CopyError, CopyProgress, Failure, Summary, Transfer};
pub use crate::exec::{Completed, Exec, RunOptions};
pub use crate::facts::{
    Account, AccountGroup, Address, BlockDevice, ContainerEngine, ContainerFacts, CpuFacts, Facts,
    FactsOptions, HostFacts, Interface, Login, MemoryFacts, Mount, NetworkFacts, OsRelease,
    PackageFacts, PackageFactsOptions, PackageVersion, Partition, PythonFacts, Route, Section,
    ServiceManagerFacts, StorageFacts, SystemFacts, TimeLimit, UserFacts,
};
pub use crate::fs::{
    AbsentOptions, DirectoryOptions, FileSystem, LineOptions, Match, ReadOptions, Stat,
    StatOptions, SymlinkOptions, TextOptions, WriteOptions,
};
pub use crate::hostname::{Hostname, HostnameOptions, HostnameResult, HostsOptions};
pub use crate::local_template::{LocalTemplate, TemplateError};
pub use crate::logger::{Level, LogOptions, Logger};
pub use crate::package::{
    Package, PackageConvergeOptions, PackageManager, PackageOptions, PackageUpdateOptions,
};
pub use crate::packages::{PackageError, PackageErrorKind, PackageResult, PackageState, Wanted};
pub use crate::pacman::{
    Pacman, PacmanOptions, PacmanUnholdOptions, PacmanUpdateOptions, PacmanUpgradeOptions,
};
pub use crate::pacman_repository::{
    PacmanKey, PacmanKeyOptions, PacmanRepository, PacmanRepositoryAbsentOptions,
    PacmanRepositoryOptions, PacmanTrustOptions,
};
pub use crate::quit::Quit;
pub use crate::service::{
    ConvergeOptions, DaemonReload, DisableOptions, EnableOptions, Service, ServiceStatus,
    StartOptions, StatusOptions, StopOptions,
};
pub use crate::stub::{Keywords, Signature, Source};
pub use crate::sysctl::{Sysctl, SysctlFileOptions, SysctlOptions, SysctlResult};
pub use crate::template::{CompiledTemplate, RenderOptions, Template, TemplateWriteOptions};
pub use crate::user::{
    AuthorizedKeyOptions, AuthorizedKeysOptions, GroupAbsentOptions, GroupOptions, GroupResult,
    SudoerOptions, User, UserAbsentOptions, UserOptions, UserResult,
};
pub use crate::values::Values;

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
    /// What lets other tools import it by its name: `from rmote.tools import FileSystem`.
    alias: Module,
}

macro_rules! builtin {
    ($($tool:ident in $module:ident),* $(,)?) => {
        /// All tools that come with rmote.
        pub static TOOLS: &[Builtin] = &[$(Builtin {
            name: stringify!($tool),
            doc: $tool::DOC,
            module: &crate::python::$module,
            signatures: $tool::SIGNATURES,
            alias: Module::new(
                concat!("rmote.tools.", stringify!($tool)),
                concat!("rmote/tools/", stringify!($tool), ".py"),
                include_bytes!(concat!(env!("OUT_DIR"), "/alias.", stringify!($tool))),
                &[&crate::python::$module],
            ),
        }),*];
    };
}

builtin![
    Apt in APT,
    AptRepository in APT_REPOSITORY,
    Exec in EXEC,
    Facts in FACTS,
    FileSystem in FILE_SYSTEM,
    Hostname in HOSTNAME,
    Logger in LOGGER,
    Package in PACKAGE,
    Pacman in PACMAN,
    PacmanRepository in PACMAN_REPOSITORY,
    Quit in QUIT,
    Service in SERVICE,
    Sysctl in SYSCTL,
    Template in TEMPLATE,
    User in USER,
];

/// The Python modules of all tools here, for [`Options::library`]: a user's tool may import them, by the names of the
/// tools (`from rmote.tools import FileSystem`) or of the modules (`from rmote.tools.edit import change`).
pub fn library() -> impl Iterator<Item = &'static Module> {
    let tools = TOOLS.iter().flat_map(|tool| [tool.module, &tool.alias]);
    crate::python::SHARED.iter().copied().chain(tools)
}

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;

//! The options that say how to reach a host.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use rmote_tools::KnownHosts;

use super::value::duration;

/// How to reach a host.
#[derive(Clone, Debug, Args)]
pub(crate) struct Host {
    /// The interpreter on the host; without it the first one that fits.
    #[arg(long, value_name = "PATH")]
    pub(crate) python: Option<String>,
    /// Give up on a host that does not answer within this time.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30")]
    pub(crate) connect_timeout: Duration,
    /// The lowest level of the host's log records to show.
    #[arg(long, value_name = "LEVEL", default_value = "warning")]
    pub(crate) log_level: LogLevel,
    /// ssh: the configuration file instead of the user's own.
    #[arg(long, value_name = "FILE", help_heading = "ssh")]
    pub(crate) ssh_config: Option<PathBuf>,
    /// ssh: the key to use, beside those of the configuration.
    #[arg(long, value_name = "FILE", help_heading = "ssh")]
    pub(crate) identity: Option<PathBuf>,
    /// ssh: a host to jump through; may be given several times.
    #[arg(long, value_name = "HOST", help_heading = "ssh")]
    pub(crate) jump: Vec<String>,
    /// ssh: what to do with a host key that is not known.
    #[arg(
        long,
        value_name = "POLICY",
        default_value = "config",
        help_heading = "ssh"
    )]
    pub(crate) known_hosts: HostKeys,
}

/// The levels of Python's `logging`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogLevel {
    Debug = 10,
    Info = 20,
    Warning = 30,
    Error = 40,
    Critical = 50,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum HostKeys {
    /// As the ssh configuration says.
    Config,
    /// Refuse it.
    Strict,
    /// Take a new one, refuse a changed one.
    AcceptNew,
    /// Take any: open to impostors.
    AcceptAny,
}

impl From<HostKeys> for KnownHosts {
    fn from(policy: HostKeys) -> Self {
        match policy {
            HostKeys::Config => Self::Config,
            HostKeys::Strict => Self::Strict,
            HostKeys::AcceptNew => Self::AcceptNew,
            HostKeys::AcceptAny => Self::AcceptAny,
        }
    }
}

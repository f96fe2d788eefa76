//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::job::Job;

/// Compares rmote with its peers and with the floors below all of them, in one run.
///
/// Installs the peers from PyPI into the build's target folder, sets up what is there of ssh, docker and a slow link,
/// and takes it all down at the end. As root on Debian, after `.ci/setup`, nothing is left out.
#[derive(Debug, Parser)]
#[command(name = "compare", args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) settings: Settings,
    #[command(subcommand)]
    pub(crate) part: Option<Part>,
}

/// What to compare, and where the results go.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// Which rows
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "start,calls,bulk,values,sessions"
    )]
    pub(crate) rows: Vec<Topic>,
    /// Over which ways
    #[arg(long, value_delimiter = ',', default_value = "local,ssh,docker,link")]
    pub(crate) over: Vec<Road>,
    /// Rounds; in each, everybody runs once, in random order. Long rows take half as many
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub(crate) runs: usize,
    /// Where the results go as JSON; default: results.json beside the peers
    #[arg(long, value_name = "PATH")]
    pub(crate) json: Option<PathBuf>,
    /// A file whose text between the two comments `compare: begin` and `compare: end` becomes the table
    #[arg(long, value_name = "PATH")]
    pub(crate) markdown: Option<PathBuf>,
    /// One round with small numbers: shows that it works, not how fast, and the rows' titles do not hold
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) quick: bool,
    /// The round trip of the link, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 50)]
    pub(crate) link_delay: u32,
    /// The rate of the link in bit/s each way, such as 10M or 100M; adds bulk over it, in both directions. Default: unlimited
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    pub(crate) link_rate: Option<u64>,
}

/// A group of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Topic {
    /// From nothing to the first result
    Start,
    /// Calls one after the other, and many in flight
    Calls,
    /// A large file's contents
    Bulk,
    /// Results of many records
    Values,
    /// Many sessions
    Sessions,
    /// How cost grows with calls in flight, sizes and sessions
    Scaling,
}

/// A kind of way to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Road {
    /// A process on this machine
    Local,
    /// An sshd on the loopback interface
    Ssh,
    /// A container
    Docker,
    /// An sshd behind a slow link
    Link,
}

/// What this program runs of itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Part {
    /// One case with rmote
    #[command(hide = true)]
    Ours { job: Job },
    /// One case with no library at all
    #[command(hide = true)]
    Floor { job: Job },
    /// Runs a command and logs what passes its standard input and output
    #[command(hide = true)]
    Relay {
        log: PathBuf,
        #[arg(last = true)]
        command: Vec<String>,
    },
    /// Passes packets between the TUN devices that are its standard input and output
    #[command(hide = true)]
    DelayLine { delay_us: u64, rate: Option<u64> },
}

fn parse_rate(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1_000),
        None => match text.strip_suffix('M') {
            Some(digits) => (digits, 1_000_000),
            None => (text, 1),
        },
    };
    let number: u64 = digits.parse().map_err(|_| "not a rate such as 10M")?;
    number
        .checked_mul(unit)
        .filter(|rate| *rate >= 10_000)
        .ok_or_else(|| "a link of less than 10k is none".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn rates_have_units() {
        assert_eq!(parse_rate("10M"), Ok(10_000_000));
        assert_eq!(parse_rate("64k"), Ok(64_000));
        assert_eq!(parse_rate("100000"), Ok(100_000));
        assert!(parse_rate("M").is_err());
        assert!(parse_rate("1").is_err());
        assert!(parse_rate("18446744073709551615M").is_err());
    }
}

//! The comparison of rmote with its peers: `cargo run --release -p rmote-benches -- --help`.
//!
//! It installs the peers, sets up the ways to a host, runs all of them and rmote in turn, and prints a table.
//! `docs/performance.md` has the method.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that people and scripts read the output of"
)]

mod cli;
mod comparison;
mod container;
mod contender;
mod cpu;
mod data;
mod delay_line;
mod experiment;
mod floor;
mod job;
mod link;
mod machine;
mod ours;
mod peers;
mod plan;
mod relay;
mod report;
mod row;
mod samples;
mod scaling;
mod sessions;
mod slow_link;
mod sshd;
mod way;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Part};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.part {
        None => comparison::main(&cli.settings),
        Some(Part::Ours { job }) => ours::main(job),
        Some(Part::Floor { job }) => floor::main(job),
        Some(Part::Relay { log, command }) => relay::main(log, command),
        Some(Part::DelayLine { delay_us, rate }) => delay_line::main(*delay_us, *rate),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error:#}");
            ExitCode::FAILURE
        }
    }
}

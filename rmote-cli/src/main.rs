//! `rmote-cli`: calls typed functions on bare hosts from the command line.

mod arguments;
mod call;
mod cli;
mod copying;
mod cp;
mod exit;
mod json;
mod place;
mod printer;
mod run;
mod sync;
mod tools;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let exit = match runtime {
        Ok(runtime) => runtime.block_on(run::run(cli)),
        Err(error) => {
            printer::error(&format!("the runtime could not be started: {error}"));
            exit::Exit::Link
        }
    };
    exit.into()
}

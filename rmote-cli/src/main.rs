//! `rmote-cli`: calls typed functions on bare hosts from the command line.

mod arguments;
mod attach;
mod call;
mod cli;
mod copying;
mod cp;
mod exec;
mod exit;
mod facts;
mod json;
mod place;
mod printer;
mod run;
mod shell;
mod signals;
mod sync;
mod template;
mod terminal;
mod tools;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            let exit = runtime.block_on(run::run(cli));
            // A thread that reads our standard input may wait there for ever.
            runtime.shutdown_background();
            exit
        }
        Err(error) => {
            printer::error(&format!("the runtime could not be started: {error}"));
            exit::Exit::Link.into()
        }
    }
}

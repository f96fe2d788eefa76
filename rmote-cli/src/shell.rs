//! `rmote-cli shell`.

use crate::attach::{self, Streams};
use crate::cli::Shell;
use crate::exec::surround;
use crate::exit::Code;
use crate::run::targets;
use crate::{printer, terminal};

/// Opens the user's login shell on a host.
pub(crate) async fn run(shell: Shell) -> Code {
    let target = match targets(&shell.target).map(<[_; 1]>::try_from) {
        Ok(Ok([target])) => target,
        Ok(Err(_)) => return usage("a shell has a single target"),
        Err(message) => return usage(&message),
    };
    let streams = Streams {
        stdin: true,
        tty: true,
    };
    attach::run(&target, &shell.host, streams, |exec| {
        surround(exec.login_shell(), &shell.surroundings).pty(terminal::pty())
    })
    .await
}

fn usage(message: &str) -> Code {
    printer::error(message);
    Code::USAGE
}

//! `rmote-cli cp`.

use rmote_tools::{CallError, Session};

use crate::cli::Cp;
use crate::copying::{self, Way};
use crate::exit::Exit;
use crate::place::Place;
use crate::printer;

/// Copies one source after the other.
pub(crate) async fn run(mut cp: Cp) -> Exit {
    let Some(last) = cp.places.pop() else {
        return Exit::Usage;
    };
    let parsed = Place::parse(&last).and_then(|to| {
        let from = cp.places.iter().map(|word| Place::parse(word));
        let from = from.collect::<Result<Vec<_>, _>>()?;
        let ways = from.iter().map(|from| Way::between(from, &to));
        let ways = ways.collect::<Result<Vec<_>, _>>()?;
        Ok((to, from, ways))
    });
    let (to, from, ways) = match parsed {
        Ok(parsed) => parsed,
        Err(message) => {
            printer::error(&message);
            return Exit::Usage;
        }
    };
    let several = from.len() > 1;
    let mut exit = Exit::Done;
    let mut rest = from.iter().zip(&ways).peekable();
    // Sources that stand together share a session.
    while let Some((first, way)) = rest.next() {
        let mut group = vec![first];
        while let Some((next, _)) = rest.next_if(|(_, other)| other.target == way.target) {
            group.push(next);
        }
        let work = async |session: &Session| {
            if several {
                match is_directory(session, &to).await {
                    Ok(true) => {}
                    Ok(false) => {
                        printer::error(&format!("{} is no directory", to.display()));
                        return Exit::Usage;
                    }
                    Err(error) => return copying::fail(&error, &to),
                }
            }
            let mut exit = Exit::Done;
            for source in group {
                let transfer = way.transfer(session, source, &to).into_directory(true);
                exit = exit.max(copying::run(transfer, &cp.copying, source).await);
            }
            exit
        };
        exit = exit.max(way.with_session(&cp.host, work).await);
        if exit == Exit::Interrupted {
            break;
        }
    }
    exit
}

/// Whether the destination is a directory, as several sources need.
async fn is_directory(session: &Session, to: &Place) -> Result<bool, CallError> {
    match to {
        Place::Here(path) => Ok(path.is_dir()),
        Place::Host(_, path) => session.call("os.path.isdir", (path,)).await,
    }
}

//! `rmote-cli sync`.

use rmote_tools::Session;

use crate::cli::Sync;
use crate::copying::{self, Way};
use crate::exit::Exit;
use crate::place::Place;
use crate::printer;

/// Makes the destination what the source is.
pub(crate) async fn run(sync: Sync) -> Exit {
    let parsed = Place::parse(&sync.from).and_then(|from| {
        let to = Place::parse(&sync.to)?;
        let way = Way::between(&from, &to)?;
        Ok((from, to, way))
    });
    let (from, to, way) = match parsed {
        Ok(parsed) => parsed,
        Err(message) => {
            printer::error(&message);
            return Exit::Usage;
        }
    };
    let work = async |session: &Session| {
        let transfer = way
            .transfer(session, &from, &to)
            .delete(sync.delete)
            .checksum(sync.checksum)
            .ignore_times(sync.ignore_times);
        copying::run(transfer, &sync.copying, &from).await
    };
    way.with_session(&sync.host, work).await
}

//! What there is to copy, as it is found.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::super::entry::Entry;
use super::super::exclude::Excludes;
use super::super::owners::Names;
use super::super::tree::Tree;

/// So many entries travel together.
const BATCH: usize = 256;

/// Entries that travel together, with the names of their owners, and what could not be read.
pub(super) struct Batch {
    pub(super) entries: Vec<Entry>,
    pub(super) users: BTreeMap<u32, String>,
    pub(super) groups: BTreeMap<u32, String>,
    pub(super) failures: Vec<(Bytes, io::Error)>,
}

impl Batch {
    fn new() -> Self {
        Self {
            entries: Vec::with_capacity(BATCH),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            failures: Vec::new(),
        }
    }
}

/// Lists the tree in a thread of its own.
pub(super) fn walk(mut tree: Tree, excludes: Excludes, owners: bool) -> mpsc::Receiver<Batch> {
    let (give, batches) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        let mut names = Names::default();
        let mut batch = Batch::new();
        let root = tree.entry(b"");
        let single = tree.is_single();
        let mut add = |path: Bytes, entry: io::Result<Entry>| {
            match entry {
                Ok(entry) => {
                    if owners {
                        let (user, group) = names.new_of(entry.uid, entry.gid);
                        batch.users.extend(user.map(|name| (entry.uid, name)));
                        batch.groups.extend(group.map(|name| (entry.gid, name)));
                    }
                    batch.entries.push(entry);
                }
                Err(error) => batch.failures.push((path, error)),
            }
            let full = batch.entries.len() + batch.failures.len() >= BATCH;
            !full
                || give
                    .blocking_send(std::mem::replace(&mut batch, Batch::new()))
                    .is_ok()
        };
        if add(Bytes::new(), root) && !single {
            tree.walk(&excludes, add);
        }
        _ = give.blocking_send(batch);
    });
    batches
}

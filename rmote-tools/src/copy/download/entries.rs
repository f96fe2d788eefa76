//! What the host has, and what follows for this machine.

use std::collections::HashMap;
use std::io;

use super::super::entry::{Entry, Fields, Kind};
use super::super::error::CopyError;
use super::super::summary::Action;
use super::super::target::{Basis, Decision, Wanted};
use super::super::upload::blocking;
use super::super::writing::{Step, Writing};
use super::{Download, File};

impl Download<'_> {
    /// Does what can be done at once about a batch of entries, and asks for the content of the others.
    pub(super) async fn entries(
        &mut self,
        first: u64,
        entries: Vec<Fields>,
        users: HashMap<u32, String>,
        groups: HashMap<u32, String>,
    ) -> Result<Option<()>, CopyError> {
        let mut target = self.target.take().expect("back by now");
        let mut sound = Vec::with_capacity(entries.len());
        for (id, entry) in (first..).zip(entries) {
            let Some(entry) = Entry::checked(entry) else {
                self.job.tally.fail(
                    b"",
                    true,
                    "the host named a path that leads out of the copy",
                );
                continue;
            };
            if entry.path.is_empty() != (id == 0) {
                return Ok(None);
            }
            if self
                .job
                .settings
                .excludes
                .covers(&entry.path, entry.kind == Kind::Directory)
            {
                continue;
            }
            if self.job.settings.delete {
                self.told.insert(entry.path.clone());
            }
            sound.push((id, entry));
        }
        let settings = self.job.settings.clone();
        let mut writing = self.writing.take();
        let decided = blocking(move || {
            target.numbers.learn(users, groups);
            let mut decisions = Vec::with_capacity(sound.len());
            for (id, entry) in sound {
                if id == 0 {
                    target.open(entry.kind)?;
                    if let Some(tree) = target.tree.as_ref().filter(|_| !settings.dry_run) {
                        writing = Some(Writing::start(tree, &settings)?);
                    }
                }
                let (path, kind, links) = (entry.path.clone(), entry.kind, entry.links);
                let decision = if kind == Kind::Special {
                    None
                } else {
                    Some(target.decide(entry))
                };
                decisions.push((id, path, kind, links, decision));
            }
            Ok((target, writing, decisions))
        })
        .await;
        let (target, writing, decisions) = decided.map_err(|error| self.job.local_error(error))?;
        (self.target, self.writing) = (Some(target), writing);
        for (id, path, kind, links, decision) in decisions {
            self.decided(id, &path, kind, links, decision).await;
        }
        Ok(Some(()))
    }

    async fn decided(
        &mut self,
        id: u64,
        path: &[u8],
        kind: Kind,
        links: u64,
        decision: Option<io::Result<Decision>>,
    ) {
        let tally = self.job.tally;
        let several = kind == Kind::File && links > 1;
        tally.count(|summary, _| summary.hard_links += u64::from(several));
        let wanted = match decision {
            None => {
                tally.count(|summary, _| summary.skipped += 1);
                return tally.act(path, Action::Skip);
            }
            Some(Err(error)) => return tally.fail(path, false, error.to_string()),
            Some(Ok(Decision::Unchanged)) => {
                return tally.count(|summary, _| summary.unchanged += 1);
            }
            Some(Ok(Decision::Adjusted)) => {
                tally.count(|summary, _| summary.adjusted += 1);
                return tally.act(path, Action::Adjust);
            }
            Some(Ok(Decision::Made)) => {
                tally.count(|summary, _| match kind {
                    Kind::Directory => summary.directories += 1,
                    _ => summary.links += 1,
                });
                return tally.act(path, Action::Create);
            }
            Some(Ok(Decision::Wanted(wanted))) => wanted,
        };
        if wanted.basis != Basis::Same {
            let action = if wanted.update {
                Action::Update
            } else {
                Action::Create
            };
            tally.act(path, action);
        }
        if self.job.settings.dry_run {
            return tally.count(|summary, _| {
                summary.files += 1;
                summary.bytes += wanted.size;
            });
        }
        tally.count(|_, progress| {
            progress.total_files += 1;
            progress.total_bytes = progress.total_bytes.saturating_add(wanted.size);
        });
        self.want(id, wanted).await;
    }

    /// Asks for a file.
    async fn want(&mut self, id: u64, wanted: Wanted) {
        let (basis, path) = (wanted.basis, wanted.path.clone());
        let file = File {
            wanted: wanted.clone(),
            sums: 0,
            again: false,
        };
        self.files.insert(id, file);
        let part = basis == Basis::Part;
        let wanted = Box::new(wanted);
        _ = self.step(id, Step::Begin { wanted, part }).await;
        match basis {
            Basis::None => self.request(&("whole", id, path)),
            Basis::Same => self.request(&("hash", id, path)),
            Basis::Old => self.later.push_back(id),
            // The thread looks at the part first.
            Basis::Part => {}
        }
    }
}

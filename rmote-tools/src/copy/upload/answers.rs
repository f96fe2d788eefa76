//! What the host answers, and what follows from it.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc as blocking;

use bytes::Bytes;
use rmote_client::{Streaming, Value};

use super::super::entry::Kind;
use super::super::error::{CopyError, fields, message};
use super::super::reading::{Basis, How, Request};
use super::super::summary::Action;
use super::Upload;

impl Upload<'_> {
    /// Hears to the end.
    pub(super) async fn hear(&self, mut answers: Streaming<Value>) -> Result<(), CopyError> {
        while let Some(answer) = answers.next().await {
            let (kind, items) = message(answer?).ok_or_else(|| self.job.protocol("no message"))?;
            self.take(&kind, items)
                .ok_or_else(|| self.job.protocol("a message that is none"))?;
            self.changed.notify_one();
        }
        if self.state().finished {
            Ok(())
        } else {
            Err(self.job.protocol("it ended before the copy"))
        }
    }

    /// Takes one answer.
    fn take(&self, kind: &str, items: Vec<Value>) -> Option<()> {
        match kind {
            "answer" => {
                type Failures = Vec<(u64, Option<i32>, String)>;
                let (first, codes, failures, sums) =
                    fields::<(u64, String, Failures, BTreeMap<u64, Bytes>)>(items)?;
                self.answered(first, &codes, sums)?;
                for (id, _, reason) in failures {
                    self.failed(id, reason);
                }
            }
            "basis" => {
                let (id, part, sum, size, block) = fields::<(u64, u64, Bytes, u64, usize)>(items)?;
                let sum = sum.to_vec();
                self.basis(
                    id,
                    Basis::Begin {
                        part,
                        sum,
                        size,
                        block,
                    },
                );
            }
            "sums" => {
                let (id, sums) = fields::<(u64, Bytes)>(items)?;
                self.basis(id, Basis::Sums(sums));
            }
            "summed" => {
                let (id,) = fields::<(u64,)>(items)?;
                self.basis(id, Basis::End);
            }
            "settled" => {
                type Failures = Vec<(u64, Option<i32>, String)>;
                let (done, in_place, failures) = fields::<(Vec<u64>, Vec<u64>, Failures)>(items)?;
                for id in done {
                    self.settled(id, in_place.contains(&id));
                }
                for (id, _, reason) in failures {
                    self.failed(id, reason);
                }
            }
            "again" => {
                let (id,) = fields::<(u64,)>(items)?;
                self.again(id);
            }
            "idle" => self.state().idle = true,
            "names" => {
                let (names,) = fields::<(Vec<(Bytes, bool)>,)>(items)?;
                let mut state = self.state();
                let state = &mut *state;
                let excludes = &self.job.settings.excludes;
                state
                    .surplus
                    .extend(names.into_iter().filter(|(path, is_directory)| {
                        !state.told.contains(path) && !excludes.covers(path, *is_directory)
                    }));
            }
            "deleted" => {
                type Failures = Vec<(Bytes, Option<i32>, String)>;
                let (kept, failures) = fields::<(Vec<Bytes>, Failures)>(items)?;
                self.deleted(&kept, failures);
            }
            "finished" => {
                let (failures,) = fields::<(Vec<(Bytes, Option<i32>, String)>,)>(items)?;
                for (path, _, reason) in failures {
                    self.job.tally.fail(&path, true, reason);
                }
                self.state().finished = true;
            }
            _ => return None,
        }
        Some(())
    }

    /// What becomes of a batch: one letter an entry.
    fn answered(&self, first: u64, codes: &str, mut sums: BTreeMap<u64, Bytes>) -> Option<()> {
        let tally = self.job.tally;
        let mut state = self.state();
        let state = &mut *state;
        state.unanswered = state.unanswered.checked_sub(1)?;
        for (id, code) in (first..).zip(codes.chars()) {
            let file = state.files.get(&id)?;
            let action = match code {
                'n' | 'w' => Some(Action::Create),
                'u' | 'b' => Some(Action::Update),
                'a' => Some(Action::Adjust),
                _ => None,
            };
            if let Some(action) = action {
                tally.act(&file.path, action);
            }
            let wanted = matches!(code, 'w' | 'u' | 'b' | 'h') && file.kind == Kind::File;
            tally.count(|summary, progress| match code {
                '=' => summary.unchanged += 1,
                'a' => summary.adjusted += 1,
                'n' if file.kind == Kind::Directory => summary.directories += 1,
                'n' => summary.links += 1,
                _ if wanted && self.job.settings.dry_run => {
                    summary.files += 1;
                    summary.bytes += file.size;
                }
                _ if wanted => {
                    progress.total_files += 1;
                    progress.total_bytes += file.size;
                }
                _ => {}
            });
            if !wanted || self.job.settings.dry_run {
                if code != 'f' {
                    state.files.remove(&id);
                }
                continue;
            }
            let how = match code {
                'b' => How::Basis(basis(&mut state.basis, id)),
                'h' => How::Unless(sums.remove(&id)?.to_vec()),
                _ => How::Whole,
            };
            state.reading += 1;
            let path = file.path.clone();
            let size = file.size;
            state.requests.push(Request {
                id,
                path,
                size,
                how,
            });
        }
        Some(())
    }

    fn basis(&self, id: u64, basis: Basis) {
        if let Some(reader) = self.state().basis.get(&id) {
            // It may have failed meanwhile.
            _ = reader.send(basis);
        }
    }

    fn settled(&self, id: u64, in_place: bool) {
        let Some(file) = self.state().files.remove(&id) else {
            return;
        };
        if in_place {
            self.job.tally.act(&file.path, Action::InPlace);
        }
        self.job.tally.count(|summary, progress| {
            progress.files += 1;
            summary.literal += file.literal;
            summary.reused += file.reused;
            summary.in_place += u64::from(in_place);
            summary.files += 1;
            summary.bytes += file.size;
        });
    }

    fn failed(&self, id: u64, reason: String) {
        if let Some(file) = self.state().files.remove(&id) {
            self.job.tally.fail(&file.path, true, reason);
        }
    }

    /// The sum was wrong: the file changed while it was read, or what it was built on did.
    fn again(&self, id: u64) {
        let mut state = self.state();
        let state = &mut *state;
        let Some(file) = state.files.get_mut(&id) else {
            return;
        };
        if file.again {
            let file = state.files.remove(&id).expect("just seen");
            let reason = "its content was another one than was sent, twice";
            self.job.tally.fail(&file.path, true, reason);
            return;
        }
        file.again = true;
        state.reading += 1;
        state.requests.push(Request {
            id,
            path: file.path.clone(),
            size: file.size,
            how: How::Whole,
        });
    }

    fn deleted(&self, kept: &[Bytes], failures: Vec<(Bytes, Option<i32>, String)>) {
        let not = kept.len() + failures.len();
        self.job.tally.count(|summary, _| {
            summary.deleted = summary.deleted.saturating_sub(not as u64);
        });
        for (path, _, reason) in failures {
            self.job.tally.fail(&path, true, reason);
        }
    }
}

fn basis(
    waiting: &mut HashMap<u64, blocking::Sender<Basis>>,
    id: u64,
) -> blocking::Receiver<Basis> {
    let (give, take) = blocking::channel();
    waiting.insert(id, give);
    take
}

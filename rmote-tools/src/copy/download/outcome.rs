//! What came of the files that were wanted.

use bytes::Bytes;

use super::super::summary::Action;
use super::super::transfer::Job;
use super::super::writing::{Outcome, Step};
use super::Download;

impl Download<'_> {
    /// Takes what came of a file.
    pub(super) async fn outcome(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Done {
                id,
                size,
                literal,
                reused,
                in_place,
            } => self.over(id, |job, path| {
                if in_place {
                    job.tally.act(path, Action::InPlace);
                }
                job.tally.count(|summary, progress| {
                    progress.files += 1;
                    progress.bytes = progress.bytes.saturating_add(reused);
                    summary.files += 1;
                    summary.literal += literal;
                    summary.reused += reused;
                    summary.bytes += size;
                    summary.in_place += u64::from(in_place);
                });
            }),
            Outcome::Failed(id, error) => {
                self.over(id, |job, path| {
                    job.tally.fail(path, false, error.to_string());
                });
            }
            Outcome::Again(id) => self.again(id).await,
            Outcome::Part(id, size, sum) => {
                if let Some(path) = self.path(id) {
                    if size > 0 {
                        self.request(&("rest", id, path, size, sum));
                    } else {
                        self.request(&("whole", id, path));
                    }
                }
            }
            Outcome::Ranges(id, ranges) => {
                if let Some(file) = self.files.get_mut(&id) {
                    self.sums -= std::mem::take(&mut file.sums);
                }
                if let Some(path) = self.path(id) {
                    self.request(&("ranges", id, path, ranges));
                }
            }
            Outcome::Other(id) => {
                if let Some(path) = self.path(id) {
                    self.job.tally.act(&path, Action::Update);
                    self.request(&("whole", id, path));
                }
            }
        }
    }

    fn path(&self, id: u64) -> Option<Bytes> {
        self.files.get(&id).map(|file| file.wanted.path.clone())
    }

    /// A file is done, or never will be.
    pub(super) fn over(&mut self, id: u64, tell: impl FnOnce(&Job<'_>, &[u8])) {
        if let Some(file) = self.files.remove(&id) {
            self.sums -= file.sums;
            tell(&self.job, &file.wanted.path);
        }
    }

    /// The sum was wrong: the file changed while it was read, or what it was built on did.
    async fn again(&mut self, id: u64) {
        let Some(file) = self.files.get_mut(&id) else {
            return;
        };
        if file.again {
            _ = self.step(id, Step::Stop).await;
            let reason = "its content was another one than was sent, twice";
            return self.over(id, |job, path| job.tally.fail(path, false, reason));
        }
        file.again = true;
        let path = file.wanted.path.clone();
        _ = self.step(id, Step::Anew).await;
        self.request(&("whole", id, path));
    }
}

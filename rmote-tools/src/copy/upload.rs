//! Copies from this machine to a host: this side tells what there is, the host says what it wants.

mod answers;
mod batch;

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc as blocking};

use bytes::Bytes;
use rmote_client::Sender;
use serde::Serialize;
use tokio::sync::{Notify, mpsc};

use self::batch::{Batch, walk};
use super::entry::Kind;
use super::error::CopyError;
use super::reading::{Basis, How, Message, NUMBER, Reading, Request, SMALL};
use super::summary::Action;
use super::transfer::Job;
use super::tree::Tree;

/// So many batches of entries travel before the first is answered.
const WINDOW: usize = 8;

/// So many files may be wanted and not in their places.
const WANTED: usize = 4096;

/// So many paths are deleted with one message.
const DELETES: usize = 512;

/// Copies to the host.
pub(crate) async fn run(job: Job<'_>) -> Result<(), CopyError> {
    let local = job.local.to_owned();
    let tree = blocking(move || Tree::source(&local)).await;
    let tree = tree.map_err(|error| job.local_error(error))?;
    let single = tree.is_single();
    let reading = Reading::start(&tree).map_err(|error| job.local_error(error))?;
    let batches = walk(tree, job.settings.excludes.clone(), job.settings.owners);
    let (sender, answers) = job.start().await?;
    let upload = Upload {
        job,
        state: Mutex::default(),
        changed: Notify::new(),
        single,
    };
    tokio::try_join!(upload.send(sender, reading, batches), upload.hear(answers))?;
    Ok(())
}

/// What is known of the files on their way.
#[derive(Default)]
struct State {
    /// What the host was told of and has not answered; then what it wants and has not settled.
    files: HashMap<u64, File>,
    unanswered: usize,
    /// What is to be read next.
    requests: Vec<Request>,
    /// Files that are read or will be.
    reading: usize,
    /// Files that wait for what the host has of them.
    basis: HashMap<u64, blocking::Sender<Basis>>,
    idle: bool,
    /// With `delete`: all that was told of, and what the host has beside it, whether it is a directory.
    told: HashSet<Bytes>,
    surplus: Vec<(Bytes, bool)>,
    finished: bool,
}

struct File {
    path: Bytes,
    kind: Kind,
    size: u64,
    literal: u64,
    reused: u64,
    again: bool,
}

struct Upload<'a> {
    job: Job<'a>,
    state: Mutex<State>,
    changed: Notify,
    single: bool,
}

impl Upload<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends to the end. What `hear` learns decides what.
    async fn send(
        &self,
        mut sender: Sender,
        mut reading: Reading,
        mut batches: mpsc::Receiver<Batch>,
    ) -> Result<(), CopyError> {
        let (mut next, mut told_all) = (0, false);
        loop {
            let (requests, room, busy) = {
                let mut state = self.state();
                let room = state.unanswered < WINDOW && state.files.len() < WANTED;
                let requests = std::mem::take(&mut state.requests);
                let busy = state.unanswered > 0 || state.reading > 0;
                if told_all && state.unanswered == 0 {
                    self.job.tally.count(|_, progress| progress.complete = true);
                }
                (requests, room, busy)
            };
            group(requests, |requests| reading.request(requests));
            if told_all && !busy {
                self.ask(&mut sender, "settle").await;
                if self.state().reading == 0 {
                    break;
                }
                continue;
            }
            tokio::select! {
                Some(message) = reading.messages.recv() => self.pass(&mut sender, message).await,
                batch = batches.recv(), if room && !told_all => match batch {
                    Some(batch) => self.tell(&mut sender, &mut next, batch).await,
                    None => told_all = true,
                },
                () = self.changed.notified() => {}
            }
        }
        if self.job.settings.delete && !self.single {
            self.delete(&mut sender).await;
        }
        deliver(&mut sender, &("finish",)).await;
        sender.finish().await;
        Ok(())
    }

    /// Sends a question and waits until the host has answered all that came before it.
    async fn ask(&self, sender: &mut Sender, what: &str) {
        self.state().idle = false;
        deliver(sender, &(what,)).await;
        while !self.state().idle {
            self.changed.notified().await;
        }
    }

    /// Tells the host what there is.
    async fn tell(&self, sender: &mut Sender, next: &mut u64, batch: Batch) {
        let tally = self.job.tally;
        for (path, error) in &batch.failures {
            tally.fail(path, false, error.to_string());
        }
        let bits = self.job.settings.mode_bits();
        let first = *next;
        let mut told = Vec::with_capacity(batch.entries.len());
        {
            let mut state = self.state();
            for mut entry in batch.entries {
                if self.job.settings.delete {
                    state.told.insert(entry.path.clone());
                }
                if entry.kind == Kind::Special {
                    tally.count(|summary, _| summary.skipped += 1);
                    tally.act(&entry.path, Action::Skip);
                    continue;
                }
                tally.count(|summary, _| {
                    summary.hard_links += u64::from(entry.kind == Kind::File && entry.links > 1);
                });
                entry.mode &= bits;
                told.push(entry.fields());
                let file = File {
                    path: entry.path,
                    kind: entry.kind,
                    size: entry.size,
                    literal: 0,
                    reused: 0,
                    again: false,
                };
                state.files.insert(*next, file);
                *next += 1;
            }
            if told.is_empty() {
                return;
            }
            state.unanswered += 1;
        }
        deliver(sender, &("entries", first, told, batch.users, batch.groups)).await;
    }

    /// Passes on what was read.
    async fn pass(&self, sender: &mut Sender, message: Message) {
        match message {
            Message::Files(files) => {
                for (id, data, _) in &files {
                    self.sent(*id, data.len() as u64, 0, true);
                }
                deliver(sender, &("files", files)).await;
            }
            Message::Data(id, data) => {
                self.sent(id, (data.len() - NUMBER) as u64, 0, false);
                if sender.send(data).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            Message::Hole(id, size) => {
                self.sent(id, 0, 0, false);
                self.job.tally.count(|_, progress| progress.bytes += size);
                deliver(sender, &("hole", id, size)).await;
            }
            Message::Copy(id, offset, size) => {
                self.sent(id, 0, size, false);
                deliver(sender, &("copy", id, offset, size)).await;
            }
            Message::Resume(id, size) => {
                self.sent(id, 0, size, false);
                deliver(sender, &("resume", id, size)).await;
            }
            Message::End(id, sum) => {
                self.sent(id, 0, 0, true);
                deliver(sender, &("end", id, sum)).await;
            }
            Message::Basis(id) => deliver(sender, &("basis", id)).await,
            Message::Keep(id) => {
                self.sent(id, 0, 0, true);
                deliver(sender, &("keep", id)).await;
            }
            Message::Failed(id, error) => {
                self.sent(id, 0, 0, true);
                if let Some(file) = self.state().files.remove(&id) {
                    self.job.tally.fail(&file.path, false, error.to_string());
                }
                deliver(sender, &("stop", id)).await;
            }
        }
    }

    /// Counts bytes of a file, and whether that was all of it.
    fn sent(&self, id: u64, literal: u64, reused: u64, end: bool) {
        let mut state = self.state();
        if end {
            state.reading -= 1;
            state.basis.remove(&id);
        }
        if let Some(file) = state.files.get_mut(&id) {
            file.literal += literal;
            file.reused += reused;
        }
        drop(state);
        self.job
            .tally
            .count(|_, progress| progress.bytes += literal + reused);
    }

    /// Deletes what the host has beside what it was told of.
    async fn delete(&self, sender: &mut Sender) {
        if self.job.tally.failed() {
            self.job.tally.count(|summary, _| summary.kept = true);
            return;
        }
        self.ask(sender, "list").await;
        let mut surplus = std::mem::take(&mut self.state().surplus);
        // What is inside before the directory.
        surplus.sort_unstable_by(|(one, _), (other, _)| other.cmp(one));
        for paths in surplus.chunks(DELETES) {
            for (path, _) in paths {
                self.job.tally.act(path, Action::Delete);
            }
            self.job
                .tally
                .count(|summary, _| summary.deleted += paths.len() as u64);
            if !self.job.settings.dry_run {
                let paths: Vec<_> = paths.iter().map(|(path, _)| path.clone()).collect();
                deliver(sender, &("delete", paths)).await;
            }
        }
    }
}

/// Sends, and if nobody reads any more waits for `hear` to say why.
async fn deliver(sender: &mut Sender, message: &impl Serialize) {
    if sender.send_value(message).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Cuts requests into what one thread does at a time: many small files, or one that takes longer.
fn group(requests: Vec<Request>, mut give: impl FnMut(Vec<Request>)) {
    let mut small = Vec::new();
    for request in requests {
        if matches!(request.how, How::Whole) && request.size <= SMALL {
            small.push(request);
            if small.len() == 32 {
                give(std::mem::take(&mut small));
            }
        } else {
            give(vec![request]);
        }
    }
    if !small.is_empty() {
        give(small);
    }
}

/// Does what may block in a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error)))
}

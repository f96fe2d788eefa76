//! Copies from this machine to a host: this side tells what there is, the host says what it wants.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc as blocking};

use bytes::Bytes;
use rmote_client::{Sender, Streaming, Value};
use serde::Serialize;
use tokio::sync::{Notify, mpsc};

use super::entry::{Entry, Kind};
use super::error::{CopyError, fields, message};
use super::exclude::Excludes;
use super::owners::Names;
use super::reading::{Basis, How, Message, NUMBER, Reading, Request, SMALL};
use super::summary::Action;
use super::transfer::Job;
use super::tree::Tree;

/// So many entries travel together, and so many batches of them before the first is answered.
const BATCH: usize = 256;
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

struct Batch {
    entries: Vec<Entry>,
    users: BTreeMap<u32, String>,
    groups: BTreeMap<u32, String>,
    failures: Vec<(Bytes, io::Error)>,
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

    /// Hears to the end.
    async fn hear(&self, mut answers: Streaming<Value>) -> Result<(), CopyError> {
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

/// Sends, and if nobody reads any more waits for `hear` to say why.
async fn deliver(sender: &mut Sender, message: &impl Serialize) {
    if sender.send_value(message).await.is_err() {
        std::future::pending::<()>().await;
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

/// Lists the tree in a thread of its own.
fn walk(mut tree: Tree, excludes: Excludes, owners: bool) -> mpsc::Receiver<Batch> {
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

/// Does what may block in a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error)))
}

//! Copies from a host to this machine: the host tells what there is, this side says what it wants.

mod entries;
mod outcome;

use std::collections::{HashMap, HashSet, VecDeque};

use bytes::Bytes;
use rmote_client::{Sender, Streaming, Value, to_value};

use super::delta::SUM;
use super::entry::Fields;
use super::error::{CopyError, fields, message};
use super::reading::NUMBER;
use super::summary::Action;
use super::target::{Target, Wanted};
use super::transfer::Job;
use super::upload::blocking;
use super::writing::{Step, Writing};

/// What the sums of files that are asked for at once may take.
const SUMS: u64 = 1 << 24;

/// Copies from the host.
pub(crate) async fn run(job: Job<'_>) -> Result<(), CopyError> {
    let (sender, answers) = job.start().await?;
    let name = job.remote.file_name().unwrap_or_default();
    let target = Target::new(
        job.local,
        std::os::unix::ffi::OsStrExt::as_bytes(name),
        job.settings,
    );
    let mut download = Download {
        job,
        target: Some(target),
        writing: None,
        files: HashMap::new(),
        requests: Vec::new(),
        later: VecDeque::new(),
        sums: 0,
        turns: 0,
        idle: false,
        told: HashSet::new(),
    };
    download.converse(sender, answers).await?;
    download.finish().await
}

struct Download<'a> {
    job: Job<'a>,
    /// Away while a thread works with it.
    target: Option<Target>,
    writing: Option<Writing>,
    /// What is wanted and not in its place.
    files: HashMap<u64, File>,
    /// What the host is asked for with the next message.
    requests: Vec<Value>,
    /// What it is asked for when there is room for the sums.
    later: VecDeque<u64>,
    sums: u64,
    /// How many messages the host waits for, and whether it has nothing else to do.
    turns: usize,
    idle: bool,
    /// With `delete`: all that the host has.
    told: HashSet<Bytes>,
}

struct File {
    wanted: Wanted,
    /// What its sums take, while they are on their way.
    sums: u64,
    again: bool,
}

impl Download<'_> {
    /// Talks with the host until nothing is wanted any more.
    async fn converse(
        &mut self,
        mut sender: Sender,
        mut answers: Streaming<Value>,
    ) -> Result<(), CopyError> {
        loop {
            let outcome = async {
                match &mut self.writing {
                    Some(writing) => writing.outcomes.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(outcome) = outcome => self.outcome(outcome).await,
                answer = answers.next() => {
                    let answer = answer.ok_or_else(|| self.job.protocol("it ended before the copy"))?;
                    let taken = match answer? {
                        Value::Bytes(piece) => self.piece(piece).await,
                        answer => match message(answer) {
                            Some((kind, items)) => self.take(&kind, items).await?,
                            None => None,
                        },
                    };
                    taken.ok_or_else(|| self.job.protocol("a message that is none"))?;
                }
            }
            self.ask_for_sums();
            if self.idle && self.files.is_empty() {
                break;
            }
            while self.turns > usize::from(self.idle) || self.turns > 0 && !self.requests.is_empty()
            {
                self.turns -= 1;
                self.idle = self.idle && self.turns > 0;
                let requests = std::mem::take(&mut self.requests);
                if sender.send_value(&requests).await.is_err() {
                    // The call is over, and its stream says why.
                    break;
                }
            }
        }
        sender.finish().await;
        while let Some(answer) = answers.next().await {
            answer?;
        }
        Ok(())
    }

    /// Takes one message of the host; `None` for what is none.
    async fn take(&mut self, kind: &str, items: Vec<Value>) -> Result<Option<()>, CopyError> {
        if kind == "entries" {
            type Failures = Vec<(Bytes, Option<i32>, String)>;
            type Entries = (
                u64,
                Vec<Fields>,
                HashMap<u32, String>,
                HashMap<u32, String>,
                Failures,
            );
            let Some((first, entries, users, groups, failures)) = fields::<Entries>(items) else {
                return Ok(None);
            };
            for (path, _, reason) in failures {
                self.job.tally.fail(&path, true, reason);
            }
            self.turns += 1;
            return self.entries(first, entries, users, groups).await;
        }
        Ok(self.content(kind, items).await)
    }

    /// Takes what concerns one file, or that the host has nothing to do.
    async fn content(&mut self, kind: &str, items: Vec<Value>) -> Option<()> {
        match kind {
            "idle" => {
                self.turns += 1;
                self.idle = true;
                self.job.tally.count(|_, progress| progress.complete = true);
            }
            "files" => {
                let (files,) = fields::<(Vec<(u64, Bytes, Bytes)>,)>(items)?;
                for (id, data, sum) in files {
                    self.data(id, data).await?;
                    self.step(id, Step::End(sum)).await?;
                }
            }
            "hole" => {
                let (id, size) = fields::<(u64, u64)>(items)?;
                self.job
                    .tally
                    .count(|_, progress| progress.bytes = progress.bytes.saturating_add(size));
                self.step(id, Step::Hole(size)).await?;
            }
            "end" => {
                let (id, sum) = fields::<(u64, Bytes)>(items)?;
                self.step(id, Step::End(sum)).await?;
            }
            "resume" => {
                let (id, same) = fields::<(u64, bool)>(items)?;
                self.step(id, Step::Resume(same)).await?;
            }
            "basis" => {
                let (id, size, block) = fields::<(u64, u64, usize)>(items)?;
                self.step(id, Step::Blocks { size, block }).await?;
            }
            "sums" => {
                let (id, sums) = fields::<(u64, Bytes)>(items)?;
                self.step(id, Step::Sums(sums)).await?;
            }
            "summed" => {
                let (id, sum) = fields::<(u64, Bytes)>(items)?;
                self.step(id, Step::Summed(sum)).await?;
            }
            "hash" => {
                let (id, sum) = fields::<(u64, Bytes)>(items)?;
                self.step(id, Step::Same(sum)).await?;
            }
            "failed" => {
                let (id, _, reason) = fields::<(u64, Option<i32>, String)>(items)?;
                if self.files.contains_key(&id) {
                    self.step(id, Step::Stop).await?;
                    self.over(id, |job, path| job.tally.fail(path, true, reason));
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// Takes a piece of content, which stands behind the file's number.
    async fn piece(&mut self, mut piece: Bytes) -> Option<()> {
        if piece.len() < NUMBER {
            return None;
        }
        let number = piece.split_to(NUMBER);
        let id = u64::from_le_bytes(number[..].try_into().expect("eight of them"));
        self.data(id, piece).await
    }

    async fn data(&mut self, id: u64, data: Bytes) -> Option<()> {
        let size = data.len() as u64;
        self.job.tally.count(|_, progress| progress.bytes += size);
        if data.is_empty() {
            return Some(());
        }
        self.step(id, Step::Data(data)).await
    }

    /// Hands a step of a file to its thread. What the host says of files that nobody wants is let go by.
    async fn step(&mut self, id: u64, step: Step) -> Option<()> {
        if self.files.contains_key(&id) {
            self.writing.as_ref()?.step(id, step).await;
        }
        Some(())
    }

    fn request(&mut self, request: &impl serde::Serialize) {
        self.requests
            .push(to_value(request).expect("numbers, text and bytes are values"));
    }

    /// Asks for the sums of as many changed files as there is room for.
    fn ask_for_sums(&mut self) {
        while let Some(id) = self.later.front().copied() {
            let Some(file) = self.files.get_mut(&id) else {
                self.later.pop_front();
                continue;
            };
            let size = file.wanted.size;
            let sums = SUM as u64 * size.isqrt().max(size >> 17);
            if self.sums > 0 && self.sums + sums > SUMS {
                break;
            }
            file.sums = sums;
            self.sums += sums;
            let path = file.wanted.path.clone();
            self.later.pop_front();
            self.request(&("sums", id, path));
        }
    }

    /// Deletes what the host does not have, and gives directories their attributes.
    async fn finish(mut self) -> Result<(), CopyError> {
        let job = self.job;
        let delete = job.settings.delete;
        if delete && job.tally.failed() {
            job.tally.count(|summary, _| summary.kept = true);
        }
        let delete = delete && !job.tally.failed();
        let mut target = self.target.take().expect("back by now");
        let told = std::mem::take(&mut self.told);
        let done = blocking(move || {
            let (mut deleted, mut failed) = (Vec::new(), Vec::new());
            if delete {
                target.delete(&told, |path, result| match result {
                    Ok(()) => deleted.push(path.to_vec()),
                    Err(error) => failed.push((path.to_vec(), error)),
                });
            }
            target.finish(|path, error| failed.push((path.to_vec(), error)));
            Ok((deleted, failed))
        });
        let (deleted, failed) = done.await.map_err(|error| job.local_error(error))?;
        for path in deleted {
            job.tally.act(&path, Action::Delete);
            job.tally.count(|summary, _| summary.deleted += 1);
        }
        for (path, error) in failed {
            job.tally.fail(&path, false, error.to_string());
        }
        Ok(())
    }
}

//! Threads that write a host's files on this machine.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::delta::{Blocks, Piece, SUM};
use super::incoming::{Incoming, Part};
use super::target::{Wanted, clear};
use super::transfer::Settings;
use super::tree::Tree;

/// So many files are written at once.
const THREADS: usize = 4;

/// So much may wait for one thread.
const WAITING: usize = 4;

/// So many blocks may a file have; the host makes half as many of the biggest file.
const BLOCKS: u64 = 1 << 21;

/// What a thread is to do about a file.
#[derive(Debug)]
pub(crate) enum Step {
    /// It will come. Tells the length and sum of the part that there is, if that is asked for.
    Begin {
        wanted: Box<Wanted>,
        part: bool,
    },
    /// It comes whole after all.
    Anew,
    /// Whether the part is how it begins.
    Resume(bool),
    /// The blocks of the host's file, to be looked for here.
    Blocks {
        size: u64,
        block: usize,
    },
    Sums(Bytes),
    Summed(Bytes),
    Data(Bytes),
    Hole(u64),
    /// All of it was there. The sum is empty where the one of the blocks holds.
    End(Bytes),
    /// It will not come.
    Stop,
    /// It is there already, but for its attributes, if its sum is this one.
    Same(Bytes),
}

/// What came of a file.
#[derive(Debug)]
pub(crate) enum Outcome {
    Done {
        id: u64,
        size: u64,
        literal: u64,
        reused: u64,
        in_place: bool,
    },
    Failed(u64, io::Error),
    /// Its sum is wrong.
    Again(u64),
    /// The part's length and sum.
    Part(u64, u64, Bytes),
    /// What is missing of it: offsets and sizes.
    Ranges(u64, Vec<(u64, u64)>),
    /// It is not the same.
    Other(u64),
}

/// The threads. They end when this is gone.
#[derive(Debug)]
pub(crate) struct Writing {
    steps: Vec<mpsc::Sender<(u64, Step)>>,
    pub(crate) outcomes: mpsc::UnboundedReceiver<Outcome>,
}

impl Writing {
    pub(crate) fn start(tree: &Tree, settings: &Settings) -> io::Result<Self> {
        let (give, outcomes) = mpsc::unbounded_channel();
        let mut steps = Vec::new();
        for _ in 0..THREADS {
            let (step, mut taken) = mpsc::channel(WAITING);
            let mut writer = Writer {
                tree: tree.try_clone()?,
                settings: settings.clone(),
                give: give.clone(),
                files: HashMap::new(),
            };
            tokio::task::spawn_blocking(move || {
                while let Some((id, step)) = taken.blocking_recv() {
                    writer.take(id, step);
                }
            });
            steps.push(step);
        }
        Ok(Self { steps, outcomes })
    }

    /// Gives a thread its next step; waits while it is behind.
    pub(crate) async fn step(&self, id: u64, step: Step) {
        let threads = self.steps.len() as u64;
        let thread = usize::try_from(id % threads).expect("less than the threads");
        // A thread ends before this only if it panicked, and then so does this.
        self.steps[thread]
            .send((id, step))
            .await
            .expect("the thread runs");
    }
}

struct Writer {
    tree: Tree,
    settings: Settings,
    give: mpsc::UnboundedSender<Outcome>,
    files: HashMap<u64, Receiving>,
}

/// A file on its way in.
struct Receiving {
    wanted: Wanted,
    part: Option<Part>,
    incoming: Option<Incoming>,
    plan: Option<Plan>,
    literal: u64,
    holes: u64,
}

/// How a file is put together of what is here and what comes.
#[derive(Default)]
struct Plan {
    size: u64,
    block: usize,
    sums: Vec<u8>,
    sum: Bytes,
    /// Of each stretch of the file in order: its length, and which of the sources has it, where.
    stretches: std::collections::VecDeque<(u64, Option<(usize, u64)>)>,
    sources: Vec<File>,
}

impl Writer {
    fn take(&mut self, id: u64, step: Step) {
        if let Step::Begin { wanted, part } = step {
            self.begin(id, *wanted, part);
            return;
        }
        // What is left of a file that failed is let go by.
        let Some(mut file) = self.files.remove(&id) else {
            return;
        };
        match file.step(id, step, &mut self.tree, &self.settings) {
            Ok(Next::More) => _ = self.files.insert(id, file),
            Ok(Next::Tell(outcome)) => {
                self.files.insert(id, file);
                _ = self.give.send(outcome);
            }
            Ok(Next::Over(outcome)) => _ = self.give.send(outcome),
            Err(error) => {
                file.discard();
                _ = self.give.send(Outcome::Failed(id, error));
            }
        }
    }

    fn begin(&mut self, id: u64, wanted: Wanted, part: bool) {
        let mut file = Receiving {
            wanted,
            part: None,
            incoming: None,
            plan: None,
            literal: 0,
            holes: 0,
        };
        if part {
            let part = file
                .wanted
                .part_name
                .as_ref()
                .and_then(|name| Part::open(&mut self.tree, &file.wanted.path, name));
            let (size, sum) = part
                .as_ref()
                .map_or((0, [0; 32]), |part| (part.size, part.sum()));
            file.part = part;
            _ = self
                .give
                .send(Outcome::Part(id, size, Bytes::copy_from_slice(&sum)));
        }
        self.files.insert(id, file);
    }
}

/// How it goes on with a file.
enum Next {
    More,
    Tell(Outcome),
    Over(Outcome),
}

impl Receiving {
    fn step(
        &mut self,
        id: u64,
        step: Step,
        tree: &mut Tree,
        settings: &Settings,
    ) -> io::Result<Next> {
        match step {
            Step::Begin { .. } => {}
            Step::Anew => {
                self.discard();
                self.plan = None;
                (self.literal, self.holes) = (0, 0);
            }
            Step::Resume(same) => {
                if !same {
                    self.part = None;
                }
            }
            Step::Blocks { size, block } => {
                if size / (block.max(1) as u64) > BLOCKS {
                    return Err(io::Error::other("the host's blocks are too many"));
                }
                self.plan = Some(Plan {
                    size,
                    block,
                    ..Plan::default()
                });
            }
            Step::Sums(sums) => {
                if let Some(plan) = &mut self.plan {
                    plan.sums.extend_from_slice(&sums);
                    if plan.sums.len() as u64 > (BLOCKS + 1) * SUM as u64 {
                        return Err(io::Error::other("the host's sums are too many"));
                    }
                }
            }
            Step::Summed(sum) => return self.search(id, sum, tree),
            Step::Data(data) => self.data(tree, &data)?,
            Step::Hole(size) => {
                self.holes = self.holes.saturating_add(size);
                self.incoming(tree)?.hole(size)?;
            }
            Step::End(sum) => return self.end(id, &sum, tree, settings),
            Step::Stop => {
                self.discard();
                return Err(io::Error::other("the host stopped sending it"));
            }
            Step::Same(sum) => return self.same(id, &sum, tree),
        }
        Ok(Next::More)
    }

    fn incoming(&mut self, tree: &mut Tree) -> io::Result<&mut Incoming> {
        if self.incoming.is_none() {
            let (wanted, part) = (&self.wanted, self.part.take());
            let name = wanted.part_name.as_deref();
            let created = Incoming::create(tree, &wanted.path, wanted.attributes, name, part)?;
            self.incoming = Some(created);
        }
        Ok(self.incoming.as_mut().expect("just made"))
    }

    fn discard(&mut self) {
        if let Some(incoming) = self.incoming.take() {
            incoming.discard();
        }
    }

    /// Takes bytes, and what is here between them.
    fn data(&mut self, tree: &mut Tree, mut data: &[u8]) -> io::Result<()> {
        self.literal += data.len() as u64;
        if self.plan.is_none() {
            return self.incoming(tree)?.write(data);
        }
        while !data.is_empty() {
            self.fill(tree)?;
            let Some((left, _)) = self
                .plan
                .as_mut()
                .and_then(|plan| plan.stretches.front_mut())
            else {
                return Err(io::Error::other("the host sent more than was asked for"));
            };
            let count = usize::try_from(*left).unwrap_or(usize::MAX).min(data.len());
            *left -= count as u64;
            self.incoming(tree)?.write(&data[..count])?;
            data = &data[count..];
        }
        Ok(())
    }

    /// Takes what is here, up to the next stretch that has to come.
    fn fill(&mut self, tree: &mut Tree) -> io::Result<()> {
        self.incoming(tree)?;
        let (Some(plan), Some(incoming)) = (&mut self.plan, &mut self.incoming) else {
            return Ok(());
        };
        while let Some((size, source)) = plan.stretches.front() {
            match source {
                Some((source, offset)) => incoming.copy(&plan.sources[*source], *offset, *size)?,
                None if *size > 0 => break,
                None => {}
            }
            plan.stretches.pop_front();
        }
        Ok(())
    }

    /// Looks for the blocks of the host's file in what is here, and tells what is missing.
    fn search(&mut self, id: u64, sum: Bytes, tree: &mut Tree) -> io::Result<Next> {
        let Some(mut plan) = self.plan.take() else {
            return Ok(Next::More);
        };
        let sums = std::mem::take(&mut plan.sums);
        let Some(blocks) = Blocks::new(plan.size, plan.block, &sums) else {
            return Err(io::Error::other(
                "the host's sums do not fit the file's size",
            ));
        };
        drop(sums);
        let count = blocks.count();
        let mut found: Vec<Option<(usize, u64)>> = vec![None; count];
        let part = self
            .wanted
            .part_name
            .as_ref()
            .and_then(|name| Some(Part::open(tree, &self.wanted.path, name)?.into_file()));
        for mut file in part.into_iter().chain(tree.read(&self.wanted.path)) {
            file.seek(SeekFrom::Start(0))?;
            let source = plan.sources.len();
            blocks.search((&mut file).take(u64::MAX), |piece| {
                if let Piece::Found { offset, at, .. } = piece {
                    let index = usize::try_from(offset / plan.block as u64).expect("one of them");
                    found[index].get_or_insert((source, at));
                }
                Ok(())
            })?;
            plan.sources.push(file);
        }
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for (index, source) in found.into_iter().enumerate() {
            let offset = index as u64 * plan.block as u64;
            let size = (plan.size - offset).min(plan.block as u64);
            match (plan.stretches.back_mut(), source) {
                (Some((length, None)), None) => *length += size,
                (Some((length, Some((from, at)))), Some((source, begin)))
                    if *from == source && *at + *length == begin =>
                {
                    *length += size;
                }
                _ => plan.stretches.push_back((size, source)),
            }
            match ranges.last_mut() {
                Some((begin, length)) if source.is_none() && *begin + *length == offset => {
                    *length += size;
                }
                _ if source.is_none() => ranges.push((offset, size)),
                _ => {}
            }
        }
        plan.sum = sum;
        self.plan = Some(plan);
        Ok(Next::Tell(Outcome::Ranges(id, ranges)))
    }

    fn end(
        &mut self,
        id: u64,
        sum: &[u8],
        tree: &mut Tree,
        settings: &Settings,
    ) -> io::Result<Next> {
        self.fill(tree)?;
        let sum = match &self.plan {
            Some(plan) => plan.sum.clone(),
            None => Bytes::copy_from_slice(sum),
        };
        let incoming = self.incoming.take().expect("just filled");
        if incoming.sum()[..] != sum[..] {
            incoming.discard();
            return Ok(Next::Tell(Outcome::Again(id)));
        }
        let size = incoming.size();
        let reused = size.saturating_sub(self.literal + self.holes);
        let path = self.wanted.path.clone();
        let in_place = incoming.place(settings.sync, || clear(tree, &path, settings))?;
        Ok(Next::Over(Outcome::Done {
            id,
            size,
            literal: self.literal,
            reused,
            in_place,
        }))
    }

    fn same(&mut self, id: u64, sum: &[u8], tree: &mut Tree) -> io::Result<Next> {
        let mut file = tree.read(&self.wanted.path)?;
        let (found, _): (Sha256, u64) = super::incoming::digest(&mut file, u64::MAX)?;
        if found.finalize()[..] != sum[..] {
            return Ok(Next::Tell(Outcome::Other(id)));
        }
        self.wanted.attributes.set(&file)?;
        Ok(Next::Over(Outcome::Done {
            id,
            size: self.wanted.size,
            literal: 0,
            reused: self.wanted.size,
            in_place: false,
        }))
    }
}

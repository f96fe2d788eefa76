//! Threads that read files of this machine for the host.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::sync::{Arc, Mutex, PoisonError, mpsc as blocking};

use bytes::Bytes;
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::delta::{Blocks, Piece};
use super::incoming::{PART, ZEROS, digest};
use super::tree::Tree;

/// So many files are read at once.
const THREADS: usize = 4;

/// Files up to this size travel together.
pub(crate) const SMALL: u64 = 1 << 15;

/// Content travels in pieces of this size: with a number before it one fits a frame.
const PIECE: usize = 120 << 10;

/// How long the number of a file before its content is.
pub(crate) const NUMBER: usize = 8;

/// A file that the host wants.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) id: u64,
    pub(crate) path: Bytes,
    pub(crate) size: u64,
    pub(crate) how: How,
}

/// How a file is to be sent.
#[derive(Debug)]
pub(crate) enum How {
    /// All of it.
    Whole,
    /// What the host does not have: it is asked what that is, and answers here.
    Basis(blocking::Receiver<Basis>),
    /// All of it, unless its sum is this one.
    Unless(Vec<u8>),
}

/// What the host has to build a file on.
#[derive(Debug)]
pub(crate) enum Basis {
    /// The length and sum of an earlier copy's part, the size and block size of the old file.
    Begin {
        part: u64,
        sum: Vec<u8>,
        size: u64,
        block: usize,
    },
    /// Sums of blocks.
    Sums(Bytes),
    /// There are no more.
    End,
}

/// What is to be sent.
#[derive(Debug)]
pub(crate) enum Message {
    /// Small files: number, content, sum.
    Files(Vec<(u64, Bytes, Bytes)>),
    /// A piece of content as it travels, behind the file's number.
    Data(u64, Bytes),
    Hole(u64, u64),
    Copy(u64, u64, u64),
    End(u64, Bytes),
    /// Asks for the basis.
    Basis(u64),
    Resume(u64, u64),
    /// It is the same already.
    Keep(u64),
    /// It cannot be read.
    Failed(u64, io::Error),
}

/// The threads, which end when this is gone or nobody takes their messages any more.
#[derive(Debug)]
pub(crate) struct Reading {
    requests: blocking::Sender<Vec<Request>>,
    pub(crate) messages: mpsc::Receiver<Message>,
}

impl Reading {
    pub(crate) fn start(tree: &Tree) -> io::Result<Self> {
        let (requests, taken) = blocking::channel::<Vec<Request>>();
        let (give, messages) = mpsc::channel(2 * THREADS);
        let taken = Arc::new(Mutex::new(taken));
        for _ in 0..THREADS {
            let (tree, taken, give) = (tree.try_clone()?, taken.clone(), give.clone());
            tokio::task::spawn_blocking(move || {
                let mut reader = Reader { tree, give };
                loop {
                    let next = taken.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(requests) = next else { return };
                    if reader.serve(requests).is_none() {
                        return;
                    }
                }
            });
        }
        Ok(Self { requests, messages })
    }

    /// Asks for files. Small ones that are asked for together may travel together.
    pub(crate) fn request(&self, requests: Vec<Request>) {
        // The threads only end before this does.
        _ = self.requests.send(requests);
    }
}

struct Reader {
    tree: Tree,
    give: mpsc::Sender<Message>,
}

/// Why a file is not sent any further.
enum Stop {
    Failed(io::Error),
    /// Nobody takes it.
    Over,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl Reader {
    fn give(&self, message: Message) -> Result<(), Stop> {
        self.give.blocking_send(message).map_err(|_| Stop::Over)
    }

    /// Reads files; `None` when nobody takes them any more.
    fn serve(&mut self, requests: Vec<Request>) -> Option<()> {
        let (mut files, mut size) = (Vec::new(), 0);
        for request in requests {
            let (id, before) = (request.id, files.len());
            match self.one(request, &mut files) {
                Ok(()) => {}
                Err(Stop::Failed(error)) => self.give(Message::Failed(id, error)).ok()?,
                Err(Stop::Over) => return None,
            }
            size += files[before..]
                .iter()
                .map(|(_, data, _)| data.len())
                .sum::<usize>();
            if size >= PART {
                self.give(Message::Files(std::mem::take(&mut files))).ok()?;
                size = 0;
            }
        }
        if !files.is_empty() {
            self.give(Message::Files(files)).ok()?;
        }
        Some(())
    }

    fn one(&mut self, request: Request, files: &mut Vec<(u64, Bytes, Bytes)>) -> Result<(), Stop> {
        let id = request.id;
        let mut file = self.tree.read(&request.path)?;
        let found = file.metadata()?;
        let size = found.len();
        match request.how {
            How::Unless(sum) => {
                let (found, _) = digest(&mut file, u64::MAX)?;
                if found.finalize()[..] == sum[..] {
                    return self.give(Message::Keep(id));
                }
                file.seek(SeekFrom::Start(0))?;
            }
            How::Basis(answers) => return self.changed(id, file, size, &answers),
            How::Whole if size <= SMALL => {
                let mut data = Vec::with_capacity(usize::try_from(size).expect("it is small"));
                (&mut file).take(SMALL).read_to_end(&mut data)?;
                let sum = Bytes::copy_from_slice(&Sha256::digest(&data));
                files.push((id, data.into(), sum));
                return Ok(());
            }
            How::Whole => {}
        }
        let sparse = found.blocks() * 512 < size;
        self.whole(id, &file, 0, size, sparse, Sha256::new())
    }

    /// Sends a file from an offset on. `sum` has what is before.
    fn whole(
        &self,
        id: u64,
        file: &File,
        mut offset: u64,
        size: u64,
        sparse: bool,
        mut sum: Sha256,
    ) -> Result<(), Stop> {
        let mut hole = 0;
        while offset < size {
            if sparse {
                let data = match rustix::fs::seek(file, rustix::fs::SeekFrom::Data(offset)) {
                    Ok(data) => data.min(size),
                    // No data behind this point.
                    Err(Errno::NXIO) => size,
                    // A file system that cannot say.
                    Err(_) => offset,
                };
                hole += data - offset;
                offset = data;
            }
            let most = (PIECE as u64 - offset % PIECE as u64).min(size - offset);
            let mut piece = headed(id, usize::try_from(most).expect("at most a piece"));
            let count = file.read_at(&mut piece[NUMBER..], offset)?;
            piece.truncate(NUMBER + count);
            let part = &piece[NUMBER..];
            if count == 0 {
                // Behind the last data, or the file was cut meanwhile.
                break;
            }
            offset += count as u64;
            if sparse && part[..] == ZEROS[..count] {
                hole += count as u64;
                continue;
            }
            self.hole(id, std::mem::take(&mut hole), &mut sum)?;
            sum.update(part);
            self.give(Message::Data(id, piece.into()))?;
        }
        self.hole(id, hole, &mut sum)?;
        self.end(id, sum)
    }

    fn hole(&self, id: u64, size: u64, sum: &mut Sha256) -> Result<(), Stop> {
        let mut left = size;
        while left > 0 {
            let part = usize::try_from(left.min(PART as u64)).expect("at most a part");
            sum.update(&ZEROS[..part]);
            left -= part as u64;
        }
        if size > 0 {
            self.give(Message::Hole(id, size))?;
        }
        Ok(())
    }

    fn end(&self, id: u64, sum: Sha256) -> Result<(), Stop> {
        self.give(Message::End(id, Bytes::copy_from_slice(&sum.finalize())))
    }

    /// Sends what the host does not have of a file.
    fn changed(
        &self,
        id: u64,
        mut file: File,
        size: u64,
        answers: &blocking::Receiver<Basis>,
    ) -> Result<(), Stop> {
        self.give(Message::Basis(id))?;
        let Ok(Basis::Begin {
            part,
            sum: part_sum,
            size: old,
            block,
        }) = answers.recv()
        else {
            return Err(Stop::Over);
        };
        let mut sums = Vec::new();
        loop {
            match answers.recv() {
                Ok(Basis::Sums(more)) => sums.extend_from_slice(&more),
                Ok(_) => break,
                Err(_) => return Err(Stop::Over),
            }
        }
        let mut sum = Sha256::new();
        let mut offset = 0;
        if part > 0 && part <= size {
            let (found, count) = digest(&mut file, part)?;
            if count == part && found.clone().finalize()[..] == part_sum[..] {
                (sum, offset) = (found, part);
            }
        }
        self.give(Message::Resume(id, offset))?;
        let Some(blocks) = Blocks::new(old, block, &sums).filter(|blocks| blocks.size() > 0) else {
            let sparse = file.metadata()?.blocks() * 512 < size;
            return self.whole(id, &file, offset, size, sparse, sum);
        };
        drop(sums);
        file.seek(SeekFrom::Start(offset))?;
        let mut over = false;
        // Blocks that follow each other are one copy.
        let mut run: Option<(u64, u64)> = None;
        let source = Summed {
            file: file.take(size - offset),
            sum: &mut sum,
        };
        let mut send = |message| {
            self.give(message).map_err(|_| {
                over = true;
                io::Error::from(io::ErrorKind::BrokenPipe)
            })
        };
        let searched = blocks.search(source, |piece| {
            match piece {
                Piece::Found { offset, size, .. } => {
                    if let Some((begin, length)) = &mut run
                        && *begin + *length == offset
                    {
                        *length += size as u64;
                        return Ok(());
                    }
                    if let Some((begin, length)) = run.replace((offset, size as u64)) {
                        send(Message::Copy(id, begin, length))?;
                    }
                }
                Piece::Literal(bytes) => {
                    if let Some((begin, length)) = run.take() {
                        send(Message::Copy(id, begin, length))?;
                    }
                    for part in bytes.chunks(PIECE) {
                        let mut piece = headed(id, part.len());
                        piece[NUMBER..].copy_from_slice(part);
                        send(Message::Data(id, piece.into()))?;
                    }
                }
            }
            Ok(())
        });
        match searched {
            Err(_) if over => return Err(Stop::Over),
            result => result?,
        }
        if let Some((begin, length)) = run {
            self.give(Message::Copy(id, begin, length))?;
        }
        self.end(id, sum)
    }
}

/// Room for a piece of content, behind the file's number: as bytes, which no encoder has to copy.
fn headed(id: u64, size: usize) -> Vec<u8> {
    let mut piece = vec![0; NUMBER + size];
    piece[..NUMBER].copy_from_slice(&id.to_le_bytes());
    piece
}

/// A reader that sums what it reads.
struct Summed<'a> {
    file: io::Take<File>,
    sum: &'a mut Sha256,
}

impl io::Read for Summed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.sum.update(&buffer[..count]);
        Ok(count)
    }
}

//! A file on its way in: written beside its target, then put in its place.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::entry;
use super::tree::{Tree, split};

const TEMP: &str = ".rmote-";

const NEW: OFlags = OFlags::RDWR
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Less than this is sooner sent again than looked for.
const LEAST: u64 = 1 << 20;

pub(crate) const PART: usize = 1 << 17;

pub(crate) static ZEROS: [u8; PART] = [0; PART];

/// What a thing is to have beside its content; `None` where it keeps what it has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attributes {
    pub(crate) mode: Option<u32>,
    pub(crate) mtime: Option<i128>,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
}

impl Attributes {
    /// Whether something about a thing is to be set.
    pub(crate) fn differ(&self, stat: &Stat) -> bool {
        let link = stat.st_mode & 0o170_000 == 0o120_000;
        let other = |wanted: Option<u32>, found| wanted.is_some_and(|wanted| wanted != found);
        !link && other(self.mode, stat.st_mode & 0o7777)
            || self.mtime.is_some_and(|mtime| mtime != entry::mtime(stat))
            || other(self.uid, stat.st_uid)
            || other(self.gid, stat.st_gid)
    }

    /// Sets them on a file or a directory.
    pub(crate) fn set(&self, file: impl AsFd) -> io::Result<()> {
        if self.uid.is_some() || self.gid.is_some() {
            // First: it clears the setuid bit.
            rustix::fs::fchown(
                &file,
                self.uid.map(Uid::from_raw),
                self.gid.map(Gid::from_raw),
            )?;
        }
        if let Some(mode) = self.mode {
            rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
        }
        if let Some(times) = self.times() {
            rustix::fs::futimens(&file, &times)?;
        }
        Ok(())
    }

    /// Sets them on a symbolic link, which has no mode.
    pub(crate) fn set_link(&self, parent: impl AsFd, name: &[u8]) -> io::Result<()> {
        let nofollow = AtFlags::SYMLINK_NOFOLLOW;
        if self.uid.is_some() || self.gid.is_some() {
            let (uid, gid) = (self.uid.map(Uid::from_raw), self.gid.map(Gid::from_raw));
            rustix::fs::chownat(&parent, name, uid, gid, nofollow)?;
        }
        if let Some(times) = self.times() {
            rustix::fs::utimensat(&parent, name, &times, nofollow)?;
        }
        Ok(())
    }

    fn times(&self) -> Option<Timestamps> {
        let mtime = self.mtime?;
        let time = Timespec {
            tv_sec: i64::try_from(mtime.div_euclid(1_000_000_000)).ok()?,
            tv_nsec: i64::try_from(mtime.rem_euclid(1_000_000_000)).ok()?,
        };
        Some(Timestamps {
            last_access: time,
            last_modification: time,
        })
    }
}

/// What the part of a file is called that a broken transfer leaves behind.
pub(crate) fn part_name(path: &[u8], size: u64, mtime: i128) -> Vec<u8> {
    let mut sum = Sha256::new();
    sum.update(split(path).1);
    sum.update(format!("/{size}/{mtime}"));
    format!("{TEMP}{}.part", hex(&sum.finalize()[..12])).into_bytes()
}

/// A name that nothing else has.
pub(crate) fn temporary_name() -> io::Result<Vec<u8>> {
    let mut random = [0; 8];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    // Without the target's name: it may be as long as names can be.
    Ok(format!("{TEMP}{}", hex(&random)).into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

/// The part of a file that an earlier transfer left beside the target.
#[derive(Debug)]
pub(crate) struct Part {
    file: File,
    pub(crate) size: u64,
    digest: Sha256,
}

impl Part {
    /// Opens and reads it, if it is there and ours alone.
    pub(crate) fn open(tree: &mut Tree, path: &[u8], name: &[u8]) -> Option<Self> {
        let (parent, _) = tree.locate(path).ok()?;
        let flags = NEW.difference(OFlags::CREATE.union(OFlags::EXCL));
        let mut file = File::from(rustix::fs::openat(parent, name, flags, Mode::empty()).ok()?);
        let found = file.metadata().ok()?;
        let ours = found.is_file()
            && found.uid() == rustix::process::geteuid().as_raw()
            && found.nlink() == 1
            && found.mode().trailing_zeros() >= 6;
        if !ours {
            return None;
        }
        let (digest, size) = digest(&mut file, u64::MAX).ok()?;
        Some(Self { file, size, digest })
    }

    /// The file, to be read.
    pub(crate) fn into_file(self) -> File {
        self.file
    }

    /// The sum of what is there.
    pub(crate) fn sum(&self) -> [u8; 32] {
        self.digest.clone().finalize().into()
    }
}

/// Reads a file's first bytes: their sum, still open for more, and how many there were.
pub(crate) fn digest(file: &mut File, size: u64) -> io::Result<(Sha256, u64)> {
    let mut sum = Sha256::new();
    let mut buffer = vec![0; PART];
    let mut done = 0;
    while done < size {
        let most = usize::try_from((size - done).min(PART as u64)).expect("at most a part");
        let count = file.read(&mut buffer[..most])?;
        if count == 0 {
            break;
        }
        sum.update(&buffer[..count]);
        done += count as u64;
    }
    Ok((sum, done))
}

/// A file that is being written beside its target.
///
/// Dropped before it is in its place it is removed; one that may last stays, for the next transfer to go on from.
#[derive(Debug)]
pub(crate) struct Incoming {
    file: File,
    directory: OwnedFd,
    target: Vec<u8>,
    name: Vec<u8>,
    attributes: Attributes,
    digest: Sha256,
    size: u64,
    lasting: bool,
    placed: bool,
}

impl Incoming {
    /// Makes it; with the name of a part it may last.
    pub(crate) fn create(
        tree: &mut Tree,
        path: &[u8],
        attributes: Attributes,
        part_name: Option<&[u8]>,
        part: Option<Part>,
    ) -> io::Result<Self> {
        let (directory, target) = tree.locate(path)?;
        let (directory, target) = (directory.try_clone()?, target.to_vec());
        let name = part_name.map_or_else(temporary_name, |name| Ok(name.to_vec()))?;
        let (file, digest, size) = if let Some(mut part) = part {
            // Its bytes so far are what this file begins with.
            part.file.set_len(part.size)?;
            part.file.seek(SeekFrom::Start(part.size))?;
            (part.file, part.digest, part.size)
        } else {
            match rustix::fs::unlinkat(&directory, &name[..], AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
            let file = rustix::fs::openat(&directory, &name[..], NEW, Mode::RUSR | Mode::WUSR)?;
            (file.into(), Sha256::new(), 0)
        };
        Ok(Self {
            file,
            directory,
            target,
            name,
            attributes,
            digest,
            size,
            lasting: part_name.is_some(),
            placed: false,
        })
    }

    /// Goes on with bytes.
    pub(crate) fn write(&mut self, data: &[u8]) -> io::Result<()> {
        self.digest.update(data);
        self.file.write_all(data)?;
        self.size += data.len() as u64;
        Ok(())
    }

    /// Goes on with zeros that take no space.
    pub(crate) fn hole(&mut self, mut size: u64) -> io::Result<()> {
        let end = self
            .size
            .checked_add(size)
            .filter(|end| i64::try_from(*end).is_ok());
        self.size = end.ok_or(io::ErrorKind::FileTooLarge)?;
        self.file.seek(SeekFrom::Start(self.size))?;
        while size > 0 {
            let part = usize::try_from(size.min(PART as u64)).expect("at most a part");
            self.digest.update(&ZEROS[..part]);
            size -= part as u64;
        }
        Ok(())
    }

    /// Goes on with bytes of another file.
    pub(crate) fn copy(&mut self, from: &File, mut offset: u64, mut size: u64) -> io::Result<()> {
        let found = from.metadata()?;
        let sparse = found.blocks() * 512 < found.len();
        let mut buffer = vec![0; PART];
        while size > 0 {
            let most = usize::try_from(size.min(PART as u64)).expect("at most a part");
            let count = from.read_at(&mut buffer[..most], offset)?;
            if count == 0 {
                // The sum will tell.
                break;
            }
            if sparse && buffer[..count] == ZEROS[..count] {
                self.hole(count as u64)?;
            } else {
                self.write(&buffer[..count])?;
            }
            offset += count as u64;
            size -= count as u64;
        }
        Ok(())
    }

    /// How long it is by now.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The sum of what has been written.
    pub(crate) fn sum(&self) -> [u8; 32] {
        self.digest.clone().finalize().into()
    }

    /// Puts it in the target's place, with its attributes; true if that had to be written in place. `clear` removes a
    /// directory that is in the way.
    pub(crate) fn place(
        mut self,
        sync: bool,
        mut clear: impl FnMut() -> io::Result<bool>,
    ) -> io::Result<bool> {
        self.lasting = false;
        // A hole at the end is no end.
        self.file.set_len(self.size)?;
        self.attributes.set(&self.file)?;
        if sync {
            self.file.sync_all()?;
        }
        match self.rename() {
            Err(Errno::ISDIR | Errno::EXIST | Errno::NOTEMPTY) if clear()? => self.rename()?,
            // A file that is mounted on its own cannot be replaced.
            Err(Errno::BUSY | Errno::XDEV) => {
                self.overwrite()?;
                return Ok(true);
            }
            result => result?,
        }
        self.placed = true;
        Ok(false)
    }

    fn rename(&self) -> rustix::io::Result<()> {
        let directory = &self.directory;
        rustix::fs::renameat(directory, &self.name[..], directory, &self.target[..])
    }

    fn overwrite(&mut self) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let target = &self.target[..];
        let target = rustix::fs::openat(&self.directory, target, flags, Mode::empty())?;
        let mut target = File::from(target);
        self.file.seek(SeekFrom::Start(0))?;
        io::copy(&mut self.file, &mut target)?;
        target.set_len(self.size)?;
        self.attributes.set(&target)?;
        target.sync_all()
    }

    /// Removes it, whatever there is of it.
    pub(crate) fn discard(mut self) {
        self.lasting = false;
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !(self.placed || self.lasting && self.size >= LEAST) {
            _ = rustix::fs::unlinkat(&self.directory, &self.name[..], AtFlags::empty());
        }
    }
}

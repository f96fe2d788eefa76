//! A directory of this machine, reached through handles only.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use bytes::Bytes;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::entry::Entry;
use super::exclude::Excludes;

/// So many handles of directories are kept.
const HANDLES: usize = 64;

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Without waiting for the other end of a pipe that has taken a file's place.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK);

/// The directory, or the one file in it, that a copy reads or writes.
///
/// Paths are relative to the root and of plain names. No symbolic link is followed below the root, whoever puts one
/// there and whenever.
#[derive(Debug)]
pub(crate) struct Tree {
    root: OwnedFd,
    /// Where the root is one thing in the directory.
    name: Option<Vec<u8>>,
    handles: HashMap<Vec<u8>, OwnedFd>,
}

impl Tree {
    /// Opens a directory, or with a name the directory in which that is.
    pub(crate) fn open(directory: &Path, name: Option<&[u8]>) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::openat(CWD, directory, flags, Mode::empty())?;
        Ok(Self::of(root, name.map(<[u8]>::to_vec)))
    }

    /// Opens what a path leads to, to be read: a directory, or a regular file.
    pub(crate) fn source(path: &Path) -> io::Result<Self> {
        let found = std::fs::metadata(path)?;
        if found.is_dir() {
            return Self::open(path, None);
        }
        if !found.is_file() {
            let text = "neither a regular file nor a directory";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let real = std::fs::canonicalize(path)?;
        let (directory, name) = (real.parent(), real.file_name());
        let name = name.map(std::ffi::OsStr::as_bytes);
        Self::open(directory.unwrap_or(Path::new("/")), name)
    }

    fn of(root: OwnedFd, name: Option<Vec<u8>>) -> Self {
        Self {
            root,
            name,
            handles: HashMap::new(),
        }
    }

    /// The same for another thread.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self::of(self.root.try_clone()?, self.name.clone()))
    }

    /// Whether the root is one thing, no directory to be filled.
    pub(crate) fn is_single(&self) -> bool {
        self.name.is_some()
    }

    /// The handle of a directory.
    pub(crate) fn directory(&mut self, path: &[u8]) -> io::Result<&OwnedFd> {
        if path.is_empty() {
            return Ok(&self.root);
        }
        if !self.handles.contains_key(path) {
            if self.handles.len() >= HANDLES {
                self.handles.clear();
            }
            let mut at = path.len();
            while at > 0 && !self.handles.contains_key(&path[..at]) {
                at = path[..at]
                    .iter()
                    .rposition(|byte| *byte == b'/')
                    .unwrap_or(0);
            }
            while at < path.len() {
                let begin = if at == 0 { 0 } else { at + 1 };
                let rest = &path[begin..];
                let end = begin
                    + rest
                        .iter()
                        .position(|byte| *byte == b'/')
                        .unwrap_or(rest.len());
                let parent = self.handles.get(&path[..at]).unwrap_or(&self.root);
                let inner =
                    rustix::fs::openat(parent, &path[begin..end], DIRECTORY, Mode::empty())?;
                self.handles.insert(path[..end].to_vec(), inner);
                at = end;
            }
        }
        Ok(&self.handles[path])
    }

    /// The handle of the directory that a thing is in, and its name there.
    pub(crate) fn locate<'a>(&'a mut self, path: &'a [u8]) -> io::Result<(&'a OwnedFd, &'a [u8])> {
        if path.is_empty() {
            return Ok((&self.root, self.name.as_deref().unwrap_or(b".")));
        }
        let (parent, name) = split(path);
        Ok((self.directory(parent)?, name))
    }

    /// What is there; nothing too where a directory above it is none.
    pub(crate) fn find(&mut self, path: &[u8]) -> io::Result<Option<Stat>> {
        let found = self.locate(path).and_then(|(parent, name)| {
            Ok(rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?)
        });
        match found {
            Ok(stat) => Ok(Some(stat)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Describes what is there.
    pub(crate) fn entry(&mut self, path: &[u8]) -> io::Result<Entry> {
        let (parent, name) = self.locate(path)?;
        let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let target = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Symlink => rustix::fs::readlinkat(parent, name, Vec::new())?.into_bytes(),
            _ => Vec::new(),
        };
        Ok(Entry::new(
            Bytes::copy_from_slice(path),
            &stat,
            target.into(),
        ))
    }

    /// Opens a regular file, to be read.
    pub(crate) fn read(&mut self, path: &[u8]) -> io::Result<File> {
        let (parent, name) = self.locate(path)?;
        let file = File::from(rustix::fs::openat(parent, name, READ, Mode::empty())?);
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            let text = "not a regular file any more";
            Err(io::Error::new(io::ErrorKind::InvalidInput, text))
        }
    }

    /// Gives all that is below the root, a directory before what is in it, until `give` says false. What is excluded is
    /// left out with all below it.
    pub(crate) fn walk(
        &mut self,
        excludes: &Excludes,
        mut give: impl FnMut(Bytes, io::Result<Entry>) -> bool,
    ) {
        let mut below = vec![Bytes::new()];
        while let Some(parent) = below.pop() {
            let names = match self.names(&parent) {
                Ok(names) => names,
                Err(error) => {
                    if !give(parent, Err(error)) {
                        return;
                    }
                    continue;
                }
            };
            let mut inner = Vec::new();
            for name in names {
                let path: Bytes = child(&parent, &name).into();
                let entry = self.entry(&path);
                let is_directory =
                    matches!(&entry, Ok(entry) if entry.kind == super::entry::Kind::Directory);
                let gone = matches!(&entry, Err(error) if is_missing(error));
                if gone || excludes.matches(&path, is_directory) {
                    continue;
                }
                if is_directory {
                    inner.push(path.clone());
                }
                if !give(path, entry) {
                    return;
                }
            }
            below.extend(inner.into_iter().rev());
        }
    }

    fn names(&mut self, path: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(self.directory(path)?)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                names.push(name.to_vec());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Removes a file, or a directory with all in it but what is excluded; false when something had to stay.
    pub(crate) fn remove(&mut self, path: &[u8], excludes: &Excludes) -> io::Result<bool> {
        let entry = self.entry(path)?;
        if entry.kind != super::entry::Kind::Directory {
            let (parent, name) = self.locate(path)?;
            rustix::fs::unlinkat(parent, name, AtFlags::empty())?;
            return Ok(true);
        }
        let mut whole = true;
        for name in self.names(path)? {
            let inner = child(path, &name);
            let is_directory = self.entry(&inner)?.kind == super::entry::Kind::Directory;
            whole =
                !excludes.matches(&inner, is_directory) && self.remove(&inner, excludes)? && whole;
        }
        if whole {
            self.remove_directory(path)?;
        }
        Ok(whole)
    }

    /// Removes an empty directory.
    pub(crate) fn remove_directory(&mut self, path: &[u8]) -> io::Result<()> {
        self.handles.retain(|other, _| !other.starts_with(path));
        let (parent, name) = self.locate(path)?;
        Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
    }
}

/// A path's directory and name.
pub(crate) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}

fn child(parent: &[u8], name: &[u8]) -> Vec<u8> {
    if parent.is_empty() {
        name.to_vec()
    } else {
        [parent, b"/", name].concat()
    }
}

/// Whether nothing is there; a link or a file where a directory would be is nothing too.
fn is_missing(error: &io::Error) -> bool {
    let missing = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP];
    error
        .raw_os_error()
        .is_some_and(|code| missing.iter().any(|errno| errno.raw_os_error() == code))
}

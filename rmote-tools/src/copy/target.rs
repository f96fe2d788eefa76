//! The destination on this machine: what is there, what is wanted, and what needs no content.

use std::collections::HashSet;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rustix::fs::{AtFlags, Mode, Stat};
use rustix::io::Errno;

use super::entry::{self, Entry, Kind};
use super::incoming::{Attributes, part_name, temporary_name};
use super::owners::Numbers;
use super::transfer::Settings;
use super::tree::{Tree, split};

/// Files from this size on are compared block by block.
const DELTA: u64 = 1 << 16;

/// The directory, or the file, that a host's files go to.
#[derive(Debug)]
pub(crate) struct Target {
    root: PathBuf,
    /// What the source is called, for a destination that it goes into.
    name: Vec<u8>,
    settings: Settings,
    umask: u32,
    owners: bool,
    pub(crate) numbers: Numbers,
    pub(crate) tree: Option<Tree>,
    made_root: bool,
    /// What directories get when nothing more changes in them.
    directories: Vec<(Bytes, Attributes)>,
    touched: HashSet<Vec<u8>>,
}

/// What becomes of an entry.
#[derive(Debug)]
pub(crate) enum Decision {
    Unchanged,
    Adjusted,
    /// A directory or a link that was made.
    Made,
    /// Its content is wanted.
    Wanted(Wanted),
}

/// A file whose content is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) path: Bytes,
    pub(crate) attributes: Attributes,
    pub(crate) size: u64,
    /// What a part of it is called.
    pub(crate) part_name: Option<Vec<u8>>,
    pub(crate) basis: Basis,
    /// Whether there is an old file.
    pub(crate) update: bool,
}

/// What there is to build a file on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basis {
    None,
    /// The old file, or it and a part of an earlier copy.
    Old,
    /// Only a part.
    Part,
    /// It may be the same.
    Same,
}

impl Target {
    pub(crate) fn new(root: &Path, name: &[u8], settings: &Settings) -> Self {
        Self {
            root: root.to_owned(),
            name: name.to_vec(),
            settings: settings.clone(),
            umask: umask(),
            owners: settings.owners && rustix::process::geteuid().is_root(),
            numbers: Numbers::default(),
            tree: None,
            made_root: false,
            directories: Vec::new(),
            touched: HashSet::new(),
        }
    }

    /// Opens the directory that all goes to, or the one that the file goes to.
    pub(crate) fn open(&mut self, kind: Kind) -> io::Result<()> {
        let mut root = self.root.clone();
        if self.settings.into && root.is_dir() && !matches!(&self.name[..], b"" | b"." | b"..") {
            root.push(std::ffi::OsStr::from_bytes(&self.name));
        }
        if kind == Kind::Directory {
            if !root.is_dir() {
                if root.symlink_metadata().is_ok() {
                    return Err(Errno::NOTDIR.into());
                }
                if self.settings.dry_run {
                    let above = root.parent().filter(|above| !above.as_os_str().is_empty());
                    std::fs::metadata(above.unwrap_or(Path::new(".")))?;
                    return Ok(());
                }
                rustix::fs::mkdir(&root, Mode::RWXU)?;
                self.made_root = true;
            }
            self.tree = Some(Tree::open(&root, None)?);
            return Ok(());
        }
        if root.is_dir() {
            return Err(Errno::ISDIR.into());
        }
        if root.as_os_str().as_bytes().ends_with(b"/") {
            return Err(Errno::NOTDIR.into());
        }
        if root.is_symlink() {
            root = std::fs::canonicalize(&root)?;
        }
        let above = root.parent().filter(|above| !above.as_os_str().is_empty());
        let name = root.file_name().unwrap_or_default().as_bytes();
        self.tree = Some(Tree::open(above.unwrap_or(Path::new(".")), Some(name))?);
        Ok(())
    }

    /// Does what can be done at once about an entry.
    pub(crate) fn decide(&mut self, entry: Entry) -> io::Result<Decision> {
        let stat = match &mut self.tree {
            Some(tree) => tree.find(&entry.path)?,
            None => None,
        };
        let attributes = self.attributes(&entry, stat.as_ref());
        if entry.kind == Kind::Directory {
            return self.directory(entry, stat.as_ref(), attributes);
        }
        let is_directory = stat
            .as_ref()
            .is_some_and(|stat| kind_of(stat) == Kind::Directory);
        if is_directory && !self.settings.delete {
            return Err(Errno::ISDIR.into());
        }
        if entry.kind == Kind::Link {
            return self.link(&entry, stat.as_ref(), attributes);
        }
        self.file(entry, stat.as_ref(), attributes)
    }

    fn attributes(&self, entry: &Entry, stat: Option<&Stat>) -> Attributes {
        let bits = self.settings.mode_bits();
        let (uid, gid) = self.numbers.here(entry.uid, entry.gid);
        let has_mode = stat.is_some_and(|stat| kind_of(stat) != Kind::Link);
        Attributes {
            mode: match (self.settings.modes, has_mode) {
                (true, _) => Some(entry.mode & bits),
                (false, false) => Some(entry.mode & bits & !self.umask),
                (false, true) => None,
            },
            mtime: self.settings.times.then_some(entry.mtime),
            uid: self.owners.then_some(uid),
            gid: self.owners.then_some(gid),
        }
    }

    fn directory(
        &mut self,
        entry: Entry,
        stat: Option<&Stat>,
        mut attributes: Attributes,
    ) -> io::Result<Decision> {
        let there = stat.filter(|stat| kind_of(stat) == Kind::Directory);
        let decision = match there {
            None if stat.is_some() && !self.settings.delete => return Err(Errno::NOTDIR.into()),
            None => Decision::Made,
            Some(_) if self.made_root && entry.path.is_empty() => Decision::Made,
            Some(stat) if attributes.differ(stat) => Decision::Adjusted,
            Some(_) => Decision::Unchanged,
        };
        if self.settings.dry_run {
            return Ok(decision);
        }
        let tree = self.tree.as_mut().expect("opened with the root");
        if let Some(stat) = there {
            let user = rustix::process::geteuid();
            let mode = stat.st_mode & 0o7777;
            if !user.is_root() && stat.st_uid == user.as_raw() && mode & 0o700 != 0o700 {
                // To be written to until all is in it.
                let (parent, name) = tree.locate(&entry.path)?;
                let open = Mode::from_raw_mode(mode | 0o700);
                rustix::fs::chmodat(parent, name, open, AtFlags::empty())?;
                attributes.mode.get_or_insert(mode);
            }
        } else {
            let (parent, name) = tree.locate(&entry.path)?;
            if stat.is_some() {
                rustix::fs::unlinkat(parent, name, AtFlags::empty())?;
            }
            rustix::fs::mkdirat(parent, name, Mode::RWXU)?;
            self.touch(&entry.path);
        }
        self.directories.push((entry.path, attributes));
        Ok(decision)
    }

    fn link(
        &mut self,
        entry: &Entry,
        stat: Option<&Stat>,
        attributes: Attributes,
    ) -> io::Result<Decision> {
        let Some(tree) = &mut self.tree else {
            return Ok(Decision::Made);
        };
        if let Some(stat) = stat.filter(|stat| kind_of(stat) == Kind::Link) {
            let (parent, name) = tree.locate(&entry.path)?;
            let target = rustix::fs::readlinkat(parent, name, Vec::new())?;
            if target.as_bytes() == entry.target {
                if !attributes.differ(stat) {
                    return Ok(Decision::Unchanged);
                }
                if !self.settings.dry_run {
                    attributes.set_link(parent, name)?;
                }
                return Ok(Decision::Adjusted);
            }
        }
        if self.settings.dry_run {
            return Ok(Decision::Made);
        }
        if stat.is_some_and(|stat| kind_of(stat) == Kind::Directory) {
            clear(tree, &entry.path, &self.settings)?;
        }
        let (parent, name) = tree.locate(&entry.path)?;
        let temp = temporary_name()?;
        rustix::fs::symlinkat(&entry.target[..], parent, &temp[..])?;
        let placed = attributes
            .set_link(parent, &temp)
            .and_then(|()| Ok(rustix::fs::renameat(parent, &temp[..], parent, name)?));
        if placed.is_err() {
            _ = rustix::fs::unlinkat(parent, &temp[..], AtFlags::empty());
        }
        placed?;
        self.touch(&entry.path);
        Ok(Decision::Made)
    }

    fn file(
        &mut self,
        entry: Entry,
        stat: Option<&Stat>,
        attributes: Attributes,
    ) -> io::Result<Decision> {
        let mut basis = Basis::None;
        let old = stat.filter(|stat| kind_of(stat) == Kind::File);
        if let Some(stat) = old {
            let size = u64::try_from(stat.st_size).unwrap_or(0);
            if size == entry.size {
                if self.settings.checksum {
                    basis = Basis::Same;
                } else if entry::mtime(stat) == entry.mtime && !self.settings.ignore_times {
                    match self.adjust(&entry.path, stat, attributes) {
                        // It cannot even be opened: it is replaced.
                        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                        result => return result,
                    }
                }
            }
            if basis == Basis::None && !self.settings.whole && size.min(entry.size) >= DELTA {
                basis = Basis::Old;
            }
        }
        let lasting = self
            .settings
            .resume
            .is_some_and(|least| entry.size >= least);
        let part_name = lasting.then(|| self.part_name(&entry));
        if let (Some(name), Basis::None, Some(tree)) = (&part_name, basis, &mut self.tree)
            && let Ok((parent, _)) = tree.locate(&entry.path)
            && rustix::fs::statat(parent, &name[..], AtFlags::SYMLINK_NOFOLLOW).is_ok()
        {
            basis = Basis::Part;
        }
        self.touch(&entry.path);
        Ok(Decision::Wanted(Wanted {
            path: entry.path,
            attributes,
            size: entry.size,
            part_name,
            basis,
            update: old.is_some(),
        }))
    }

    fn part_name(&mut self, entry: &Entry) -> Vec<u8> {
        let name = self.tree.as_mut().and_then(|tree| {
            let (_, name) = tree.locate(&entry.path).ok()?;
            Some(name.to_vec())
        });
        part_name(&name.unwrap_or_default(), entry.size, entry.mtime)
    }

    /// Gives a file that has the right content its attributes.
    fn adjust(&mut self, path: &[u8], stat: &Stat, attributes: Attributes) -> io::Result<Decision> {
        if !attributes.differ(stat) {
            return Ok(Decision::Unchanged);
        }
        if !self.settings.dry_run {
            let tree = self.tree.as_mut().expect("something is there");
            attributes.set(tree.read(path)?)?;
        }
        Ok(Decision::Adjusted)
    }

    fn touch(&mut self, path: &[u8]) {
        let (parent, _) = split(path);
        if !self.touched.contains(parent) {
            self.touched.insert(parent.to_vec());
        }
    }

    /// Deletes what the host does not have, what is inside before the directory, and gives each path to `done`.
    pub(crate) fn delete(
        &mut self,
        told: &HashSet<Bytes>,
        mut done: impl FnMut(&[u8], io::Result<()>),
    ) {
        let Some(tree) = self.tree.as_mut().filter(|tree| !tree.is_single()) else {
            return;
        };
        let mut surplus = Vec::new();
        tree.walk(&self.settings.excludes, |path, entry| {
            let is_directory = matches!(&entry, Ok(entry) if entry.kind == Kind::Directory);
            if entry.is_ok() && !told.contains(&path) {
                surplus.push((path, is_directory));
            }
            true
        });
        for (path, is_directory) in surplus.iter().rev() {
            let result = if self.settings.dry_run {
                Ok(())
            } else if *is_directory {
                tree.remove_directory(path)
            } else {
                tree.locate(path).and_then(|(parent, name)| {
                    Ok(rustix::fs::unlinkat(parent, name, AtFlags::empty())?)
                })
            };
            match result {
                // What is excluded is in it.
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
                result => done(path, result),
            }
        }
        for (path, _) in surplus {
            self.touched.insert(split(&path).0.to_vec());
        }
    }

    /// Gives directories their attributes, the innermost first, and brings their names to the disk.
    pub(crate) fn finish(&mut self, mut failed: impl FnMut(&[u8], io::Error)) {
        let Some(tree) = &mut self.tree else {
            return;
        };
        if tree.is_single() {
            self.directories.clear();
            if self.settings.sync && !self.settings.dry_run {
                // Not every file system can do this, and the file is in its place.
                _ = tree.directory(b"").map(rustix::fs::fsync);
            }
        }
        for (path, attributes) in self.directories.drain(..).rev() {
            let sync = self.settings.sync && self.touched.contains(&path[..]);
            let done = tree.directory(&path).and_then(|directory| {
                if sync {
                    _ = rustix::fs::fsync(directory);
                }
                if attributes.differ(&rustix::fs::fstat(directory)?) {
                    attributes.set(directory)?;
                }
                Ok(())
            });
            if let Err(error) = done {
                failed(&path, error);
            }
        }
    }
}

/// Removes a directory that is in the way; false where that was not asked for.
pub(crate) fn clear(tree: &mut Tree, path: &[u8], settings: &Settings) -> io::Result<bool> {
    if settings.delete && !tree.remove(path, &settings.excludes)? {
        return Err(Errno::NOTEMPTY.into());
    }
    Ok(settings.delete)
}

fn kind_of(stat: &Stat) -> Kind {
    Kind::of(stat.st_mode)
}

/// The mode bits that this process takes from what it makes.
fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    if let Some(umask) = line.and_then(|text| u32::from_str_radix(text.trim(), 8).ok()) {
        return umask;
    }
    // Where there is no /proc: it can only be read by setting it.
    let umask = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    rustix::process::umask(umask);
    umask.as_raw_mode()
}

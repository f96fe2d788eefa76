//! A copy that is about to be made.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use bytes::Bytes;
use rmote_client::{Arguments, HostPath, Input, Sender, Session, Streaming, Value};
use serde::Serialize;

use super::error::CopyError;
use super::exclude::Excludes;
use super::summary::{Action, CopyProgress, Summary, Tally};
use super::{download, upload};
use crate::python::{RECEIVER, SENDER};

/// Files from this size on can be gone on with after a broken copy.
const RESUME: u64 = 4 << 20;

/// A copy of a file or a tree between this machine and a host, made by [`copy_to`](crate::FileSystem::copy_to) and
/// [`copy_from`](crate::FileSystem::copy_from). Nothing happens before [`run`](Self::run).
///
/// A file is written beside its target and renamed when it is whole, so that nobody sees half of one. Its content is
/// verified by a SHA-256 sum. What has the same size and time already is left alone; of a big file that has changed only
/// what is new travels. Memory is bounded, however big the files are.
///
/// Modes and times are kept, symbolic links stay symbolic links, sparse files sparse, names any bytes. Devices, pipes and
/// sockets are skipped, and hard links become files of their own: the [`Summary`] counts both. Set-user-ID,
/// set-group-ID and sticky bits are kept together with [`owners`](Self::owners) only, since they mean nothing without
/// them.
///
/// What comes from a host can only get below the destination: no name and no symbolic link leads out of it.
#[must_use = "nothing is copied before `run`"]
pub struct Transfer {
    session: Session,
    upload: bool,
    local: PathBuf,
    remote: HostPath,
    patterns: Vec<String>,
    settings: Settings,
    tally: Tally,
}

/// What both sides need to know.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent switches"
)]
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) into: bool,
    pub(crate) delete: bool,
    pub(crate) dry_run: bool,
    pub(crate) checksum: bool,
    pub(crate) ignore_times: bool,
    pub(crate) whole: bool,
    pub(crate) modes: bool,
    pub(crate) times: bool,
    pub(crate) owners: bool,
    pub(crate) sync: bool,
    pub(crate) resume: Option<u64>,
    pub(crate) excludes: Excludes,
}

/// The settings as the host takes them.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent switches"
)]
#[derive(Serialize)]
struct HostSettings {
    into: bool,
    name: Bytes,
    delete: bool,
    dry_run: bool,
    checksum: bool,
    ignore_times: bool,
    whole: bool,
    modes: bool,
    times: bool,
    owners: bool,
    sync: bool,
    resume: Option<u64>,
    excludes: Vec<(Bytes, bool)>,
}

impl Transfer {
    pub(crate) fn new(session: Session, upload: bool, local: &Path, remote: HostPath) -> Self {
        Self {
            session,
            upload,
            local: local.to_owned(),
            remote,
            patterns: Vec::new(),
            settings: Settings {
                into: false,
                delete: false,
                dry_run: false,
                checksum: false,
                ignore_times: false,
                whole: false,
                modes: true,
                times: true,
                owners: false,
                sync: true,
                resume: Some(RESUME),
                excludes: Excludes::default(),
            },
            tally: Tally::default(),
        }
    }

    /// Where the destination is a directory, puts the source into it under its own name, as `cp` does. Defaults to false:
    /// the destination is the copy's own path, and a directory's content is merged into one that is there.
    pub fn into_directory(mut self, into: bool) -> Self {
        self.settings.into = into;
        self
    }

    /// Deletes what the source does not have, once all else has succeeded; and what is in the way of something of
    /// another type. Defaults to false.
    pub fn delete(mut self, delete: bool) -> Self {
        self.settings.delete = delete;
        self
    }

    /// Leaves out what a pattern matches, with all below it; it is not deleted either. May be given several times.
    ///
    /// The pattern is a glob with `*`, `?`, `[...]`, `{a,b}`, and `**` for any number of directories. One without a `/`
    /// is for names at any depth, any other for paths from the root on; one with a `/` at its end is for directories only.
    pub fn exclude(mut self, pattern: impl Into<String>) -> Self {
        self.patterns.push(pattern.into());
        self
    }

    /// Changes nothing and tells what would be done. Defaults to false.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.settings.dry_run = dry_run;
        self
    }

    /// Compares files of the same size by their content instead of their time. Defaults to false.
    pub fn checksum(mut self, checksum: bool) -> Self {
        self.settings.checksum = checksum;
        self
    }

    /// Copies files again that have the same size and time. Defaults to false.
    pub fn ignore_times(mut self, ignore_times: bool) -> Self {
        self.settings.ignore_times = ignore_times;
        self
    }

    /// Sends whole files, without a look at the target's old ones. Defaults to false.
    pub fn whole_files(mut self, whole: bool) -> Self {
        self.settings.whole = whole;
        self
    }

    /// Whether modes are kept, the default. Without it files keep theirs and new ones get the source's mode less the umask.
    pub fn modes(mut self, modes: bool) -> Self {
        self.settings.modes = modes;
        self
    }

    /// Whether times are kept, the default. Without it the next copy sees files as changed.
    pub fn times(mut self, times: bool) -> Self {
        self.settings.times = times;
        self
    }

    /// Keeps owner and group, by name and else by number, where the receiving side is root; and the set-user-ID,
    /// set-group-ID and sticky bits. Defaults to false.
    pub fn owners(mut self, owners: bool) -> Self {
        self.settings.owners = owners;
        self
    }

    /// Whether each file is brought to the disk before it replaces the old one, the default. Without it a copy of many
    /// files is faster, and a crash of the system may leave empty ones.
    pub fn sync(mut self, sync: bool) -> Self {
        self.settings.sync = sync;
        self
    }

    /// Whether the part of a file of at least 4 MiB stays beside the target when the copy breaks, for the next one to go
    /// on from. Defaults to true.
    pub fn resume(mut self, resume: bool) -> Self {
        self.settings.resume = resume.then_some(RESUME);
        self
    }

    /// Calls a function with each step of progress. It should be quick, the copy waits for it.
    pub fn progress(mut self, tell: impl Fn(CopyProgress) + Send + Sync + 'static) -> Self {
        self.tally.on_progress = Some(Box::new(tell));
        self
    }

    /// Calls a function with each thing that is changed, made, deleted or skipped, with its path relative to what is
    /// copied. It should be quick, the copy waits for it.
    pub fn each(mut self, tell: impl Fn(&Path, Action) + Send + Sync + 'static) -> Self {
        self.tally.on_action = Some(Box::new(tell));
        self
    }

    /// Makes the copy.
    ///
    /// # Errors
    ///
    /// [`CopyError::Incomplete`] if some things failed and the others were copied; any other ends the copy at once, and
    /// what has been copied stays.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the copy. Files that are in their places stay, the others leave nothing behind but the
    /// parts that [`resume`](Self::resume) is for.
    pub async fn run(mut self) -> Result<Summary, CopyError> {
        self.settings.excludes =
            Excludes::new(&self.patterns).map_err(|error| CopyError::Exclude(error.to_string()))?;
        let job = Job {
            session: &self.session,
            upload: self.upload,
            local: &self.local,
            remote: &self.remote,
            settings: &self.settings,
            tally: &self.tally,
        };
        if self.upload {
            upload::run(job).await?;
        } else {
            download::run(job).await?;
        }
        let summary = self.tally.summary();
        if summary.failed > 0 {
            return Err(CopyError::Incomplete(Box::new(summary)));
        }
        Ok(summary)
    }
}

/// All that one copy is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) session: &'a Session,
    pub(crate) upload: bool,
    pub(crate) local: &'a Path,
    pub(crate) remote: &'a HostPath,
    pub(crate) settings: &'a Settings,
    pub(crate) tally: &'a Tally,
}

impl Job<'_> {
    /// Starts the function on the host that this machine then talks to.
    pub(crate) async fn start(&self) -> Result<(Sender, Streaming<Value>), CopyError> {
        let (sender, input) = Input::channel();
        let (module, function) = if self.upload {
            (&RECEIVER, "receive")
        } else {
            (&SENDER, "send")
        };
        let arguments = Arguments::default()
            .input(input)
            .positional(self.remote)
            .and_then(|arguments| arguments.positional(&self.settings.for_host(self.local)))
            .expect("paths, flags and bytes are values");
        let tool = self.session.module(module);
        Ok((sender, tool.stream_with(function, arguments).await?))
    }

    /// An error of this machine at a path of the copy.
    pub(crate) fn local_error(&self, source: io::Error) -> CopyError {
        CopyError::Local {
            path: self.local.to_owned(),
            source,
        }
    }

    pub(crate) fn protocol(&self, what: &'static str) -> CopyError {
        CopyError::Protocol(self.session.target().to_owned(), what)
    }
}

impl Settings {
    fn for_host(&self, local: &Path) -> HostSettings {
        let name = local.file_name().unwrap_or_default();
        HostSettings {
            into: self.into,
            name: Bytes::copy_from_slice(name.as_bytes()),
            delete: self.delete,
            dry_run: self.dry_run,
            checksum: self.checksum,
            ignore_times: self.ignore_times,
            whole: self.whole,
            modes: self.modes,
            times: self.times,
            owners: self.owners,
            sync: self.sync,
            resume: self.resume,
            excludes: self.excludes.expressions(),
        }
    }

    /// The mode bits that are kept.
    pub(crate) fn mode_bits(&self) -> u32 {
        if self.owners { 0o7777 } else { 0o777 }
    }
}

impl fmt::Debug for Transfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transfer")
            .field("upload", &self.upload)
            .field("local", &self.local)
            .field("remote", &self.remote)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

//! What a copy did, and what it is doing.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rmote_client::HostPath;

/// So many failures are kept in a summary; more are only counted.
const FAILURES: usize = 1000;

/// What a copy did; of a dry run what it would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Files that were made or got other content.
    pub files: u64,
    /// Directories that were made.
    pub directories: u64,
    /// Symbolic links that were made or changed.
    pub links: u64,
    /// Things that only got another mode, time or owner.
    pub adjusted: u64,
    /// Things that were as they should be.
    pub unchanged: u64,
    /// Things that were deleted.
    pub deleted: u64,
    /// Whether nothing was deleted although it was asked for, since something else had failed.
    pub kept: bool,
    /// The bytes of the files' content.
    pub bytes: u64,
    /// How many of them travelled.
    pub literal: u64,
    /// How many were found in what the target had: the old file, or a part that an earlier copy left.
    pub reused: u64,
    /// Files that could not be replaced, since they are mounted on their own, and were written in place.
    pub in_place: u64,
    /// Files with several names that were copied as one file each.
    pub hard_links: u64,
    /// Devices, pipes and sockets, which are not copied.
    pub skipped: u64,
    /// How many things failed.
    pub failed: u64,
    /// What failed, but for the thousandth and later.
    pub failures: Vec<Failure>,
}

/// Something that could not be copied or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// What, relative to what was copied; empty for that itself.
    pub path: HostPath,
    /// Whether it failed on the host, else here.
    pub on_host: bool,
    /// Why, as that system says it. From a host it may be anything.
    pub reason: String,
}

/// How far a copy is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyProgress {
    /// Files that are done.
    pub files: u64,
    /// Files that are known to need their content so far.
    pub total_files: u64,
    /// Bytes of content that are done.
    pub bytes: u64,
    /// Bytes of content that are known to be needed so far.
    pub total_bytes: u64,
    /// Whether all is known, so that the totals will not grow any more.
    pub complete: bool,
}

/// What becomes of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// It is made.
    Create,
    /// Its content is changed.
    Update,
    /// It only gets another mode, time or owner.
    Adjust,
    /// It is deleted.
    Delete,
    /// It is a device, a pipe or a socket, and not copied.
    Skip,
    /// It is written in place, since it is mounted on its own.
    InPlace,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.on_host { "on the host" } else { "here" };
        let path = self.path.as_path().to_string_lossy();
        let path = if path.is_empty() { ".".into() } else { path };
        let (path, reason) = (
            rmote_client::escape(&path),
            rmote_client::escape(&self.reason),
        );
        write!(f, "{path}: {reason} ({side})")
    }
}

pub(crate) type OnProgress = Box<dyn Fn(CopyProgress) + Send + Sync>;
pub(crate) type OnAction = Box<dyn Fn(&std::path::Path, Action) + Send + Sync>;

/// Counts, and tells who wants to know.
#[derive(Default)]
pub(crate) struct Tally {
    counts: Mutex<(Summary, CopyProgress)>,
    pub(crate) on_progress: Option<OnProgress>,
    pub(crate) on_action: Option<OnAction>,
}

impl Tally {
    /// Changes the counts.
    pub(crate) fn count(&self, change: impl FnOnce(&mut Summary, &mut CopyProgress)) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let (summary, progress) = &mut *counts;
        let before = *progress;
        change(summary, progress);
        let now = *progress;
        drop(counts);
        if let Some(tell) = self.on_progress.as_ref().filter(|_| now != before) {
            tell(now);
        }
    }

    pub(crate) fn act(&self, path: &[u8], action: Action) {
        if let Some(tell) = &self.on_action {
            tell(&path_of(path), action);
        }
    }

    pub(crate) fn fail(&self, path: &[u8], on_host: bool, reason: impl Into<String>) {
        self.count(|summary, _| {
            summary.failed += 1;
            if summary.failures.len() < FAILURES {
                summary.failures.push(Failure {
                    path: path_of(path).into(),
                    on_host,
                    reason: reason.into(),
                });
            }
        });
    }

    pub(crate) fn failed(&self) -> bool {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.0.failed > 0
    }

    pub(crate) fn summary(&self) -> Summary {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.0.clone()
    }
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tally").finish_non_exhaustive()
    }
}

fn path_of(path: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;

    std::ffi::OsStr::from_bytes(path).into()
}

//! A tree with all that a tree may have, and what there is of one.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "test code that several files include and use in part"
)]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

/// A source tree, and where it is to go.
#[derive(Debug)]
pub struct Sample {
    pub dir: TempDir,
    pub source: PathBuf,
    pub target: PathBuf,
    pub files: u64,
    /// Without the root.
    pub directories: u64,
    pub links: u64,
}

impl Sample {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let source = dir.path().join("source");
        let at = |name: &str| source.join(name);
        fs::create_dir_all(at("deep/er")).unwrap();
        fs::create_dir_all(at("hollow")).unwrap();
        fs::create_dir_all(at("closed")).unwrap();
        let odd = source.join(OsStr::from_bytes(b"caf\xe9 \n\x1b[31m"));
        let files: [(PathBuf, Vec<u8>, u32); 8] = [
            (at("plain"), b"plain\n".to_vec(), 0o644),
            (at("empty"), Vec::new(), 0o600),
            (at("deep/er/leaf"), b"leaf".to_vec(), 0o755),
            (at("middle"), noise(40_000, 3), 0o444),
            (at("big"), noise(3_000_000, 4), 0o640),
            (at("closed/inner"), b"inner".to_vec(), 0o400),
            (odd, b"odd".to_vec(), 0o644),
            (at("-rf *"), b"careful".to_vec(), 0o644),
        ];
        for (number, (path, data, mode)) in (1_u64..).zip(&files) {
            fs::write(path, data).unwrap();
            fs::set_permissions(path, PermissionsExt::from_mode(*mode)).unwrap();
            set_mtime(
                path,
                SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000 + number, 123_456_789),
            );
        }
        fs::hard_link(at("plain"), at("twin")).unwrap();
        let mut sparse = fs::File::create(at("sparse")).unwrap();
        sparse.write_all(b"begin").unwrap();
        sparse.seek(SeekFrom::Start(5 << 20)).unwrap();
        sparse.write_all(b"middle").unwrap();
        sparse.set_len(9 << 20).unwrap();
        symlink("plain", at("link")).unwrap();
        symlink(OsStr::from_bytes(b"/no/where\xff"), at("dangling")).unwrap();
        symlink("deep", at("to-directory")).unwrap();
        assert!(
            Command::new("mkfifo")
                .arg(at("pipe"))
                .status()
                .unwrap()
                .success()
        );
        fs::set_permissions(at("closed"), PermissionsExt::from_mode(0o555)).unwrap();
        for name in ["deep/er", "deep", "closed", ""] {
            set_mtime(
                &at(name),
                SystemTime::UNIX_EPOCH + Duration::new(999_999_999, 1),
            );
        }
        Self {
            target: dir.path().join("target"),
            dir,
            source,
            files: files.len() as u64 + 2,
            directories: 4,
            links: 3,
        }
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        for tree in [&self.source, &self.target] {
            _ = fs::set_permissions(tree.join("closed"), PermissionsExt::from_mode(0o755));
        }
    }
}

/// One thing: mode, time, and its content or where it leads.
#[derive(Debug, PartialEq, Eq)]
pub struct Thing(u32, i64, i64, Vec<u8>);

/// All that is below a directory and can be copied, and itself under the empty path.
pub fn listing(root: &Path) -> BTreeMap<PathBuf, Thing> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(path) = open.pop() {
        // It may be gone by now where a copy is being tidied up.
        let Ok(stat) = path.symlink_metadata() else {
            continue;
        };
        let kind = stat.file_type();
        let mut content = Vec::new();
        if kind.is_dir() {
            open.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if kind.is_symlink() {
            content = fs::read_link(&path)
                .unwrap()
                .as_os_str()
                .as_bytes()
                .to_vec();
        } else if kind.is_file() {
            content = fs::read(&path).unwrap_or_default();
        } else {
            continue;
        }
        let relative = path.strip_prefix(root).unwrap().to_owned();
        found.insert(
            relative,
            Thing(
                stat.mode() & 0o170_777,
                stat.mtime(),
                stat.mtime_nsec(),
                content,
            ),
        );
    }
    found
}

pub fn set_mtime(path: &Path, time: SystemTime) {
    let file = fs::File::open(path).unwrap();
    file.set_modified(time).unwrap();
}

/// Bytes without a pattern.
pub fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_add(1);
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = std::iter::repeat_with(next)
        .take(size.div_ceil(8))
        .flatten()
        .collect();
    bytes.truncate(size);
    bytes
}

/// Temporary files and parts below a directory.
pub fn temporary(path: &Path) -> Vec<PathBuf> {
    let is_temporary = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.as_bytes().starts_with(b".rmote-"))
    };
    listing(path).into_keys().filter(is_temporary).collect()
}

/// Waits until the condition holds.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < end, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Says that a test did not run, or fails where all tests were asked for.
pub fn skipped(reason: &str) {
    assert!(
        std::env::var_os("RMOTE_TEST_REQUIRE").is_none_or(|value| value != "all"),
        "SKIPPED: {reason}"
    );
    eprintln!("SKIPPED: {reason}");
}

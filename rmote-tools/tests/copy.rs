//! Copies of files and trees, to a host and from it.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

#[path = "copy/sample.rs"]
mod sample;

use std::os::unix::fs::{MetadataExt as _, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rmote_tools::{Action, CopyError, CopyProgress, FileSystem, Local, Session, Summary, Transfer};
use sample::{Sample, listing, noise, set_mtime, temporary};

/// Which way a copy goes: each test runs both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    To,
    From,
}

use Way::{From, To};

impl Way {
    fn copy(self, fs: &FileSystem, source: &Path, target: &Path) -> Transfer {
        match self {
            To => fs.copy_to(source, target),
            From => fs.copy_from(source, target),
        }
    }
}

async fn host() -> (Session, FileSystem) {
    let host = Session::connect(Local::new()).await.unwrap();
    let fs = FileSystem::new(&host);
    (host, fs)
}

fn incomplete(result: Result<Summary, CopyError>) -> Summary {
    match result {
        Err(CopyError::Incomplete(summary)) => *summary,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_tree_arrives_as_it_was_and_then_there_is_nothing_to_do() {
    let (host, fs) = host().await;
    for way in [To, From] {
        let sample = Sample::new();
        let summary = way
            .copy(&fs, &sample.source, &sample.target)
            .run()
            .await
            .unwrap();
        assert_eq!(listing(&sample.target), listing(&sample.source), "{way:?}");
        assert_eq!(summary.files, sample.files);
        assert_eq!(
            (summary.directories, summary.links),
            (sample.directories + 1, sample.links)
        );
        assert_eq!(
            (summary.skipped, summary.failed, summary.in_place),
            (1, 0, 0)
        );
        assert_eq!(summary.hard_links, 2);
        let sparse = sample.target.join("sparse").metadata().unwrap();
        assert!(
            sparse.blocks() * 512 < sparse.len() / 4,
            "{} blocks",
            sparse.blocks()
        );
        let again = way
            .copy(&fs, &sample.source, &sample.target)
            .run()
            .await
            .unwrap();
        assert_eq!((again.files, again.adjusted, again.literal), (0, 0, 0));
        assert_eq!(
            again.unchanged,
            sample.files + sample.directories + sample.links + 1
        );
        assert_eq!(temporary(&sample.target), Vec::<PathBuf>::new());
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn what_has_changed_is_copied_and_what_is_gone_deleted() {
    let (host, fs) = host().await;
    for way in [To, From] {
        let sample = Sample::new();
        let run = || {
            way.copy(&fs, &sample.source, &sample.target)
                .delete(true)
                .exclude("*.key")
        };
        run().run().await.unwrap();
        std::fs::write(sample.source.join("-rf *"), "changed").unwrap();
        std::fs::remove_file(sample.source.join("deep/er/leaf")).unwrap();
        std::fs::remove_dir_all(sample.source.join("hollow")).unwrap();
        std::fs::create_dir_all(sample.target.join("surplus/inner")).unwrap();
        std::fs::create_dir_all(sample.target.join("guarded/inner")).unwrap();
        std::fs::write(sample.target.join("surplus/inner/file"), "x").unwrap();
        std::fs::write(sample.target.join("guarded/inner/my.key"), "secret").unwrap();
        std::fs::write(sample.target.join("guarded/inner/other"), "x").unwrap();

        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = seen.clone();
        let dry = run()
            .dry_run(true)
            .each(move |path, action| told.lock().unwrap().push((path.to_owned(), action)))
            .run()
            .await
            .unwrap();
        assert!(sample.target.join("surplus/inner/file").exists());
        assert_ne!(
            std::fs::read(sample.target.join("plain")).unwrap(),
            b"changed"
        );
        let told = seen.lock().unwrap().clone();
        for (path, action) in [
            ("-rf *", Action::Update),
            ("deep/er/leaf", Action::Delete),
            ("hollow", Action::Delete),
            ("surplus/inner/file", Action::Delete),
            ("guarded/inner/other", Action::Delete),
        ] {
            assert!(
                told.contains(&(path.into(), action)),
                "{way:?} {path}: {told:?}"
            );
        }
        assert!(!told.iter().any(|(path, _)| path.ends_with("my.key")));

        let summary = run().run().await.unwrap();
        assert_eq!((summary.files, dry.files), (1, 1), "{way:?}");
        // leaf, hollow, surplus with two below it, guarded/inner/other.
        assert_eq!(summary.deleted, 6, "{way:?}");
        assert_eq!(
            std::fs::read(sample.target.join("guarded/inner/my.key")).unwrap(),
            b"secret"
        );
        std::fs::remove_dir_all(sample.target.join("guarded")).unwrap();
        set_mtime(
            &sample.target,
            sample.source.metadata().unwrap().modified().unwrap(),
        );
        assert_eq!(listing(&sample.target), listing(&sample.source));
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn nothing_is_deleted_when_something_failed() {
    let (host, fs) = host().await;
    for way in [To, From] {
        let sample = Sample::new();
        std::fs::create_dir_all(sample.target.join("plain")).unwrap();
        std::fs::write(sample.target.join("plain/inner"), "x").unwrap();
        std::fs::write(sample.target.join("plain/my.key"), "x").unwrap();
        std::fs::write(sample.target.join("surplus"), "x").unwrap();
        // A directory with something excluded in it is in the way.
        let copy = way
            .copy(&fs, &sample.source, &sample.target)
            .delete(true)
            .exclude("*.key");
        let summary = incomplete(copy.run().await);
        assert!(summary.kept && summary.failed == 1, "{summary:?}");
        assert_eq!(summary.failures[0].path.as_path(), Path::new("plain"));
        assert_eq!(summary.failures[0].on_host, way == To);
        assert!(sample.target.join("surplus").exists());
        assert!(
            sample.target.join("deep/er/leaf").exists(),
            "the others are copied"
        );
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn of_a_changed_big_file_only_the_change_travels() {
    let (host, fs) = host().await;
    for way in [To, From] {
        let dir = tempfile::tempdir().unwrap();
        let (source, target) = (dir.path().join("new"), dir.path().join("old"));
        let old = noise(8 << 20, 1);
        // A change, an insert that moves the rest, and a longer end.
        let mut new = [
            &old[..3_000_001],
            b"inserted",
            &old[3_000_001..],
            &noise(5000, 2),
        ]
        .concat();
        new[1_000_000] ^= 1;
        std::fs::write(&source, &new).unwrap();
        std::fs::write(&target, &old).unwrap();
        let summary = way.copy(&fs, &source, &target).run().await.unwrap();
        assert!(std::fs::read(&target).unwrap() == new);
        assert!(summary.literal < 30_000, "{way:?}: {summary:?}");
        assert_eq!(summary.literal + summary.reused, new.len() as u64);
        assert_eq!(temporary(dir.path()), Vec::<PathBuf>::new());

        // Unless it is not wanted.
        std::fs::write(&target, &old).unwrap();
        let summary = way
            .copy(&fs, &source, &target)
            .whole_files(true)
            .run()
            .await
            .unwrap();
        assert_eq!((summary.literal, summary.reused), (new.len() as u64, 0));
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn many_changed_files_with_their_sums_at_once() {
    let (host, fs) = host().await;
    for way in [To, From] {
        let dir = tempfile::tempdir().unwrap();
        let (source, target) = (dir.path().join("new"), dir.path().join("old"));
        std::fs::create_dir(&source).unwrap();
        std::fs::create_dir(&target).unwrap();
        for number in 0..200 {
            let mut data = noise(100_000, number);
            std::fs::write(target.join(number.to_string()), &data).unwrap();
            set_mtime(
                &target.join(number.to_string()),
                std::time::SystemTime::UNIX_EPOCH,
            );
            data[5000] ^= 1;
            std::fs::write(source.join(number.to_string()), &data).unwrap();
        }
        let summary = way
            .copy(&fs, &source, &target)
            .sync(false)
            .run()
            .await
            .unwrap();
        assert_eq!(summary.files, 200);
        assert!(summary.literal <= 200 * 2048, "{way:?}: {summary:?}");
        assert_eq!(listing(&target), listing(&source));
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn checksums_find_what_times_hide() {
    let (host, fs) = host().await;
    for way in [To, From] {
        let sample = Sample::new();
        way.copy(&fs, &sample.source, &sample.target)
            .run()
            .await
            .unwrap();
        let (plain, other) = (
            sample.target.join("plain"),
            sample.target.join("deep/er/leaf"),
        );
        let time = plain.metadata().unwrap().modified().unwrap();
        let size = usize::try_from(plain.metadata().unwrap().len()).unwrap();
        std::fs::write(&plain, vec![b'?'; size]).unwrap();
        set_mtime(&plain, time);
        set_mtime(&other, std::time::SystemTime::UNIX_EPOCH);
        let summary = way
            .copy(&fs, &sample.source, &sample.target)
            .checksum(true)
            .run()
            .await
            .unwrap();
        assert_eq!(listing(&sample.target), listing(&sample.source));
        assert_eq!(summary.literal, size as u64, "{way:?}");
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn the_destination_is_a_path_or_a_directory_to_go_into() {
    let (host, fs) = host().await;
    for way in [To, From] {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("file"), "x").unwrap();
        std::fs::create_dir_all(at("tree/inner")).unwrap();
        std::fs::create_dir(at("into")).unwrap();
        let copy = |from: &str, to: &str| way.copy(&fs, &at(from), &at(to));
        copy("file", "into")
            .into_directory(true)
            .run()
            .await
            .unwrap();
        copy("tree", "into")
            .into_directory(true)
            .run()
            .await
            .unwrap();
        copy("tree", "made")
            .into_directory(true)
            .run()
            .await
            .unwrap();
        copy("tree", "into").run().await.unwrap();
        copy("file", "second").run().await.unwrap();
        for found in [
            "into/file",
            "into/tree/inner",
            "made/inner",
            "into/inner",
            "second",
        ] {
            assert!(at(found).exists(), "{way:?} {found}");
        }
        assert!(!at("into/second").exists());
        for (from, to) in [
            ("file", "into"),
            ("tree", "file"),
            ("file", "no/where"),
            ("missing", "x"),
        ] {
            let error = copy(from, to).run().await.unwrap_err();
            assert!(
                matches!(error, CopyError::Call(_) | CopyError::Local { .. }),
                "{error:?}"
            );
        }
        // A link that the user names is followed, on both sides.
        symlink("file", at("link")).unwrap();
        symlink("into", at("way")).unwrap();
        std::fs::write(at("fresh"), "fresh").unwrap();
        copy("fresh", "link").run().await.unwrap();
        copy("link", "way/copy").run().await.unwrap();
        assert_eq!(std::fs::read(at("into/copy")).unwrap(), b"fresh");
        assert!(at("link").is_symlink());
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn a_link_in_the_destination_leads_nowhere() {
    let (host, fs) = host().await;
    for way in [To, From] {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir_all(at("source/sub")).unwrap();
        std::fs::write(at("source/sub/file"), "x").unwrap();
        std::fs::write(at("source/other"), "x").unwrap();
        std::fs::create_dir_all(at("target")).unwrap();
        std::fs::create_dir_all(at("outside")).unwrap();
        symlink(at("outside"), at("target/sub")).unwrap();
        symlink(at("outside/other"), at("target/other")).unwrap();
        let copy = || way.copy(&fs, &at("source"), &at("target"));
        let summary = incomplete(copy().run().await);
        assert_eq!(summary.failed, 2, "{summary:?}");
        assert_eq!(
            std::fs::read_dir(at("outside")).unwrap().count(),
            0,
            "{way:?}"
        );
        assert!(!at("target/other").is_symlink());
        copy().delete(true).run().await.unwrap();
        assert_eq!(listing(&at("target")), listing(&at("source")));
        assert_eq!(
            std::fs::read_dir(at("outside")).unwrap().count(),
            0,
            "{way:?}"
        );
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn progress_ends_where_the_totals_are() {
    let (host, fs) = host().await;
    for way in [To, From] {
        let sample = Sample::new();
        let last = Arc::new(Mutex::new(CopyProgress::default()));
        let seen = last.clone();
        let summary = way
            .copy(&fs, &sample.source, &sample.target)
            .progress(move |now| {
                let mut last = seen.lock().unwrap();
                assert!(
                    now.files >= last.files && now.bytes >= last.bytes,
                    "it never goes back"
                );
                *last = now;
            })
            .run()
            .await
            .unwrap();
        let last = *last.lock().unwrap();
        assert!(last.complete, "{way:?}");
        assert_eq!(
            (last.files, last.total_files),
            (summary.files, summary.files)
        );
        assert_eq!(
            (last.bytes, last.total_bytes),
            (summary.bytes, summary.bytes),
            "{way:?}"
        );
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn modes_and_times_may_be_left_alone() {
    let (host, fs) = host().await;
    for way in [To, From] {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir_all(at("source")).unwrap();
        std::fs::create_dir_all(at("target")).unwrap();
        for name in ["source/a", "source/b", "target/a"] {
            std::fs::write(at(name), name).unwrap();
        }
        let mode = |name: &str, mode| {
            std::fs::set_permissions(at(name), PermissionsExt::from_mode(mode)).unwrap();
        };
        mode("source/a", 0o777);
        mode("source/b", 0o4777);
        mode("target/a", 0o600);
        set_mtime(&at("source/a"), std::time::SystemTime::UNIX_EPOCH);
        let copy = || way.copy(&fs, &at("source"), &at("target"));
        copy().modes(false).times(false).run().await.unwrap();
        let found = |name: &str| at(name).metadata().unwrap();
        assert_eq!(found("target/a").mode() & 0o7777, 0o600);
        assert_eq!(found("target/b").mode() & 0o7000, 0);
        assert!(found("target/a").mtime() > 0);
        copy().run().await.unwrap();
        // What a set-user-ID bit means depends on the owner.
        assert_eq!(found("target/b").mode() & 0o7777, 0o777);
        assert_eq!(found("target/a").mtime(), 0);
    }
    host.close().await.unwrap();
}

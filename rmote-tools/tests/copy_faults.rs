//! Copies that something goes wrong with: broken links, cancelled futures, full disks, hosts that lie.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

#[path = "copy/sample.rs"]
mod sample;

use std::future::Future;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command as Program;
use std::sync::Arc;
use std::time::Duration;

use rmote_tools::{Command, CopyError, FileSystem, Local, Session, Summary, Transfer};
use sample::{eventually, listing, noise, skipped, temporary};
use tokio::sync::Notify;

const SIZE: usize = 24 << 20;

async fn within<T>(future: impl Future<Output = T>) -> T {
    let guard = Duration::from_secs(60);
    tokio::time::timeout(guard, future)
        .await
        .expect("the test hangs")
}

async fn host() -> (Session, FileSystem) {
    let host = Session::connect(Local::new()).await.unwrap();
    let fs = FileSystem::new(&host);
    (host, fs)
}

fn copy(upload: bool, fs: &FileSystem, source: &Path, target: &Path) -> Transfer {
    if upload {
        fs.copy_to(source, target)
    } else {
        fs.copy_from(source, target)
    }
}

fn incomplete(result: Result<Summary, CopyError>) -> Summary {
    match result {
        Err(CopyError::Incomplete(summary)) => *summary,
        other => panic!("{other:?}"),
    }
}

/// Tells when half of the bytes are done.
fn half(copy: Transfer) -> (Transfer, Arc<Notify>) {
    let reached = Arc::new(Notify::new());
    let tell = reached.clone();
    let copy = copy.progress(move |now| {
        if now.bytes > SIZE as u64 / 2 {
            tell.notify_one();
        }
    });
    (copy, reached)
}

#[tokio::test]
async fn after_a_broken_link_the_next_copy_goes_on() {
    for upload in [true, false] {
        within(async {
            let dir = tempfile::tempdir().unwrap();
            let (source, target) = (dir.path().join("source"), dir.path().join("target"));
            let data = noise(SIZE, 1);
            std::fs::write(&source, &data).unwrap();
            std::fs::write(&target, "old").unwrap();
            let (host, fs) = host().await;
            let pid: u32 = host.call("os.getpid", ()).await.unwrap();
            let (broken, reached) = half(copy(upload, &fs, &source, &target));
            let kill = async {
                reached.notified().await;
                let killed = Program::new("kill")
                    .args(["-KILL", &pid.to_string()])
                    .status();
                assert!(killed.unwrap().success());
            };
            let (result, ()) = tokio::join!(broken.run(), kill);
            assert!(matches!(result, Err(CopyError::Call(_))), "{result:?}");
            assert_eq!(std::fs::read(&target).unwrap(), b"old");
            eventually("only the part is left", || temporary(dir.path()).len() == 1).await;

            let (host, fs) = self::host().await;
            let summary = copy(upload, &fs, &source, &target).run().await.unwrap();
            assert!(std::fs::read(&target).unwrap() == data);
            assert_eq!(summary.literal + summary.reused, SIZE as u64);
            assert!(
                summary.literal < SIZE as u64 * 3 / 4,
                "{upload} {summary:?}"
            );
            assert_eq!(temporary(dir.path()).len(), 0);
            host.close().await.unwrap();
        })
        .await;
    }
}

#[tokio::test]
async fn a_part_that_someone_changed_is_not_trusted() {
    let (host, fs) = host().await;
    for upload in [true, false] {
        within(async {
            let dir = tempfile::tempdir().unwrap();
            let (source, target) = (dir.path().join("source"), dir.path().join("target"));
            let data = noise(SIZE, 1);
            std::fs::write(&source, &data).unwrap();
            let (broken, reached) = half(copy(upload, &fs, &source, &target));
            tokio::select! {
                result = broken.run() => panic!("{result:?}"),
                () = reached.notified() => {}
            }
            eventually("the part is all there is", || {
                let left = temporary(dir.path());
                left.len() == 1 && left[0].to_string_lossy().ends_with(".part")
            })
            .await;
            let part = dir.path().join(&temporary(dir.path())[0]);
            // Whoever still writes it is done once it can be taken away and put back with other content.
            let mut content = std::fs::read(&part).unwrap();
            std::fs::remove_file(&part).unwrap();
            content[100] ^= 1;
            std::fs::write(&part, &content).unwrap();
            std::fs::set_permissions(&part, PermissionsExt::from_mode(0o600)).unwrap();
            let summary = copy(upload, &fs, &source, &target).run().await.unwrap();
            assert!(std::fs::read(&target).unwrap() == data);
            assert_eq!((summary.literal, summary.reused), (SIZE as u64, 0));
            assert_eq!(temporary(dir.path()).len(), 0);
        })
        .await;
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn a_cancelled_copy_leaves_nothing_behind() {
    let (host, fs) = host().await;
    for upload in [true, false] {
        within(async {
            let dir = tempfile::tempdir().unwrap();
            let (source, target) = (dir.path().join("source"), dir.path().join("target"));
            std::fs::create_dir(&source).unwrap();
            for number in 0..8 {
                let name = source.join(format!("{number}"));
                std::fs::write(name, noise(SIZE / 8, number)).unwrap();
            }
            let (cancelled, reached) = half(copy(upload, &fs, &source, &target).resume(false));
            tokio::select! {
                result = cancelled.run() => panic!("{result:?}"),
                () = reached.notified() => {}
            }
            eventually("nothing temporary is left", || {
                temporary(&target).is_empty()
            })
            .await;
            for (path, thing) in listing(&target) {
                if !path.as_os_str().is_empty() {
                    assert!(
                        listing(&source)[&path] == thing,
                        "{} is whole",
                        path.display()
                    );
                }
            }
            let summary = copy(upload, &fs, &source, &target).run().await.unwrap();
            assert_eq!(
                summary.files + summary.unchanged,
                9 - u64::from(summary.adjusted > 0)
            );
            assert_eq!(listing(&target), listing(&source));
        })
        .await;
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn files_that_cannot_be_read_or_written_fail_alone() {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root can become somebody else");
    }
    within(async {
        let nobody =
            Command::new("setpriv").args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        let host = Session::connect(nobody).await.unwrap();
        let fs = FileSystem::new(&host);
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let mode = |name: &str, mode| {
            std::fs::set_permissions(at(name), PermissionsExt::from_mode(mode)).unwrap();
        };
        mode("", 0o755);
        for name in ["source/closed", "target/locked"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        for name in ["source/open", "source/secret", "source/closed/inner"] {
            std::fs::write(at(name), name).unwrap();
        }
        mode("source/secret", 0o600);
        mode("source/closed", 0o700);
        let summary = incomplete(
            fs.copy_from(at("source").as_path(), at("copy"))
                .delete(true)
                .run()
                .await,
        );
        let mut failed: Vec<_> = summary
            .failures
            .iter()
            .map(|failure| failure.path.to_string_lossy())
            .collect();
        failed.sort_unstable();
        assert_eq!(failed, ["closed", "secret"], "{summary:?}");
        assert!(summary.failures.iter().all(|failure| failure.on_host));
        assert!(summary.failures[0].reason.contains("Permission denied") && summary.kept);
        assert_eq!(std::fs::read(at("copy/open")).unwrap(), b"source/open");

        // Nobody may write in the target but for the directory that is its own.
        std::os::unix::fs::chown(at("target/locked"), Some(65534), Some(65534)).unwrap();
        mode("target/locked", 0o500);
        std::fs::create_dir_all(at("more/locked")).unwrap();
        std::fs::write(at("more/file"), "x").unwrap();
        std::fs::write(at("more/locked/file"), "x").unwrap();
        let summary = incomplete(fs.copy_to(at("more"), at("target").as_path()).run().await);
        assert_eq!(std::fs::read(at("target/locked/file")).unwrap(), b"x");
        assert!(!at("target/file").exists());
        assert_eq!(temporary(&at("target")).len(), 0);
        let failed: Vec<_> = summary
            .failures
            .iter()
            .map(|failure| failure.path.to_string_lossy())
            .collect();
        assert_eq!(failed, ["file", ""], "{summary:?}");
        host.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_is_the_failure_of_what_does_not_fit() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("small");
    std::fs::create_dir(&target).unwrap();
    let mounted = Program::new("mount")
        .args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"])
        .arg(&target)
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        return skipped("a small file system cannot be mounted");
    }
    let result = tokio::spawn(within({
        let (dir, target) = (dir.path().to_owned(), target.clone());
        async move {
            let (host, fs) = host().await;
            let source = dir.join("source");
            std::fs::create_dir(&source).unwrap();
            std::fs::write(source.join("1 small"), noise(100_000, 1)).unwrap();
            std::fs::write(source.join("2 big"), noise(8 << 20, 2)).unwrap();
            std::fs::write(source.join("3 small"), noise(100_000, 3)).unwrap();
            for upload in [true, false] {
                let summary = incomplete(copy(upload, &fs, &source, &target).run().await);
                assert_eq!(summary.failed, 1, "{upload} {summary:?}");
                let failure = &summary.failures[0];
                assert_eq!(failure.path.as_path(), Path::new("2 big"));
                assert!(failure.on_host == upload && failure.reason.contains("No space left"));
                assert_eq!(
                    std::fs::read_dir(&target).unwrap().count(),
                    2,
                    "no part is left to fill the disk"
                );
            }
            host.close().await.unwrap();
        }
    }));
    let result = result.await;
    assert!(
        Program::new("umount")
            .arg(&target)
            .status()
            .unwrap()
            .success()
    );
    result.unwrap();
}

/// Has the host send what is written here in Python in place of what there is.
async fn lie(host: &Session, fs: &FileSystem, source: &Path, scratch: &Path, body: &str) {
    // So that the module is there.
    fs.copy_from(source, scratch).run().await.unwrap();
    let lie = format!(
        "def lie():\n    import sys\n    sender = sys.modules['rmote.tools.sender']\n{body}\n",
    );
    host.function(&lie).unwrap().call::<()>(()).await.unwrap();
}

#[tokio::test]
async fn a_host_that_lies_gets_nowhere() {
    let names = |path: &str| {
        format!(
            "    def batches(self):\n\
             \x20       root = (b'', 'directory', 0o755, 0, 0, 0, 0, b'', 1)\n\
             \x20       yield 'entries', 0, [root, ({path}, 'file', 0o644, 0, 4, 0, 0, b'', 1)], {{}}, {{}}, []\n\
             \x20   sender.Sender.batches = batches"
        )
    };
    let trap = "    def batches(self):
        entries = [(b'', 'directory', 0o755, 0, 0, 0, 0, b'', 1), (b'a', 'link', 0o777, 0, 0, 0, 0, OUTSIDE, 1),
                   (b'a', 'directory', 0o755, 0, 0, 0, 0, b'', 1), (b'a/file', 'file', 0o644, 0, 4, 0, 0, b'', 1)]
        yield 'entries', 0, entries, {}, {}, []
    sender.Sender.batches = batches";
    let content = "    def serve(self, requests):
        for request in requests:
            yield 'files', [(request[1], b'evil', sender.Digest(b'other').digest())]
    sender.Sender.serve = serve";
    let more = "    def serve(self, requests):
        for kind, id, *rest in requests:
            yield 'basis', id, 1 << 40, 1 << 17
            yield 'summed', id, b''
            yield sender.data(id, b'evil')
            yield 'end', id, b''
            yield sender.data(99, b'nobody wants this')
    sender.Sender.serve = serve";
    within(async {
        for (number, body) in [
            names("b'../evil'"),
            names("b'/tmp/evil'"),
            names("b'a/../../evil'"),
            names("b'a\\0b'"),
            trap.replace("OUTSIDE", "sys.argv[0].encode() or b'..'"),
            content.to_owned(),
            more.to_owned(),
        ]
        .iter()
        .enumerate()
        {
            let dir = tempfile::tempdir().unwrap();
            let at = |name: &str| dir.path().join(name);
            std::fs::create_dir_all(at("source")).unwrap();
            std::fs::write(at("source/file"), noise(100_000, 1)).unwrap();
            std::fs::create_dir_all(at("inner/target")).unwrap();
            std::fs::write(at("inner/target/file"), noise(100_001, 2)).unwrap();
            let before = listing(&at("inner/target"));
            let (host, fs) = host().await;
            lie(&host, &fs, &at("source"), &at("scratch"), body).await;
            let copied = fs.copy_from(at("source").as_path(), at("inner/target"));
            let error = copied.run().await.unwrap_err();
            assert!(
                matches!(error, CopyError::Incomplete(_)),
                "{number}: {error:?}"
            );
            let after = listing(&at("inner/target"));
            assert!(
                after[Path::new("file")] == before[Path::new("file")],
                "{number}: {error}"
            );
            assert_eq!(
                std::fs::read_dir(dir.path()).unwrap().count(),
                3,
                "{number}: {error}"
            );
            assert_eq!(
                std::fs::read_dir(at("inner")).unwrap().count(),
                1,
                "{number}: {error}"
            );
            assert_eq!(temporary(&at("inner")).len(), 0);
            host.close().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_host_that_ends_too_soon_or_talks_nonsense_is_told_so() {
    let ends = [
        "    sender.Sender.batches = lambda self: iter([('nonsense', 1)])",
        "    sender.Sender.batches = lambda self: iter([5])",
        "    sender.Sender.batches = lambda self: iter([('entries', 0, [(b'x', 'file', 0, 0, 0, 0, 0, b'', 1)], {}, {}, [])])",
        "    sender.Sender.serve = lambda self, requests: iter([('end', 'x', 5)])",
        "    sender.Sender.serve = lambda self, requests: iter([b'short'])",
    ];
    within(async {
        for body in ends {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("file"), "x").unwrap();
            let (host, fs) = host().await;
            lie(
                &host,
                &fs,
                &dir.path().join("file"),
                &dir.path().join("scratch"),
                body,
            )
            .await;
            let source = dir.path().join("file");
            let error = fs
                .copy_from(source.as_path(), dir.path().join("copy"))
                .run()
                .await
                .unwrap_err();
            assert!(
                matches!(error, CopyError::Protocol(..)),
                "{body}: {error:?}"
            );
            assert!(!dir.path().join("copy").exists());
            host.close().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn what_changes_while_it_is_read_arrives_as_it_was_at_some_time() {
    let (host, fs) = host().await;
    for upload in [true, false] {
        within(async {
            let dir = tempfile::tempdir().unwrap();
            let (source, target) = (dir.path().join("source"), dir.path().join("target"));
            std::fs::write(&source, noise(SIZE, 1)).unwrap();
            let (changed, reached) = half(copy(upload, &fs, &source, &target));
            let cut = async {
                reached.notified().await;
                std::fs::OpenOptions::new()
                    .write(true)
                    .open(&source)
                    .unwrap()
                    .set_len(1000)
                    .unwrap();
            };
            let (result, ()) = tokio::join!(changed.run(), cut);
            result.unwrap();
            let summary = copy(upload, &fs, &source, &target).run().await.unwrap();
            assert_eq!(
                summary.files, 1,
                "its time is not the one that it was copied with"
            );
            assert!(std::fs::read(&target).unwrap() == std::fs::read(&source).unwrap());
        })
        .await;
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn a_link_named_as_the_source_is_followed_and_a_pipe_refused() {
    let (host, fs) = host().await;
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    assert!(
        Program::new("mkfifo")
            .arg(at("pipe"))
            .status()
            .unwrap()
            .success()
    );
    symlink("nothing", at("dangling")).unwrap();
    for upload in [true, false] {
        for name in ["pipe", "dangling"] {
            let error = within(copy(upload, &fs, &at(name), &at("copy")).run())
                .await
                .unwrap_err();
            assert!(
                matches!(error, CopyError::Call(_) | CopyError::Local { .. }),
                "{error:?}"
            );
        }
    }
    host.close().await.unwrap();
}

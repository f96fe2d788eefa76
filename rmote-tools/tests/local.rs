//! The tools on this machine: the typed face, and what the Python tests cannot see. The tools' rules themselves are tested
//! in `python/tests`.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use bytes::Bytes;
use rmote_tools::{
    AbsentOptions, CallErrorKind, DirectoryOptions, Exec, FileSystem, HostPath, LineOptions, Local,
    Match, Options, ReadOptions, Reconnect, RunOptions, Session, StatOptions, SymlinkOptions,
    TOOLS, TextOptions, WriteOptions, tool,
};
use tempfile::TempDir;

async fn host() -> (Session, FileSystem, Exec, TempDir) {
    let host = Session::connect(Local::new()).await.unwrap();
    let (fs, exec) = (FileSystem::new(&host), Exec::new(&host));
    (host, fs, exec, tempfile::tempdir().unwrap())
}

#[tokio::test]
async fn files_are_written_read_changed_and_removed() {
    let (host, fs, _, dir) = host().await;
    let path = dir.path().join("app.conf");
    let file = || path.as_path();

    let change = fs
        .write_with(file(), "a = 1\n", WriteOptions::new().mode(0o640_u32))
        .await
        .unwrap();
    assert!(change.changed && change.diff.contains("+a = 1") && !change.in_place);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert!(!fs.write(file(), "a = 1\n").await.unwrap().changed);

    let line = LineOptions::new()
        .regexp("^a *=")
        .which(Match::All)
        .backup(true);
    let change = fs.line_in_file_with(file(), "a = 2", line).await.unwrap();
    assert!(change.changed);
    assert_eq!(
        std::fs::read_to_string(change.backup.unwrap()).unwrap(),
        "a = 1\n"
    );
    assert!(!fs.line_in_file(file(), "a = 2").await.unwrap().changed);

    let dry = fs
        .write_with(
            file(),
            "secret",
            WriteOptions::new().check(true).secret(true),
        )
        .await
        .unwrap();
    assert!(dry.changed && !dry.diff.contains("secret\n"));
    assert_eq!(fs.read_str(file()).await.unwrap(), "a = 2\n");
    let part = fs
        .read_bytes_with(file(), ReadOptions::new().offset(2_u64).length(3_u64))
        .await
        .unwrap();
    assert_eq!(&part[..], b"= 2");
    let text = fs
        .read_str_with(file(), TextOptions::new().encoding("utf-16-le"))
        .await
        .unwrap();
    assert_eq!(text.encode_utf16().count(), 3);

    let found = fs.stat(file()).await.unwrap();
    assert!(found.exists && found.is_file && found.size == 6 && found.mode == 0o640);
    assert!(fs.absent(file()).await.unwrap().changed);
    assert!(!fs.absent(file()).await.unwrap().changed);
    assert!(!fs.stat(file()).await.unwrap().exists);
    host.close().await.unwrap();
}

#[tokio::test]
async fn directories_and_links() {
    let (host, fs, _, dir) = host().await;
    let deep = dir.path().join("a/b");
    assert!(
        fs.directory_with(deep.as_path(), DirectoryOptions::new().mode(0o700_u32))
            .await
            .unwrap()
            .changed
    );
    assert!(!fs.directory(deep.as_path()).await.unwrap().changed);
    let link = dir.path().join("link");
    assert!(fs.symlink(link.as_path(), "a/b").await.unwrap().changed);
    assert_eq!(
        fs.stat(link.as_path()).await.unwrap().link_target,
        Some(HostPath::from("a/b"))
    );
    assert!(
        fs.stat_with(link.as_path(), StatOptions::new().follow(true))
            .await
            .unwrap()
            .is_dir
    );

    std::fs::write(dir.path().join("file"), "").unwrap();
    let file = dir.path().join("file");
    let refused = fs.symlink(file.as_path(), "a").await.unwrap_err();
    assert!(refused.raised().unwrap().is("FileExistsError"));
    assert!(
        fs.symlink_with(file.as_path(), "a", SymlinkOptions::new().force(true))
            .await
            .unwrap()
            .changed
    );

    let full = fs.absent(dir.path().join("a").as_path()).await.unwrap_err();
    assert_eq!(
        full.raised().unwrap().io_kind(),
        Some(std::io::ErrorKind::DirectoryNotEmpty)
    );
    let recursive = AbsentOptions::new().recursive(true);
    assert!(
        fs.absent_with(dir.path().join("a").as_path(), recursive)
            .await
            .unwrap()
            .changed
    );
    host.close().await.unwrap();
}

#[tokio::test]
async fn names_that_are_no_utf8_survive() {
    let (host, fs, exec, dir) = host().await;
    let path = dir.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    fs.write(path.as_path(), b"x".as_slice()).await.unwrap();
    let found = fs.glob(dir.path(), "*").await.unwrap();
    assert_eq!(found, [HostPath::from(path.as_path())]);
    assert_eq!(&fs.read_bytes(found[0].clone()).await.unwrap()[..], b"x");
    let listed = exec
        .command_with(["ls"], RunOptions::new().cwd(dir.path()))
        .await
        .unwrap();
    assert_eq!(&listed.stdout[..], b"caf\xe9\n");
    host.close().await.unwrap();
}

#[tokio::test]
async fn commands_end_with_a_code_a_signal_or_the_time() {
    let (host, _, exec, _) = host().await;
    let env = [
        ("A".to_owned(), Some("1".to_owned())),
        ("HOME".to_owned(), None),
    ];
    let options = RunOptions::new()
        .env(std::collections::BTreeMap::from(env))
        .stdin("in");
    let done = exec
        .shell_with("cat; echo $A ${HOME-none}; echo oops >&2", options)
        .await
        .unwrap();
    assert!(done.success());
    assert_eq!(
        (&done.stdout[..], &done.stderr[..]),
        (b"in1 none\n".as_slice(), b"oops\n".as_slice())
    );

    let failed = exec.shell("echo why >&2; exit 7").await.unwrap_err();
    let raised = failed.raised().unwrap();
    assert!(
        raised.is("CommandFailed")
            && raised.is("CalledProcessError")
            && raised.message.contains("why")
    );
    let killed = exec
        .shell_with("kill -9 $$", RunOptions::new().check(false))
        .await
        .unwrap();
    assert_eq!((killed.code, killed.signal), (None, Some(9)));
    let late = exec
        .shell_with("sleep 1000", RunOptions::new().timeout(0.1))
        .await
        .unwrap_err();
    assert!(late.raised().unwrap().is("TimeoutError"));
    let missing = exec.command(["no-such-program"]).await.unwrap_err();
    assert!(
        missing.raised().unwrap().is("FileNotFoundError")
            && missing.to_string().contains("no-such-program")
    );
    host.close().await.unwrap();
}

#[tokio::test]
async fn a_deadline_ends_the_command_on_the_host() {
    let (host, _, exec, dir) = host().await;
    let marker = format!("{}/x", dir.path().display());
    let late = exec
        .deadline(Duration::from_millis(300))
        .shell(format!("exec tail -f /dev/null {marker}"))
        .await;
    assert!(matches!(
        late.unwrap_err().kind,
        CallErrorKind::Deadline { .. }
    ));
    // The session's end waits for whatever is left of the call, so nothing to wait for here.
    host.close().await.unwrap();
    let left = std::process::Command::new("pgrep")
        .args(["-f", &marker])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");
}

#[tokio::test]
async fn a_method_that_may_run_twice_is_repeated_after_a_lost_link() {
    use std::time::Duration;

    let dir = tempfile::tempdir().unwrap();
    tool! {
        /// Ends its agent at the first call.
        struct Once = ("once", "
import os

class Once:
    @staticmethod
    def again(path):
        with open(path, 'a') as file:
            file.write('x')
        if os.path.getsize(path) == 1:
            os._exit(3)
        return os.path.getsize(path)

    once = again
");

        /// May run twice.
        [idempotent] fn again(path: String) -> u64;

        /// May not.
        fn once(path: String) -> u64;
    }
    let policy =
        Reconnect::attempts(5).backoff(Duration::from_millis(5), Duration::from_millis(50));
    let host = Session::connect_with(Local::new(), Options::new().reconnect(policy))
        .await
        .unwrap();
    let once = Once::new(&host);
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    assert_eq!(once.again(path("again")).await.unwrap(), 2);
    let error = once.once(path("once")).await.unwrap_err();
    assert!(matches!(error.kind, CallErrorKind::Link { .. }), "{error}");
    assert_eq!(std::fs::read(path("once")).unwrap(), b"x");
    host.close().await.unwrap();
}

#[tokio::test]
async fn a_tool_of_ones_own_imports_those_that_come_with_rmote() {
    const SOURCE: &str = "
from rmote.protocol import Tool, Unsupported
from rmote.tools import (
    Exec,  # commands
    FileSystem)
from rmote.tools.program import need

class Own(Tool):
    @staticmethod
    def read(path):
        return [FileSystem.__name__, FileSystem.read_str(path), Exec.command('echo', 'x').stdout]

    @staticmethod
    def lacking():
        need('no-such-program', 'it is wanted')

    @staticmethod
    def own():
        raise Unsupported('kernel', 'not this one')
";
    let options = Options::new().library(rmote_tools::library());
    let host = Session::connect_with(Local::new(), options).await.unwrap();
    let own = host.load(SOURCE).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    std::fs::write(&path, "text").unwrap();
    let read: (String, String, Bytes) = own.call("Own.read", (&path,)).await.unwrap();
    assert_eq!(read, ("FileSystem".into(), "text".into(), "x\n".into()));
    for (method, missing) in [("lacking", "no-such-program"), ("own", "kernel")] {
        let error = own
            .call::<()>(&format!("Own.{method}"), ())
            .await
            .unwrap_err();
        assert_eq!(error.missing(), Some(missing), "{error}");
        assert!(error.raised().is_none(), "{error}");
        assert!(error.to_string().contains(missing), "{error}");
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn every_tool_can_be_imported_by_its_name() {
    let names: Vec<_> = TOOLS.iter().map(|tool| tool.name).collect();
    let source = format!(
        "from rmote.tools import {}\n\ndef names():\n    return [tool.__name__ for tool in [{}]]\n",
        names.join(", "),
        names.join(", ")
    );
    let options = Options::new().library(rmote_tools::library());
    let host = Session::connect_with(Local::new(), options).await.unwrap();
    let imported: Vec<String> = host.load(&source).unwrap().call("names", ()).await.unwrap();
    assert_eq!(imported, names);
    host.close().await.unwrap();
}

#[tokio::test]
async fn what_tools_give_each_other_has_its_fields_as_attributes() {
    const SOURCE: &str = "
from rmote.tools import Facts
from rmote.tools.packages import result

def fields():
    one = result('nginx', True, '', '1.0')
    return [one.name, one.version, one['name'], Facts.system().hostname is not None]
";
    let options = Options::new().library(rmote_tools::library());
    let host = Session::connect_with(Local::new(), options).await.unwrap();
    let fields: (String, String, String, bool) =
        host.load(SOURCE).unwrap().call("fields", ()).await.unwrap();
    assert_eq!(fields, ("nginx".into(), "1.0".into(), "nginx".into(), true));
    host.close().await.unwrap();
}

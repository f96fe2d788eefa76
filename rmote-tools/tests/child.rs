//! Commands with live streams, on this machine, over ssh and in containers.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;
#[path = "../../rmote-transport/tests/sshd/mod.rs"]
mod sshd;

use std::future::Future;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rmote_tools::{
    CallErrorKind, Child, ChildBuilder, Docker, Exec, KnownHosts, Local, Options, Pty, Session,
    Ssh, Stdio, Transport,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Only a hang lasts that long.
const PATIENCE: Duration = Duration::from_secs(60);

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("the test hangs")
}

/// Waits until there is something.
async fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < end, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn local() -> (Session, Exec) {
    let host = Session::connect(Local::new()).await.unwrap();
    let exec = Exec::new(&host);
    (host, exec)
}

fn shell(exec: &Exec, script: &str) -> ChildBuilder {
    exec.child(["/bin/sh", "-c", script])
}

fn piped(builder: ChildBuilder) -> ChildBuilder {
    builder
        .stdin(Stdio::Piped)
        .stdout(Stdio::Piped)
        .stderr(Stdio::Piped)
}

/// Reads until there is something in all that came.
async fn read_for<T>(
    reader: &mut (impl tokio::io::AsyncRead + Unpin),
    found: impl Fn(&str) -> Option<T>,
) -> T {
    let mut bytes = Vec::new();
    within(async {
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some(found) = found(&text) {
                break found;
            }
            let count = reader.read_buf(&mut bytes).await.unwrap();
            assert_ne!(count, 0, "it ends with {text}");
        }
    })
    .await
}

/// Reads up to a text, which must come.
async fn read_to(reader: &mut (impl tokio::io::AsyncRead + Unpin), text: &str) -> String {
    let found = |all: &str| all.contains(text).then(|| all.to_owned());
    read_for(reader, found).await
}

/// Whether a process of this machine is there and no zombie.
fn alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

fn number(path: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(path).ok()?;
    text.strip_suffix('\n')?.parse().ok()
}

/// Writes a pattern to `cat` and reads it back at the same time.
async fn round_trip(mut child: Child, size: u64) {
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let block: Vec<u8> = (0..65_521_u32).map(|i| (i % 251) as u8).collect();
    let write = async {
        let mut left = size;
        while left > 0 {
            let part = &block[..block.len().min(usize::try_from(left).unwrap())];
            stdin.write_all(part).await.unwrap();
            left -= part.len() as u64;
        }
        drop(stdin);
    };
    let read = async {
        let (mut got, mut buffer) = (0, vec![0; 1 << 16]);
        loop {
            let count = stdout.read(&mut buffer).await.unwrap();
            if count == 0 {
                break got;
            }
            for (at, byte) in buffer[..count].iter().enumerate() {
                let place = (got + at as u64) % block.len() as u64;
                assert_eq!(*byte, block[usize::try_from(place).unwrap()]);
            }
            got += count as u64;
        }
    };
    let ((), got) = within(async { tokio::join!(write, read) }).await;
    assert_eq!(got, size);
    assert!(within(child.wait()).await.unwrap().success());
}

/// What must hold on any host.
async fn works_on(transport: impl Transport + 'static, options: Options, size: u64) {
    let host = Session::connect_with(transport, options).await.unwrap();
    let exec = Exec::new(&host);
    round_trip(piped(exec.child(["cat"])).spawn().await.unwrap(), size).await;

    let script = "echo out; echo err >&2; read line; echo $line $A; exit 7";
    let mut child = piped(shell(&exec, script))
        .env("A", "1")
        .spawn()
        .await
        .unwrap();
    assert!(child.id().unwrap() > 1);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"in\n").await.unwrap();
    let output = within(child.wait_with_output()).await.unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(output.stdout, b"out\nin 1\n");
    assert_eq!(output.stderr, b"err\n");

    let terminal = shell(
        &exec,
        "stty size; echo $TERM; read key; echo got $key; exit 3",
    )
    .pty(Pty::new("vt100", 30, 100));
    let mut child = terminal.spawn().await.unwrap();
    let mut stdout = child.stdout.take().unwrap();
    read_to(&mut stdout, "30 100\r\nvt100\r\n").await;
    child
        .stdin
        .as_mut()
        .unwrap()
        .write_all(b"x\r")
        .await
        .unwrap();
    read_to(&mut stdout, "got x\r\n").await;
    assert_eq!(within(child.wait()).await.unwrap().code(), Some(3));

    let mut child = shell(&exec, "trap '' TERM; sleep 1000 & wait; sleep 1000")
        .spawn()
        .await
        .unwrap();
    let killed = within(child.kill()).await.unwrap();
    assert_eq!((killed.code(), killed.signal()), (None, Some(9)));
    host.close().await.unwrap();
}

#[tokio::test]
async fn on_this_machine() {
    works_on(Local::new(), Options::new(), 64 << 20).await;
}

#[tokio::test]
async fn over_ssh() {
    let Some(sshd) = sshd::Sshd::start() else {
        return;
    };
    let ssh = Ssh::new("rmote-test")
        .config_file(sshd.config_file())
        .known_hosts(KnownHosts::Config);
    works_on(ssh, Options::new(), 64 << 20).await;
}

#[tokio::test]
async fn in_containers() {
    let pythons = [
        ("bullseye", "python3"),
        ("bullseye", "pypy3"),
        ("bookworm", "python3"),
        ("trixie", "python3"),
        ("sid", "python3"),
    ];
    for (image, python) in pythons {
        let Some(container) = docker::Container::start(&format!("rmote-test:{image}")) else {
            continue;
        };
        let options = Options::new().interpreter(python);
        works_on(Docker::new(container.name()), options, 8 << 20).await;
        until("the container is as it was", || {
            (container.processes().trim().lines().count() == 3).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_reader_that_stalls_stops_the_command_and_nothing_else() {
    let (host, exec) = local().await;
    let dir = tempfile::tempdir().unwrap();
    let (progress, path) = (dir.path().join("progress"), dir.path().to_str().unwrap());
    // Each block is counted once it is in the pipe.
    let script = "i=0; while :; do head -c 65536 /dev/zero; i=$((i+1)); echo $i >$0/new; mv $0/new $0/progress; done";
    let mut child = exec
        .child(["/bin/sh", "-c", script, path])
        .stdout(Stdio::Piped)
        .spawn()
        .await
        .unwrap();
    // It has stopped when the writer of the pipe sleeps in it, and the count stays the same over other calls.
    let pid = child.id().unwrap();
    let blocked = || {
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        let writer = children.split_whitespace().next()?.to_owned();
        let wait = std::fs::read_to_string(format!("/proc/{writer}/wchan")).ok()?;
        (wait.contains("pipe") && wait.contains("wr")).then_some(writer)
    };
    let mut before = None;
    let count = within(async {
        loop {
            let writer = until("the writer waits", blocked).await;
            for _ in 0..20 {
                let said: String = host.call("platform.node", ()).await.unwrap();
                assert!(!said.is_empty());
            }
            let now = (writer, number(&progress));
            if before.as_ref() == Some(&now) {
                break now.1.unwrap();
            }
            before = Some(now);
        }
    })
    .await;
    // The stream's window, and what the pipes hold.
    assert!(count <= 40, "{count} blocks were taken that nobody read");
    // As it is read it goes on.
    let mut stdout = child.stdout.take().unwrap();
    let mut buffer = vec![0; 1 << 16];
    while number(&progress).unwrap() < 3 * count {
        assert_ne!(within(stdout.read(&mut buffer)).await.unwrap(), 0);
    }
    drop(child);
    until("its end", || (!alive(pid)).then_some(())).await;
    host.close().await.unwrap();
}

#[tokio::test]
async fn dropping_it_ends_all_that_it_started() {
    let (host, exec) = local().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    let script = "trap '' TERM; (trap '' TERM; sleep 1000) & echo $! >$0; wait; sleep 1000";
    let child = exec
        .child(["/bin/sh", "-c", script, file.to_str().unwrap()])
        .spawn()
        .await
        .unwrap();
    let (shell, background) = (child.id().unwrap(), until("a pid", || number(&file)).await);
    assert!(alive(shell) && alive(background));
    drop(child);
    until("the end of both", || {
        (!alive(shell) && !alive(background)).then_some(())
    })
    .await;
    host.close().await.unwrap();
}

#[tokio::test]
async fn a_shell_on_a_terminal_ends_with_its_jobs() {
    let (host, exec) = local().await;
    for cut in [false, true] {
        let terminal = exec.child(["/bin/sh", "-i"]).env("PS1", "$ ");
        let mut child = terminal
            .pty(Pty::new("dumb", 24, 80))
            .spawn()
            .await
            .unwrap();
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        stdin
            .write_all(b"sleep 1000 & echo job=$!.\n")
            .await
            .unwrap();
        // What was typed comes back too.
        let pid = |text: &str| text.rsplit_once("job=")?.1.split_once('.')?.0.parse().ok();
        let (shell, job) = (child.id().unwrap(), read_for(&mut stdout, pid).await);
        assert!(alive(shell) && alive(job));
        if cut {
            host.close().await.unwrap();
        } else {
            drop(child);
        }
        until("the end of both", || {
            (!alive(shell) && !alive(job)).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn what_stays_in_the_background_lives_on() {
    let (host, exec) = local().await;
    let child = shell(&exec, "sleep 1000 & echo $!").stdout(Stdio::Piped);
    let output = within(child.spawn().await.unwrap().wait_with_output())
        .await
        .unwrap();
    assert!(output.status.success());
    let pid: u32 = String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert!(alive(pid));
    host.close().await.unwrap();
    assert!(alive(pid));
    std::process::Command::new("kill")
        .arg(pid.to_string())
        .status()
        .unwrap();
}

#[tokio::test]
async fn what_cannot_start_says_so_at_once() {
    let (host, exec) = local().await;
    let missing = exec.child(["no-such-program"]).spawn().await.unwrap_err();
    assert!(
        missing.raised().unwrap().is("FileNotFoundError"),
        "{missing}"
    );
    assert!(missing.to_string().contains("no-such-program"), "{missing}");
    let nowhere = exec
        .child(["true"])
        .current_dir("/no/such/directory")
        .spawn()
        .await;
    assert!(
        nowhere
            .unwrap_err()
            .to_string()
            .contains("/no/such/directory")
    );
    let nothing = exec.child::<&str>([]).spawn().await.unwrap_err();
    assert!(
        nothing.to_string().contains("no command given"),
        "{nothing}"
    );
    host.close().await.unwrap();
}

#[tokio::test]
async fn environment_directory_and_signals() {
    let (host, exec) = local().await;
    let script =
        "trap 'echo caught; exit 4' USR1; echo ${HOME-none} $A $PWD; while :; do sleep 0.01; done";
    let mut child = shell(&exec, script)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("A", "a b")
        .env("HOME", "/")
        .env_remove("HOME")
        .current_dir("/")
        .stdout(Stdio::Piped)
        .spawn()
        .await
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    assert_eq!(read_to(&mut stdout, "\n").await, "none a b /\n");
    child.signal(10).await.unwrap();
    assert_eq!(read_to(&mut stdout, "\n").await, "caught\n");
    assert_eq!(within(child.wait()).await.unwrap().code(), Some(4));
    assert_eq!(within(child.wait()).await.unwrap().code(), Some(4));
    // Who has ended cannot be told anything, and ends with no error.
    child.signal(10).await.unwrap_err();
    assert_eq!(within(child.kill()).await.unwrap().code(), Some(4));
    host.close().await.unwrap();
}

#[tokio::test]
async fn input_that_is_not_read_breaks_at_the_end() {
    let (host, exec) = local().await;
    let mut child = piped(exec.child(["head", "-c1"])).spawn().await.unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let block = vec![b'x'; 1 << 16];
    let write = async {
        loop {
            if let Err(error) = stdin.write_all(&block).await {
                break error;
            }
        }
    };
    let mut read = String::new();
    let (error, size) =
        within(async { tokio::join!(write, stdout.read_to_string(&mut read)) }).await;
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert_eq!((size.unwrap(), &*read), (1, "x"));
    assert!(within(child.wait()).await.unwrap().success());
    host.close().await.unwrap();
}

#[tokio::test]
async fn a_deadline_and_a_lost_link_are_errors() {
    let (host, exec) = local().await;
    let mut late = exec
        .deadline(Duration::from_secs(2))
        .child(["sleep", "1000"])
        .spawn()
        .await
        .unwrap();
    let pid = late.id().unwrap();
    let error = within(late.wait()).await.unwrap_err();
    assert!(
        matches!(error.kind, CallErrorKind::Deadline { .. }),
        "{error}"
    );
    until("its end", || (!alive(pid)).then_some(())).await;

    let mut child = piped(exec.child(["cat"])).spawn().await.unwrap();
    let pid = child.id().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let agent: u32 = host.call("os.getpid", ()).await.unwrap();
    std::process::Command::new("kill")
        .args(["-KILL", &agent.to_string()])
        .status()
        .unwrap();
    let mut bytes = Vec::new();
    within(stdout.read_to_end(&mut bytes)).await.unwrap_err();
    let error = within(child.wait()).await.unwrap_err();
    assert!(matches!(error.kind, CallErrorKind::Link { .. }), "{error}");
    // Its input ended with the agent.
    until("its end", || (!alive(pid)).then_some(())).await;
}

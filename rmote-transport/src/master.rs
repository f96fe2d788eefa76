//! One ssh connection shared by several links.
//!
//! The first start runs `ssh` with `ControlMaster=yes` and a short `ControlPersist`. Once connected, ssh leaves a master
//! in the background and serves its own command as the first client of it, so every link sees the end and the exit code
//! of its own program, and killing one hurts no other. (A master in the foreground would keep its stdout open until
//! its last client is gone.) Later starts speak the multiplex protocol to the master's socket.
//!
//! Nothing is left: the last owner ends the master and removes the directory; a controller that was killed
//! leaves a master that ends two seconds after its last client, and a directory that the next one sweeps.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use openssh::{Session, Stdio};
use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::fault::Family;
use crate::link::Link;
use crate::process::{Exit, Process};
use crate::stderr::StderrTail;

/// Begins the name of every directory of ours.
const PREFIX: &str = "rmote-ssh-";
/// A socket's path has to fit into 108 bytes, 104 on some systems, with a suffix of 17 that ssh adds for a moment.
const PATH_LIMIT: usize = 80;
/// How often a start looks whether the first one has connected.
const POLL: Duration = Duration::from_millis(5);
/// A connection that cannot open a channel in this time is dead, though nobody has told ssh yet.
const OPEN_LIMIT: Duration = Duration::from_secs(10);
/// A directory without lock may be one that is being made.
const YOUNG: Duration = Duration::from_secs(60);

/// The shared state of an [`Ssh`](crate::Ssh) and its clones.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    slot: Mutex<Option<Arc<Master>>>,
}

/// What a start has to do.
pub(crate) enum Join {
    /// Nothing: this is a channel of the shared connection.
    Channel(Box<Link>),
    /// Make the connection.
    First(Place),
    /// Connect without sharing: the shared attempt failed, and its error will be this one's, too. All that waited for
    /// it find out at once, not one after the other.
    Alone,
}

/// The place of a connection that is about to be made.
pub(crate) struct Place {
    master: Arc<Master>,
}

/// Keeps a connection alive.
#[derive(Debug, Clone)]
pub(crate) struct Hold(Arc<Master>);

#[derive(Debug)]
struct Master {
    dir: TempDir,
    socket: PathBuf,
    /// The stderr of the ssh that makes the connection; its end without a socket is a failure.
    first: OnceLock<StderrTail>,
    /// The ssh that was to make the connection could not be started.
    given_up: AtomicBool,
    /// Held locked as long as this process lives, so that no other sweeps the directory.
    _lock: File,
}

impl Shared {
    /// Opens a channel, or says that there is no connection.
    pub(crate) async fn join(&self, command: &str) -> Join {
        let mut slot = self.slot.lock().await;
        if let Some(master) = slot.clone().filter(|master| !master.is_over()) {
            // Others wait for the same connection at the same time.
            drop(slot);
            if !master.ready().await {
                return Join::Alone;
            }
            match timeout(OPEN_LIMIT, master.open(command)).await {
                Ok(Ok(link)) => return Join::Channel(Box::new(link)),
                Ok(Err(error)) => tracing::debug!(%error, "the shared connection gives no channel"),
                Err(_) => tracing::debug!("the shared connection does not answer"),
            }
            slot = self.slot.lock().await;
            // Somebody else may have made a new one meanwhile; two connections are then better than a third try.
            if slot
                .as_ref()
                .is_some_and(|current| !Arc::ptr_eq(current, &master))
            {
                return Join::Alone;
            }
        }
        match Master::new() {
            Ok(master) => {
                let master = Arc::new(master);
                *slot = Some(Arc::clone(&master));
                Join::First(Place { master })
            }
            Err(error) => {
                tracing::debug!(%error, "no directory for a shared connection");
                Join::Alone
            }
        }
    }
}

impl Place {
    pub(crate) fn socket(&self) -> &Path {
        &self.master.socket
    }

    /// Ties the process that makes the connection to this place.
    pub(crate) fn fill(self, process: &mut Process) {
        _ = self.master.first.set(process.stderr());
        process.hold(Hold(Arc::clone(&self.master)));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Left empty: nobody shall wait for it.
        if self.master.first.get().is_none() {
            self.master.given_up.store(true, Ordering::Release);
        }
    }
}

impl Hold {
    /// Whether the connection is made.
    pub(crate) fn is_listening(&self) -> bool {
        self.0.socket.exists()
    }
}

impl Master {
    fn new() -> io::Result<Self> {
        let base = base_directory();
        let swept = base.clone();
        tokio::task::spawn_blocking(move || sweep(&swept));
        let mut builder = tempfile::Builder::new();
        // Whoever can reach the socket can run programs on the host.
        builder
            .prefix(PREFIX)
            .rand_bytes(8)
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let dir = builder.tempdir_in(base)?;
        // Locked before it has its name: a sweep must not meet it unlocked.
        let unnamed = dir.path().join("lock.new");
        let lock = File::create(&unnamed)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        fs::rename(unnamed, dir.path().join("lock"))?;
        Ok(Self {
            socket: dir.path().join("m"),
            dir,
            first: OnceLock::new(),
            given_up: AtomicBool::new(false),
            _lock: lock,
        })
    }

    /// Whether the connection failed or has ended.
    fn is_over(&self) -> bool {
        // In this order: the first ssh ends after it has made the socket.
        let ended = self.given_up.load(Ordering::Acquire)
            || self.first.get().is_some_and(StderrTail::is_closed);
        ended && !self.socket.exists()
    }

    /// Waits until the first start has connected; false if it failed.
    async fn ready(&self) -> bool {
        while !self.is_over() {
            if self.socket.exists() {
                return true;
            }
            sleep(POLL).await;
        }
        false
    }

    /// Opens a channel that runs the command line.
    async fn open(self: &Arc<Self>, line: &str) -> Result<Link, openssh::Error> {
        let session = Arc::new(Session::resume_mux(self.socket.clone().into(), None));
        let mut command = session.arc_raw_command(line);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().await?;
        let streams = (
            child.stdin().take(),
            child.stdout().take(),
            child.stderr().take(),
        );
        let (Some(stdin), Some(stdout), Some(stderr)) = streams else {
            return Err(openssh::Error::ChildIo(io::Error::other(
                "a pipe is missing",
            )));
        };
        let stderr = StderrTail::read(stderr);
        let channel = Channel::new(child, stderr.clone(), Hold(Arc::clone(self)));
        let process = Process::channel(channel, stderr, Family::Ssh);
        Ok(Link {
            stdin: Box::new(stdin),
            stdout: Box::new(stdout),
            process,
        })
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        if let Err(error) = end_master(&self.socket) {
            tracing::debug!(%error, dir = ?self.dir.path(), "the shared connection is gone already");
        }
    }
}

/// Asks the master to end, in the words of OpenSSH's PROTOCOL.mux. It would end by itself two seconds later.
fn end_master(socket: &Path) -> io::Result<()> {
    const HELLO: u32 = 1;
    const VERSION: u32 = 4;
    const TERMINATE: u32 = 0x1000_0005;
    let mut stream = UnixStream::connect(socket)?;
    let request: Vec<u8> = [8, HELLO, VERSION, 8, TERMINATE, 0]
        .iter()
        .flat_map(|number: &u32| number.to_be_bytes())
        .collect();
    // Fits into the socket's buffer: this does not block.
    stream.write_all(&request)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    // The master drops a client that closes before it was served, and Drop must not wait.
    std::thread::Builder::new()
        .name("rmote-ssh-end".into())
        .spawn(move || {
            let mut answer = Vec::new();
            _ = stream.read_to_end(&mut answer);
        })?;
    Ok(())
}

/// Where the sockets live: the system's directory unless its name is too long for a socket or has what ssh expands.
fn base_directory() -> PathBuf {
    let base = std::env::temp_dir();
    let text = base.to_string_lossy();
    if text.len() + PREFIX.len() + 16 > PATH_LIMIT || text.contains(['%', '~', '"', '$', ' ']) {
        return "/tmp".into();
    }
    base
}

/// Removes the directories of controllers that were killed.
fn sweep(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_stale(&entry.path()) {
            tracing::debug!(path = ?entry.path(), "remove a stale directory");
            _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_stale(dir: &Path) -> bool {
    // Not through links, and nothing of other users.
    let Ok(meta) = fs::symlink_metadata(dir) else {
        return false;
    };
    if !meta.is_dir() || meta.uid() != rustix::process::geteuid().as_raw() {
        return false;
    }
    match File::open(dir.join("lock")) {
        // The lock of a killed process is free; then the master may still serve its last channel.
        Ok(lock) => {
            flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok()
                && UnixStream::connect(dir.join("m")).is_err()
        }
        Err(_) => meta
            .modified()
            .ok()
            .and_then(|time| time.elapsed().ok())
            .is_some_and(|age| age > YOUNG),
    }
}

/// A channel of a shared connection, seen as a process.
#[derive(Debug)]
pub(crate) struct Channel {
    /// Waits for the remote exit and holds the connection meanwhile.
    task: JoinHandle<()>,
    exit: watch::Receiver<Option<Exit>>,
    sender: watch::Sender<Option<Exit>>,
}

impl Channel {
    fn new(child: openssh::Child<Arc<Session>>, stderr: StderrTail, hold: Hold) -> Self {
        let (sender, exit) = watch::channel(None);
        let finished = sender.clone();
        let task = tokio::spawn(async move {
            // The server may tell the exit before it has sent the last output, and the crate leaves the channel as
            // soon as it has the exit: ssh then throws the rest away. It closes stderr last, when all has passed.
            stderr.closed().await;
            let exit = match child.wait().await {
                Ok(status) => Exit::from(status),
                // The crate takes every 127 for its own error.
                Err(openssh::Error::Remote(error)) if error.kind() == io::ErrorKind::NotFound => {
                    Exit::Code(127)
                }
                Err(_) => Exit::Unknown,
            };
            finish(&finished, exit);
            drop(hold);
        });
        Self { task, exit, sender }
    }

    pub(crate) async fn wait(&mut self) -> Exit {
        let exit = self.exit.wait_for(Option::is_some).await;
        exit.ok().and_then(|exit| *exit).unwrap_or(Exit::Unknown)
    }

    /// Closes the channel from this side; the remote program sees the end of its input.
    pub(crate) fn cut(&mut self) {
        self.task.abort();
        finish(
            &self.sender,
            Exit::Signal(rustix::process::Signal::KILL.as_raw()),
        );
    }

    /// Lets the channel end by itself.
    pub(crate) fn leave(self) {
        drop(self.task);
    }
}

/// Keeps the first answer.
fn finish(sender: &watch::Sender<Option<Exit>>, exit: Exit) {
    sender.send_if_modified(|current| {
        let first = current.is_none();
        if first {
            *current = Some(exit);
        }
        first
    });
}

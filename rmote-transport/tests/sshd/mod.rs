//! A real sshd on a free loopback port with keys and a configuration of its own.
//!
//! Standard library only, so that other crates' tests can include this file with `#[path]`.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "test code that several files include and use in part"
)]

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A running sshd; dropped, it is killed with its sessions, and its directory is removed.
#[derive(Debug)]
pub struct Sshd {
    dir: PathBuf,
    port: u16,
    program: PathBuf,
    user: String,
    extra: Vec<String>,
    child: Child,
}

impl Sshd {
    /// Starts it. `None`, said loudly, where no sshd is installed; a panic instead if `RMOTE_TEST_REQUIRE=all`.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts it with extra lines of `sshd_config`; they stand first, and the first value wins.
    pub fn start_with(extra: &[&str]) -> Option<Self> {
        // Not on the PATH of most users.
        let places = [
            "/usr/sbin/sshd",
            "/usr/local/sbin/sshd",
            "/usr/bin/sshd",
            "/sbin/sshd",
        ];
        let Some(program) = places.iter().map(PathBuf::from).find(|path| path.exists()) else {
            skipped("no sshd is installed");
            return None;
        };
        let dir = new_dir();
        let user = output(Command::new("id").arg("-un")).trim().to_string();
        if user == "root" {
            // The place of privilege separation; an init system would have made it.
            _ = fs::create_dir_all("/run/sshd");
        }
        for name in ["host_key", "client_key", "other_key"] {
            keygen(&dir.join(name));
        }
        fs::copy(dir.join("client_key.pub"), dir.join("authorized_keys")).unwrap();
        let extra = extra.iter().map(ToString::to_string).collect();
        let child = Command::new("true").spawn().unwrap();
        let mut sshd = Self {
            dir,
            port: 0,
            program,
            user,
            extra,
            child,
        };
        for _ in 0..20 {
            sshd.port = free_port();
            sshd.write_config();
            if sshd.spawn() {
                sshd.write_client_files();
                return Some(sshd);
            }
        }
        panic!("sshd does not start: {}", sshd.log());
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The user who may log in: the current one.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// `ssh://user@127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("ssh://{}@127.0.0.1:{}", self.user, self.port)
    }

    /// An ssh client configuration with the hosts `rmote-test` and `rmote-jump`, which goes through the former.
    pub fn config_file(&self) -> PathBuf {
        self.dir.join("ssh_config")
    }

    /// The private key that may log in.
    pub fn identity(&self) -> PathBuf {
        self.dir.join("client_key")
    }

    /// A private key that may not.
    pub fn other_identity(&self) -> PathBuf {
        self.dir.join("other_key")
    }

    /// A file of known hosts with this server's key.
    pub fn known_hosts(&self) -> PathBuf {
        self.dir.join("known_hosts")
    }

    /// A directory for the test's own files, removed with the server.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What sshd has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// How many connections were made and accepted so far.
    pub fn logins(&self) -> usize {
        self.log().matches("Accepted publickey").count()
    }

    /// Every session runs this instead of what the client asks for; sessions that run are cut.
    pub fn set_forced_command(&mut self, command: &str) {
        self.add_config(&format!("ForceCommand {command}"));
    }

    /// Adds a line of `sshd_config` and starts anew on the same port; sessions that run are cut.
    pub fn add_config(&mut self, line: &str) {
        self.extra.push(line.into());
        self.restart();
    }

    /// Gives the server another host key than the one in [`known_hosts`](Self::known_hosts).
    pub fn change_host_key(&mut self) {
        for name in ["host_key", "host_key.pub"] {
            fs::remove_file(self.dir.join(name)).unwrap();
        }
        keygen(&self.dir.join("host_key"));
        self.restart();
    }

    /// Cuts all connections and starts anew on the same port.
    pub fn restart(&mut self) {
        self.stop();
        self.write_config();
        let end = Instant::now() + Duration::from_secs(10);
        while !self.spawn() {
            assert!(
                Instant::now() < end,
                "sshd does not start again: {}",
                self.log()
            );
        }
    }

    /// Kills the server and cuts all connections.
    pub fn stop(&mut self) {
        // Each connection has two processes in a session of their own. What they run is left to see its input end.
        let mut doomed = vec![self.child.id()];
        let parents = sshd_processes();
        while let Some((id, _)) = parents
            .iter()
            .find(|(id, parent)| doomed.contains(parent) && !doomed.contains(id))
        {
            doomed.push(*id);
        }
        let ids = doomed.iter().map(ToString::to_string);
        _ = Command::new("kill")
            .arg("-KILL")
            .args(ids)
            .stderr(Stdio::null())
            .status();
        _ = self.child.wait();
    }

    fn write_config(&self) {
        let mut text = self.extra.join("\n");
        let dir = self.dir.display();
        _ = write!(
            text,
            "\nPort {}\nListenAddress 127.0.0.1\nHostKey {dir}/host_key\nAuthorizedKeysFile {dir}/authorized_keys\n\
             PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin yes\nLogLevel VERBOSE\nMaxStartups 100\nUseDNS no\n",
            self.port
        );
        fs::write(self.dir.join("sshd_config"), text).unwrap();
    }

    fn write_client_files(&self) {
        let key = fs::read_to_string(self.dir.join("host_key.pub")).unwrap();
        fs::write(
            self.known_hosts(),
            format!("[127.0.0.1]:{} {key}", self.port),
        )
        .unwrap();
        let (dir, port, user) = (self.dir.display(), self.port, &self.user);
        let config = format!(
            "Host rmote-jump\n  ProxyJump rmote-test\nHost *\n  HostName 127.0.0.1\n  Port {port}\n  User {user}\n  \
             IdentityFile {dir}/client_key\n  IdentitiesOnly yes\n  UserKnownHostsFile {dir}/known_hosts\n  \
             StrictHostKeyChecking yes\n"
        );
        fs::write(self.config_file(), config).unwrap();
    }

    /// Starts the program; false if it ended at once, for the port may be taken.
    fn spawn(&mut self) -> bool {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.dir.join("log"))
            .unwrap();
        self.child = Command::new(&self.program)
            .args(["-D", "-e", "-f"])
            .arg(self.dir.join("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end && self.child.try_wait().unwrap().is_none() {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                // Its greeting, so that it is not somebody else's port.
                _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
                let mut greeting = [0; 4];
                if stream.read_exact(&mut greeting).is_ok() && &greeting == b"SSH-" {
                    return true;
                }
            }
            sleep(Duration::from_millis(5));
        }
        self.stop();
        false
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of sshd ---\n{}", self.log());
        }
        self.stop();
        _ = fs::remove_dir_all(&self.dir);
    }
}

/// The ids and parents of all processes that are called sshd; nothing where there is no /proc.
fn sshd_processes() -> Vec<(u32, u32)> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let parse = |stat: String| {
        let (id, rest) = stat.split_once(" (sshd")?;
        let (_, rest) = rest.rsplit_once(") ")?;
        Some((id.parse().ok()?, rest.split(' ').nth(1)?.parse().ok()?))
    };
    entries
        .flatten()
        .filter_map(|entry| parse(fs::read_to_string(entry.path().join("stat")).ok()?))
        .collect()
}

/// Says that a test did not run, or fails where all tests were asked for.
fn skipped(reason: &str) {
    assert!(
        std::env::var_os("RMOTE_TEST_REQUIRE").is_none_or(|value| value != "all"),
        "SKIPPED: {reason}"
    );
    eprintln!("SKIPPED: {reason}");
}

fn new_dir() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("rmote-sshd-{}-{number}", std::process::id()));
    _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

fn keygen(path: &Path) {
    output(
        Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "rmote-test", "-f"])
            .arg(path),
    );
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

//! An sshd of our own, with its own keys.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid, User};
use tempfile::TempDir;

use crate::cpu;

/// Made by `.ci/setup`: its home has no start-up files of a shell, which would be part of every figure.
const USER: &str = "rmote-test";
/// The alias in the client's configuration.
pub(crate) const HOST: &str = "rmote-compare";
const PATIENCE: Duration = Duration::from_secs(10);

/// A running server; dropped, it ends, and its folder goes with it.
#[derive(Debug)]
pub(crate) struct Sshd {
    child: Child,
    dir: TempDir,
    /// Whoever logs in.
    pub(crate) user: String,
}

impl Sshd {
    /// Starts one on the loopback interface.
    pub(crate) fn on_loopback() -> anyhow::Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let sshd = Self::start("127.0.0.1", port, &[])?;
        let end = Instant::now() + PATIENCE;
        while !answers(port) {
            ensure!(Instant::now() < end, "sshd does not answer: {}", sshd.log());
            sleep(Duration::from_millis(20));
        }
        Ok(sshd)
    }

    /// Starts one by way of the words before its own.
    pub(crate) fn start(address: &str, port: u16, before: &[&str]) -> anyhow::Result<Self> {
        let places = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"];
        let program = places.iter().find(|place| Path::new(place).exists());
        let program = program.context("no sshd is installed")?;
        let root = Uid::effective().is_root();
        let name = match User::from_name(USER)? {
            Some(user) if root => user.name,
            _ if root => bail!("there is no user {USER}; .ci/setup makes it"),
            _ => User::from_uid(Uid::effective())?.context("who am I?")?.name,
        };
        if root {
            // The place of privilege separation; made at boot where an init system runs.
            fs::create_dir_all("/run/sshd")?;
        }
        let dir = tempfile::Builder::new()
            .prefix("rmote-compare-")
            .tempdir()?;
        // sshd reads the keys as the user.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))?;
        let path = dir.path().display();
        for key in ["host_key", "client_key"] {
            let status = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(dir.path().join(key))
                .status()?;
            ensure!(status.success(), "ssh-keygen: {status}");
        }
        fs::copy(
            dir.path().join("client_key.pub"),
            dir.path().join("authorized_keys"),
        )?;
        fs::write(
            dir.path().join("sshd_config"),
            format!(
                "Port {port}\nListenAddress {address}\nHostKey {path}/host_key\n\
                 AuthorizedKeysFile {path}/authorized_keys\nPidFile none\nUsePAM no\nStrictModes no\n\
                 PasswordAuthentication no\nKbdInteractiveAuthentication no\nUseDNS no\nPrintMotd no\n\
                 MaxStartups 500\nMaxSessions 500\n"
            ),
        )?;
        let key = fs::read_to_string(dir.path().join("host_key.pub"))?;
        fs::write(
            dir.path().join("known_hosts"),
            format!("[{address}]:{port} {key}"),
        )?;
        let log = fs::File::create(dir.path().join("log"))?;
        let mut words = before.iter().copied().chain([*program, "-D", "-e", "-f"]);
        let child = Command::new(words.next().unwrap_or_default())
            .args(words)
            .arg(dir.path().join("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let sshd = Self {
            child,
            dir,
            user: name,
        };
        sshd.write_client_config("ssh_config", address, port, None)?;
        Ok(sshd)
    }

    /// The server's id: what its sessions have used is counted there when they have ended.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("ssh_config")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Writes a client's configuration, perhaps with the socket of a shared connection.
    pub(crate) fn write_client_config(
        &self,
        name: &str,
        address: &str,
        port: u16,
        socket: Option<&Path>,
    ) -> anyhow::Result<PathBuf> {
        let path = self.dir.path().display();
        let user = &self.user;
        let mut text = format!(
            "Host {HOST}\n  HostName {address}\n  Port {port}\n  User {user}\n  IdentityFile {path}/client_key\n  \
             IdentitiesOnly yes\n  UserKnownHostsFile {path}/known_hosts\n  StrictHostKeyChecking yes\n"
        );
        match socket {
            Some(socket) => write!(
                text,
                "  ControlPath {}\n  ControlMaster no\n",
                socket.display()
            )?,
            None => text.push_str("  ControlPath none\n"),
        }
        let file = self.dir.path().join(name);
        fs::write(&file, text)?;
        Ok(file)
    }

    /// Makes a file readable for the user who logs in: beside the keys, if that user cannot read it where it is.
    pub(crate) fn offer(&self, file: &Path) -> anyhow::Result<PathBuf> {
        let other = !Uid::effective().is_root()
            || Command::new("runuser")
                .args(["-u", &self.user, "--", "test", "-r"])
                .arg(file)
                .status()
                .is_ok_and(|status| status.success());
        if other {
            return Ok(file.to_owned());
        }
        let place = self.dir.path().join(file.file_name().context("no file")?);
        if !place.exists() {
            fs::hard_link(file, &place).or_else(|_| fs::copy(file, &place).map(drop))?;
            fs::set_permissions(&place, fs::Permissions::from_mode(0o644))?;
        }
        Ok(place)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // Each connection has two processes in a session of their own, which would wait for a link that is gone. What
        // they run is left to see the end of its input.
        let mut doomed = vec![self.child.id()];
        let all = cpu::processes();
        while let Some(process) = all.iter().find(|process| {
            process.name.starts_with("sshd")
                && doomed.contains(&process.parent)
                && !doomed.contains(&process.id)
        }) {
            doomed.push(process.id);
        }
        for id in doomed {
            if let Ok(id) = i32::try_from(id) {
                _ = kill(Pid::from_raw(id), Signal::SIGKILL);
            }
        }
        _ = self.child.wait();
    }
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let mut greeting = [0; 4];
    _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    stream.read_exact(&mut greeting).is_ok() && &greeting == b"SSH-"
}

//! A slow link: two network namespaces with a delay line between them, and an sshd in the second.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use nix::unistd::Uid;

use crate::peers::PYTHON;
use crate::sshd::{HOST, Sshd};

const OPEN_TUN: &str = include_str!("open_tun.py");
/// Of a range that is kept for examples, and seen in the two namespaces only.
const HERE: &str = "192.0.2.1";
const THERE: &str = "192.0.2.2";
const PORT: u16 = 2222;
const PREFIX: &str = "rmcmp";
const PATIENCE: Duration = Duration::from_secs(20);

/// The link; dropped, all of it goes.
#[derive(Debug)]
pub(crate) struct Link {
    // In this order: the programs, then the namespaces that they are in.
    pub(crate) shared: Master,
    /// One that compresses, as `ssh -C` does.
    pub(crate) compressed: Master,
    pub(crate) sshd: Sshd,
    _line: Running,
    _there: Namespace,
    here: Namespace,
}

impl Link {
    /// Makes it, with the delay each way.
    pub(crate) fn make(own: &Path, one_way: Duration, rate: Option<u64>) -> anyhow::Result<Self> {
        ensure!(
            Uid::effective().is_root(),
            "only root can make network namespaces"
        );
        ensure!(
            Path::new("/dev/net/tun").exists(),
            "there is no /dev/net/tun"
        );
        sweep();
        let here = Namespace::new("a")?;
        let there = Namespace::new("b")?;
        let line = Running(
            Command::new("ip")
                .args([
                    "netns", "exec", &here.name, PYTHON, "-c", OPEN_TUN, "0", "tun0",
                ])
                .args([
                    "ip",
                    "netns",
                    "exec",
                    &there.name,
                    PYTHON,
                    "-c",
                    OPEN_TUN,
                    "1",
                    "tun0",
                ])
                .arg(own)
                .arg("delay-line")
                .arg(one_way.as_micros().to_string())
                .args(rate.map(|rate| rate.to_string()))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()?,
        );
        for (namespace, address, peer) in [(&here, HERE, THERE), (&there, THERE, HERE)] {
            namespace.wait_for_device()?;
            namespace.ip(&["addr", "add", address, "peer", peer, "dev", "tun0"])?;
            // The rate is made by the line; a short queue here would lose what it has not taken yet.
            namespace.ip(&["link", "set", "tun0", "txqueuelen", "20000", "up"])?;
        }
        let sshd = Sshd::start(THERE, PORT, &["ip", "netns", "exec", &there.name])?;
        let master = |name: &str, compression| {
            let socket = sshd.dir().join(name);
            let config = format!("ssh_config_{name}");
            let config = sshd.write_client_config(&config, THERE, PORT, Some(&socket))?;
            Master::start(&here, config, &socket, compression)
                .with_context(|| format!("sshd says: {}", sshd.log().trim()))
        };
        Ok(Self {
            shared: master("shared", "no")?,
            compressed: master("compressed", "yes")?,
            sshd,
            _line: line,
            _there: there,
            here,
        })
    }

    /// The words before a command that is to run at this end.
    pub(crate) fn enter(&self) -> Vec<String> {
        self.here.enter()
    }
}

/// A connection that others share.
#[derive(Debug)]
pub(crate) struct Master {
    pub(crate) config: PathBuf,
    _ssh: Running,
}

impl Master {
    fn start(
        here: &Namespace,
        config: PathBuf,
        socket: &Path,
        compression: &str,
    ) -> anyhow::Result<Self> {
        let enter = here.enter();
        let end = Instant::now() + PATIENCE;
        let mut ssh = Running::master(&enter, &config, compression)?;
        while !socket.exists() {
            ensure!(Instant::now() < end, "ssh makes no shared connection");
            if ssh.0.try_wait()?.is_some() {
                // The server was not there yet.
                sleep(Duration::from_millis(100));
                ssh = Running::master(&enter, &config, compression)?;
            }
            sleep(Duration::from_millis(20));
        }
        Ok(Self { config, _ssh: ssh })
    }
}

/// A process that is killed with its value.
#[derive(Debug)]
struct Running(Child);

impl Running {
    /// An ssh that is the master of the connection.
    fn master(enter: &[String], config: &Path, compression: &str) -> anyhow::Result<Self> {
        let (program, args) = enter.split_first().context("no words")?;
        let child = Command::new(program)
            .args(args)
            .args(["ssh", "-M", "-N", "-o", "BatchMode=yes", "-F"])
            .arg(config)
            .args(["-o", &format!("Compression={compression}"), HOST])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[derive(Debug)]
struct Namespace {
    name: String,
}

impl Namespace {
    fn new(end: &str) -> anyhow::Result<Self> {
        let name = format!("{PREFIX}-{}-{end}", std::process::id());
        ip(&["netns", "add", &name])?;
        let made = Self { name };
        made.ip(&["link", "set", "lo", "up"])?;
        Ok(made)
    }

    fn ip(&self, words: &[&str]) -> anyhow::Result<()> {
        ip(&[&["-n", self.name.as_str()], words].concat())
    }

    fn wait_for_device(&self) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        while let Err(error) = self.ip(&["link", "show", "tun0"]) {
            if Instant::now() > end {
                bail!("the delay line does not start: {error}");
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn enter(&self) -> Vec<String> {
        ["ip", "netns", "exec", &self.name]
            .map(str::to_owned)
            .to_vec()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        _ = ip(&["netns", "del", &self.name]);
    }
}

/// Removes what runs that were killed have left.
fn sweep() {
    let Ok(entries) = std::fs::read_dir("/run/netns") else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let mut parts = name.split('-');
        let ours = parts.next() == Some(PREFIX);
        let alive = parts
            .next()
            .is_some_and(|id| Path::new("/proc").join(id).exists());
        if ours && !alive {
            _ = ip(&["netns", "del", &name]);
        }
    }
}

fn ip(words: &[&str]) -> anyhow::Result<()> {
    let output = Command::new("ip")
        .args(words)
        .stdin(Stdio::null())
        .output()
        .context("no program ip")?;
    ensure!(
        output.status.success(),
        "ip {}: {}",
        words.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}

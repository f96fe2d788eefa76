//! The ways to a host, and what this machine has of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use crate::cli::{Road, Settings};
use crate::container::{Container, DATA};
use crate::cpu;
use crate::job::{Job, Over};
use crate::link::Link;
use crate::sshd::{HOST, Sshd};

/// The variant whose connection across the slow link compresses.
pub(crate) const COMPRESSED: &str = "ssh -C";

/// A way to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A process on this machine.
    Local,
    /// The same with both ends on one CPU: no wake-up crosses from one to another.
    OneCpu,
    /// The same, with all bytes counted.
    Relay,
    Ssh,
    Docker,
    /// A new ssh connection across the slow link.
    Link,
    /// A shared ssh connection across the slow link, which is there already.
    SharedLink,
}

impl Way {
    pub(crate) fn road(self) -> Road {
        match self {
            Self::Local | Self::OneCpu | Self::Relay => Road::Local,
            Self::Ssh => Road::Ssh,
            Self::Docker => Road::Docker,
            Self::Link | Self::SharedLink => Road::Link,
        }
    }

    /// Its name in ids.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::OneCpu => "one-cpu",
            Self::Relay => "relay",
            Self::Ssh => "ssh",
            Self::Docker => "docker",
            Self::Link => "link",
            Self::SharedLink => "shared-link",
        }
    }
}

/// What was set up; dropped, it is taken down.
#[derive(Debug)]
pub(crate) struct Ways {
    own: PathBuf,
    folder: PathBuf,
    sshd: Option<Sshd>,
    container: Option<Container>,
    link: Option<Link>,
}

impl Ways {
    /// Sets up what is needed. What cannot be is said loudly.
    pub(crate) fn set_up(
        settings: &Settings,
        needed: &[Road],
        own: &Path,
        folder: &Path,
        data: &Path,
    ) -> Self {
        let one_way = Duration::from_millis(settings.link_delay.into()) / 2;
        let wanted = |road| needed.contains(&road);
        Self {
            own: own.to_owned(),
            folder: folder.to_owned(),
            sshd: wanted(Road::Ssh)
                .then(|| loudly("ssh", Sshd::on_loopback()))
                .flatten(),
            container: wanted(Road::Docker)
                .then(|| loudly("docker", Container::start(data)))
                .flatten(),
            link: wanted(Road::Link)
                .then(|| loudly("the link", Link::make(own, one_way, settings.link_rate)))
                .flatten(),
        }
    }

    /// Whether it is there.
    pub(crate) fn has(&self, way: Way) -> bool {
        match way.road() {
            Road::Local => true,
            Road::Ssh => self.sshd.is_some(),
            Road::Docker => self.container.is_some(),
            Road::Link => self.link.is_some(),
        }
    }

    /// Where the bytes that pass the relay are logged.
    pub(crate) fn relay_log(&self) -> PathBuf {
        self.folder.join("relay.log")
    }

    /// The words before a contender's own, which put it in its place.
    pub(crate) fn enter(&self, way: Way) -> Vec<String> {
        match (way, &self.link) {
            // The last one: the first has more interrupts to serve.
            (Way::OneCpu, _) => {
                let last = std::thread::available_parallelism().map_or(0, |count| count.get() - 1);
                ["taskset", "--cpu-list", &last.to_string()]
                    .map(str::to_owned)
                    .to_vec()
            }
            (Way::Link | Way::SharedLink, Some(link)) => link.enter(),
            _ => Vec::new(),
        }
    }

    /// Fills in how the host is reached, and what the file to read is called there.
    pub(crate) fn fill(&self, way: Way, job: &mut Job, file: Option<&Path>) -> anyhow::Result<()> {
        let text = |path: &Path| path.display().to_string();
        let ssh = |job: &mut Job, config: &Path, sshd: &Sshd| {
            job.over = Over::Ssh;
            job.host = HOST.into();
            job.config = text(config);
            job.via = ["ssh", "-T", "-F", &job.config, HOST]
                .map(str::to_owned)
                .to_vec();
            file.map_or(Ok(String::new()), |file| {
                sshd.offer(file).map(|path| text(&path))
            })
        };
        job.over = Over::Local;
        job.file = file.map(text).unwrap_or_default();
        match way {
            Way::Local | Way::OneCpu => {}
            Way::Relay => {
                let log = text(&self.relay_log());
                job.via = [&text(&self.own), "relay", &log, "--"]
                    .map(str::to_owned)
                    .to_vec();
            }
            Way::Ssh => {
                let sshd = self.sshd.as_ref().context("no sshd")?;
                job.file = ssh(job, &sshd.config(), sshd)?;
            }
            Way::Link => {
                let link = self.link.as_ref().context("no link")?;
                job.file = ssh(job, &link.sshd.config(), &link.sshd)?;
            }
            Way::SharedLink => {
                let link = self.link.as_ref().context("no link")?;
                let master = match job.variant.as_str() {
                    COMPRESSED => &link.compressed,
                    _ => &link.shared,
                };
                job.file = ssh(job, &master.config, &link.sshd)?;
            }
            Way::Docker => {
                let container = self.container.as_ref().context("no container")?;
                job.over = Over::Docker;
                job.container.clone_from(&container.name);
                job.via = ["docker", "exec", "-i", &container.name]
                    .map(str::to_owned)
                    .to_vec();
                let name = file.and_then(Path::file_name);
                job.file =
                    name.map_or_else(String::new, |name| format!("{DATA}/{}", name.display()));
            }
        }
        Ok(())
    }

    /// CPU seconds that the servers have used for us so far; `None` where that is not known.
    pub(crate) fn used_by_servers(&self, way: Way) -> Option<f64> {
        match way.road() {
            Road::Local => Some(0.0),
            Road::Ssh => self.sshd.as_ref().map(|sshd| cpu::of_process(sshd.id())),
            Road::Link => self
                .link
                .as_ref()
                .map(|link| cpu::of_process(link.sshd.id())),
            Road::Docker => None,
        }
    }
}

fn loudly<T>(what: &str, made: anyhow::Result<T>) -> Option<T> {
    made.map_err(|error| eprintln!("LEFT OUT: {what}: {error:#}"))
        .ok()
}

//! The system's ssh.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::child::spawn;
use crate::clean::clean_line;
use crate::error::SpawnError;
use crate::fault::Family;
use crate::link::{Link, Transport};
use crate::master::{Join, Shared};
use crate::name::{Destination, NameKind, check_name};
use crate::quote::command_line;
use crate::target::TargetError;

/// Runs the program through the system's `ssh`.
///
/// The user's whole configuration holds: aliases, keys, agents, jump hosts, known hosts, an existing `ControlMaster`.
/// Setters change single values of it. ssh never asks anything (`BatchMode=yes`): what would need a password or an answer
/// fails with a reason.
///
/// The remote side runs the program through the user's login shell, which may be any; see [`QuoteError`](crate::QuoteError)
/// for the words that are refused because of that.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rmote_transport::{KnownHosts, Ssh, Transport};
///
/// let host = Ssh::new("deploy@web01")
///     .port(2222)
///     .jump("bastion")
///     .known_hosts(KnownHosts::AcceptNew)
///     .connect_timeout(Duration::from_secs(5));
/// assert_eq!(host.target(), "ssh://deploy@web01:2222");
/// ```
#[derive(Debug, Clone)]
pub struct Ssh {
    destination: Result<Destination, (String, TargetError)>,
    program: OsString,
    identity: Vec<PathBuf>,
    config_file: Option<PathBuf>,
    jumps: Vec<String>,
    known_hosts: KnownHosts,
    known_hosts_file: Option<PathBuf>,
    connect_timeout: Option<Duration>,
    keepalive: Option<Duration>,
    shared: Option<Arc<Shared>>,
}

/// What to do with host keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KnownHosts {
    /// Accepts every key, changed ones too, and remembers none. Whoever controls the network can then read and change
    /// everything; for throw-away test machines only.
    AcceptAny,
    /// Accepts and remembers the keys of unknown hosts, refuses changed ones.
    AcceptNew,
    /// As the ssh configuration says, the default. Where it says to ask, unknown hosts are refused.
    #[default]
    Config,
    /// Refuses unknown and changed keys.
    Strict,
}

impl Ssh {
    /// A host: `host`, `user@host` or `ssh://user@host:port`, where the host may be an alias of the ssh configuration.
    ///
    /// A bad text is reported by [`start`](Transport::start); [`str::parse`] reports it at once.
    pub fn new(destination: impl Into<String>) -> Self {
        let text = destination.into();
        Self::with(text.parse().map_err(|error| (clean_line(&text), error)))
    }

    fn with(destination: Result<Destination, (String, TargetError)>) -> Self {
        Self {
            destination,
            program: "ssh".into(),
            identity: Vec::new(),
            config_file: None,
            jumps: Vec::new(),
            known_hosts: KnownHosts::default(),
            known_hosts_file: None,
            connect_timeout: None,
            keepalive: None,
            shared: None,
        }
    }

    /// The local program; defaults to `ssh`.
    pub fn program(mut self, program: impl Into<OsString>) -> Self {
        self.program = program.into();
        self
    }

    /// The remote user; defaults to what the destination or the configuration says.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        let user = user.into();
        match check_name(NameKind::User, &user) {
            Err(error) => self.refuse(&format!("{user}@"), error),
            Ok(_) => {
                if let Ok(destination) = &mut self.destination {
                    destination.user = Some(user);
                }
            }
        }
        self
    }

    /// The port; defaults to what the destination or the configuration says.
    pub fn port(mut self, port: u16) -> Self {
        if let Ok(destination) = &mut self.destination {
            destination.port = Some(port);
        }
        self
    }

    /// Adds a private key; then only the keys given so are tried, not those that an agent holds as well.
    pub fn identity(mut self, path: impl Into<PathBuf>) -> Self {
        self.identity.push(path.into());
        self
    }

    /// Another configuration file instead of the user's and the system's.
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.config_file = Some(path.into());
        self
    }

    /// Adds a jump host, written as in [`Ssh::new`]; several are passed in this order. Defaults to the configuration.
    pub fn jump(mut self, destination: impl Into<String>) -> Self {
        let text = destination.into();
        match text.parse::<Destination>() {
            Ok(jump) => self.jumps.push(jump.to_string()),
            Err(error) => self.refuse(&text, error),
        }
        self
    }

    /// How host keys are checked; defaults to [`KnownHosts::Config`].
    pub fn known_hosts(mut self, check: KnownHosts) -> Self {
        self.known_hosts = check;
        self
    }

    /// Another file of known hosts instead of the user's. Has no effect with [`KnownHosts::AcceptAny`].
    pub fn known_hosts_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.known_hosts_file = Some(path.into());
        self
    }

    /// How long to wait for the connection, in whole seconds and at least one; defaults to the configuration, which by
    /// default leaves it to the system (minutes).
    pub fn connect_timeout(mut self, time: Duration) -> Self {
        self.connect_timeout = Some(time);
        self
    }

    /// Asks a silent server at this interval, in whole seconds and at least one, whether it is there, and gives up after
    /// three asks without answer. Defaults to the configuration, which by default never asks.
    pub fn keepalive(mut self, interval: Duration) -> Self {
        self.keepalive = Some(interval);
        self
    }

    /// Shares one connection among all links of this value and its clones.
    ///
    /// The first start makes the connection, later ones open a channel of it, which costs no new handshake. A later
    /// start waits until the first one has connected. If the connection is lost or the server refuses one more channel, the
    /// next start makes a new one. The connection ends when the last link and the last clone of this value are gone;
    /// two seconds without a link end it as well, so that nothing stays behind when this process is killed.
    ///
    /// Messages of a jump host are lost, since ssh silences the helpers of a shared connection.
    pub fn shared(mut self) -> Self {
        self.shared = Some(Arc::new(Shared::default()));
        self
    }

    /// Remembers the first error for start().
    fn refuse(&mut self, text: &str, error: TargetError) {
        if self.destination.is_ok() {
            self.destination = Err((clean_line(text), error));
        }
    }

    fn destination(&self) -> Result<&Destination, SpawnError> {
        let refused = |(_, source): &(String, TargetError)| SpawnError::Target {
            target: self.target(),
            source: source.clone(),
        };
        self.destination.as_ref().map_err(refused)
    }

    /// The whole argument vector; the socket is that of the shared connection to make.
    pub(crate) fn argument_vector(
        &self,
        command: &str,
        socket: Option<&Path>,
    ) -> Result<Vec<OsString>, SpawnError> {
        let destination = self.destination()?;
        let mut words = vec![self.program.clone(), "-T".into()];
        let mut option = |text: String| words.extend(["-o".into(), text.into()]);
        option("BatchMode=yes".into());
        // What a configuration may say for interactive use would take the place of our command or its streams.
        option("RemoteCommand=none".into());
        option("ClearAllForwardings=yes".into());
        // The default. Under a user's "LogLevel QUIET" no failure would have a name, and under ERROR a lost connection
        // has none.
        option("LogLevel=INFO".into());
        match self.known_hosts {
            KnownHosts::AcceptAny => {
                option("StrictHostKeyChecking=no".into());
                option("GlobalKnownHostsFile=/dev/null".into());
                option("UserKnownHostsFile=/dev/null".into());
            }
            KnownHosts::AcceptNew => option("StrictHostKeyChecking=accept-new".into()),
            KnownHosts::Config => {}
            KnownHosts::Strict => option("StrictHostKeyChecking=yes".into()),
        }
        if let (Some(path), true) = (
            &self.known_hosts_file,
            self.known_hosts != KnownHosts::AcceptAny,
        ) {
            option(format!("UserKnownHostsFile=\"{}\"", escape_percent(path)));
        }
        if let Some(time) = self.connect_timeout {
            option(format!("ConnectTimeout={}", whole_seconds(time)));
        }
        if let Some(interval) = self.keepalive {
            option(format!("ServerAliveInterval={}", whole_seconds(interval)));
            option("ServerAliveCountMax=3".into());
        }
        if let Some(socket) = socket {
            option("ControlMaster=yes".into());
            option(format!("ControlPersist={IDLE_SECONDS}"));
            words.extend(["-S".into(), socket.into()]);
        }
        if !self.identity.is_empty() {
            words.extend(["-o".into(), "IdentitiesOnly=yes".into()]);
        }
        for path in &self.identity {
            words.extend(["-i".into(), escape_percent(path).into()]);
        }
        if let Some(path) = &self.config_file {
            words.extend(["-F".into(), path.into()]);
        }
        if !self.jumps.is_empty() {
            words.extend(["-J".into(), self.jumps.join(",").into()]);
        }
        if let Some(port) = destination.port {
            words.extend(["-p".into(), port.to_string().into()]);
        }
        if let Some(user) = &destination.user {
            words.extend(["-l".into(), user.into()]);
        }
        // command_line() refuses a program that begins with "-": ssh reads options after the host, too.
        words.extend(["--".into(), destination.host.clone().into(), command.into()]);
        Ok(words)
    }
}

/// How long a shared connection without links lives. Long enough for "one after the other", short enough for "nothing
/// stays" after this process was killed.
const IDLE_SECONDS: u32 = 2;

/// ssh expands percent signs in paths.
fn escape_percent(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%%")
}

/// ssh knows whole seconds only, and 0 means "never".
fn whole_seconds(time: Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}

#[async_trait]
impl Transport for Ssh {
    fn target(&self) -> String {
        match &self.destination {
            Ok(destination) => clean_line(&format!("ssh://{destination}")),
            Err((text, _)) => text.clone(),
        }
    }

    async fn start(&self, argv: &[String]) -> Result<Link, SpawnError> {
        let target = self.target();
        self.destination()?;
        let command = command_line(argv).map_err(|source| SpawnError::Command {
            target: target.clone(),
            source,
        })?;
        let Some(shared) = &self.shared else {
            return spawn(&target, Family::Ssh, &self.argument_vector(&command, None)?);
        };
        match shared.join(&command).await {
            Join::Channel(link) => Ok(*link),
            Join::Alone => spawn(&target, Family::Ssh, &self.argument_vector(&command, None)?),
            Join::First(place) => {
                let words = self.argument_vector(&command, Some(place.socket()))?;
                let mut link = spawn(&target, Family::Ssh, &words)?;
                place.fill(&mut link.process);
                Ok(link)
            }
        }
    }
}

impl FromStr for Ssh {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        text.parse()
            .map(|destination: Destination| Self::from(destination))
    }
}

impl From<Destination> for Ssh {
    fn from(destination: Destination) -> Self {
        Self::with(Ok(destination))
    }
}

#[cfg(test)]
#[path = "ssh_tests.rs"]
mod tests;

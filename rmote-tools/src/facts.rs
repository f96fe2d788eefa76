//! What is known of the host.

mod hardware;
mod host;
mod network;
mod software;
mod storage;

pub use hardware::{CpuFacts, MemoryFacts};
pub use host::{Account, AccountGroup, Login, OsRelease, SystemFacts, UserFacts};
pub use network::{Address, Interface, NetworkFacts, Route};
use serde::{Deserialize, Serialize, Serializer};
pub use software::{
    ContainerEngine, ContainerFacts, PackageFacts, PackageVersion, PythonFacts, ServiceManagerFacts,
};
pub use storage::{BlockDevice, Mount, Partition, StorageFacts};

crate::tool! {
    /// Tells what the host is, by sections.
    ///
    /// What is not known is `None` and never guessed. `available` says of a section whether anything is known at all, so
    /// that it can be told from what is empty; `error` is the text of what went wrong, while the rest is there. No section
    /// fails or hangs because of another. Most of it is read from files, and nothing is changed. An ordinary user sees
    /// nearly all of it.
    ///
    /// A host without `/proc` has less. Systems with musl or apk, RPM on another host than Debian, and macOS could not be
    /// tried for real.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{Facts, Local, Section, Session};
    ///
    /// let host = Session::connect(Local::new()).await?;
    /// let facts = Facts::new(&host);
    /// let system = facts.system().await?;
    /// println!("{} runs {}", system.hostname.unwrap_or_default(), system.kernel.unwrap_or_default());
    ///
    /// let found = facts.gather([Section::Cpu, Section::Storage]).await?;
    /// for mount in found.storage.and_then(|storage| storage.mounts).unwrap_or_default() {
    ///     println!("{} has {:?} bytes", mount.path.as_path().display(), mount.size);
    /// }
    /// assert!(found.network.is_none(), "it was not asked for");
    /// # Ok(()) }
    /// ```
    ///
    /// # Command line
    ///
    /// ```sh
    /// rmote-cli facts web01
    /// rmote-cli facts web01 system storage --json
    /// rmote-cli call web01 Facts.packages raw=true
    /// ```
    pub struct Facts = &crate::python::FACTS;

    /// Tells several sections at once; none named means all of them ([`Section::ALL`]).
    [idempotent] fn gather([sections: Section]) -> HostFacts, gather_with(FactsOptions);

    /// Tells the kernel, the distribution, names, times, and what the host runs on.
    [idempotent] fn system() -> SystemFacts;

    /// Tells which Python the agent runs in.
    [idempotent] fn python() -> PythonFacts;

    /// Tells the processors and their load.
    [idempotent] fn cpu() -> CpuFacts;

    /// Tells memory and swap space.
    [idempotent] fn memory() -> MemoryFacts;

    /// Tells interfaces with their addresses, routes and name servers.
    [idempotent] fn network() -> NetworkFacts;

    /// Tells mounts with their sizes, and block devices.
    ///
    /// File systems of the kernel's own (proc, sysfs and such) are left out. A mount that does not tell its size in time,
    /// such as one whose server is gone, has an [`error`](Mount::error).
    [idempotent] fn storage() -> StorageFacts, storage_with(TimeLimit);

    /// Tells which package manager the host has, and what is installed.
    [idempotent] fn packages() -> PackageFacts, packages_with(PackageFactsOptions);

    /// Tells what manages services.
    [idempotent] fn service_manager() -> ServiceManagerFacts, service_manager_with(TimeLimit);

    /// Tells the accounts and groups of the host's own files, and who is logged in.
    [idempotent] fn users() -> UserFacts;

    /// Tells whether the host is a container, and which engines it has for its own. No engine is asked.
    [idempotent] fn containers() -> ContainerFacts, containers_with(TimeLimit);
}

crate::options! {
    /// How to gather sections.
    pub struct FactsOptions {
        /// Whether to list all packages; defaults to no.
        raw: bool,
        /// For how many seconds to wait for what may never answer, such as a mount; defaults to 3.
        timeout: f64,
    }
}

crate::options! {
    /// How to tell packages.
    pub struct PackageFactsOptions {
        /// Whether to list all packages; defaults to no.
        raw: bool,
    }
}

crate::options! {
    /// How long a section may take.
    pub struct TimeLimit {
        /// For how many seconds to wait for what may never answer, such as a mount; defaults to 3.
        timeout: f64,
    }
}

/// A section of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Section {
    /// The kernel, the distribution, names and times.
    System,
    /// The Python of the agent.
    Python,
    /// Processors.
    Cpu,
    /// Memory and swap space.
    Memory,
    /// Interfaces, routes and name servers.
    Network,
    /// Mounts and block devices.
    Storage,
    /// Packages.
    Packages,
    /// What manages services.
    ServiceManager,
    /// Accounts, groups and logins.
    Users,
    /// Whether the host is a container, and engines.
    Containers,
}

impl Section {
    /// All sections.
    pub const ALL: [Self; 10] = [
        Self::System,
        Self::Python,
        Self::Cpu,
        Self::Memory,
        Self::Network,
        Self::Storage,
        Self::Packages,
        Self::ServiceManager,
        Self::Users,
        Self::Containers,
    ];

    /// Its name, as Python and the command line know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Python => "python",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Network => "network",
            Self::Storage => "storage",
            Self::Packages => "packages",
            Self::ServiceManager => "service_manager",
            Self::Users => "users",
            Self::Containers => "containers",
        }
    }
}

impl Serialize for Section {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What is known of a host; a section that was not asked for is `None`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct HostFacts {
    /// The kernel, the distribution, names and times.
    pub system: Option<SystemFacts>,
    /// The Python of the agent.
    pub python: Option<PythonFacts>,
    /// Processors.
    pub cpu: Option<CpuFacts>,
    /// Memory and swap space.
    pub memory: Option<MemoryFacts>,
    /// Interfaces, routes and name servers.
    pub network: Option<NetworkFacts>,
    /// Mounts and block devices.
    pub storage: Option<StorageFacts>,
    /// Packages.
    pub packages: Option<PackageFacts>,
    /// What manages services.
    pub service_manager: Option<ServiceManagerFacts>,
    /// Accounts, groups and logins.
    pub users: Option<UserFacts>,
    /// Whether the host is a container, and engines.
    pub containers: Option<ContainerFacts>,
}

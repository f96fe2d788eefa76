//! The Python, packages, services and containers of the host.

use serde::Deserialize;

/// What is known of the Python that the agent runs in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct PythonFacts {
    /// Which one: `cpython`, `pypy`.
    pub implementation: Option<String>,
    /// The version of the language, such as `3.11.2`.
    pub version: Option<String>,
    /// The version of the implementation.
    pub implementation_version: Option<String>,
    /// The path of the interpreter.
    pub executable: Option<String>,
    /// What it was built for, such as `linux`.
    pub platform: Option<String>,
    /// How wide its addresses are.
    pub bits: Option<u32>,
    /// Whether it is that of a virtual environment.
    pub virtualenv: Option<bool>,
    /// The C library: `glibc 2.36`, `musl`.
    pub libc: Option<String>,
    /// Whether anything of this section is known.
    pub available: bool,
    /// What went wrong; what could be told all the same is there.
    pub error: Option<String>,
}

/// What is known of packages.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct PackageFacts {
    /// The manager: `apt`, `pacman`, `apk`, or what handles RPM packages there.
    pub manager: Option<String>,
    /// How many packages are installed.
    pub count: Option<u64>,
    /// All of them, if they were asked for.
    pub packages: Option<Vec<PackageVersion>>,
    /// Whether anything of this section is known.
    pub available: bool,
    /// What went wrong; what could be told all the same is there.
    pub error: Option<String>,
}

/// A package that is installed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct PackageVersion {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it was built for.
    pub architecture: String,
}

/// What is known of what manages services.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ServiceManagerFacts {
    /// `systemd`, `openrc`, or `none` where the first process is an ordinary one.
    pub manager: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// How it is: `running`, `degraded` and so on for systemd, the runlevel for OpenRC.
    pub state: Option<String>,
    /// Whether anything of this section is known.
    pub available: bool,
    /// What went wrong; what could be told all the same is there.
    pub error: Option<String>,
}

/// What is known of containers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ContainerFacts {
    /// Whether the host is a container.
    pub inside: Option<bool>,
    /// Of which kind: `docker`, `podman`, `lxc`, `kubernetes`, `systemd-nspawn`, `wsl` and so on.
    pub kind: Option<String>,
    /// Engines for containers, whether they run or not.
    pub engines: Option<Vec<ContainerEngine>>,
    /// Whether anything of this section is known.
    pub available: bool,
    /// What went wrong; what could be told all the same is there.
    pub error: Option<String>,
}

/// An engine for containers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ContainerEngine {
    /// Its name, such as `docker`.
    pub name: String,
    /// The path of its program.
    pub program: Option<String>,
    /// The path of its socket, which is there while it runs.
    pub socket: Option<String>,
}

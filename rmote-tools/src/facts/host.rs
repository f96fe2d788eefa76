//! The system, and who uses it.

use serde::Deserialize;

/// What is known of the system.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct SystemFacts {
    /// The name of the kernel, such as `Linux`.
    pub kernel: Option<String>,
    /// Its release, such as `6.1.0-18-amd64`.
    pub kernel_release: Option<String>,
    /// When and how it was built.
    pub kernel_version: Option<String>,
    /// What the machine is, such as `x86_64`.
    pub architecture: Option<String>,
    /// The host's name, as the kernel has it.
    pub hostname: Option<String>,
    /// The host's name with its domain, if its own files know it. No name server is asked.
    pub fqdn: Option<String>,
    /// The distribution.
    pub os: Option<OsRelease>,
    /// When it was booted, in seconds since 1970.
    pub boot_time: Option<u64>,
    /// For how many seconds it has been running.
    pub uptime: Option<f64>,
    /// What the machine is virtualized by, in the words of systemd-detect-virt: `kvm`, `vmware` and so on, `vm-other` if it
    /// is but we do not know by what, `none` if it is not.
    pub virtualization: Option<String>,
    /// The name of the first process.
    pub init: Option<String>,
    /// The time zone, such as `Europe/Berlin`.
    pub timezone: Option<String>,
    /// By how many seconds the agent's time is ahead of UTC.
    pub utc_offset: Option<i64>,
    /// The locale that is set for the host, such as `C.UTF-8`.
    pub locale: Option<String>,
    /// Whether anything of this section is known.
    pub available: bool,
    /// What went wrong; what could be told all the same is there.
    pub error: Option<String>,
}

/// A distribution, as its file `os-release` has it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct OsRelease {
    /// Its short name, such as `debian`.
    pub id: Option<String>,
    /// The short names of those that it was made from, the nearest first.
    pub id_like: Vec<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its name with the version, for people.
    pub pretty_name: Option<String>,
    /// Its version, for people.
    pub version: Option<String>,
    /// Its version, such as `12`.
    pub version_id: Option<String>,
    /// The name of the version, such as `bookworm`.
    pub version_codename: Option<String>,
}

/// What is known of accounts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct UserFacts {
    /// The accounts of `/etc/passwd`. Those of directory services are not asked for.
    pub accounts: Option<Vec<Account>>,
    /// The groups of `/etc/group`.
    pub groups: Option<Vec<AccountGroup>>,
    /// Who is logged in; `None` if the host keeps no such list.
    pub logins: Option<Vec<Login>>,
    /// Whether anything of this section is known.
    pub available: bool,
    /// What went wrong; what could be told all the same is there.
    pub error: Option<String>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// The number of its first group.
    pub gid: u32,
    /// Its comment, often a name.
    pub comment: String,
    /// Its home directory.
    pub home: String,
    /// Its shell; empty means `/bin/sh`.
    pub shell: String,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct AccountGroup {
    /// Its name.
    pub name: String,
    /// Its number.
    pub gid: u32,
    /// Those for whom it is not the first group.
    pub members: Vec<String>,
}

/// Somebody who is logged in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Login {
    /// The name of the account.
    pub user: String,
    /// The terminal, such as `pts/0`.
    pub terminal: String,
    /// Where from.
    pub host: Option<String>,
    /// Since when, in seconds since 1970.
    pub since: i64,
    /// The process of the login.
    pub pid: u32,
}

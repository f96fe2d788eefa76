//! Packages with whichever package manager a host has.

use serde::{Serialize, Serializer};

use crate::packages::{PackageResult, PackageState, Wanted};

crate::tool! {
    /// Installs, upgrades and removes packages with the host's package manager: apt, pacman, dnf or apk.
    ///
    /// Which one is found out by `/etc/os-release`, and if that names none of these families, by which of the programs is
    /// there; [`PackageOptions::manager`] names it instead. A host without any gives the error
    /// [`Unsupported`](crate::CallErrorKind::Unsupported). All packages of a call go through one transaction, or, with
    /// pacman, dnf and apk, one for those that are removed and one for the others.
    ///
    /// A failure is a [`PackageError`](crate::PackageError), whichever the manager.
    ///
    /// What a package's name is each system's own matter. apt and pacman are there in full, and have more options as
    /// [`Apt`](crate::Apt) and [`Pacman`](crate::Pacman); with dnf and apk packages cannot be held. dnf 4 and 5 were run
    /// for real; apk was not: that is written by its manual, and tested with an imitation only.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{Package, PackageUpdateOptions, Session, Ssh, Wanted};
    ///
    /// let host = Session::connect(Ssh::new("web01")).await?;
    /// let package = Package::new(&host);
    /// package.update_with(PackageUpdateOptions::new().ttl(3600.0)).await?;
    /// package.present(["git", "rsync"]).await?;
    /// for result in package.converge([Wanted::latest("curl"), Wanted::absent("telnet")]).await? {
    ///     println!("{}: {:?} -> {:?}", result.name, result.before, result.version);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Command line
    ///
    /// ```sh
    /// rmote-cli call web01 Package.present git rsync
    /// rmote-cli call web01 Package.absent telnet check=true
    /// rmote-cli call docker://web Package.converge git curl state=latest manager=apt
    /// ```
    pub struct Package = &crate::python::PACKAGE;

    /// Makes sure that packages are installed, in a version if one is given (`name=version`).
    fn present([packages: String]) -> Vec<PackageResult>, present_with(PackageOptions);

    /// Makes sure that packages are not installed.
    fn absent([packages: String]) -> Vec<PackageResult>, absent_with(PackageOptions);

    /// Makes sure that packages are installed in the newest version that the lists have.
    fn latest([packages: String]) -> Vec<PackageResult>, latest_with(PackageOptions);

    /// Makes sure that packages are installed and keep their version when others are upgraded.
    fn held([packages: String]) -> Vec<PackageResult>, held_with(PackageOptions);

    /// Makes packages be as they are wanted.
    fn converge([packages: Wanted]) -> Vec<PackageResult>, converge_with(PackageConvergeOptions);

    /// Fetches the lists of packages. It says whether it did; with pacman and dnf, whether they changed.
    fn update() -> bool, update_with(PackageUpdateOptions);
}

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PackageManager {
    /// Alpine Linux.
    Apk,
    /// Debian, Ubuntu and their kin.
    Apt,
    /// Fedora, Red Hat Enterprise Linux and their kin.
    Dnf,
    /// Arch Linux and its kin.
    Pacman,
}

impl Serialize for PackageManager {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Apk => "apk",
            Self::Apt => "apt",
            Self::Dnf => "dnf",
            Self::Pacman => "pacman",
        })
    }
}

crate::options! {
    /// How to change packages.
    pub struct PackageOptions {
        /// Only to say what would change; defaults to no.
        check: bool,
        /// How many seconds another package manager is waited for; defaults to 60.
        lock_timeout: f64,
        /// Whether packages that are held may be changed and removed; defaults to an error.
        change_held: bool,
        /// The package manager to use; defaults to the host's own.
        manager: PackageManager,
    }
}

crate::options! {
    /// How to make packages be as they are wanted.
    pub struct PackageConvergeOptions {
        /// The state of packages that name none, as those do that are text on the command line; defaults to `Present`.
        state: PackageState,
        /// Only to say what would change; defaults to no.
        check: bool,
        /// How many seconds another package manager is waited for; defaults to 60.
        lock_timeout: f64,
        /// Whether packages that are held may be changed and removed; defaults to an error.
        change_held: bool,
        /// The package manager to use; defaults to the host's own.
        manager: PackageManager,
    }
}

crate::options! {
    /// When and how to fetch lists of packages.
    pub struct PackageUpdateOptions {
        /// Only if they are older than this many seconds; defaults to always.
        ttl: f64,
        /// Only to say what would be done; defaults to no.
        check: bool,
        /// How many seconds another package manager is waited for; defaults to 60.
        lock_timeout: f64,
        /// The package manager to use; defaults to the host's own.
        manager: PackageManager,
    }
}

//! Packages of Debian and its kin.

use serde::{Deserialize, Serialize, Serializer};

use crate::packages::{PackageResult, PackageState, Wanted};

crate::tool! {
    /// Installs, upgrades and removes packages with apt-get.
    ///
    /// All packages of a call are one transaction, which is simulated before anything is changed. A virtual package is
    /// present if an installed one provides it; patterns are refused. A package that is held stays so, and what would
    /// change or remove it is refused without [`change_held`](AptOptions::change_held): that goes for
    /// [`Latest`](PackageState::Latest) too, while [`Present`](PackageState::Present) is content with the held version.
    ///
    /// A failure is a [`PackageError`](crate::PackageError). If apt-get itself failed, its text has the end of both its
    /// outputs, how far it got and what dpkg left behind.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{Apt, AptOptions, AptUpdateOptions, Session, Ssh, Wanted};
    ///
    /// let host = Session::connect(Ssh::new("web01")).await?;
    /// let apt = Apt::new(&host);
    /// apt.update_with(AptUpdateOptions::new().ttl(3600.0)).await?;
    /// let wanted = [Wanted::held("nginx").version("1.22.1-9"), Wanted::latest("curl"), Wanted::absent("telnet")];
    /// for package in apt.converge_with(wanted, AptOptions::new().purge(true)).await? {
    ///     println!("{}: {:?} -> {:?}", package.name, package.before, package.version);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Command line
    ///
    /// ```sh
    /// rmote-cli call web01 Apt.update ttl=3600
    /// rmote-cli call web01 Apt.converge nginx curl state=latest check=true
    /// rmote-cli call web01 Apt.package allow_downgrade=true -- nginx=1.22.1-9
    /// rmote-cli call docker://web Apt.upgrade full=true conffiles=new
    /// ```
    pub struct Apt = &crate::python::APT;

    /// Fetches the lists of packages, and says whether it did.
    ///
    /// Lists that could not be fetched are an error, also where apt would make do with old ones.
    fn update() -> bool, update_with(AptUpdateOptions);

    /// Makes one package what it is to be, as `converge` does.
    fn package(package: Wanted) -> PackageResult, package_with(AptOptions);

    /// Makes packages what they are to be, all in one transaction of apt-get.
    ///
    /// The results are in the order of the packages. One that is present and was installed only because others needed
    /// it is marked, so that apt does not remove it as unneeded.
    fn converge([packages: Wanted]) -> Vec<PackageResult>, converge_with(AptOptions);

    /// Lets packages be upgraded again that were held.
    fn unhold([packages: String]) -> Vec<PackageResult>, unhold_with(AptUnholdOptions);

    /// Upgrades all packages that are not held, and gives those that changed.
    fn upgrade() -> Vec<PackageResult>, upgrade_with(AptUpgradeOptions);

    /// Lists packages that are there: those of these names, or all if there are none.
    [idempotent] fn installed([packages: String]) -> Vec<InstalledPackage>;
}

crate::options! {
    /// When to fetch lists of packages.
    pub struct AptUpdateOptions {
        /// Only if they are older than this many seconds, or sources, keys or architectures changed; defaults to always.
        ttl: f64,
        /// Whether only to say what would be done; defaults to no.
        check: bool,
        /// How many seconds to wait for others that work on packages; defaults to 60.
        lock_timeout: f64,
        /// How many seconds it may take before it is stopped; defaults to no limit.
        timeout: f64,
    }
}

crate::options! {
    /// How to make packages what they are to be.
    pub struct AptOptions {
        /// What packages are to be that do not say so themselves; defaults to present. A [`Wanted`] always says so.
        state: PackageState,
        /// Whether only to say what would be done; defaults to no.
        check: bool,
        /// Whether the configuration of absent packages is removed too, also of those removed before; defaults to no.
        purge: bool,
        /// Which configuration file is taken where both versions were changed; defaults to the old one.
        conffiles: Conffiles,
        /// How many seconds to wait for others that work on packages; defaults to 60.
        lock_timeout: f64,
        /// Whether recommended packages are installed; defaults to how apt is set up.
        recommends: bool,
        /// Whether a version may be older than the installed one; defaults to no, an error.
        allow_downgrade: bool,
        /// Whether held packages may be changed or removed; defaults to no, an error.
        change_held: bool,
        /// How many seconds it may take before it is stopped, which can leave packages half-way; defaults to no limit.
        timeout: f64,
    }
}

crate::options! {
    /// How to let packages be upgraded again.
    pub struct AptUnholdOptions {
        /// Whether only to say what would be done; defaults to no.
        check: bool,
        /// How many seconds to wait for others that work on packages; defaults to 60.
        lock_timeout: f64,
        /// How many seconds it may take before it is stopped; defaults to no limit.
        timeout: f64,
    }
}

crate::options! {
    /// How to upgrade all packages.
    pub struct AptUpgradeOptions {
        /// Whether packages may be removed or newly installed for it; defaults to no.
        full: bool,
        /// Whether only to say what would be done; defaults to no.
        check: bool,
        /// Which configuration file is taken where both versions were changed; defaults to the old one.
        conffiles: Conffiles,
        /// How many seconds to wait for others that work on packages; defaults to 60.
        lock_timeout: f64,
        /// Whether recommended packages are installed; defaults to how apt is set up.
        recommends: bool,
        /// How many seconds it may take before it is stopped, which can leave packages half-way; defaults to no limit.
        timeout: f64,
    }
}

/// Which configuration file is taken where the host's was changed and the package's, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conffiles {
    /// That of the package.
    New,
    /// That of the host.
    Old,
}

impl Serialize for Conffiles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::New => "new",
            Self::Old => "old",
        })
    }
}

/// A package that is there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct InstalledPackage {
    /// Its name, with `:` and the architecture if that is not the host's.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture, `all` if it is for any.
    pub architecture: String,
    /// `installed`, or how far dpkg got with one that is broken: `half-configured` and the like.
    pub status: String,
    /// Whether it is held in its version.
    pub held: bool,
}

//! Packages with pacman.

use crate::packages::{PackageResult, PackageState, Wanted};

crate::tool! {
    /// Installs, upgrades and removes packages with pacman, as on Arch Linux.
    ///
    /// pacman's systems are upgraded as a whole. What is installed from lists that are newer than the system may not fit
    /// to the rest of it; so that is refused unless it is asked for, see [`PacmanOptions::upgrade`].
    ///
    /// A failure is a [`PackageError`](crate::PackageError), with what pacman prints of packages that are in the way. Another
    /// pacman is waited for, and the error then says who has its lock.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{Docker, Pacman, PacmanOptions, Session, Wanted};
    ///
    /// let host = Session::connect(Docker::new("arch")).await?;
    /// let pacman = Pacman::new(&host);
    /// pacman.upgrade().await?;
    /// let packages = [Wanted::present("nginx"), Wanted::held("linux"), Wanted::absent("nano")];
    /// for package in pacman.converge_with(packages, PacmanOptions::new().recursive(true)).await? {
    ///     println!("{}: {:?} -> {:?}", package.name, package.before, package.version);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Command line
    ///
    /// ```sh
    /// rmote-cli call docker://arch Pacman.update ttl=3600
    /// rmote-cli call docker://arch Pacman.upgrade check=true
    /// rmote-cli call docker://arch Pacman.converge nginx git upgrade=true
    /// rmote-cli call docker://arch Pacman.package state=absent recursive=true -- nano
    /// ```
    pub struct Pacman = &crate::python::PACMAN;

    /// Fetches the lists of packages anew (`-Sy`), and says whether they changed. It upgrades nothing.
    ///
    /// What is newer in them is pending from then on; [`upgrade`](Self::upgrade) fetches the lists and upgrades all in one
    /// step.
    fn update() -> bool, update_with(PacmanUpdateOptions);

    /// Fetches the lists of packages and upgrades the whole system (`-Syu`), less what is held; returns the packages that
    /// changed.
    fn upgrade() -> Vec<PackageResult>, upgrade_with(PacmanUpgradeOptions);

    /// Makes one package be as it is wanted, as [`converge`](Self::converge) does.
    fn package(package: Wanted) -> PackageResult, package_with(PacmanOptions);

    /// Makes packages be as they are wanted: one transaction for those that go, one for those that come.
    ///
    /// A name may also be a group, or one that a package provides: such a name is present if all of the group, or any that
    /// provides it, is installed. Only real packages can be held or have a version. To make a provided name absent does
    /// nothing.
    ///
    /// A version comes from the repositories, or from pacman's cache if they have another one; else it is an error that
    /// says which there are. It is written in full, with its release: `1.2-1`.
    ///
    /// [`Held`](PackageState::Held) is a line `IgnorePkg` in pacman.conf. What is held there, by a pattern or a group
    /// (`IgnoreGroup`), too, is neither upgraded nor removed without [`PacmanOptions::change_held`], and stays held if it
    /// is upgraded; [`unhold`](Self::unhold) ends that.
    fn converge([packages: Wanted]) -> Vec<PackageResult>, converge_with(PacmanOptions);

    /// Lets packages be upgraded again: takes them out of the lines `IgnorePkg` of pacman.conf.
    ///
    /// One that a pattern, a group or an included file holds is refused: others may be meant by it.
    fn unhold([packages: String]) -> Vec<PackageResult>, unhold_with(PacmanUnholdOptions);
}

crate::options! {
    /// When and how to fetch pacman's lists.
    pub struct PacmanUpdateOptions {
        /// Nothing is done if the lists were fetched within as many seconds and no configuration changed since; defaults to
        /// fetching them always.
        ttl: f64,
        /// Only to say whether the lists would change, fetching them to a temporary place; defaults to no.
        check: bool,
        /// How many seconds another pacman is waited for; defaults to 60.
        lock_timeout: f64,
    }
}

crate::options! {
    /// How to upgrade with pacman.
    pub struct PacmanUpgradeOptions {
        /// Only to say what would be upgraded, with lists that are fetched to a temporary place; defaults to no.
        check: bool,
        /// How many seconds another pacman is waited for; defaults to 60.
        lock_timeout: f64,
    }
}

crate::options! {
    /// How to change packages with pacman.
    pub struct PacmanOptions {
        /// The state of packages that name none, as those do that are text on the command line; defaults to `Present`.
        state: PackageState,
        /// What to do if upgrades of other packages are pending when something is to be installed: to upgrade them in the
        /// same transaction, or not, which is a partial upgrade and may break programs; defaults to an error.
        upgrade: bool,
        /// Whether dependencies that nothing else needs are removed along with a package; defaults to no.
        recursive: bool,
        /// Whether changed configuration files of removed packages are gone too, instead of being saved; defaults to no.
        purge: bool,
        /// Whether packages that are held may be upgraded and removed; defaults to an error.
        change_held: bool,
        /// Only to say what would change; defaults to no.
        check: bool,
        /// How many seconds another pacman is waited for; defaults to 60.
        lock_timeout: f64,
    }
}

crate::options! {
    /// How to end that packages are held.
    pub struct PacmanUnholdOptions {
        /// Only to say what would change; defaults to no.
        check: bool,
    }
}

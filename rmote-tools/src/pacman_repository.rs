//! Repositories of pacman, and their keys.

use rmote_client::HostPath;
use serde::Deserialize;

use crate::change::Change;
use crate::content::Content;

crate::tool! {
    /// Adds and removes repositories of pacman, and the keys that it trusts.
    ///
    /// A repository is a section of pacman.conf, which is replaced at once; everything outside the section stays as it is,
    /// byte for byte. What pacman could not read does not get there. The lists of packages are not fetched: a change says
    /// that [`Pacman::upgrade`](crate::Pacman::upgrade) or [`Pacman::update`](crate::Pacman::update) is due.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{Docker, PacmanRepository, PacmanRepositoryOptions, Session};
    ///
    /// let host = Session::connect(Docker::new("arch")).await?;
    /// let repository = PacmanRepository::new(&host);
    /// let key = repository.key("packager", std::fs::read("packager.asc")?).await?;
    /// assert_eq!(key.fingerprints, ["34A4CE95BD836AB2481988672B13693793473BAC"]);
    /// repository.trust("34A4CE95BD836AB2481988672B13693793473BAC").await?;
    ///
    /// let servers = ["https://packages.example.com/$repo/$arch".to_owned()];
    /// let first = PacmanRepositoryOptions::new().before("core");
    /// println!("{}", repository.present_with("custom", servers, first).await?.diff);
    /// # Ok(()) }
    /// ```
    ///
    /// # Command line
    ///
    /// ```sh
    /// rmote-cli call docker://arch PacmanRepository.present custom 'https://example.com/$repo/$arch' before=core
    /// rmote-cli call docker://arch PacmanRepository.trust 34A4CE95BD836AB2481988672B13693793473BAC
    /// rmote-cli call docker://arch PacmanRepository.absent custom
    /// ```
    pub struct PacmanRepository = &crate::python::PACMAN_REPOSITORY;

    /// Adds public keys to pacman's keyring (`pacman-key --add`), which is made if there is none.
    ///
    /// The data is what `gpg --export` gives, armoured or not; the name stands for it in errors and in the answer. pacman
    /// accepts no signature by a key before [`trust`](Self::trust) was called with its fingerprint.
    fn key(name: String, data: Content) -> PacmanKey, key_with(PacmanKeyOptions);

    /// Makes pacman accept what a key signed (`pacman-key --lsign-key`).
    ///
    /// The key is named by its whole fingerprint, 40 (or 64) hexadecimal digits, and was added by [`key`](Self::key)
    /// before.
    fn trust(fingerprint: String) -> PacmanKey, trust_with(PacmanTrustOptions);

    /// Makes sure that pacman.conf has a repository with these servers, in this order.
    ///
    /// What no option names stays as it is, so do comments and other lines of the section. pacman takes a package from the
    /// first repository that has it.
    fn present(name: String, servers: Vec<String>) -> Change, present_with(PacmanRepositoryOptions);

    /// Makes sure that pacman.conf has no such repository. Comments below its last line stay, and so do keys.
    fn absent(name: String) -> Change, absent_with(PacmanRepositoryAbsentOptions);
}

crate::options! {
    /// How to add keys to pacman's keyring.
    pub struct PacmanKeyOptions {
        /// The fingerprint that the one key must have; defaults to any.
        fingerprint: String,
        /// Only to say whether something would change; defaults to no.
        check: bool,
    }
}

crate::options! {
    /// How to trust a key.
    pub struct PacmanTrustOptions {
        /// Only to say whether something would change; defaults to no.
        check: bool,
    }
}

crate::options! {
    /// How a repository of pacman is to be.
    pub struct PacmanRepositoryOptions {
        /// Which signatures are asked for; defaults to leaving it as it is, and in a new section to `Required
        /// DatabaseOptional`: every package must be signed by a key that is trusted.
        sig_level: String,
        /// What it is used for, such as `Sync Search`; defaults to leaving it as it is, which in a new section is all.
        usage: String,
        /// The files that the section includes, such as `/etc/pacman.d/mirrorlist`; defaults to leaving them.
        include: Vec<String>,
        /// The repository before which it stands; a new one is put right there, and one that stands behind is moved.
        /// Defaults to leaving it where it is, and a new one comes last.
        before: String,
        /// The configuration file; defaults to `/etc/pacman.conf`.
        path: HostPath,
        /// Whether to keep a copy of the old file; defaults to no.
        backup: bool,
        /// Only to say what would change; defaults to no.
        check: bool,
    }
}

crate::options! {
    /// How to remove a repository of pacman.
    pub struct PacmanRepositoryAbsentOptions {
        /// The configuration file; defaults to `/etc/pacman.conf`.
        path: HostPath,
        /// Whether to keep a copy of the old file; defaults to no.
        backup: bool,
        /// Only to say what would change; defaults to no.
        check: bool,
    }
}

/// Keys in pacman's keyring.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PacmanKey {
    /// The name that was given to [`PacmanRepository::key`]; empty where there was none.
    pub name: String,
    /// The fingerprints of the keys, without those of their subkeys.
    pub fingerprints: Vec<String>,
    /// Whether the keyring is different now, or with `check` would be.
    pub changed: bool,
}

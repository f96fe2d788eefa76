//! Sources of packages for Debian and its kin, and their keys.

use std::collections::BTreeMap;

use rmote_client::HostPath;
use serde::Deserialize;

use crate::content::Content;

crate::tool! {
    /// Makes sources of packages and their keys known to apt, one file for each.
    ///
    /// Sources are written in the form deb822. Names are letters, digits, `.`, `_` and `-`: apt passes over files with
    /// others. The files have mode 0644, whatever the umask is, since apt reads them as a user of its own.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{Apt, AptRepository, Session, AptSourceOptions, Ssh};
    ///
    /// let host = Session::connect(Ssh::new("web01")).await?;
    /// let (apt, sources) = (Apt::new(&host), AptRepository::new(&host));
    /// sources.key("tools", std::fs::read("tools.asc")?).await?;
    /// let options = AptSourceOptions::new().components(["main".to_owned()]).signed_by("tools");
    /// let (uris, suites) = (["https://apt.example.org/".to_owned()], ["stable".to_owned()]);
    /// if sources.present_with("tools", uris, suites, options).await?.update_needed {
    ///     apt.update().await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Command line
    ///
    /// ```sh
    /// rmote-cli call web01 AptRepository.key tools "$(cat tools.asc)"
    /// rmote-cli call web01 AptRepository.present tools https://apt.example.org/ stable components=main signed_by=tools
    /// rmote-cli call web01 AptRepository.absent tools
    /// ```
    pub struct AptRepository = &crate::python::APT_REPOSITORY;

    /// Makes sure that a key is there, for sources that are signed by it.
    ///
    /// An armoured key gets a file with the ending `.asc`, a binary one `.gpg`. Anything else than whole public keys is
    /// refused, a private key above all.
    fn key(name: String, data: Content) -> RepositoryResult, key_with(AptKeyOptions);

    /// Makes sure that a file of sources has this source and no other.
    ///
    /// A suite that ends with `/` is the path of a flat repository, which has no components; all others need some.
    fn present(name: String, uris: Vec<String>, suites: Vec<String>) -> RepositoryResult, present_with(AptSourceOptions);

    /// Removes a source and the key of the same name; a key that another source names stays.
    fn absent(name: String) -> RepositoryResult, absent_with(AptSourceAbsentOptions);
}

crate::options! {
    /// How to write a key.
    pub struct AptKeyOptions {
        /// Whether only to say what would change; defaults to no.
        check: bool,
    }
}

crate::options! {
    /// What a source of packages is like.
    pub struct AptSourceOptions {
        /// What there is of each package: `deb`, `deb-src`; defaults to `deb` alone.
        types: Vec<String>,
        /// The parts of the suites; defaults to none, which a flat repository has.
        components: Vec<String>,
        /// The key: a name given to `key`, a path, or a fingerprint; defaults to any that apt trusts for all sources.
        signed_by: String,
        /// The architectures; defaults to the host's.
        architectures: Vec<String>,
        /// Whether apt uses it; defaults to yes.
        enabled: bool,
        /// Whether apt takes it with a bad signature or none, or refuses it with a good one; defaults to the signature.
        trusted: bool,
        /// More fields of deb822 sources, such as `Check-Valid-Until`; defaults to none.
        fields: BTreeMap<String, String>,
        /// Whether only to say what would change; defaults to no.
        check: bool,
        /// Whether the diff is withheld, for URIs with a password; defaults to no.
        secret: bool,
    }
}

crate::options! {
    /// How to remove a source.
    pub struct AptSourceAbsentOptions {
        /// Whether only to say what would change; defaults to no.
        check: bool,
        /// Whether the diff is withheld; defaults to no.
        secret: bool,
    }
}

/// What became of a source or a key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RepositoryResult {
    /// Its name.
    pub name: String,
    /// Whether anything is different now, or with `check` would be.
    pub changed: bool,
    /// The file.
    pub path: HostPath,
    /// The difference, as a unified diff.
    pub diff: String,
    /// Whether lists have to be fetched before packages are seen as the sources now are.
    pub update_needed: bool,
}

//! The host's name and its table of other hosts' names.

use serde::Deserialize;

use crate::change::Change;

crate::tool! {
    /// Sets the host's name, and keeps its table of hosts.
    ///
    /// The name is compared in the kernel and in `/etc/hostname`, each of which may differ. Files that are mounted on
    /// their own, as a container's are, are written in place, and `in_place` says so.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{Hostname, HostsOptions, Session, Ssh};
    ///
    /// let host = Session::connect(Ssh::new("10.0.0.7")).await?;
    /// let hostname = Hostname::new(&host);
    /// if hostname.set("web01").await?.changed {
    ///     hostname.hosts_entry("127.0.1.1", ["web01.example.com", "web01"]).await?;
    /// }
    /// let gone = HostsOptions::new().absent(true);
    /// hostname.hosts_entry_with("10.0.0.6", ["db"], gone).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Command line
    ///
    /// ```sh
    /// rmote-cli call web01 Hostname.get
    /// rmote-cli call web01 Hostname.set web01
    /// rmote-cli call web01 Hostname.hosts_entry 10.0.0.7 db.example.com db check=true
    /// ```
    pub struct Hostname = &crate::python::HOSTNAME;

    /// Tells the name that the kernel has.
    [idempotent] fn get() -> String;

    /// Gives the host a name, in the kernel and in `/etc/hostname`.
    ///
    /// A name is at most 64 characters long, of labels of letters, digits and hyphens (RFC 1123). The file is written
    /// first, since systemd takes the name from there, and gets its old content again where the kernel refuses the name. A
    /// host that lets nobody set it, such as most containers, is
    /// [`CallErrorKind::Unsupported`](crate::CallErrorKind::Unsupported). Comments of the file stay.
    fn set(name: String) -> HostnameResult, set_with(HostnameOptions);

    /// Makes sure that `/etc/hosts` gives an address these names.
    ///
    /// Names that no line of the address has are added to its first line, or to a new one. A line that has no names left
    /// is removed with its comment; all other lines and comments stay as they are. The first name of a line is its
    /// canonical one.
    fn hosts_entry(address: String, [names: String]) -> Change, hosts_entry_with(HostsOptions);
}

crate::options! {
    /// How to set the host's name.
    pub struct HostnameOptions {
        /// Whether the kernel gets the name; defaults to yes.
        runtime: bool,
        /// Whether `/etc/hostname` gets the name; defaults to yes.
        persist: bool,
        /// Whether only to say what would change; defaults to no.
        check: bool,
    }
}

crate::options! {
    /// How to keep an address in the table of hosts.
    pub struct HostsOptions {
        /// Whether the address loses these names, or all where none are given; defaults to no.
        absent: bool,
        /// Whether the address loses all other names, and other addresses of its kind lose these; defaults to no.
        exclusive: bool,
        /// Whether only to say what would change; defaults to no.
        check: bool,
    }
}

/// What became of the host's name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct HostnameResult {
    /// The name.
    pub name: String,
    /// Whether anything is different now, in the kernel or in the file.
    pub changed: bool,
    /// The difference in both.
    pub diff: String,
    /// Whether `/etc/hostname` had to be written in place, since it could not be replaced.
    pub in_place: bool,
}

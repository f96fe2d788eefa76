//! Settings of the host's kernel.

use std::collections::BTreeMap;

use serde::Deserialize;

crate::tool! {
    /// Sets parameters of the kernel, now and at boot.
    ///
    /// A key is written as sysctl(8) has it: `net.ipv4.ip_forward`, `net/ipv4/ip_forward`. A dot in the name of an
    /// interface is a slash there, and the other way round: `net.ipv4.conf.eth0/100.forwarding`,
    /// `net/ipv4/conf/eth0.100/forwarding`. Values are compared by their fields, whatever white space parts them. What is
    /// to hold at boot is a line in a file of `/etc/sysctl.d`, of which all other lines stay as they are.
    ///
    /// A key that the kernel does not have is an error (`LookupError`) before anything is written. Where `/proc/sys` cannot
    /// be written, as in most containers, a value that is to change is
    /// [`CallErrorKind::Unsupported`](crate::CallErrorKind::Unsupported). A value that the kernel refuses, or takes as
    /// another one, is a `SysctlError`: what was set by then is set back, and the text says so.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{Session, Ssh, Sysctl, SysctlOptions};
    ///
    /// let host = Session::connect(Ssh::new("web01")).await?;
    /// let sysctl = Sysctl::new(&host);
    /// let result = sysctl.present("net.ipv4.ip_forward", "1").await?;
    /// assert_eq!(result.value.as_deref(), Some("1"));
    ///
    /// let router = SysctlOptions::new().name("50-router.conf");
    /// sysctl.present_with("net.ipv4.tcp_rmem", "4096 131072 6291456", router).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Command line
    ///
    /// ```sh
    /// rmote-cli call web01 Sysctl.get net.ipv4.tcp_rmem
    /// rmote-cli call web01 Sysctl.present net.ipv4.ip_forward 1 runtime=false
    /// rmote-cli call web01 Sysctl.absent net.ipv4.ip_forward
    /// ```
    pub struct Sysctl = &crate::python::SYSCTL;

    /// Tells a value as the kernel has it, with single spaces between its fields.
    [idempotent] fn get(key: String) -> String;

    /// Makes sure that a key has a value, in the kernel and at boot.
    ///
    /// The value is set in the kernel first and then written to the file; where that fails, the old one is set again. Of
    /// several lines for one key, the last one counts, and is the one that changes.
    fn present(key: String, value: String) -> SysctlResult, present_with(SysctlOptions);

    /// Makes sure of several keys and their values. All are checked before the first is set.
    fn converge(params: BTreeMap<String, String>) -> Vec<SysctlResult>, converge_with(SysctlOptions);

    /// Makes sure that a file sets a key no more. The kernel keeps the value that it has until the next boot.
    fn absent(key: String) -> SysctlResult, absent_with(SysctlFileOptions);
}

crate::options! {
    /// How to set parameters of the kernel.
    pub struct SysctlOptions {
        /// The name of the file in `/etc/sysctl.d`, which ends in `.conf`; defaults to `99-rmote.conf`.
        name: String,
        /// Whether the value is to hold at boot; defaults to yes.
        persist: bool,
        /// Whether the value is to hold now; defaults to yes. If not, the kernel need not know the key.
        runtime: bool,
        /// Whether only to say what would change; defaults to no.
        check: bool,
    }
}

crate::options! {
    /// How to remove a key from a file.
    pub struct SysctlFileOptions {
        /// The name of the file in `/etc/sysctl.d`, which ends in `.conf`; defaults to `99-rmote.conf`.
        name: String,
        /// Whether only to say what would change; defaults to no.
        check: bool,
    }
}

/// What became of a parameter of the kernel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SysctlResult {
    /// The key, with dots between its parts.
    pub key: String,
    /// The value that the kernel has now, or with `check` would have; `None` if it has no such key.
    pub value: Option<String>,
    /// Whether anything is different now, in the kernel or in the file.
    pub changed: bool,
    /// The difference in both.
    pub diff: String,
}

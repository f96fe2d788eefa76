//! What package managers are asked for, what they answer and how they fail, the same for all of them.

use rmote_client::{CallError, Value, escape, from_value};
use serde::{Deserialize, Serialize, Serializer};

/// What a package is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PackageState {
    /// Installed.
    #[default]
    Present,
    /// Not installed.
    Absent,
    /// Installed in the newest version that the host's repositories have.
    Latest,
    /// Installed, and kept in its version when others are upgraded.
    Held,
}

impl Serialize for PackageState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Present => "present",
            Self::Absent => "absent",
            Self::Latest => "latest",
            Self::Held => "held",
        })
    }
}

/// A package as it is wanted. Text becomes one that is to be present: `"nginx"`, `"nginx=1.22.1-9"`.
///
/// # Examples
///
/// ```
/// use rmote_tools::Wanted;
///
/// let packages: [Wanted; 3] = ["nginx=1.22.1-9".into(), Wanted::latest("curl"), Wanted::absent("telnet")];
/// # _ = packages;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wanted {
    name: String,
    state: PackageState,
    version: String,
}

impl Wanted {
    /// A package in a state.
    pub fn new(name: impl Into<String>, state: PackageState) -> Self {
        Self {
            name: name.into(),
            state,
            version: String::new(),
        }
    }

    /// One that is to be installed.
    pub fn present(name: impl Into<String>) -> Self {
        Self::new(name, PackageState::Present)
    }

    /// One that is to be gone.
    pub fn absent(name: impl Into<String>) -> Self {
        Self::new(name, PackageState::Absent)
    }

    /// One that is to be installed in the newest version.
    pub fn latest(name: impl Into<String>) -> Self {
        Self::new(name, PackageState::Latest)
    }

    /// One that is to be installed and kept in its version.
    pub fn held(name: impl Into<String>) -> Self {
        Self::new(name, PackageState::Held)
    }

    /// The version that it is to have; for [`Present`](PackageState::Present) and [`Held`](PackageState::Held).
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }
}

impl From<&str> for Wanted {
    fn from(text: &str) -> Self {
        let (name, version) = text.split_once('=').unwrap_or((text, ""));
        Self::present(name).version(version)
    }
}

impl From<String> for Wanted {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

/// What became of a package.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PackageResult {
    /// Its name as it was asked for.
    pub name: String,
    /// Whether anything about it is different now, or with `check` would be.
    pub changed: bool,
    /// The version before, empty if it was not installed.
    pub before: String,
    /// The version now, empty if it is not installed; with `check` what it would be, as far as can be told.
    pub version: String,
    /// Whether it is held in its version.
    pub held: bool,
    /// What of pacman.conf changes with its hold, as a unified diff; empty with other managers, which keep holds elsewhere.
    pub diff: String,
}

/// What a package manager refuses or fails at, the same for all of them: in Python a `PackageError`, too.
///
/// What is wrong with the call itself is a `ValueError` or a `TypeError`, and a host that lacks the manager
/// [`Unsupported`](crate::CallErrorKind::Unsupported).
///
/// # Examples
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rmote_tools::{Package, PackageError, PackageErrorKind, Session, Ssh};
///
/// let host = Session::connect(Ssh::new("web01")).await?;
/// if let Err(error) = Package::new(&host).latest(["nginx"]).await {
///     match PackageError::of(&error) {
///         Some(held) if held.kind == PackageErrorKind::Held => println!("left alone: {:?}", held.packages),
///         _ => return Err(error.into()),
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .message.lines().map(escape).collect::<Vec<_>>().join("\n"))]
#[non_exhaustive]
pub struct PackageError {
    /// What kind of failure it is.
    pub kind: PackageErrorKind,
    /// The packages concerned, as far as the manager tells.
    pub packages: Vec<String>,
    /// The manager's own last lines; empty for what was refused before the manager was asked.
    pub said: String,
    /// All of it as text, and what was done before.
    pub message: String,
}

impl PackageError {
    /// What a call failed at, if that is about packages.
    pub fn of(error: &CallError) -> Option<Self> {
        let raised = error.raised().filter(|raised| raised.is("PackageError"))?;
        let args = Value::List(raised.args.clone().unwrap_or_default());
        // Too many packages do not travel along.
        let (kind, packages, said) = from_value(args).unwrap_or_default();
        Some(Self {
            kind,
            packages,
            said,
            message: raised.message.clone(),
        })
    }
}

/// The kinds of failures that package managers tell apart, each as far as it can; in Python texts such as `"no-version"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PackageErrorKind {
    /// A package was left half-way, a script of it failed, or the manager's database is damaged.
    Broken,
    /// It does not go together: with what other packages need, with their files, or with what else is wanted.
    Conflict,
    /// Something could not be fetched, or came damaged.
    Download,
    /// A package is held in its version.
    Held,
    /// The manager was cut off: now, by a time-out or a signal, or at an earlier time.
    Interrupted,
    /// Another process worked on packages for longer than was to be waited.
    Locked,
    /// There is no such version of the package.
    NoVersion,
    /// Something is not signed, or not by a key that is trusted.
    Signature,
    /// There is no such package, or it is none that can be wanted so: a virtual one, a group.
    Unknown,
    /// Something else: the message says what.
    #[default]
    #[serde(other)]
    Other,
}

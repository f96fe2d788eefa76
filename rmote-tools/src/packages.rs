//! What package managers are asked for and what they answer, the same for all of them.

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
}

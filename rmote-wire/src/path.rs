use std::ffi::OsString;
use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, Error as _, Unexpected};
use serde::ser::{Serialize, Serializer};

use crate::raw_text::RawText;
use crate::token;
use crate::value::Value;

/// A path on a host, which may hold any bytes.
///
/// serde writes a `PathBuf` as text and fails on one that is no UTF-8. This type brings every path through
/// [`to_value`](crate::to_value) and [`from_value`](crate::from_value): Python gets the `str` that its `os` functions
/// expect. Other formats see what they see of a `PathBuf`.
///
/// ```
/// use rmote_wire::{HostPath, from_value, to_value};
///
/// let path = HostPath::from("/etc/hosts");
/// let back: HostPath = from_value(to_value(&path)?)?;
/// assert_eq!(back, path);
/// # Ok::<(), rmote_wire::ValueError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct HostPath(PathBuf);

impl HostPath {
    /// Makes a path of the bytes that the host knows it by.
    pub fn from_os_bytes(bytes: Vec<u8>) -> Self {
        Self(os_string(bytes).into())
    }

    /// The path.
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// The path, owned.
    pub fn into_path_buf(self) -> PathBuf {
        self.0
    }
}

impl Value {
    /// Makes a text or raw text of a path.
    pub fn path(path: impl AsRef<Path>) -> Self {
        path_value(path.as_ref())
    }

    /// The path in a text, a raw text or, as Python has such paths too, in bytes.
    pub fn to_path_buf(&self) -> Option<PathBuf> {
        match self {
            Self::Text(text) => Some(text.into()),
            Self::RawText(raw) => Some(os_string(raw.to_os_bytes()).into()),
            Self::Bytes(bytes) => Some(os_string(bytes.to_vec()).into()),
            _ => None,
        }
    }
}

impl fmt::Debug for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Deref for HostPath {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl AsRef<Path> for HostPath {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl From<PathBuf> for HostPath {
    fn from(path: PathBuf) -> Self {
        Self(path)
    }
}

impl From<&Path> for HostPath {
    fn from(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl From<String> for HostPath {
    fn from(path: String) -> Self {
        Self(path.into())
    }
}

impl From<&str> for HostPath {
    fn from(path: &str) -> Self {
        Self(path.into())
    }
}

impl From<HostPath> for PathBuf {
    fn from(path: HostPath) -> Self {
        path.0
    }
}

impl From<HostPath> for Value {
    fn from(path: HostPath) -> Self {
        Self::path(path)
    }
}

impl From<&Path> for Value {
    fn from(path: &Path) -> Self {
        Self::path(path)
    }
}

impl From<PathBuf> for Value {
    fn from(path: PathBuf) -> Self {
        Self::path(path)
    }
}

impl Serialize for HostPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Body<'a>(&'a Path, RawText);

        impl Serialize for Body<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    // Fails, rather than naming another file.
                    self.0.serialize(serializer)
                } else {
                    serializer.serialize_bytes(self.1.as_wtf8())
                }
            }
        }

        match path_value(&self.0) {
            Value::RawText(raw) => {
                serializer.serialize_newtype_struct(token::RAW_TEXT, &Body(&self.0, raw))
            }
            text => text.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for HostPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let path = value.to_path_buf().ok_or_else(|| {
            D::Error::invalid_type(Unexpected::Other(value.type_name()), &"a path")
        })?;
        Ok(Self(path))
    }
}

#[cfg(unix)]
fn path_value(path: &Path) -> Value {
    use std::os::unix::ffi::OsStrExt as _;

    RawText::from_os_bytes(path.as_os_str().as_bytes())
}

#[cfg(unix)]
fn os_string(bytes: Vec<u8>) -> OsString {
    use std::os::unix::ffi::OsStringExt as _;

    OsString::from_vec(bytes)
}

// Paths elsewhere are no bytes; what is no Unicode in them cannot name a file on a host anyway.
#[cfg(not(unix))]
fn path_value(path: &Path) -> Value {
    path.to_string_lossy().into_owned().into()
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

//! What is sent to be written, which may be secret.

use std::fmt;

use bytes::Bytes;
use serde::{Serialize, Serializer};

/// What to write into a file.
#[derive(Clone)]
pub struct Content(Bytes);

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may be a secret.
        write!(f, "Content({} bytes)", self.0.len())
    }
}

macro_rules! content_from {
    ($($type:ty => $make:expr),*) => {
        $(impl From<$type> for Content {
            fn from(content: $type) -> Self {
                Self($make(content))
            }
        })*
    };
}

content_from! {
    &str => |text: &str| Bytes::copy_from_slice(text.as_bytes()),
    String => Bytes::from,
    &[u8] => Bytes::copy_from_slice,
    Vec<u8> => Bytes::from,
    Bytes => |bytes| bytes,
    Secret => |secret: Secret| Bytes::from(secret.0)
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

/// A text that is kept out of logs: its `Debug` does not show it. What it is given to keeps it out of diffs and errors.
///
/// # Examples
///
/// ```
/// use rmote_tools::Secret;
///
/// assert_eq!(format!("{:?}", Secret::from("hunter2")), "Secret(..)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

//! What a call changed.

use rmote_client::HostPath;
use serde::Deserialize;

/// What a call did, or with `check` would do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// Whether anything is different now.
    pub changed: bool,
    /// The difference in content, as a unified diff; empty where content is the same.
    pub diff: String,
    /// Where the old file was kept.
    pub backup: Option<HostPath>,
    /// Whether the file had to be written in place, since it could not be replaced.
    pub in_place: bool,
}

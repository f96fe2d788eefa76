//! Why a copy failed.

use std::io;
use std::path::PathBuf;

use rmote_client::{CallError, Value, from_value};
use serde::de::DeserializeOwned;

use super::summary::Summary;

/// Why a copy failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The host could not begin, or the link was lost. What has been copied stays.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A pattern of paths to leave out is none.
    #[error("exclude pattern: {0}")]
    Exclude(String),
    /// The path on this machine cannot be read, or not be written to.
    #[error("{}: {source}", rmote_client::escape(&path.to_string_lossy()))]
    Local {
        /// The path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Some things could not be copied, the others were.
    #[error("{}", incomplete(.0))]
    Incomplete(Box<Summary>),
    /// The host does not keep the protocol.
    #[error("{0} does not keep the protocol of copies: {1}")]
    Protocol(String, &'static str),
}

fn incomplete(summary: &Summary) -> String {
    let first = summary
        .failures
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    match summary.failed {
        0 | 1 => format!("could not be copied: {first}"),
        failed => format!("{failed} could not be copied, the first: {first}"),
    }
}

/// A message's kind and what it says.
pub(crate) fn message(value: Value) -> Option<(String, Vec<Value>)> {
    let Value::Tuple(mut items) = value else {
        return None;
    };
    if items.is_empty() {
        return None;
    }
    let Value::Text(kind) = items.remove(0) else {
        return None;
    };
    Some((kind, items))
}

/// The fields of a message.
pub(crate) fn fields<T: DeserializeOwned>(items: Vec<Value>) -> Option<T> {
    from_value(Value::Tuple(items)).ok()
}

//! Copies of files and trees between this machine and a host. `docs/copies.md` has the messages.

mod adler;
mod delta;
mod download;
mod entry;
mod error;
mod exclude;
mod incoming;
mod owners;
mod reading;
mod summary;
mod target;
mod transfer;
mod tree;
mod upload;
mod writing;

pub use error::CopyError;
pub use summary::{Action, CopyProgress, Failure, Summary};
pub use transfer::Transfer;

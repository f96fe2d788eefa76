//! Mounts and block devices.

use rmote_client::HostPath;
use serde::Deserialize;

/// What is known of storage, in bytes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct StorageFacts {
    /// Mounts of file systems that hold something.
    pub mounts: Option<Vec<Mount>>,
    /// Block devices.
    pub devices: Option<Vec<BlockDevice>>,
    /// Whether anything of this section is known.
    pub available: bool,
    /// What went wrong; what could be told all the same is there.
    pub error: Option<String>,
}

/// A mounted file system.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Mount {
    /// Where it is mounted.
    pub path: HostPath,
    /// What is mounted there.
    pub device: HostPath,
    /// Its type, such as `ext4`.
    pub r#type: String,
    /// Its size.
    pub size: Option<u64>,
    /// How much of it is used.
    pub used: Option<u64>,
    /// How much of it users may still have.
    pub free: Option<u64>,
    /// Whether nothing can be written there.
    pub read_only: bool,
    /// How it is mounted.
    pub options: Vec<String>,
    /// Why its size is not known.
    pub error: Option<String>,
}

/// A block device.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct BlockDevice {
    /// Its name, such as `sda`.
    pub name: String,
    /// Its size.
    pub size: Option<u64>,
    /// Its model.
    pub model: Option<String>,
    /// Whether it is, or says that it is, a disk that turns.
    pub rotational: Option<bool>,
    /// Whether it can be taken out.
    pub removable: Option<bool>,
    /// Whether nothing can be written to it.
    pub read_only: Option<bool>,
    /// Its partitions.
    pub partitions: Vec<Partition>,
}

/// A partition of a block device.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Partition {
    /// Its name, such as `sda1`.
    pub name: String,
    /// Its size.
    pub size: Option<u64>,
}

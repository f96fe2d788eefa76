//! Who runs a case.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::peers::Peers;

/// A library, or the floor below all of them, in one of its variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contender {
    pub(crate) who: Who,
    /// Empty for the only one, or the default of ours.
    pub(crate) variant: &'static str,
}

/// Whose code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Execnet,
    Floor,
    Mitogen,
    Ours,
    Rmote03,
    Rmote07,
    Rpyc,
}

impl Who {
    /// All that come from PyPI.
    pub(crate) const PEERS: [Self; 5] = [
        Self::Rmote07,
        Self::Rmote03,
        Self::Mitogen,
        Self::Execnet,
        Self::Rpyc,
    ];

    /// Its name and version, as pip takes them.
    pub(crate) fn requirement(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Execnet => Some(("execnet", "2.1.2")),
            Self::Mitogen => Some(("mitogen", "0.3.54")),
            Self::Rmote03 => Some(("rmote", "0.3.0")),
            Self::Rmote07 => Some(("rmote", "0.7.5")),
            Self::Rpyc => Some(("rpyc", "6.0.2")),
            Self::Floor | Self::Ours => None,
        }
    }

    fn script(self) -> &'static str {
        match self {
            Self::Execnet => "execnet_peer.py",
            Self::Mitogen => "mitogen_peer.py",
            Self::Rpyc => "rpyc_peer.py",
            _ => "rmote_peer.py",
        }
    }
}

impl Contender {
    pub(crate) const fn new(who: Who, variant: &'static str) -> Self {
        Self { who, variant }
    }

    pub(crate) const FLOOR: Self = Self::new(Who::Floor, "");
    pub(crate) const OURS: Self = Self::new(Who::Ours, "");

    /// Whether it is neither the floor nor ours.
    pub(crate) fn is_peer(self) -> bool {
        self.who.requirement().is_some()
    }

    /// The words that run it, but for the job; `None` for a peer that is not installed.
    pub(crate) fn command(self, own: &Path, peers: &Peers) -> Option<Vec<PathBuf>> {
        Some(match self.who {
            Who::Floor => vec![own.into(), "floor".into()],
            Who::Ours => vec![own.into(), "ours".into()],
            peer => vec![
                peers.python_of(peer)?,
                "-B".into(),
                Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join("peers")
                    .join(peer.script()),
            ],
        })
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.who {
            Who::Floor => f.write_str("floor")?,
            Who::Ours => f.write_str("ours")?,
            peer => {
                let (name, version) = peer.requirement().unwrap_or_default();
                write!(f, "{name} {version}")?;
            }
        }
        if !self.variant.is_empty() {
            write!(f, " ({})", self.variant)?;
        }
        Ok(())
    }
}

//! What one run has to do, as the command line of the one who does it.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One case for one contender. `peers/driver.py` describes the fields.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Job {
    pub(crate) case: Case,
    pub(crate) over: Over,
    pub(crate) via: Vec<String>,
    pub(crate) python: String,
    pub(crate) variant: String,
    pub(crate) n: usize,
    pub(crate) in_flight: usize,
    pub(crate) file: String,
    pub(crate) size: u64,
    pub(crate) chunk: usize,
    pub(crate) host: String,
    pub(crate) config: String,
    pub(crate) container: String,
}

/// What is measured.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Case {
    Bulk,
    Held,
    Paths,
    Pipelined,
    Records,
    Sequential,
    Sessions,
    Start,
    Upload,
    Wire,
}

/// By which program the host is reached.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Over {
    Docker,
    Local,
    Ssh,
}

impl Job {
    /// How much a bulk case reads in all its turns.
    #[expect(
        clippy::cast_precision_loss,
        reason = "nobody has files of so many bytes"
    )]
    pub(crate) fn mib(&self) -> f64 {
        (self.size * self.n as u64) as f64 / f64::from(1 << 20)
    }

    pub(crate) fn text(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string(self)?)
    }
}

impl FromStr for Job {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(text)
    }
}

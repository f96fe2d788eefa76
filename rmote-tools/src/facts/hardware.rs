//! Processors and memory.

use serde::Deserialize;

/// What is known of the processors.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct CpuFacts {
    /// The name of the first one.
    pub model: Option<String>,
    /// How many are switched on, as programs see them.
    pub logical: Option<u32>,
    /// How many of them the agent may use.
    pub usable: Option<u32>,
    /// How many cores there are.
    pub physical: Option<u32>,
    /// How many processors of several cores there are.
    pub sockets: Option<u32>,
    /// How many processes ran or waited for a processor, on average over 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// What the first one can do, in the words of the kernel.
    pub flags: Option<Vec<String>>,
    /// Whether anything of this section is known.
    pub available: bool,
    /// What went wrong; what could be told all the same is there.
    pub error: Option<String>,
}

/// What is known of memory, in bytes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct MemoryFacts {
    /// All that there is.
    pub total: Option<u64>,
    /// How much programs could have without swapping.
    pub available_bytes: Option<u64>,
    /// How much is used for nothing.
    pub free: Option<u64>,
    /// How much buffers of block devices take.
    pub buffers: Option<u64>,
    /// How much cached files take.
    pub cached: Option<u64>,
    /// All swap space.
    pub swap_total: Option<u64>,
    /// How much of it is free.
    pub swap_free: Option<u64>,
    /// Whether anything of this section is known.
    pub available: bool,
    /// What went wrong; what could be told all the same is there.
    pub error: Option<String>,
}

//! What processes have used, as the kernel counts it.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};

/// CPU seconds of this process and of its children that have ended.
pub(crate) fn used() -> f64 {
    of(UsageWho::RUSAGE_SELF) + of(UsageWho::RUSAGE_CHILDREN)
}

/// CPU seconds of the children that have ended.
pub(crate) fn of_children() -> f64 {
    of(UsageWho::RUSAGE_CHILDREN)
}

fn of(who: UsageWho) -> f64 {
    let seconds = |time: nix::sys::time::TimeVal| {
        Duration::from_secs(time.tv_sec().unsigned_abs()).as_secs_f64()
            + Duration::from_micros(time.tv_usec().unsigned_abs()).as_secs_f64()
    };
    getrusage(who).map_or(0.0, |usage| {
        seconds(usage.user_time()) + seconds(usage.system_time())
    })
}

/// A number of /proc/PID/status in KiB or as a count; `None` where the process is gone.
pub(crate) fn status(process: &str, field: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

/// How often the threads of a process have gone to sleep so far.
pub(crate) fn sleeps(process: &str) -> u64 {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else {
        return 0;
    };
    threads
        .flatten()
        .filter_map(|thread| {
            let path = format!("{process}/task/{}", thread.file_name().to_string_lossy());
            status(&path, "voluntary_ctxt_switches")
        })
        .sum()
}

/// The busy CPU seconds of the whole machine, and the idle ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    busy: f64,
    idle: f64,
}

impl Machine {
    pub(crate) fn now() -> Self {
        let text = fs::read_to_string("/proc/stat").unwrap_or_default();
        let ticks: Vec<f64> = text
            .lines()
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .skip(1)
            .filter_map(|word| word.parse().ok())
            .collect();
        let at = |index: usize| ticks.get(index).copied().unwrap_or_default() / TICKS;
        // user, nice, system, idle, iowait, irq, softirq, steal
        Self {
            busy: at(0) + at(1) + at(2) + at(5) + at(6) + at(7),
            idle: at(3) + at(4),
        }
    }

    /// The share of the machine's time since then that went to others than those who used so many seconds.
    pub(crate) fn foreign_since(self, before: Self, ours: f64) -> f64 {
        let busy = self.busy - before.busy;
        let whole = busy + self.idle - before.idle;
        if whole <= 0.0 {
            return 0.0;
        }
        ((busy - ours) / whole).clamp(0.0, 1.0)
    }
}

/// A process as /proc/PID/stat has it.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) id: u32,
    pub(crate) parent: u32,
    pub(crate) name: String,
}

/// All processes of the machine.
pub(crate) fn processes() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let parse = |stat: &str| {
        let (id, rest) = stat.split_once(" (")?;
        // The name may hold anything.
        let (name, rest) = rest.rsplit_once(") ")?;
        Some(Process {
            id: id.parse().ok()?,
            parent: rest.split(' ').nth(1)?.parse().ok()?,
            name: name.to_owned(),
        })
    };
    entries
        .flatten()
        .filter_map(|entry| parse(&fs::read_to_string(entry.path().join("stat")).ok()?))
        .collect()
}

/// The children of this process, those included that it was left with.
pub(crate) fn own_children() -> BTreeSet<u32> {
    let own = std::process::id();
    let children = processes()
        .into_iter()
        .filter(|process| process.parent == own);
    children.map(|process| process.id).collect()
}

/// CPU seconds of a process and of its children that have ended.
pub(crate) fn of_process(id: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name may hold spaces; after it stand state and numbers: utime is the 12th, cstime the 15th.
    let Some((_, rest)) = text.rsplit_once(") ") else {
        return 0.0;
    };
    let ticks = rest.split(' ').skip(11).take(4);
    ticks
        .filter_map(|word| word.parse::<f64>().ok())
        .sum::<f64>()
        / TICKS
}

/// Linux has promised 100 a second to programs for ever.
const TICKS: f64 = 100.0;

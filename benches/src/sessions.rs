//! rmote's cases of many sessions.

use std::time::{Duration, Instant};

use futures_util::stream::{StreamExt as _, TryStreamExt as _, iter};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rmote_client::{Options, Tool};
use serde_json::json;

use crate::cpu;
use crate::job::Job;
use crate::ours::opened;
use crate::samples::median;

/// How many sessions start at the same moment; more would only wait for a CPU, against their time-outs.
const AT_ONCE: usize = 32;
/// How long the held sessions are watched.
const WATCH: Duration = Duration::from_secs(5);
/// Descriptors of one session: three pipes and what tokio needs to wait for the child.
const DESCRIPTORS: u64 = 5;

/// Opens, calls once, and closes.
pub(crate) async fn opened_and_closed(job: &Job) -> anyhow::Result<serde_json::Value> {
    allow_descriptors(job.n)?;
    let used = cpu::used();
    let began = Instant::now();
    let held = open(job, &Options::new()).await?;
    close(held).await?;
    Ok(json!({
        "seconds": began.elapsed().as_secs_f64(),
        "cpu_s": cpu::used() - used,
        "controller_mib": kib("self", "VmHWM") / 1024.0,
    }))
}

/// Opens, calls once, and watches them do nothing. The variant `silent` has no heartbeats.
pub(crate) async fn held(job: &Job) -> anyhow::Result<serde_json::Value> {
    allow_descriptors(job.n)?;
    let options = match job.variant.as_str() {
        "silent" => Options::new().heartbeat(None),
        _ => Options::new(),
    };
    let before = kib("self", "VmRSS");
    let used = cpu::used();
    let began = Instant::now();
    let held = open(job, &options).await?;
    let open_s = began.elapsed().as_secs_f64();
    let memory = kib("self", "VmRSS") - before;
    let mut agents = Vec::new();
    for tool in &held {
        // Known since the first call.
        agents.push(tool.session().ready().await?.pid.to_string());
    }
    let (here, there) = (cpu::sleeps("self"), agents_sleeps(&agents));
    tokio::time::sleep(WATCH).await;
    let (here, there) = (cpu::sleeps("self") - here, agents_sleeps(&agents) - there);
    let memory_of_agents: Vec<_> = agents.iter().map(|id| kib(id, "VmRSS")).collect();
    let began = Instant::now();
    let count = held.len();
    close(held).await?;
    let count = f64::from(u32::try_from(count)?);
    let per_second =
        |sleeps: u64| f64::from(u32::try_from(sleeps).unwrap_or(u32::MAX)) / WATCH.as_secs_f64();
    Ok(json!({
        "open_s": open_s,
        "close_s": began.elapsed().as_secs_f64(),
        "cpu_s": cpu::used() - used,
        "controller_kib_each": memory / count,
        "agent_mib_each": median(&memory_of_agents) / 1024.0,
        "controller_wakes_per_s": per_second(here),
        "agent_wakes_per_s_each": per_second(there) / count,
    }))
}

async fn open(job: &Job, options: &Options) -> anyhow::Result<Vec<Tool>> {
    iter(0..job.n)
        .map(|number| opened(job, options.clone(), number))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

async fn close(held: Vec<Tool>) -> anyhow::Result<()> {
    iter(held)
        .map(|tool| async move { Ok(tool.session().close().await?) })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

fn allow_descriptors(sessions: usize) -> anyhow::Result<()> {
    let wanted = DESCRIPTORS * sessions as u64 + 256;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < wanted {
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard.max(wanted))?;
    }
    Ok(())
}

fn agents_sleeps(agents: &[String]) -> u64 {
    agents.iter().map(|id| cpu::sleeps(id)).sum()
}

fn kib(process: &str, field: &str) -> f64 {
    let number = cpu::status(process, field).unwrap_or_default();
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

//! rmote's cases, through the public API of `rmote-client`.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::ensure;
use rmote_client::{
    Arguments, Command, Docker, Input, Local, Options, Session, Ssh, Tool, Transport, Value,
};
use serde::Deserialize;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use crate::cpu;
use crate::job::{Case, Job, Over};
use crate::relay::monotonic_ns;
use crate::samples::median;
use crate::sessions;

const TOOL: &str = include_str!("tool.py");
const RECORDS: &str = include_str!("records.py");
const WARM_UP: usize = 200;

pub(crate) fn main(job: &Job) -> anyhow::Result<()> {
    let measures = runtime(job)?.block_on(async {
        match job.case {
            Case::Bulk => bulk(job).await,
            Case::Held => sessions::held(job).await,
            Case::Paths => paths(job).await,
            Case::Pipelined => pipelined(job).await,
            Case::Records => records(job).await,
            Case::Sequential => sequential(job).await,
            Case::Sessions => sessions::opened_and_closed(job).await,
            Case::Start => start(job).await,
            Case::Upload => upload(job).await,
            Case::Wire => wire(job).await,
        }
    })?;
    println!("{measures}");
    Ok(())
}

/// One thread, unless the variant is `threads`: what a program has that says no more than `#[tokio::main]`.
fn runtime(job: &Job) -> std::io::Result<Runtime> {
    let mut builder = match job.variant.as_str() {
        "threads" => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    };
    builder.enable_all().build()
}

pub(crate) async fn connect(job: &Job, options: Options) -> anyhow::Result<Session> {
    // All defaults but for one variant: then the host need not look for its interpreter, as with the peers.
    let options = match job.variant.as_str() {
        "interpreter" => options.interpreter(&job.python),
        _ => options,
    };
    let transport: Box<dyn Transport> = match (job.over, job.via.split_first()) {
        (Over::Ssh, _) => Box::new(Ssh::new(&job.host).config_file(&job.config)),
        (Over::Docker, _) => Box::new(Docker::new(&job.container)),
        (Over::Local, Some((program, args))) => Box::new(Command::new(program).args(args)),
        (Over::Local, None) => Box::new(Local::new()),
    };
    Ok(Session::connect_with(transport, options).await?)
}

pub(crate) async fn ping(tool: &Tool, number: usize) -> anyhow::Result<()> {
    let answer: usize = tool.call("ping", (number,)).await?;
    ensure!(answer == number, "{answer} is not {number}");
    Ok(())
}

async fn tool(job: &Job) -> anyhow::Result<Tool> {
    let host = connect(job, Options::new()).await?;
    Ok(host.load(TOOL)?)
}

async fn start(job: &Job) -> anyhow::Result<serde_json::Value> {
    let mut times = Vec::new();
    for _ in 0..job.n {
        let began = Instant::now();
        let tool = tool(job).await?;
        ping(&tool, 1).await?;
        times.push(began.elapsed().as_secs_f64());
        tool.session().close().await?;
    }
    Ok(json!({ "ms": median(&times) * 1e3 }))
}

async fn wire(job: &Job) -> anyhow::Result<serde_json::Value> {
    let began = Instant::now();
    let tool = tool(job).await?;
    ping(&tool, 1).await?;
    let first = monotonic_ns();
    let seconds = began.elapsed().as_secs_f64();
    tool.session().close().await?;
    Ok(json!({ "ms": seconds * 1e3, "first_result_ns": first }))
}

async fn sequential(job: &Job) -> anyhow::Result<serde_json::Value> {
    let tool = tool(job).await?;
    let mut times = Vec::new();
    for number in 0..job.n + WARM_UP {
        let began = Instant::now();
        ping(&tool, number).await?;
        if number >= WARM_UP {
            times.push(began.elapsed().as_secs_f64());
        }
    }
    tool.session().close().await?;
    Ok(json!({ "us": median(&times) * 1e6 }))
}

async fn pipelined(job: &Job) -> anyhow::Result<serde_json::Value> {
    let tool = tool(job).await?;
    ping(&tool, 1).await?;
    let next = Arc::new(AtomicUsize::new(0));
    let total = job.n;
    let there: f64 = tool.call("cpu", ()).await?;
    let here = cpu::used();
    let began = Instant::now();
    let callers: Vec<_> = (0..job.in_flight)
        .map(|_| {
            let (tool, next) = (tool.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= total {
                        return anyhow::Ok(());
                    }
                    ping(&tool, number).await?;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await??;
    }
    let seconds = began.elapsed().as_secs_f64();
    let here = cpu::used() - here;
    let there = tool.call::<f64>("cpu", ()).await? - there;
    tool.session().close().await?;
    let calls = f64::from(u32::try_from(total)?);
    Ok(json!({ "calls_per_s": calls / seconds, "cpu_us": (here + there) / calls * 1e6 }))
}

async fn bulk(job: &Job) -> anyhow::Result<serde_json::Value> {
    let tool = tool(job).await?;
    ping(&tool, 1).await?;
    let began = Instant::now();
    for _ in 0..job.n {
        let mut parts = tool
            .stream::<Value>("chunks", (&job.file, job.chunk))
            .await?;
        let mut count = 0;
        while let Some(part) = parts.next().await {
            if let Value::Bytes(bytes) = part? {
                count += bytes.len() as u64;
            }
        }
        ensure!(count == job.size, "{count} bytes are not {}", job.size);
    }
    let seconds = began.elapsed().as_secs_f64();
    let there: u32 = tool.call("peak", ()).await?;
    tool.session().close().await?;
    let here = u32::try_from(cpu::status("self", "VmHWM").unwrap_or_default())?;
    Ok(json!({
        "mib_per_s": job.mib() / seconds,
        "controller_mib": f64::from(here) / 1024.0,
        "agent_mib": f64::from(there) / 1024.0,
    }))
}

async fn upload(job: &Job) -> anyhow::Result<serde_json::Value> {
    let tool = tool(job).await?;
    ping(&tool, 1).await?;
    let file = std::fs::read(&job.file)?;
    let began = Instant::now();
    let input = Input::reader(Cursor::new(file));
    let count: u64 = tool
        .call_with("size", Arguments::default().input(input))
        .await?;
    let seconds = began.elapsed().as_secs_f64();
    ensure!(count == job.size, "{count} bytes are not {}", job.size);
    tool.session().close().await?;
    Ok(json!({ "mib_per_s": job.mib() / seconds }))
}

/// What `tool.py` makes.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "the time to fill them is what is measured")]
struct Entry {
    id: u64,
    name: String,
    path: String,
    size: u64,
    mtime: f64,
    active: bool,
    owner: Option<String>,
}

async fn records(job: &Job) -> anyhow::Result<serde_json::Value> {
    let tool = connect(job, Options::new()).await?.load(RECORDS)?;
    tool.call::<()>("make", (job.n,)).await?;
    let function = match job.variant.as_str() {
        "dicts" => "dicts",
        _ => "records",
    };
    let began = Instant::now();
    let found: Vec<Entry> = tool.call(function, ()).await?;
    items(&tool, job, found.len(), began).await
}

async fn paths(job: &Job) -> anyhow::Result<serde_json::Value> {
    let tool = connect(job, Options::new()).await?.load(RECORDS)?;
    tool.call::<()>("make", (job.n,)).await?;
    let began = Instant::now();
    let found: Vec<String> = tool.call("paths", ()).await?;
    items(&tool, job, found.len(), began).await
}

async fn items(
    tool: &Tool,
    job: &Job,
    found: usize,
    began: Instant,
) -> anyhow::Result<serde_json::Value> {
    let seconds = began.elapsed().as_secs_f64();
    ensure!(found == job.n, "{found} items are not {}", job.n);
    tool.session().close().await?;
    Ok(json!({ "items_per_s": f64::from(u32::try_from(found)?) / seconds }))
}

/// A session with its tool and its first call done.
pub(crate) async fn opened(job: &Job, options: Options, number: usize) -> anyhow::Result<Tool> {
    let tool = connect(job, options).await?.load(TOOL)?;
    ping(&tool, number).await?;
    Ok(tool)
}

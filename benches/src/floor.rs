//! The floors: the same work with the same programs and no library at all.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde_json::json;

use crate::cpu;
use crate::job::{Case, Job, Over};
use crate::samples::median;

/// Answers what it reads.
const ECHO: &str =
    "import os\nr=os.read;w=os.write\nwhile 1:\n b=r(0,65536)\n if not b: break\n w(1,b)";
/// A small call's size on the wire, about.
const MESSAGE: usize = 64;
const WARM_UP: usize = 200;

pub(crate) fn main(job: &Job) -> anyhow::Result<()> {
    let measures = match job.case {
        Case::Start => start(job)?,
        Case::Sequential => sequential(job)?,
        Case::Bulk => bulk(job)?,
        Case::Upload => upload(job)?,
        Case::Sessions => sessions(job)?,
        _ => anyhow::bail!("this case has no floor"),
    };
    println!("{measures}");
    Ok(())
}

/// A command at the host.
fn command(job: &Job, words: &[&str]) -> Command {
    let mut all = job.via.clone();
    match job.over {
        // A shell reads them there.
        Over::Ssh => all.extend(words.iter().map(|word| format!("'{word}'"))),
        Over::Docker | Over::Local => all.extend(words.iter().map(ToString::to_string)),
    }
    let mut all = all.into_iter();
    let mut command = Command::new(all.next().unwrap_or_default());
    command.args(all);
    command
}

/// An interpreter that starts and ends; with the variant `true`, only the way to the host and back.
fn start(job: &Job) -> anyhow::Result<serde_json::Value> {
    let words = match job.variant.as_str() {
        "true" => vec!["true"],
        _ => vec![job.python.as_str(), "-I", "-S", "-c", "pass"],
    };
    let mut times = Vec::new();
    for _ in 0..job.n {
        let began = Instant::now();
        let status = command(job, &words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        times.push(began.elapsed().as_secs_f64());
        ensure!(status.success(), "{words:?}: {status}");
    }
    Ok(json!({ "ms": median(&times) * 1e3 }))
}

/// Messages to a Python that echoes them.
fn sequential(job: &Job) -> anyhow::Result<serde_json::Value> {
    let mut child = command(job, &[&job.python, "-I", "-S", "-c", ECHO])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("no pipe")?;
    let mut stdout = child.stdout.take().context("no pipe")?;
    let mut buffer = [0; MESSAGE];
    let mut times = Vec::new();
    for i in 0..job.n + WARM_UP {
        let began = Instant::now();
        stdin.write_all(&buffer)?;
        stdout.read_exact(&mut buffer)?;
        if i >= WARM_UP {
            times.push(began.elapsed().as_secs_f64());
        }
    }
    drop(stdin);
    child.wait()?;
    Ok(json!({ "us": median(&times) * 1e6 }))
}

/// `cat` at the host, and here either a second one, or nobody: what ssh and docker write to is a pipe already.
fn bulk(job: &Job) -> anyhow::Result<serde_json::Value> {
    let began = Instant::now();
    for _ in 0..job.n {
        let mut far = command(job, &["cat", &job.file]);
        far.stdin(Stdio::null());
        let (mut far, near): (Child, Option<Child>) = if job.via.is_empty() {
            let mut far = far.stdout(Stdio::piped()).spawn()?;
            let pipe = far.stdout.take().context("no pipe")?;
            let near = Command::new("cat")
                .stdin(pipe)
                .stdout(Stdio::null())
                .spawn()?;
            (far, Some(near))
        } else {
            (far.stdout(Stdio::null()).spawn()?, None)
        };
        let status = far.wait()?;
        ensure!(status.success(), "cat: {status}");
        if let Some(mut near) = near {
            near.wait()?;
        }
    }
    Ok(json!({ "mib_per_s": job.mib() / began.elapsed().as_secs_f64() }))
}

/// A file into `cat` at the host, which is this machine, too.
fn upload(job: &Job) -> anyhow::Result<serde_json::Value> {
    let began = Instant::now();
    let status = command(job, &["sh", "-c", "cat > /dev/null"])
        .stdin(File::open(&job.file)?)
        .status()?;
    ensure!(status.success(), "cat: {status}");
    Ok(json!({ "mib_per_s": job.mib() / began.elapsed().as_secs_f64() }))
}

/// So many interpreters at once.
fn sessions(job: &Job) -> anyhow::Result<serde_json::Value> {
    let began = Instant::now();
    let children: Vec<_> = (0..job.n)
        .map(|_| {
            command(job, &[&job.python, "-I", "-S", "-c", "pass"])
                .stdin(Stdio::null())
                .spawn()
        })
        .collect::<Result<_, _>>()?;
    for mut child in children {
        let status = child.wait()?;
        ensure!(status.success(), "{status}");
    }
    Ok(json!({ "seconds": began.elapsed().as_secs_f64(), "cpu_s": cpu::used() }))
}

//! The whole run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use nix::sys::prctl::set_child_subreaper;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Settings;
use crate::machine::Machine;
use crate::peers::Peers;
use crate::plan::Plan;
use crate::report;
use crate::row::Finding;
use crate::way::Ways;

pub(crate) fn main(settings: &Settings) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        // Whichever ends first, the rest is dropped, and takes down what it has set up.
        tokio::select! {
            biased;
            _ = interrupt.recv() => bail!("interrupted"),
            _ = terminate.recv() => bail!("told to end"),
            result = compare(settings) => result,
        }
    })
}

async fn compare(settings: &Settings) -> anyhow::Result<()> {
    // The host's side of a peer often outlives the peer's own; it comes to us then, and is counted.
    set_child_subreaper(true)?;
    let own = std::env::current_exe()?;
    // Beside the folder of the build's profile.
    let target = own.ancestors().nth(2).context("where am I?")?;
    let folder = target.join("compare");
    let data = folder.join("data");
    fs::create_dir_all(&data)?;
    let machine = Machine::look();
    eprintln!("{}", machine.sentence());

    let plan = Plan::new(settings);
    let peers = Peers::install(&folder);
    let roads = plan
        .experiments
        .iter()
        .map(|experiment| experiment.way.road());
    let ways = Ways::set_up(settings, &roads.collect::<Vec<_>>(), &own, &folder, &data);
    let rounds = if settings.quick {
        1
    } else {
        settings.runs.max(1)
    };
    let mut outcomes = Vec::new();
    for experiment in &plan.experiments {
        if ways.has(experiment.way) {
            let found = experiment.run(rounds, &ways, &peers, &own, &data).await?;
            outcomes.extend(found);
        }
    }
    drop(ways);

    let findings: Vec<Finding> = plan
        .rows
        .iter()
        .filter_map(|row| row.find(&outcomes))
        .collect();
    let table = report::table(&findings);
    println!("{table}");
    let json = settings
        .json
        .clone()
        .unwrap_or_else(|| folder.join("results.json"));
    write(
        &json,
        &serde_json::to_string_pretty(&report::json(&machine, &findings, &outcomes))?,
    )?;
    if let Some(path) = &settings.markdown {
        report::replace(path, &format!("{}\n\n{table}", machine.sentence()))?;
    }
    eprintln!("all runs: {}", json.display());
    Ok(())
}

fn write(path: &PathBuf, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).with_context(|| Path::new(path).display().to_string())
}

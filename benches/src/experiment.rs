//! One case over one way, for several contenders in turn.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tokio::process::Command;
use tokio::time::timeout;

use crate::contender::Contender;
use crate::cpu;
use crate::data::{self, Content};
use crate::job::{Case, Job, Over};
use crate::peers::{PYTHON, Peers};
use crate::relay::Traffic;
use crate::way::{Way, Ways};

/// How long a run may take.
const LIMIT: Duration = Duration::from_secs(180);
/// Between runs, at least.
const PAUSE: Duration = Duration::from_millis(50);
/// How long what a run has left behind may take to end.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is run.
#[derive(Clone, Debug)]
pub(crate) struct Experiment {
    pub(crate) case: Case,
    pub(crate) way: Way,
    pub(crate) contenders: Vec<Contender>,
    pub(crate) n: usize,
    pub(crate) in_flight: usize,
    pub(crate) file: Option<(Content, u64)>,
    /// How many bytes at once of a file, for those who let one choose.
    pub(crate) chunk: usize,
    /// The rounds are divided by this.
    pub(crate) fewer: usize,
}

/// What one contender has measured in all its runs.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) experiment: String,
    pub(crate) contender: Contender,
    pub(crate) measures: BTreeMap<String, Vec<f64>>,
    /// The share of the machine's CPU time that others took in each run, where it is known.
    pub(crate) foreign: Vec<f64>,
    pub(crate) errors: Vec<String>,
}

impl Experiment {
    pub(crate) fn new(case: Case, way: Way, contenders: &[Contender], n: usize) -> Self {
        Self {
            case,
            way,
            contenders: contenders.to_vec(),
            n,
            in_flight: 0,
            file: None,
            chunk: 256 << 10,
            fewer: 1,
        }
    }

    /// Names it in rows and results.
    pub(crate) fn id(&self) -> String {
        let case = format!("{:?}", self.case).to_lowercase();
        let mut id = format!("{case}/{}/{}", self.way.name(), self.n);
        if self.in_flight > 0 {
            id = format!("{id}/{}", self.in_flight);
        }
        if let Some((content, size)) = self.file {
            id = format!("{id}/{content:?}-{size}").to_lowercase();
        }
        id
    }

    /// Runs everybody once in each round, in an order by chance.
    pub(crate) async fn run(
        &self,
        rounds: usize,
        ways: &Ways,
        peers: &Peers,
        own: &Path,
        data: &Path,
    ) -> anyhow::Result<Vec<Outcome>> {
        let file = match self.file {
            Some((content, size)) => Some(data.join(data::file(data, content, size)?)),
            None => None,
        };
        let mut outcomes: Vec<Outcome> = self
            .contenders
            .iter()
            .map(|&contender| Outcome {
                experiment: self.id(),
                contender,
                measures: BTreeMap::new(),
                foreign: Vec::new(),
                errors: Vec::new(),
            })
            .collect();
        for round in 0..rounds.div_ceil(self.fewer) {
            outcomes.sort_by_cached_key(|_| RandomState::new().hash_one(()));
            for outcome in &mut outcomes {
                let Some(command) = outcome.contender.command(own, peers) else {
                    continue;
                };
                let own_before = cpu::own_children();
                let machine = cpu::Machine::now();
                let children = cpu::of_children();
                let servers = ways.used_by_servers(self.way);
                match self
                    .run_once(outcome.contender, command, ways, file.as_deref())
                    .await
                {
                    Ok(measures) => {
                        for (name, value) in measures {
                            outcome.measures.entry(name).or_default().push(value);
                        }
                    }
                    Err(error) => {
                        eprintln!("{} {}: {error:#}", outcome.experiment, outcome.contender);
                        outcome.errors.push(format!("{error:#}"));
                    }
                }
                settle(&own_before).await;
                if let (Some(before), Some(after)) = (servers, ways.used_by_servers(self.way)) {
                    let ours = cpu::of_children() - children + after - before;
                    outcome
                        .foreign
                        .push(cpu::Machine::now().foreign_since(machine, ours));
                }
            }
            eprintln!("{}: round {}", self.id(), round + 1);
        }
        // Those who are not here have left nothing.
        outcomes.retain(|outcome| !outcome.measures.is_empty() || !outcome.errors.is_empty());
        Ok(outcomes)
    }

    async fn run_once(
        &self,
        contender: Contender,
        command: Vec<PathBuf>,
        ways: &Ways,
        file: Option<&Path>,
    ) -> anyhow::Result<BTreeMap<String, f64>> {
        let mut job = Job {
            case: self.case,
            over: Over::Local,
            via: Vec::new(),
            python: PYTHON.into(),
            variant: contender.variant.into(),
            n: self.n,
            in_flight: self.in_flight,
            file: String::new(),
            size: self.file.map_or(0, |(_, size)| size),
            chunk: self.chunk,
            host: String::new(),
            config: String::new(),
            container: String::new(),
        };
        ways.fill(self.way, &mut job, file)?;
        let log = ways.relay_log();
        _ = std::fs::remove_file(&log);
        let mut words = ways
            .enter(self.way)
            .into_iter()
            .map(PathBuf::from)
            .chain(command);
        let child = Command::new(words.next().unwrap_or_default())
            .args(words)
            .arg(job.text()?)
            // Whatever the caller's shell has there: a shim before python3, say.
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let group = Group(child.id());
        let output = timeout(LIMIT, child.wait_with_output())
            .await
            .with_context(|| format!("no end after {LIMIT:?}"))??;
        drop(group);
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            let last = text.lines().rfind(|line| !line.trim().is_empty());
            bail!("{}: {}", output.status, last.unwrap_or("no word"));
        }
        let mut measures: BTreeMap<String, f64> =
            serde_json::from_slice(&output.stdout).context("its result is no JSON")?;
        if self.way == Way::Relay {
            let until = measures.remove("first_result_ns").context("no time")?;
            #[expect(clippy::cast_possible_truncation, reason = "nanoseconds of an uptime")]
            let traffic = Traffic::read(&std::fs::read_to_string(log)?, until as i64);
            #[expect(clippy::cast_precision_loss, reason = "some thousand bytes")]
            for (name, count) in [
                ("command_line", traffic.command_line),
                ("sent", traffic.sent),
                ("received", traffic.received),
                ("round_trips", traffic.round_trips),
            ] {
                measures.insert(name.into(), count as f64);
            }
        }
        Ok(measures)
    }
}

/// Waits until what a run has left behind has ended, and collects it: its CPU time counts as ours from then on, and
/// does not disturb the next run.
async fn settle(before: &BTreeSet<u32>) {
    let end = Instant::now() + PATIENCE;
    loop {
        tokio::time::sleep(PAUSE).await;
        while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            if status == WaitStatus::StillAlive {
                break;
            }
        }
        if cpu::own_children().is_subset(before) || Instant::now() > end {
            return;
        }
    }
}

/// A process group that is killed with its value: a run that is over, late or given up leaves nothing.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = self.0.and_then(|id| i32::try_from(id).ok()) {
            _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}

//! Which experiments there are, and which rows come of them.

use crate::cli::{Settings, Topic};
use crate::contender::{Contender, Who};
use crate::data::Content;
use crate::experiment::Experiment;
use crate::job::Case;
use crate::row::{Better, Goal, Row};
use crate::way::Way;

pub(crate) const FLOOR: Contender = Contender::FLOOR;
/// Where only the way to the host is the floor, without an interpreter.
const BARE_FLOOR: Contender = Contender::new(Who::Floor, "true");
pub(crate) const OURS: Contender = Contender::OURS;
const OURS_THREADS: Contender = Contender::new(Who::Ours, "threads");
const OURS_INTERPRETER: Contender = Contender::new(Who::Ours, "interpreter");
const OURS_DICTS: Contender = Contender::new(Who::Ours, "dicts");
const OURS_SILENT: Contender = Contender::new(Who::Ours, "silent");
pub(crate) const RMOTE: Contender = Contender::new(Who::Rmote07, "");
pub(crate) const RMOTE_INLINE: Contender = Contender::new(Who::Rmote07, "inline");
const RMOTE_COROUTINE: Contender = Contender::new(Who::Rmote07, "coroutine");
pub(crate) const RMOTE_RAW: Contender = Contender::new(Who::Rmote07, "raw");
const RMOTE_03: Contender = Contender::new(Who::Rmote03, "");
const RMOTE_03_COROUTINE: Contender = Contender::new(Who::Rmote03, "coroutine");
pub(crate) const MITOGEN: Contender = Contender::new(Who::Mitogen, "");
pub(crate) const MITOGEN_NOZIP: Contender = Contender::new(Who::Mitogen, "nozip");
pub(crate) const EXECNET: Contender = Contender::new(Who::Execnet, "");
const EXECNET_EXEC: Contender = Contender::new(Who::Execnet, "exec");
pub(crate) const EXECNET_ECHO: Contender = Contender::new(Who::Execnet, "echo");
const RPYC: Contender = Contender::new(Who::Rpyc, "");

/// What is to be done.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) experiments: Vec<Experiment>,
    pub(crate) rows: Vec<Row>,
    quick: bool,
}

/// What a row shows: title, measure, unit, which is better, the goal.
type Show = (
    &'static str,
    &'static str,
    &'static str,
    Better,
    Option<Goal>,
);

impl Plan {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut plan = Self {
            quick: settings.quick,
            ..Self::default()
        };
        for topic in &settings.rows {
            match topic {
                Topic::Start => plan.start(),
                Topic::Calls => plan.calls(),
                Topic::Bulk => plan.bulk(settings.link_rate.is_some()),
                Topic::Values => plan.values(),
                Topic::Sessions => plan.sessions(),
                Topic::Scaling => plan.scaling(),
            }
        }
        plan.experiments
            .retain(|experiment| settings.over.contains(&experiment.way.road()));
        plan
    }

    /// The number, or the small one of a quick run.
    pub(crate) fn size(&self, number: usize, small: usize) -> usize {
        if self.quick { small } else { number }
    }

    pub(crate) fn add(&mut self, experiment: Experiment, rows: &[Show]) {
        for &(title, measure, unit, better, goal) in rows {
            self.rows.push(Row {
                experiment: experiment.id(),
                title: title.to_owned(),
                measure,
                unit,
                better,
                goal,
            });
        }
        self.once(experiment);
    }

    /// Adds an experiment, unless another row has brought it.
    pub(crate) fn once(&mut self, experiment: Experiment) {
        let id = experiment.id();
        if !self.experiments.iter().any(|other| other.id() == id) {
            self.experiments.push(experiment);
        }
    }

    fn start(&mut self) {
        let peers = [RMOTE, RMOTE_03, MITOGEN, EXECNET];
        let with = |more: &[Contender]| [more, &peers[..]].concat();
        let floor = |times| Some(Goal::TimesFloor(times));
        let goals = [
            (
                Way::Local,
                "cold start to first result, local, the first of a process",
                FLOOR,
                floor(1.7),
                1,
            ),
            (
                Way::Local,
                "the same, the median of nine in a process",
                FLOOR,
                floor(1.7),
                9,
            ),
            (
                Way::Ssh,
                "the same, new ssh connection on loopback",
                FLOOR,
                None,
                3,
            ),
            (
                Way::SharedLink,
                "the same, shared ssh connection across the link",
                FLOOR,
                floor(1.15),
                3,
            ),
            (
                Way::Link,
                "the same, new ssh connection across the link",
                BARE_FLOOR,
                floor(1.05),
                2,
            ),
            (Way::Docker, "the same, docker exec", FLOOR, floor(1.1), 3),
        ];
        for (way, title, floor, goal, n) in goals {
            let contenders = match way {
                Way::Local => with(&[floor, OURS, OURS_INTERPRETER, OURS_THREADS]),
                _ => with(&[floor, OURS, OURS_INTERPRETER]),
            };
            let experiment = Experiment::new(Case::Start, way, &contenders, self.size(n, 1));
            self.add(experiment, &[(title, "ms", "ms", Better::Lower, goal)]);
        }
        let experiment = Experiment::new(Case::Wire, Way::Relay, &with(&[OURS]), 1);
        self.add(
            experiment,
            &[
                (
                    "round trips to the first result",
                    "round_trips",
                    "",
                    Better::Lower,
                    Some(Goal::Absolute(1.0)),
                ),
                (
                    "bytes sent before it, with the tool",
                    "sent",
                    "bytes",
                    Better::Lower,
                    Some(Goal::Absolute(10_240.0)),
                ),
                (
                    "bytes of the command line beside them",
                    "command_line",
                    "bytes",
                    Better::Lower,
                    None,
                ),
            ],
        );
    }

    fn calls(&mut self) {
        let all = [
            FLOOR,
            OURS,
            OURS_THREADS,
            RMOTE,
            RMOTE_COROUTINE,
            RMOTE_INLINE,
            RMOTE_03_COROUTINE,
            MITOGEN,
            EXECNET_EXEC,
            EXECNET_ECHO,
            RPYC,
        ];
        let some = [FLOOR, OURS, RMOTE_INLINE, MITOGEN, EXECNET_ECHO];
        let sequential = [
            (
                Way::OneCpu,
                "sequential tiny call, both ends on one CPU",
                Some(Goal::Absolute(25.0)),
                &all[..],
            ),
            (
                Way::Local,
                "the same, two CPUs",
                Some(Goal::TimesFloor(1.5)),
                &all[..],
            ),
            (Way::Ssh, "the same, ssh", None, &some[..]),
            (Way::Docker, "the same, docker exec", None, &some[..]),
        ];
        for (way, title, goal, contenders) in sequential {
            let experiment =
                Experiment::new(Case::Sequential, way, contenders, self.size(5000, 200));
            self.add(experiment, &[(title, "us", "µs", Better::Lower, goal)]);
        }
        let contenders = [
            OURS,
            OURS_THREADS,
            RMOTE_COROUTINE,
            RMOTE_INLINE,
            RMOTE_03_COROUTINE,
            MITOGEN,
            EXECNET_ECHO,
            RPYC,
        ];
        let pipelined = [
            (Way::Local, "calls a second, 1,000 in flight", 150_000.0),
            (Way::OneCpu, "the same, both ends on one CPU", 80_000.0),
        ];
        for (way, title, goal) in pipelined {
            let mut experiment =
                Experiment::new(Case::Pipelined, way, &contenders, self.size(40_000, 2000));
            experiment.in_flight = 1000;
            let cpu = (
                "CPU of it a call, both ends",
                "cpu_us",
                "µs",
                Better::Lower,
                Some(Goal::Absolute(12.0)),
            );
            let rate = (
                title,
                "calls_per_s",
                "/s",
                Better::Higher,
                Some(Goal::Absolute(goal)),
            );
            let rows = [rate, cpu];
            self.add(experiment, &rows[..if way == Way::Local { 2 } else { 1 }]);
        }
    }

    fn bulk(&mut self, slow_link: bool) {
        let mib = 1 << 20;
        let size = if self.quick { 16 * mib } else { 512 * mib };
        let goals = [
            (
                Way::Local,
                "bulk read of 512 MiB, local",
                Goal::Absolute(1800.0),
                MITOGEN,
            ),
            (
                Way::Ssh,
                "the same, ssh",
                Goal::TimesFloor(0.9),
                MITOGEN_NOZIP,
            ),
            (
                Way::Docker,
                "the same, docker exec",
                Goal::TimesFloor(0.9),
                MITOGEN,
            ),
        ];
        let rate = |title, goal| (title, "mib_per_s", "MiB/s", Better::Higher, goal);
        for (way, title, goal, mitogen) in goals {
            let contenders = [FLOOR, OURS, RMOTE, RMOTE_RAW, mitogen, EXECNET];
            let mut experiment = Experiment::new(Case::Bulk, way, &contenders, 1);
            experiment.file = Some((Content::Random, size));
            experiment.fewer = 2;
            let memory = |title, measure, limit| {
                (
                    title,
                    measure,
                    "MiB",
                    Better::Lower,
                    Some(Goal::Absolute(limit)),
                )
            };
            let rows = [
                rate(title, Some(goal)),
                memory("peak memory during it, controller", "controller_mib", 16.0),
                memory("peak memory during it, agent", "agent_mib", 20.0),
            ];
            self.add(experiment, &rows[..if way == Way::Local { 3 } else { 1 }]);
        }
        if slow_link {
            self.slow_link();
        }
    }

    fn values(&mut self) {
        let goal = Some(Goal::TimesRmote(2.0));
        let contenders = [OURS, OURS_DICTS, RMOTE, RMOTE_RAW, MITOGEN, EXECNET];
        let n = self.size(100_000, 2000);
        self.add(
            Experiment::new(Case::Records, Way::Local, &contenders, n),
            &[(
                "a result of 100,000 records of 7 fields",
                "items_per_s",
                "/s",
                Better::Higher,
                goal,
            )],
        );
        let contenders = [OURS, RMOTE, RMOTE_RAW, MITOGEN, EXECNET];
        let n = self.size(200_000, 2000);
        self.add(
            Experiment::new(Case::Paths, Way::Local, &contenders, n),
            &[(
                "a result of 200,000 paths",
                "items_per_s",
                "/s",
                Better::Higher,
                goal,
            )],
        );
    }

    fn sessions(&mut self) {
        let contenders = [FLOOR, OURS, OURS_THREADS, RMOTE, RMOTE_03, MITOGEN, EXECNET];
        let n = self.size(200, 10);
        let mut experiment = Experiment::new(Case::Sessions, Way::Local, &contenders, n);
        experiment.fewer = 2;
        self.add(
            experiment,
            &[
                (
                    "200 local sessions opened, called, closed: CPU",
                    "cpu_s",
                    "s",
                    Better::Lower,
                    Some(Goal::Absolute(2.0)),
                ),
                ("the same: wall time", "seconds", "s", Better::Lower, None),
                (
                    "the same: controller's memory",
                    "controller_mib",
                    "MiB",
                    Better::Lower,
                    Some(Goal::Absolute(32.0)),
                ),
            ],
        );
        let experiment = held(self.size(2000, 20));
        self.add(
            experiment,
            &[
                (
                    "2,000 sessions held open, idle: controller's memory each",
                    "controller_kib_each",
                    "KiB",
                    Better::Lower,
                    Some(Goal::Absolute(64.0)),
                ),
                (
                    "the same: agent's memory",
                    "agent_mib_each",
                    "MiB",
                    Better::Lower,
                    Some(Goal::Absolute(9.0)),
                ),
                (
                    "the same: controller's wake-ups, all sessions",
                    "controller_wakes_per_s",
                    "/s",
                    Better::Lower,
                    None,
                ),
                (
                    "the same: an agent's wake-ups",
                    "agent_wakes_per_s_each",
                    "/s",
                    Better::Lower,
                    None,
                ),
            ],
        );
    }
}

/// Sessions that do nothing; once, since it is slow and exact.
pub(crate) fn held(n: usize) -> Experiment {
    let mut experiment = Experiment::new(Case::Held, Way::Local, &[OURS, OURS_SILENT], n);
    experiment.fewer = usize::MAX;
    experiment
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_row_has_its_experiment() {
        let all = "--rows=start,calls,bulk,values,sessions,scaling";
        for more in ["--runs=3", "--quick", "--link-rate=10M"] {
            let plan = Plan::new(&Cli::parse_from(["compare", all, more]).settings);
            for row in &plan.rows {
                let count = plan
                    .experiments
                    .iter()
                    .filter(|e| e.id() == row.experiment)
                    .count();
                assert_eq!(count, 1, "{}: {}", row.title, row.experiment);
            }
            for experiment in &plan.experiments {
                assert!(
                    plan.rows
                        .iter()
                        .any(|row| row.experiment == experiment.id())
                );
                assert!(experiment.contenders.contains(&OURS));
            }
        }
    }

    #[test]
    fn only_what_was_asked_for_runs() {
        let cli = Cli::parse_from(["compare", "--rows=start", "--over=docker"]);
        let plan = Plan::new(&cli.settings);
        assert!(
            plan.experiments
                .iter()
                .all(|e| e.way == Way::Docker && e.case == Case::Start)
        );
        assert!(!plan.experiments.is_empty());
    }
}

//! The series of the plan.

use crate::data::Content;
use crate::experiment::Experiment;
use crate::job::Case;
use crate::plan::{
    EXECNET, EXECNET_ECHO, FLOOR, MITOGEN, OURS, Plan, RMOTE_INLINE, RMOTE_RAW, held,
};
use crate::row::{Better, Row};
use crate::way::Way;

impl Plan {
    /// How cost grows with calls in flight, sizes and sessions.
    pub(crate) fn scaling(&mut self) {
        for in_flight in [1, 10, 100, 1000, 10_000] {
            let contenders = [OURS, RMOTE_INLINE, MITOGEN, EXECNET_ECHO];
            let calls = if in_flight == 1 { 10_000 } else { 40_000 };
            let n = self.size(calls, 1000);
            let mut experiment = Experiment::new(Case::Pipelined, Way::Local, &contenders, n);
            experiment.in_flight = in_flight;
            experiment.fewer = 2;
            self.add_series(
                experiment,
                format!("calls a second, {in_flight} in flight"),
                "calls_per_s",
                "/s",
                Better::Higher,
            );
        }
        let sizes = [1 << 10, 32 << 10, 1 << 20, 32 << 20, 1 << 30];
        for size in &sizes[..self.size(5, 4)] {
            // Small ones several times, so that there is something to measure.
            let turns = usize::try_from(((4 << 20) / size).clamp(1, 200)).unwrap_or(1);
            let mut experiment = Experiment::new(
                Case::Bulk,
                Way::Local,
                &[FLOOR, OURS, RMOTE_RAW, EXECNET],
                turns,
            );
            experiment.file = Some((Content::Random, *size));
            experiment.fewer = 2;
            let kib = size >> 10;
            self.add_series(
                experiment,
                format!("read of {kib} KiB"),
                "mib_per_s",
                "MiB/s",
                Better::Higher,
            );
        }
        let counts = [1, 10, 100, 500, 2000];
        for n in &counts[..self.size(5, 2)] {
            let experiment = held(*n);
            for (what, measure, unit) in [
                ("time to open", "open_s", "s"),
                ("controller's memory each", "controller_kib_each", "KiB"),
                ("controller's wake-ups", "controller_wakes_per_s", "/s"),
                ("time to close", "close_s", "s"),
                ("CPU of it all", "cpu_s", "s"),
            ] {
                let title = format!("{n} sessions held: {what}");
                self.row(&experiment, title, measure, unit, Better::Lower);
            }
            self.once(experiment);
        }
    }

    fn add_series(
        &mut self,
        experiment: Experiment,
        title: String,
        measure: &'static str,
        unit: &'static str,
        better: Better,
    ) {
        self.row(&experiment, title, measure, unit, better);
        self.once(experiment);
    }

    fn row(
        &mut self,
        experiment: &Experiment,
        title: String,
        measure: &'static str,
        unit: &'static str,
        better: Better,
    ) {
        self.rows.push(Row {
            experiment: experiment.id(),
            title,
            measure,
            unit,
            better,
            goal: None,
        });
    }
}

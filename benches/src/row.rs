//! A row of the table: one measure of one experiment, and what it has to be.

use serde::Serialize;

use crate::contender::{Contender, Who};
use crate::experiment::Outcome;
use crate::samples::Summary;

/// What is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) experiment: String,
    pub(crate) title: String,
    pub(crate) measure: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) better: Better,
    pub(crate) goal: Option<Goal>,
}

/// Which of two numbers is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Higher,
    Lower,
}

/// What ours has to be, at most or at least as the row's better says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    Absolute(f64),
    TimesFloor(f64),
    TimesRmote(f64),
}

/// A row with its figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Finding {
    pub(crate) title: String,
    pub(crate) unit: &'static str,
    pub(crate) experiment: String,
    pub(crate) measure: &'static str,
    pub(crate) floor: Option<f64>,
    pub(crate) best: Option<f64>,
    pub(crate) best_peer: Option<String>,
    pub(crate) rmote: Option<f64>,
    pub(crate) ours: Option<f64>,
    pub(crate) goal: Option<String>,
    pub(crate) met: Option<bool>,
    /// The most that others took of the machine's CPU time in the median run of one of the four.
    pub(crate) foreign: Option<f64>,
}

impl Row {
    /// Looks the figures up; `None` where nobody ran.
    pub(crate) fn find(&self, outcomes: &[Outcome]) -> Option<Finding> {
        let here: Vec<(&Outcome, f64)> = outcomes
            .iter()
            .filter(|outcome| outcome.experiment == self.experiment)
            .filter_map(|outcome| {
                let numbers = outcome.measures.get(self.measure)?;
                Some((outcome, Summary::of(numbers)?.median))
            })
            .collect();
        if here.is_empty() {
            return None;
        }
        let of = |contender: Contender| here.iter().find(|(o, _)| o.contender == contender);
        let best_of = |wanted: &dyn Fn(Contender) -> bool| {
            here.iter()
                .filter(|(outcome, _)| wanted(outcome.contender))
                .min_by(|a, b| self.order(a.1, b.1))
        };
        let floor = here.iter().find(|(o, _)| o.contender.who == Who::Floor);
        let best = best_of(&Contender::is_peer);
        let rmote = best_of(&|contender| contender.who == Who::Rmote07);
        let ours = of(Contender::OURS);
        let number = |found: Option<&(&Outcome, f64)>| found.map(|(_, median)| *median);
        let limit = match self.goal {
            None => None,
            Some(Goal::Absolute(limit)) => Some(limit),
            Some(Goal::TimesFloor(times)) => number(floor).map(|floor| floor * times),
            Some(Goal::TimesRmote(times)) => number(rmote).map(|rmote| rmote * times),
        };
        let met = limit
            .zip(number(ours))
            .map(|(limit, ours)| match self.better {
                Better::Higher => ours >= limit,
                Better::Lower => ours <= limit,
            });
        let foreign = [floor, best, rmote, ours]
            .into_iter()
            .flatten()
            .filter_map(|(outcome, _)| Some(Summary::of(&outcome.foreign)?.median))
            .reduce(f64::max);
        Some(Finding {
            title: self.title.clone(),
            unit: self.unit,
            experiment: self.experiment.clone(),
            measure: self.measure,
            floor: number(floor),
            best: number(best),
            best_peer: best.map(|(outcome, _)| outcome.contender.to_string()),
            rmote: number(rmote),
            ours: number(ours),
            goal: self.goal_as_text(),
            met,
            foreign,
        })
    }

    fn order(&self, a: f64, b: f64) -> std::cmp::Ordering {
        match self.better {
            Better::Higher => b.total_cmp(&a),
            Better::Lower => a.total_cmp(&b),
        }
    }

    fn goal_as_text(&self) -> Option<String> {
        let sign = match self.better {
            Better::Higher => "≥",
            Better::Lower => "≤",
        };
        Some(match self.goal? {
            Goal::Absolute(limit) => format!("{sign} {limit} {}", self.unit)
                .trim_end()
                .to_owned(),
            Goal::TimesFloor(times) => format!("{sign} {times} × floor"),
            Goal::TimesRmote(times) => format!("{sign} {times} × rmote 0.7.5"),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn outcome(contender: Contender, numbers: &[f64]) -> Outcome {
        Outcome {
            experiment: "x".into(),
            contender,
            measures: BTreeMap::from([("ms".to_owned(), numbers.to_vec())]),
            foreign: vec![0.1, 0.3, 0.2],
            errors: Vec::new(),
        }
    }

    fn row(better: Better, goal: Goal) -> Row {
        Row {
            experiment: "x".into(),
            title: "a row".into(),
            measure: "ms",
            unit: "ms",
            better,
            goal: Some(goal),
        }
    }

    fn outcomes() -> Vec<Outcome> {
        vec![
            outcome(Contender::FLOOR, &[9.0, 10.0, 30.0]),
            outcome(Contender::OURS, &[16.0, 14.0, 15.0]),
            outcome(Contender::new(Who::Ours, "threads"), &[1.0]),
            outcome(Contender::new(Who::Execnet, ""), &[40.0]),
            outcome(Contender::new(Who::Rmote07, "thread"), &[120.0]),
            outcome(Contender::new(Who::Rmote07, "inline"), &[100.0]),
        ]
    }

    #[test]
    fn best_is_the_least_where_lower_is_better() {
        let found = row(Better::Lower, Goal::TimesFloor(1.5))
            .find(&outcomes())
            .unwrap();
        assert_eq!(found.floor, Some(10.0));
        assert_eq!(found.ours, Some(15.0));
        assert_eq!(found.best, Some(40.0));
        assert_eq!(found.best_peer.as_deref(), Some("execnet 2.1.2"));
        assert_eq!(found.rmote, Some(100.0));
        assert_eq!(found.met, Some(true));
        assert_eq!(found.foreign, Some(0.2));
        assert_eq!(found.goal.as_deref(), Some("≤ 1.5 × floor"));
    }

    #[test]
    fn best_is_the_most_where_higher_is_better() {
        let found = row(Better::Higher, Goal::TimesRmote(2.0))
            .find(&outcomes())
            .unwrap();
        assert_eq!(found.best_peer.as_deref(), Some("rmote 0.7.5 (thread)"));
        assert_eq!(found.met, Some(false));
        let found = row(Better::Higher, Goal::Absolute(15.0))
            .find(&outcomes())
            .unwrap();
        assert_eq!(found.met, Some(true));
    }

    #[test]
    fn without_a_floor_a_goal_of_it_is_open() {
        let only = [outcome(Contender::OURS, &[1.0])];
        let found = row(Better::Lower, Goal::TimesFloor(1.5))
            .find(&only)
            .unwrap();
        assert_eq!((found.floor, found.met), (None, None));
        assert!(row(Better::Lower, Goal::Absolute(1.0)).find(&[]).is_none());
    }
}

//! The results as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::experiment::Outcome;
use crate::machine::Machine;
use crate::row::Finding;
use crate::samples::Summary;

const BEGIN: &str = "<!-- compare: begin -->\n";
const END: &str = "<!-- compare: end -->";

/// The table in Markdown.
pub(crate) fn table(findings: &[Finding]) -> String {
    let mut text = "| measure | floor | best peer | rmote 0.7.5 | ours | ours / floor | ours / best | goal | met | others' CPU |\n\
                    | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for row in findings {
        let unit = if row.unit.is_empty() { "" } else { " " };
        let figure = |number: Option<f64>| {
            number.map_or_else(String::new, |number| {
                format!("{}{unit}{}", digits(number), row.unit)
            })
        };
        let ratio = |of: Option<f64>| {
            let pair = row.ours.zip(of).filter(|(_, of)| *of != 0.0);
            pair.map_or_else(String::new, |(ours, of)| digits(ours / of))
        };
        let best = match &row.best_peer {
            Some(peer) => format!("{}, {peer}", figure(row.best)),
            None => String::new(),
        };
        let met = match row.met {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        let foreign = row
            .foreign
            .map_or_else(String::new, |share| format!("{:.0} %", share * 100.0));
        _ = writeln!(
            text,
            "| {} | {} | {best} | {} | {} | {} | {} | {} | {met} | {foreign} |",
            row.title,
            figure(row.floor),
            figure(row.rmote),
            figure(row.ours),
            ratio(row.floor),
            ratio(row.best),
            row.goal.as_deref().unwrap_or_default(),
        );
    }
    text
}

/// A number as one reads it: three digits that count, and all before the point.
fn digits(number: f64) -> String {
    let size = number.abs();
    let decimals = match size {
        _ if size >= 100.0 || size == 0.0 => 0,
        _ if size >= 10.0 => 1,
        _ if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{size:.decimals$}");
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if number < 0.0 { "-" } else { "" };
    match rest.trim_end_matches('0') {
        "" => format!("{sign}{grouped}"),
        rest => format!("{sign}{grouped}.{rest}"),
    }
}

/// Everything, for programs.
pub(crate) fn json(machine: &Machine, findings: &[Finding], outcomes: &[Outcome]) -> Value {
    let runs: Vec<Value> = outcomes
        .iter()
        .map(|outcome| {
            let measures: BTreeMap<_, _> = outcome
                .measures
                .iter()
                .map(|(name, numbers)| {
                    (
                        name,
                        json!({ "summary": Summary::of(numbers), "runs": numbers }),
                    )
                })
                .collect();
            json!({
                "experiment": outcome.experiment,
                "contender": outcome.contender.to_string(),
                "measures": measures,
                "foreign_cpu": outcome.foreign,
                "errors": outcome.errors,
            })
        })
        .collect();
    json!({ "machine": machine, "rows": findings, "runs": runs })
}

/// Puts the text between the two comments of a file.
pub(crate) fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let old = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let new = replaced(&old, text)
        .with_context(|| format!("{} has no {} … {END}", path.display(), BEGIN.trim_end()))?;
    Ok(fs::write(path, new)?)
}

fn replaced(old: &str, text: &str) -> Option<String> {
    let (before, rest) = old.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{text}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_count() {
        let cases = [
            (0.0, "0"),
            (0.123_45, "0.123"),
            (1.5, "1.5"),
            (9.318, "9.32"),
            (61.04, "61"),
            (109.4, "109"),
            (1_234_567.8, "1,234,568"),
            (-12.34, "-12.3"),
        ];
        for (number, text) in cases {
            assert_eq!(digits(number), text);
        }
    }

    #[test]
    fn a_row_that_nobody_else_ran_has_empty_cells() {
        let finding = Finding {
            title: "a row".into(),
            unit: "ms",
            experiment: "x".into(),
            measure: "ms",
            floor: Some(10.0),
            best: None,
            best_peer: None,
            rmote: None,
            ours: Some(15.0),
            goal: Some("≤ 1.7 × floor".into()),
            met: Some(true),
            foreign: Some(0.5),
        };
        let text = table(&[finding]);
        let last = text.lines().next_back().unwrap();
        assert_eq!(
            last,
            "| a row | 10 ms |  |  | 15 ms | 1.5 |  | ≤ 1.7 × floor | yes | 50 % |"
        );
    }

    #[test]
    fn only_what_is_between_the_comments_changes() {
        let old = format!("before\n{BEGIN}old\n{END}\nafter\n");
        let new = replaced(&old, "new\n").unwrap();
        assert_eq!(new, format!("before\n{BEGIN}new\n{END}\nafter\n"));
        assert_eq!(replaced("nothing", "new"), None);
    }
}

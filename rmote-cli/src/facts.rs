//! `rmote-cli facts`.

use std::io;

use rmote_tools::{Value, escape};

use crate::call;
use crate::cli::{Call, Facts};
use crate::exit::Exit;
use crate::printer;

/// What is longer in a line is counted instead.
const LONGEST: usize = 200;

/// Tells the facts of every target at once.
pub(crate) async fn run(facts: Facts) -> Exit {
    let call = Call {
        target: facts.target,
        callable: "Facts.gather".to_owned(),
        args: facts.raw.then(|| "raw=true".into()).into_iter().collect(),
        texts: facts.sections.into_iter().map(Into::into).collect(),
        json: facts.json,
        timeout: facts.timeout,
        tool: Vec::new(),
        host: facts.host,
    };
    call::run_shown(call, show).await
}

fn show(target: &str, several: bool, facts: &Value) -> io::Result<()> {
    let mut lines = Vec::new();
    for (name, section) in fields(facts) {
        if *section != Value::None {
            lines.push(safe(name));
            lines.extend(indented(&rows(section)));
        }
    }
    let mut text = String::new();
    if several {
        lines = indented(&lines);
        text = format!("{target}\n");
    }
    for line in lines {
        text += line.trim_end();
        text.push('\n');
    }
    printer::write(text.as_bytes())
}

fn indented(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| format!("  {line}")).collect()
}

/// Text of the host as a part of a line.
fn safe(text: &str) -> String {
    escape(text).replace('\n', r"\n").replace('\t', r"\t")
}

/// The fields of a record; other values have none.
fn fields(value: &Value) -> &[(String, Value)] {
    match value {
        Value::Record(record) => &record.fields,
        _ => &[],
    }
}

/// The lines of a section: what is short in two columns, then its lists of records, each as a table.
fn rows(section: &Value) -> Vec<String> {
    let mut short = Vec::new();
    let mut tables = Vec::new();
    for (name, value) in fields(section) {
        match value {
            Value::None => {}
            // It only tells what is not known, which shows.
            Value::Bool(_) if name == "available" => {}
            Value::Record(_) => {
                let known = fields(value).iter().filter(|(_, value)| is_known(value));
                short.extend(known.map(|(part, value)| {
                    vec![safe(&format!("{name}.{part}")), cell(part, value, " ")]
                }));
            }
            Value::List(items) if items.iter().any(|item| !fields(item).is_empty()) => {
                tables.push(safe(name));
                tables.extend(indented(&table(items)));
            }
            value => short.push(vec![safe(name), cell(name, value, " ")]),
        }
    }
    if short.is_empty() && tables.is_empty() {
        return vec!["not known".to_owned()];
    }
    let mut lines = aligned(&short);
    lines.extend(tables);
    lines
}

fn is_known(value: &Value) -> bool {
    match value {
        Value::None => false,
        Value::List(items) => !items.is_empty(),
        Value::Text(text) => !text.is_empty(),
        _ => true,
    }
}

/// Records below the names of their fields, without columns that none of them has.
fn table(records: &[Value]) -> Vec<String> {
    let names: Vec<&str> = fields(&records[0])
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| records.iter().any(|record| is_known(field(record, name))))
        .collect();
    let mut rows = vec![names.iter().map(|name| safe(name)).collect()];
    for record in records {
        let cells = names.iter().map(|name| match field(record, name) {
            value if is_known(value) => cell(name, value, ","),
            _ => "-".to_owned(),
        });
        rows.push(cells.collect::<Vec<_>>());
    }
    aligned(&rows)
}

fn field<'a>(record: &'a Value, wanted: &str) -> &'a Value {
    let found = fields(record).iter().find(|(name, _)| name == wanted);
    found.map_or(&Value::None, |(_, value)| value)
}

/// Lines whose columns begin below each other.
fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let cells: Vec<_> = cells
            .map(|(cell, &width)| format!("{cell:<width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// A value as safe text, in the unit that the name of its field has.
fn cell(name: &str, value: &Value, separator: &str) -> String {
    match value {
        Value::None => "-".to_owned(),
        Value::Bool(value) => if *value { "yes" } else { "no" }.to_owned(),
        Value::Int(number) => match name {
            "total" | "available_bytes" | "free" | "buffers" | "cached" | "swap_total"
            | "swap_free" | "size" | "used" => bytes(*number),
            "boot_time" | "since" => time(*number),
            _ => number.to_string(),
        },
        Value::Float(seconds) if name == "uptime" => duration(*seconds),
        Value::Float(number) => format!("{number:.2}"),
        Value::Text(text) => safe(text),
        Value::RawText(raw) => safe(&String::from_utf8_lossy(&raw.to_os_bytes())),
        Value::List(items) => {
            let cells: Vec<_> = items
                .iter()
                .map(|item| cell(name, item, separator))
                .collect();
            let text = cells.join(separator);
            match text.chars().count() {
                0 => "none".to_owned(),
                1..=LONGEST => text,
                _ => format!("{} of them, which --json lists", items.len()),
            }
        }
        Value::Record(record) if record.name == "Address" => {
            let part = |name| cell(name, field(value, name), separator);
            format!("{}/{}", part("address"), part("prefix"))
        }
        Value::Record(record) => {
            let known = record.fields.iter().filter(|(_, value)| is_known(value));
            let cells: Vec<_> = known
                .map(|(name, value)| cell(name, value, separator))
                .collect();
            cells.join(" ")
        }
        other => safe(&format!("{other:?}")),
    }
}

/// A number of bytes, to three digits or so.
fn bytes(number: i64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let (mut whole, mut rest, mut unit) = (number, 0, 0);
    while whole >= 1024 {
        (rest, whole) = (whole % 1024, whole / 1024);
        unit += 1;
    }
    if unit == 0 || whole >= 100 {
        format!("{whole} {}", UNITS[unit])
    } else {
        format!("{whole}.{} {}", rest * 10 / 1024, UNITS[unit])
    }
}

/// Seconds as days and the time of a clock.
fn duration(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is larger is nonsense, and becomes the largest number"
    )]
    let seconds = seconds as i64;
    let clock = clock(seconds.rem_euclid(86400));
    match seconds.div_euclid(86400) {
        0 => clock,
        1 => format!("1 day {clock}"),
        days => format!("{days} days {clock}"),
    }
}

fn clock(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours}:{minutes:02}:{seconds:02}")
}

/// Seconds since 1970 as a date and a time of UTC.
fn time(seconds: i64) -> String {
    let days = seconds.div_euclid(86400);
    if !(-719_162..2_932_897).contains(&days) {
        return seconds.to_string();
    }
    // Years that begin in March end with the day that comes and goes; 400 of them are an era.
    let since = days + 719_468;
    let (era, day) = (since.div_euclid(146_097), since.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = era * 400 + year + later;
    let clock = clock(seconds.rem_euclid(86400));
    format!("{year}-{month:02}-{day:02} {clock:0>8} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read_by_people() {
        for (number, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (100 << 20, "100 MiB"),
            (i64::MAX, "7.9 EiB"),
        ] {
            assert_eq!(bytes(number), text);
        }
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_827_696, "2000-02-29 12:34:56 UTC"),
            (1_795_370_450, "2026-11-22 18:00:50 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (i64::MAX, "9223372036854775807"),
        ] {
            assert_eq!(time(seconds), text);
        }
        assert_eq!(duration(59.9), "0:00:59");
        assert_eq!(duration(90061.0), "1 day 1:01:01");
        assert_eq!(duration(180_000.0), "2 days 2:00:00");
    }

    #[test]
    fn columns_begin_below_each_other() {
        let rows = [["a", "bb"], ["ccc", "d"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(aligned(&rows), ["a    bb", "ccc  d"]);
        assert_eq!(aligned(&[]), Vec::<String>::new());
    }
}

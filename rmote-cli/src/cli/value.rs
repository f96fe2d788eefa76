//! Values of options as people write them.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

/// Reads `NAME=VALUE`.
pub(super) fn variable(text: &OsStr) -> Result<(String, OsString), &'static str> {
    let bytes = text.as_bytes();
    let split = bytes.iter().position(|&byte| byte == b'=');
    let (name, value) = bytes.split_at(split.filter(|&at| at > 0).ok_or("NAME=VALUE is needed")?);
    let name = str::from_utf8(name).map_err(|_| "the name is no text")?;
    Ok((name.to_owned(), OsStr::from_bytes(&value[1..]).to_owned()))
}

/// Reads a mode as chmod has it.
pub(super) fn mode(text: &str) -> Result<u32, &'static str> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    let mode = u32::from_str_radix(digits, 8).ok();
    mode.filter(|mode| *mode <= 0o7777)
        .ok_or("an octal number up to 7777 is needed")
}

/// Reads `5`, `1.5`, `5s`, `500ms`, `2m` or `1h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[number.len()..] {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        unit => return Err(format!("{unit} is no unit; use ms, s, m or h")),
    };
    let number: f64 = number
        .parse()
        .map_err(|_| "a number, with or without a unit, is needed".to_owned())?;
    let time = Duration::try_from_secs_f64(number * unit).map_err(|error| error.to_string())?;
    if time.is_zero() {
        Err("it must be longer than nothing".to_owned())
    } else {
        Ok(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_a_name_and_may_be_empty() {
        for (text, value) in [("A=", ""), ("A=b=c", "b=c")] {
            let variable = variable(OsStr::new(text));
            assert_eq!(variable, Ok(("A".to_owned(), value.into())));
        }
        for bad in ["A", "=b", ""] {
            assert!(variable(OsStr::new(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_have_units() {
        assert_eq!(duration("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for bad in ["", "x", "-1", "0", "1d", "nan", "1e99"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}

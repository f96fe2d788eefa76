//! Values as JSON and back.
//!
//! JSON has less: bytes become text where they are UTF-8, else `{"base64": "..."}`, which text that is no UTF-8 becomes,
//! too; tuples and sets become arrays, an enum's member its name; a map with keys that are no scalars becomes an array
//! of pairs; a float that is no number becomes text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rmote_tools::Value;
use serde_json::{Map, Number, Value as Json, json};

/// What JSON says as a value.
pub(crate) fn to_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::None,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => number_value(number),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(to_value).collect()),
        Json::Object(object) => Value::Map(
            object
                .iter()
                .map(|(key, value)| (Value::Text(key.clone()), to_value(value)))
                .collect(),
        ),
    }
}

fn number_value(number: &Number) -> Value {
    let text = number.to_string();
    if let Ok(int) = text.parse::<i64>() {
        Value::Int(int)
    } else if let Ok(big) = text.parse() {
        Value::BigInt(big)
    } else {
        Value::Float(number.as_f64().unwrap_or(f64::NAN))
    }
}

/// A value as JSON.
pub(crate) fn from_value(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(int) => json!(int),
        Value::BigInt(big) => big
            .to_string()
            .parse::<Number>()
            .map_or(Json::Null, Json::Number),
        Value::Float(float) => {
            Number::from_f64(*float).map_or_else(|| json!(float.to_string()), Json::Number)
        }
        Value::Text(text) => json!(text),
        Value::RawText(raw) => json!({ "base64": STANDARD.encode(raw.to_os_bytes()) }),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => json!(text),
            Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
        },
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
            items.iter().map(from_value).collect()
        }
        Value::Map(pairs) => from_map(pairs),
        Value::Record(record) => Json::Object(
            record
                .fields
                .iter()
                .map(|(name, value)| (name.clone(), from_value(value)))
                .collect(),
        ),
        Value::Enum(member) => json!(member.member),
        other => json!(format!("{other:?}")),
    }
}

fn from_map(pairs: &[(Value, Value)]) -> Json {
    let key = |key: &Value| match key {
        Value::Text(text) => Some(text.clone()),
        Value::List(_)
        | Value::Tuple(_)
        | Value::Set(_)
        | Value::Map(_)
        | Value::Record(_)
        | Value::RawText(_) => None,
        scalar => Some(match from_value(scalar) {
            Json::String(text) => text,
            json => json.to_string(),
        }),
    };
    let object: Option<Map<_, _>> = pairs
        .iter()
        .map(|(name, value)| Some((key(name)?, from_value(value))))
        .collect();
    match object {
        Some(object) if object.len() == pairs.len() => Json::Object(object),
        _ => pairs
            .iter()
            .map(|(name, value)| json!([from_value(name), from_value(value)]))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_numbers_of_any_size() {
        for text in [
            "0",
            "-7",
            "9223372036854775807",
            "9223372036854775808",
            "123456789012345678901234567890",
            "1.5",
        ] {
            let json: Json = serde_json::from_str(text).unwrap();
            assert_eq!(from_value(&to_value(&json)).to_string(), text);
        }
    }

    #[test]
    fn what_json_lacks_is_still_json() {
        assert_eq!(
            from_value(&Value::Bytes(b"\xff".to_vec().into())),
            json!({ "base64": "/w==" })
        );
        assert_eq!(from_value(&Value::Float(f64::INFINITY)), json!("inf"));
        let pairs = vec![(Value::Tuple(vec![Value::Int(1)]), Value::None)];
        assert_eq!(from_value(&Value::Map(pairs)), json!([[[1], null]]));
        assert_eq!(
            from_value(&Value::Map(vec![(Value::Int(1), Value::Bool(true))])),
            json!({ "1": true })
        );
    }
}

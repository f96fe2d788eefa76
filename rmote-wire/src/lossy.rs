//! Reads text that is only shown, where lone surrogates are no reason to lose the whole message.

use serde::de::{Deserialize, Deserializer, Error, Unexpected};

use crate::value::Value;

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let found = value.type_name();
    text(value).ok_or_else(|| D::Error::invalid_type(Unexpected::Other(found), &"text"))
}

/// The same for a text that may be none.
pub(crate) mod option {
    use super::{Deserialize, Deserializer, Error, Unexpected, Value, text};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<String>, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let found = value.type_name();
        if value.is_none() {
            return Ok(None);
        }
        let text = text(value);
        let text = text.ok_or_else(|| D::Error::invalid_type(Unexpected::Other(found), &"text"))?;
        Ok(Some(text))
    }
}

/// The same for a list of texts.
pub(crate) mod list {
    use super::{Deserialize, Deserializer, Error, Unexpected, Value, text};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<String>, D::Error> {
        let values = Vec::<Value>::deserialize(deserializer)?;
        let texts = values.into_iter().map(|value| {
            let found = value.type_name();
            text(value).ok_or_else(|| D::Error::invalid_type(Unexpected::Other(found), &"text"))
        });
        texts.collect()
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text),
        Value::RawText(raw) => Some(raw.to_string_lossy()),
        _ => None,
    }
}

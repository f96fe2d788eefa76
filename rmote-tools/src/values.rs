//! Names and their values, as templates take them.

use std::collections::BTreeMap;
use std::fmt;

use rmote_client::{Record, Value, to_value};
use serde::{Serialize, Serializer, ser};

/// Names and their values, for a template: of [`Template`](crate::Template) on the host, or
/// [`LocalTemplate`](crate::LocalTemplate) here.
///
/// They are made of a reference to anything that serde writes as a struct or as a map from names, or one by one. Maps in
/// them, at any depth, are gone through in the order of their keys, so that the same values give the same text each time,
/// also those of a `HashMap`; where the order matters, a list keeps it. Their `Debug` shows names alone: values may be
/// secret.
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
/// use rmote_tools::Values;
///
/// #[derive(serde::Serialize)]
/// struct Site { server_name: String, ports: Vec<u16> }
///
/// let site = Site { server_name: "example.org".to_owned(), ports: vec![80, 443] };
/// let of_struct = Values::from(&site);
/// let of_map = Values::from(&BTreeMap::from([("user", "www-data")]));
/// let one_by_one = Values::new().set("user", &"www-data").set("workers", &4);
/// assert_eq!(format!("{one_by_one:?}"), r#"Values(["user", "workers"])"#);
/// # _ = (of_struct, of_map);
/// ```
#[derive(Clone)]
pub struct Values(Result<BTreeMap<String, Value>, String>);

impl Values {
    /// None yet.
    pub fn new() -> Self {
        Self(Ok(BTreeMap::new()))
    }

    /// Adds a value, or replaces it. One that is no plain data makes an error of the rendering.
    pub fn set(mut self, name: impl Into<String>, value: &(impl Serialize + ?Sized)) -> Self {
        if let Ok(values) = &mut self.0 {
            let name = name.into();
            match to_value(value) {
                Ok(value) => _ = values.insert(name, sorted(value)),
                Err(error) => self.0 = Err(format!("{name}: {error}")),
            }
        }
        self
    }

    /// The values by name, or why there are none.
    pub(crate) fn get(&self) -> Result<&BTreeMap<String, Value>, &str> {
        self.0.as_ref().map_err(String::as_str)
    }
}

impl Default for Values {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().flat_map(BTreeMap::keys).collect();
        f.debug_tuple("Values").field(&names).finish()
    }
}

impl<T: Serialize + ?Sized> From<&T> for Values {
    fn from(values: &T) -> Self {
        let named = |name: Value| match name {
            Value::Text(name) => Ok(name),
            other => Err(format!("a name is text, not {}", other.type_name())),
        };
        Self(match to_value(values) {
            Ok(Value::None) => Ok(BTreeMap::new()),
            Ok(Value::Record(record)) => Ok(record
                .fields
                .into_iter()
                .map(|(name, value)| (name, sorted(value)))
                .collect()),
            Ok(Value::Map(pairs)) => pairs
                .into_iter()
                .map(|(name, value)| Ok((named(name)?, sorted(value))))
                .collect(),
            Ok(other) => Err(format!(
                "values are a struct or a map from names, not {}",
                other.type_name()
            )),
            Err(error) => Err(error.to_string()),
        })
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.get().map_err(ser::Error::custom)?;
        serializer.collect_map(values)
    }
}

/// The value with the maps in it in the order of their keys.
fn sorted(value: Value) -> Value {
    let list = |items: Vec<Value>| items.into_iter().map(sorted).collect();
    match value {
        Value::List(items) => Value::List(list(items)),
        Value::Tuple(items) => Value::Tuple(list(items)),
        Value::Map(mut pairs) => {
            pairs.sort_by_cached_key(|(key, _)| match key {
                Value::Int(number) => (*number, String::new()),
                Value::Text(text) => (0, text.clone()),
                other => (0, format!("{other:?}")),
            });
            let pairs = pairs.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Map(pairs.collect())
        }
        Value::Record(record) => Value::Record(Record {
            name: record.name,
            fields: record
                .fields
                .into_iter()
                .map(|(name, value)| (name, sorted(value)))
                .collect(),
        }),
        other => other,
    }
}

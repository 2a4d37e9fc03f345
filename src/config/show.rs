//! The effective settings, with where each came from.

use std::{collections::BTreeMap, fmt};

use figment::value::Value;
use serde::Serialize;

use super::{Loaded, flatten, kinds};
use crate::secrets;

/// A setting as it is shown; secrets are hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Dotted.
    pub key: String,
    /// As it would be written.
    pub value: String,
    /// Where it came from.
    pub origin: String,
}

impl Loaded {
    /// Every setting, in the order of the keys.
    pub fn rows(&self) -> Vec<Row> {
        let values = flattened(&self.settings);
        values
            .into_iter()
            .map(|(key, value)| Row { origin: self.origin(&key).to_string(), value: shown(&key, &value), key })
            .collect()
    }
}

/// A value as it is shown under `key`: without secrets.
pub(super) fn shown(key: &str, value: &Value) -> String {
    match value {
        Value::Empty(..) => String::new(),
        _ if kinds::is_secret(key) => match value.as_str() {
            Some("") => String::new(),
            Some(_) | None => secrets::HIDDEN.to_owned(),
        },
        Value::String(_, text) if kinds::is_address(key) || text.contains("://") => secrets::in_address(text),
        Value::String(_, text) => text.clone(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

/// A section, its values shown.
pub(super) fn debug(section: &impl Serialize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    // The last name of a key tells whether it is a secret or an address.
    f.debug_map()
        .entries(flattened(section).into_iter().map(|(key, value)| (key.clone(), shown(&key, &value))))
        .finish()
}

fn flattened(section: &impl Serialize) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::new();
    if let Ok(Value::Dict(_, dict)) = Value::serialize(section) {
        flatten("", dict, &mut values);
    }
    values
}

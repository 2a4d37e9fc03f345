//! The effective settings, with where each came from.

use std::collections::BTreeMap;

use figment::value::Value;
use serde::Serialize;

use super::{Loaded, flatten};

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
        let mut values = BTreeMap::new();
        if let Ok(Value::Dict(_, dict)) = Value::serialize(&self.settings) {
            flatten("", dict, &mut values);
        }
        values
            .into_iter()
            .map(|(key, value)| Row { origin: self.origin(&key).to_string(), value: shown(&value), key })
            .collect()
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Empty(..) => String::new(),
        Value::String(_, text) => text.clone(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

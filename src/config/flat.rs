//! Settings as one list by dotted keys.

use std::collections::BTreeMap;

use figment::value::{Dict, Value};
use serde::Serialize;

/// The values of a section, or of all of them.
pub(super) fn flattened(section: &impl Serialize) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::new();
    if let Ok(Value::Dict(_, dict)) = Value::serialize(section) {
        flatten("", dict, &mut values);
    }
    values
}

/// The values of a table of a settings file.
pub(super) fn flatten(prefix: &str, dict: Dict, into: &mut BTreeMap<String, Value>) {
    for (name, value) in dict {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Dict(_, inner) => flatten(&key, inner, into),
            other => drop(into.insert(key, other)),
        }
    }
}

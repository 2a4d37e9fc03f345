//! How a value is shown: a secret not at all, an address without its password.

use std::fmt;

use figment::value::Value;
use serde::Serialize;

use super::flat::flattened;
use crate::secrets;

/// Settings whose names end so are never shown.
const SECRETS: [&str; 3] = ["api_key", "apikey", "password"];
/// Settings that are addresses, which may hold secrets.
const ADDRESSES: [&str; 5] = ["url", "base_url", "public_url", "jwks_url", "otlp_endpoint"];

/// A value as it is shown under `key`: without secrets.
pub(super) fn shown(key: &str, value: &Value) -> String {
    match value {
        Value::Empty(..) => String::new(),
        _ if is_secret(key) => match value.as_str() {
            Some("") => String::new(),
            Some(_) | None => secrets::HIDDEN.to_owned(),
        },
        Value::String(_, text) => shown_text(key, text),
        other => serde_json::to_string(&within(key, other)).unwrap_or_default(),
    }
}

fn shown_text(key: &str, text: &str) -> String {
    if is_address(key) || text.contains("://") { secrets::in_address(text) } else { text.to_owned() }
}

/// A list or a table, each text in it as it is shown.
fn within(key: &str, value: &Value) -> Value {
    match value {
        Value::Array(tag, values) => Value::Array(*tag, values.iter().map(|value| within(key, value)).collect()),
        Value::Dict(tag, values) => {
            let shown = values.iter().map(|(name, value)| (name.clone(), within(&format!("{key}.{name}"), value)));
            Value::Dict(*tag, shown.collect())
        }
        _ if is_secret(key) => Value::from(secrets::HIDDEN),
        Value::String(tag, text) => Value::String(*tag, shown_text(key, text)),
        other => other.clone(),
    }
}

/// A section, its values shown.
pub(super) fn debug(section: &impl Serialize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    // The last name of a key tells whether it is a secret or an address.
    f.debug_map()
        .entries(flattened(section).into_iter().map(|(key, value)| (key.clone(), shown(&key, &value))))
        .finish()
}

/// Also of what is written below a secret, as if that were a table.
pub(super) fn is_secret(key: &str) -> bool {
    key.split('.').any(|name| SECRETS.iter().any(|secret| name.ends_with(secret)))
}

pub(super) fn is_address(key: &str) -> bool {
    ADDRESSES.contains(&last(key))
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

//! How a value is shown: a secret not at all, an address without its password.

use std::fmt;

use figment::value::Value;
use serde::Serialize;

use super::flat::flattened;
use crate::secrets;

/// Settings whose values are never shown.
const SECRETS: [&str; 1] = ["api_key"];
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
        Value::String(_, text) if is_address(key) || text.contains("://") => secrets::in_address(text),
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

pub(super) fn is_secret(key: &str) -> bool {
    SECRETS.contains(&last(key))
}

pub(super) fn is_address(key: &str) -> bool {
    ADDRESSES.contains(&last(key))
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

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
            .map(|(key, value)| Row {
                origin: self.origin(&key).to_string(),
                value: without_password(shown(&value)),
                key,
            })
            .collect()
    }
}

/// An address may hold one.
fn without_password(text: String) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text };
    match rest.split_once('@').and_then(|(user, place)| Some((user.split_once(':')?.0, place))) {
        Some((user, place)) => format!("{scheme}://{user}:…@{place}"),
        None => text,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Empty(..) => String::new(),
        Value::String(_, text) => text.clone(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (text, shown) in [
            ("postgres://me:secret@host:5432/db", "postgres://me:…@host:5432/db"),
            ("postgres://me@host/db", "postgres://me@host/db"),
            ("sqlite:///home/me@home/a:b.db", "sqlite:///home/me@home/a:b.db"),
            ("english", "english"),
        ] {
            assert_eq!(without_password(text.to_owned()), shown);
        }
    }
}

//! The effective settings, with where each came from.

use serde::Serialize;

use super::{Loaded, flat::flattened, hidden::shown};

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

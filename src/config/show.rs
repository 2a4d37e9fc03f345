//! The effective settings, with where each came from.

use serde::Serialize;

use super::{LoadedSettings, Settings, Slots, flat::flattened, hidden::shown};

/// A setting as it is shown; secrets are hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownSetting {
    /// Dotted.
    pub key: String,
    /// As it would be written.
    pub value: String,
    /// Where it came from.
    pub origin: String,
    /// What `auto` comes to here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comes_to: Option<String>,
}

impl LoadedSettings {
    /// Every setting, in the order of the keys.
    pub fn rows(&self) -> Vec<ShownSetting> {
        let values = flattened(&self.settings);
        values
            .into_iter()
            .map(|(key, value)| ShownSetting {
                origin: self.origin(&key).to_string(),
                value: shown(&key, &value),
                comes_to: self.comes_to(&key),
                key,
            })
            .collect()
    }

    fn comes_to(&self, key: &str) -> Option<String> {
        let Settings { queue, embedding, .. } = &self.settings;
        (key == "queue.slots" && queue.slots == Slots::Auto).then(|| queue.slots.number(embedding).to_string())
    }
}

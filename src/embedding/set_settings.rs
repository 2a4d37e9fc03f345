//! What is stored with a set of vectors about its provider: enough to ask it again when the settings name another, and
//! no secret.

use std::path::PathBuf;

use afterword_actors::embedder::ModelIdentity;
use serde::{Deserialize, Serialize};

use crate::config::{Embedding, Encoding, Provider};

/// The address and options of a set's provider. Missing fields have their defaults; unknown ones come from a newer
/// version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SetSettings {
    pub(super) provider: Provider,
    #[serde(default)]
    pub(super) model_dir: Option<PathBuf>,
    /// The mark of a local model's weights; `None` for a model of the catalogue, whose weights are checked by
    /// themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) weights: Option<String>,
    #[serde(default)]
    max_tokens: Option<usize>,
    /// Without user, password and query.
    #[serde(default)]
    pub(super) base_url: Option<String>,
    #[serde(default)]
    pub(super) dimension: Option<u32>,
    #[serde(default)]
    pub(super) send_dimensions: bool,
    #[serde(default)]
    pub(super) encoding: Encoding,
}

impl SetSettings {
    /// What is kept of any provider's `settings`; its back end adds the rest.
    pub(super) fn of(settings: &Embedding) -> Self {
        Self {
            provider: settings.provider,
            model_dir: None,
            weights: None,
            max_tokens: Some(settings.max_tokens),
            base_url: None,
            dimension: None,
            send_dimensions: false,
            encoding: settings.openai.encoding,
        }
    }

    pub(super) fn to_json(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    pub(super) fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The settings for the model of `identity` on a host with `settings` of its own; the provider's back end says
    /// where it is.
    pub(super) fn apply(&self, identity: &ModelIdentity, settings: &Embedding) -> Embedding {
        Embedding {
            provider: self.provider,
            model: identity.model.clone(),
            model_dir: None,
            max_tokens: self.max_tokens.unwrap_or(settings.max_tokens),
            document_prefix: identity.document_prefix.clone(),
            query_prefix: identity.query_prefix.clone(),
            ..settings.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_version_keeps_is_passed_over() {
        assert!(SetSettings::from_json(r#"{"provider":"local","later":1}"#).is_some());
        assert!(SetSettings::from_json(r#"{"provider":"later"}"#).is_none());
    }
}

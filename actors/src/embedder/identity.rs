//! Which model made a vector, down to everything that would change the vector.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Everything that decides what vector a text gets. Two vectors may be compared only if their identities agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// Back end: `local`, `openai`, `scripted`.
    pub provider: String,
    /// The model's name at that provider, e.g. `all-MiniLM-L6-v2`.
    pub model: String,
    /// Length of a vector; `None` if only the provider knows, then the first answer pins it.
    pub dimension: Option<u32>,
    /// The length that the provider is asked for, of a model that makes vectors of several; `None` if it decides
    /// itself, and for sets that earlier versions made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_dimension: Option<u32>,
    /// Put before every document.
    pub document_prefix: String,
    /// Put before every query.
    pub query_prefix: String,
    /// Version and settings of the chunker, e.g. `markdown-1/256`.
    pub chunker: String,
}

impl ModelIdentity {
    /// A short stable name for this identity: 32 hexadecimal digits.
    ///
    /// The dimension is left out: it is pinned beside the fingerprint, so that a provider which changes it under the
    /// same name is caught as a fault instead of passing for another model. A dimension that the settings ask for is
    /// part of it: the same model asked for another one counts as another model.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for part in [&self.provider, &self.model, &self.document_prefix, &self.query_prefix, &self.chunker] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        if let Some(asked) = self.asked_dimension {
            hash.update(asked.to_le_bytes());
        }
        hex::encode(&hash.finalize()[..16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(asked_dimension: Option<u32>) -> ModelIdentity {
        ModelIdentity {
            provider: "openai".to_owned(),
            model: "m".to_owned(),
            dimension: Some(256),
            asked_dimension,
            document_prefix: String::new(),
            query_prefix: String::new(),
            chunker: "markdown-1/256".to_owned(),
        }
    }

    #[test]
    fn a_model_that_is_asked_for_another_length_is_another_model() {
        let named = |asked| identity(asked).fingerprint();
        assert_ne!(named(Some(256)), named(Some(512)));
        assert_ne!(named(Some(256)), named(None));
    }

    #[test]
    fn a_set_of_an_earlier_version_keeps_its_name() {
        let stored = r#"{"provider":"openai","model":"m","dimension":256,"document_prefix":"","query_prefix":"",
            "chunker":"markdown-1/256"}"#;
        let stored: ModelIdentity = serde_json::from_str(stored).expect("an identity");
        assert_eq!(stored, identity(None));
        assert_eq!(stored.fingerprint(), "2c2aac51f1d251e9a6cbc5daa46eb254");
        assert!(!serde_json::to_string(&stored).expect("JSON").contains("asked_dimension"));
    }
}

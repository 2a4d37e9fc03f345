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
    /// The dimension is left out: it is pinned beside the fingerprint, so that a provider which changes it under
    /// the same name is caught as a fault instead of passing for another model.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for part in [&self.provider, &self.model, &self.document_prefix, &self.query_prefix, &self.chunker] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

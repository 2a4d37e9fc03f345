//! Which model embeds, and how texts are cut for it.

mod local;
mod openai;
mod scripted;

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

pub use self::{
    local::Local,
    openai::{Encoding, OpenAi},
    scripted::Scripted,
};
use crate::config::{
    rules::Rules,
    section::{section, times::SECOND},
};

/// A provider of embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// A model on this machine.
    #[default]
    Local,
    /// Any server that speaks OpenAI's embeddings protocol.
    OpenAi,
    /// Invented vectors, for tests.
    Scripted,
}

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 3] = [Self::Local, Self::OpenAi, Self::Scripted];

    /// Returns the provider of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == name)
    }

    /// Its name in settings, and in the identity of a model.
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::OpenAi => "openai",
            Self::Scripted => "scripted",
        }
    }
}

section! {
    /// The provider of embeddings and its model.
    Embedding {
        /// local, openai (any server with that protocol), or scripted (invented vectors, for tests).
        provider: Provider = Provider::Local,
        /// Name of the model at its provider.
        model: String = "all-MiniLM-L6-v2".to_owned(),
        /// Directory of a local model (model.safetensors, tokenizer.json, config.json, 1_Pooling/config.json); if not given, in the
        /// user's cache directory.
        model_dir: Option<PathBuf> = None => "\"/path\"",
        /// Longest chunk, in tokens of the model.
        max_tokens: usize = 256,
        /// Most chunks of an article; one with more is not embedded, and its status says so.
        max_chunks: usize = 10_000,
        /// A search whose query takes longer to embed is answered by words alone.
        #[serde(with = "humantime_serde")]
        query_deadline: Duration = 2 * SECOND,
        /// Text before each document, for models that want one.
        document_prefix: String = String::new(),
        /// Text before each query, for models that want one.
        query_prefix: String = String::new(),
        /// Settings of provider `local`.
        local: Local = Local::default(),
        /// Settings of provider `openai`.
        openai: OpenAi = OpenAi::default(),
        /// Settings of provider `scripted`.
        scripted: Scripted = Scripted::default(),
    }
}

impl Embedding {
    pub(in crate::config) fn check(&self, rules: &mut Rules) {
        rules.check(!self.model.trim().is_empty(), "embedding.model", "must not be blank");
        rules.check(self.max_tokens >= 32, "embedding.max_tokens", "must be at least 32");
        rules.at_least_one(self.max_chunks as u64, "embedding.max_chunks");
        rules.longer_than_zero(&[("embedding.query_deadline", self.query_deadline)]);
        self.local.check(rules);
        self.scripted.check(rules);
        if self.provider == Provider::OpenAi {
            self.openai.check(rules);
            let fits = self.openai.batch_tokens >= self.max_tokens;
            rules.check(
                fits,
                "embedding.openai.batch_tokens",
                "must be at least embedding.max_tokens, the longest text",
            );
        }
    }

    /// Articles to process at a time, so that the provider always has work.
    pub(in crate::config) fn slots(&self) -> usize {
        match self.provider {
            Provider::Local => self.local.slots(),
            Provider::OpenAi => self.openai.slots(),
            Provider::Scripted => self.scripted.slots(),
        }
    }
}

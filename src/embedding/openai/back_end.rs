//! A remote server as a provider of embeddings.

use std::sync::Arc;

use afterword_actors::embedder::ModelIdentity;

use super::OpenAiEmbedder;
use crate::{
    config::Embedding,
    embedding::back_end::{BackEnd, BackEndError, Facts, Opened},
};

/// Any server that speaks OpenAI's embeddings protocol.
pub(in crate::embedding) struct OpenAi;

impl BackEnd for OpenAi {
    fn facts(&self, settings: &Embedding) -> Result<Facts, BackEndError> {
        Ok(Facts { dimension: settings.openai.dimension, max_tokens: usize::MAX })
    }

    fn open(&self, settings: &Embedding, identity: ModelIdentity) -> Result<Opened, BackEndError> {
        let embedder = OpenAiEmbedder::new(identity, &settings.openai);
        Ok(Opened::ready(Arc::new(embedder.map_err(|error| BackEndError::Provider(error.into()))?)))
    }
}

//! The back end of tests as a provider of embeddings.

use afterword_actors::embedder::{BatchLimits, EmbedError, ModelIdentity};

use super::{Rule, Script, ScriptedEmbedder};
use crate::{
    config::Embedding,
    embedding::{
        back_end::{BackEnd, BackEndError, ModelFacts, Opened},
        set_settings::SetSettings,
    },
};

/// Invented vectors.
pub(in crate::embedding) struct Scripted;

impl BackEnd for Scripted {
    fn facts(&self, settings: &Embedding) -> Result<ModelFacts, BackEndError> {
        Ok(ModelFacts { dimension: Some(settings.scripted.dimension), asked_dimension: None, max_tokens: usize::MAX })
    }

    fn open(&self, settings: &Embedding, identity: ModelIdentity) -> Result<Opened, BackEndError> {
        Ok(Opened::ready(ScriptedEmbedder::new(script(settings, &identity))))
    }

    fn keep(&self, settings: &Embedding, kept: &mut SetSettings) {
        kept.dimension = Some(settings.scripted.dimension);
    }
}

fn script(settings: &Embedding, identity: &ModelIdentity) -> Script {
    let script = &settings.scripted;
    let rule = (!script.fail_containing.is_empty()).then(|| {
        let rule = Rule::containing(&script.fail_containing, EmbedError::transient("scripted failure"));
        if script.fail_times == 0 { rule } else { rule.times(script.fail_times) }
    });
    Script {
        model: identity.model.clone(),
        dimension: identity.dimension.unwrap_or(script.dimension) as usize,
        latency: script.latency,
        limits: BatchLimits { texts: 16, tokens: 4_096 },
        requests: None,
        rules: rule.into_iter().collect(),
        chunker: identity.chunker.clone(),
    }
}

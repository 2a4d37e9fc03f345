//! A model that fails on demand: during chunking, before vectors that it has already could be used.

use std::sync::{Arc, Mutex};

use afterword_actors::embedder::{
    BatchLimits, Chunk, Chunker, EmbedError, Embedder, Model, ModelIdentity, Purpose, Source, Vector,
};
use async_trait::async_trait;

use crate::{
    machine::{DELAY, No},
    step::Mood,
    world::millis,
};

/// Cuts lines, and answers as it was last set.
#[derive(Clone)]
pub(crate) struct Scripted(Arc<Mutex<Mood>>);

impl Default for Scripted {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Mood::Works)))
    }
}

impl Scripted {
    pub(crate) fn say(&self, mood: Mood) {
        *self.0.lock().expect("the lock") = mood;
    }

    pub(crate) fn model(&self) -> Model {
        Model {
            embedder: Arc::new(Answers { identity: Self::identity_of(1), mood: Arc::clone(&self.0) }),
            chunker: Arc::new(self.clone()),
        }
    }

    pub(crate) fn identity_of(model: No) -> ModelIdentity {
        ModelIdentity {
            provider: "test".into(),
            model: format!("model {model}"),
            dimension: Some(4),
            asked_dimension: None,
            document_prefix: String::new(),
            query_prefix: String::new(),
            chunker: "lines".into(),
        }
    }
}

impl Chunker for Scripted {
    fn chunk(&self, source: Source<'_>) -> Result<Vec<Chunk>, EmbedError> {
        match *self.0.lock().expect("the lock") {
            Mood::Works => Ok(source.body.lines().map(line).collect()),
            Mood::Poisoned => Err(EmbedError::data("poisoned")),
            Mood::Flaky => Err(EmbedError::transient("flaky").retry_after(Some(millis(DELAY)))),
            Mood::Down => Err(EmbedError::unavailable("down")),
        }
    }
}

fn line(line: &str) -> Chunk {
    Chunk { heading_path: String::new(), text: line.into(), input: line.into(), tokens: 5 }
}

struct Answers {
    identity: ModelIdentity,
    mood: Arc<Mutex<Mood>>,
}

#[async_trait]
impl Embedder for Answers {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits { texts: 8, tokens: 1000 }
    }

    async fn embed(&self, texts: &[String], _purpose: Purpose) -> Result<Vec<Vector>, EmbedError> {
        // A provider that is down does not answer a probe either.
        if *self.mood.lock().expect("the lock") == Mood::Down {
            return Err(EmbedError::unavailable("down"));
        }
        let vector = |text: &String| {
            let numbers = (0u8..4).map(|at| 1.0 + f32::from(text.as_bytes()[usize::from(at) % text.len()])).collect();
            Vector::normalised(numbers).expect("a direction")
        };
        Ok(texts.iter().map(vector).collect())
    }
}

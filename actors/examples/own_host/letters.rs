//! A model that counts letters: enough to see the runtime at work.

use std::sync::Arc;

use afterword_actors::embedder::{
    BatchLimits, Chunk, Chunker, EmbedError, Embedder, Model, ModelIdentity, Purpose, Source, Vector,
};

struct Letters(ModelIdentity);

#[async_trait::async_trait]
impl Embedder for Letters {
    fn identity(&self) -> &ModelIdentity {
        &self.0
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits { texts: 16, tokens: 10_000 }
    }

    async fn embed(&self, texts: &[String], _purpose: Purpose) -> Result<Vec<Vector>, EmbedError> {
        texts.iter().map(|text| vector(text)).collect()
    }
}

fn vector(text: &str) -> Result<Vector, EmbedError> {
    let mut counts = vec![1.0_f32; 26];
    for letter in text.bytes().filter(u8::is_ascii_alphabetic) {
        counts[usize::from(letter.to_ascii_lowercase() - b'a')] += 1.0;
    }
    Vector::normalised(counts).map_err(|error| EmbedError::data(error.to_string()))
}

/// One chunk for each paragraph, or the title if there is none.
struct Paragraphs;

impl Chunker for Paragraphs {
    fn chunk(&self, source: Source<'_>) -> Result<Vec<Chunk>, EmbedError> {
        let chunk = |text: &str| {
            let input = format!("{}\n\n{text}", source.title);
            let tokens = u32::try_from(input.split_whitespace().count()).unwrap_or(u32::MAX);
            Chunk { heading_path: String::new(), text: text.to_owned(), input, tokens }
        };
        let chunks: Vec<_> = source.body.split("\n\n").filter(|text| !text.trim().is_empty()).map(chunk).collect();
        Ok(if chunks.is_empty() { vec![chunk(source.title)] } else { chunks })
    }
}

pub(crate) fn model() -> Model {
    let identity = ModelIdentity {
        provider: "example".to_owned(),
        model: "letters".to_owned(),
        dimension: Some(26),
        asked_dimension: None,
        document_prefix: String::new(),
        query_prefix: String::new(),
        chunker: "paragraphs-1".to_owned(),
    };
    Model { embedder: Arc::new(Letters(identity)), chunker: Arc::new(Paragraphs) }
}

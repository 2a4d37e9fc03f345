//! Any server that speaks OpenAI's embeddings protocol: OpenAI itself, Ollama, text-embeddings-inference, vLLM …
//!
//! Answers are not trusted: order, count, length and numbers are checked before a vector leaves this module. A refusal
//! is read once, in `refusal`.

mod answer;
pub(super) mod back_end;
mod batch_size;
mod body;
mod refusal;
mod sizing;
mod transport;

use std::time::Duration;

use afterword_actors::embedder::{BatchLimits, EmbedError, Embedder, ModelIdentity, Purpose, Vector};
use async_trait::async_trait;
use reqwest::Client;
use serde::Serialize;
use tokio::sync::Semaphore;

use self::{batch_size::BatchSize, refusal::Refused};
use crate::{
    config::{self, Encoding},
    remote,
};

/// Requests for queries at the same time; documents have places of their own, so that a backfill delays no search.
const QUERY_PLACES: usize = 4;

/// A back end over HTTP.
pub struct OpenAiEmbedder {
    identity: ModelIdentity,
    client: Client,
    endpoint: String,
    dimensions: Option<u32>,
    encoding: Encoding,
    batch_tokens: usize,
    batch_size: BatchSize,
    /// Requests for documents at the same time.
    concurrency: usize,
    documents: Semaphore,
    queries: Semaphore,
}

/// Why the back end cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum OpenAiError {
    /// The key cannot be sent.
    #[error("embedding.openai.api_key has characters that cannot be sent; perhaps it was pasted with a line break")]
    Key,
    /// The HTTP client.
    #[error("the HTTP client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: Vec<String>,
    encoding_format: Encoding,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u32>,
}

impl OpenAiEmbedder {
    /// A back end for `identity` at the server that `settings` name.
    ///
    /// # Errors
    /// [`OpenAiError`]
    pub fn new(identity: ModelIdentity, settings: &config::OpenAi) -> Result<Self, OpenAiError> {
        Ok(Self {
            client: client(settings)?,
            endpoint: format!("{}/embeddings", settings.base_url.trim_end_matches('/')),
            dimensions: identity.dimension.filter(|_| settings.send_dimensions),
            encoding: settings.encoding,
            batch_tokens: settings.batch_tokens,
            batch_size: BatchSize::new(settings.batch_texts),
            concurrency: settings.concurrency.max(1),
            documents: Semaphore::new(settings.concurrency.max(1)),
            queries: Semaphore::new(QUERY_PLACES),
            identity,
        })
    }

    async fn request(&self, texts: &[String], purpose: Purpose) -> Result<Vec<Vector>, Refused> {
        let prefix = match purpose {
            Purpose::Document => &self.identity.document_prefix,
            Purpose::Query => &self.identity.query_prefix,
        };
        let body = Request {
            model: &self.identity.model,
            input: texts.iter().map(|text| format!("{prefix}{text}")).collect(),
            encoding_format: self.encoding,
            dimensions: self.dimensions,
        };
        let places = if purpose == Purpose::Query { &self.queries } else { &self.documents };
        let _place = places.acquire().await.map_err(|_| EmbedError::unavailable("the back end is shut down"))?;
        let response = self.client.post(&self.endpoint).json(&body).send().await.map_err(transport::failure)?;
        if !response.status().is_success() {
            return Err(refusal::of_response(response, texts.len()).await);
        }
        let bytes = body::of_answer(response, texts.len(), self.identity.dimension).await?;
        answer::vectors(&bytes, texts.len(), self.identity.dimension)
    }
}

#[async_trait]
impl Embedder for OpenAiEmbedder {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits { texts: self.batch_size.get(), tokens: self.batch_tokens }
    }

    fn requests(&self) -> Option<usize> {
        Some(self.concurrency)
    }

    /// Requests that are too large are divided here. A request that is refused for its content is an
    /// [`ErrorKind::Data`](afterword_actors::embedder::ErrorKind::Data) for the whole of it: the runtime halves it
    /// until the one bad text stands alone.
    async fn embed(&self, texts: &[String], purpose: Purpose) -> Result<Vec<Vector>, EmbedError> {
        self.in_batches(texts, purpose).await
    }
}

fn client(settings: &config::OpenAi) -> Result<Client, OpenAiError> {
    let client = remote::client(&settings.api_key).map_err(|_| OpenAiError::Key)?;
    let connect_timeout = settings.timeout.min(Duration::from_secs(10));
    Ok(client.timeout(settings.timeout).connect_timeout(connect_timeout).build()?)
}

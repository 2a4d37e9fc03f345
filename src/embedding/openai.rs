//! Any server that speaks OpenAI's embeddings protocol: OpenAI itself, Ollama, text-embeddings-inference, vLLM …
//!
//! Answers are not trusted: order, count, length and numbers are checked before a vector leaves this module. A refusal
//! is read once, in `refusal`.

mod answer;
pub(super) mod back_end;
mod batch_size;
mod body;
mod left_over;
mod refusal;
mod sizing;
mod transport;

use std::{sync::Arc, time::Duration};

use afterword_actors::embedder::{BatchLimits, EmbedError, Embedder, ModelIdentity, Purpose, Vector};
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use reqwest::{Client, Response, header};
use serde::Serialize;
use tokio::{sync::Semaphore, time::Instant};

use self::{batch_size::BatchSize, left_over::LeftOver, refusal::RequestError};
use super::turns::Turns;
use crate::{
    config::{self, Encoding},
    remote,
};

/// Requests for queries at the same time; documents have places of their own, so that a backfill delays no search.
const QUERY_PLACES: usize = 4;

/// A back end over HTTP. Clones share what they have learnt, and their places.
#[derive(Clone)]
pub struct OpenAiEmbedder {
    identity: ModelIdentity,
    client: Client,
    endpoint: String,
    dimensions: Option<u32>,
    encoding: Encoding,
    batch_tokens: usize,
    batch_size: Arc<BatchSize>,
    left_over: Arc<LeftOver>,
    /// Requests for documents at the same time.
    concurrency: usize,
    documents: Arc<Semaphore>,
    queries: Arc<Semaphore>,
    /// What each request for documents waits for.
    turns: Option<Turns>,
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
        let concurrency = settings.concurrency.clamp(1, config::OpenAi::MAX_CONCURRENCY);
        Ok(Self {
            client: client(settings)?,
            endpoint: remote::endpoint(&settings.base_url, "embeddings"),
            dimensions: identity.dimension.filter(|_| settings.send_dimensions),
            encoding: settings.encoding,
            batch_tokens: settings.batch_tokens,
            batch_size: Arc::new(BatchSize::new(settings.batch_texts)),
            left_over: Arc::default(),
            concurrency,
            documents: Arc::new(Semaphore::new(concurrency)),
            queries: Arc::new(Semaphore::new(QUERY_PLACES)),
            turns: None,
            identity,
        })
    }

    /// The same, with each request for documents waiting for its turn.
    pub(super) fn keeping_to(&self, turns: Turns) -> Self {
        Self { turns: Some(turns), ..self.clone() }
    }

    async fn request(&self, texts: &[String], purpose: Purpose) -> Result<Vec<Vector>, RequestError> {
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
        // Before a place is taken: a probe needs one, and waits for no turn.
        if let Some(turns) = self.turns.as_ref().filter(|_| purpose == Purpose::Document) {
            turns.wait().await;
        }
        let places = if purpose == Purpose::Query { &self.queries } else { &self.documents };
        let _place = places.acquire().await.map_err(|_| EmbedError::unavailable("the back end is shut down"))?;
        let sent = Instant::now();
        self.send(&body).await.map_err(|refused| refused.took(sent.elapsed()))
    }

    async fn send(&self, body: &Request<'_>) -> Result<Vec<Vector>, RequestError> {
        let texts = body.input.len();
        let response = self.client.post(&self.endpoint).json(body).send().await.map_err(transport::failure)?;
        if let Some(encoding) = encoding(&response) {
            return Err(EmbedError::config(format!(
                "the embedding server, or a proxy before it, answers in the encoding {encoding}, which it was not asked for; \
                 switch its compression off"
            ))
            .into());
        }
        if !response.status().is_success() {
            return Err(refusal::of_response(response, texts).await);
        }
        let bytes = body::of_answer(response, texts, self.identity.dimension).await?;
        answer::vectors(&bytes, texts, self.identity.dimension)
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

    fn turn(&self) -> Option<BoxFuture<'static, ()>> {
        let turns = self.turns.clone()?;
        Some(Box::pin(turns.take_ahead()))
    }

    /// Requests that are too large are divided here. A request that is refused for its content is an
    /// [`ErrorKind::Data`](afterword_actors::embedder::ErrorKind::Data) for the whole of it: the runtime halves it
    /// until the one bad text stands alone.
    async fn embed(&self, texts: &[String], purpose: Purpose) -> Result<Vec<Vector>, EmbedError> {
        self.in_batches(texts, purpose).await
    }

    /// Does not wait for a turn: behind many documents it would seem that the provider does not answer.
    async fn probe(&self) -> Result<(), EmbedError> {
        let at_once = Self { turns: None, ..self.clone() };
        at_once.all_of(&["probe".to_owned()], Purpose::Document, &mut Vec::new()).await
    }
}

/// The encoding of a body that this program does not read: it asks for none.
fn encoding(response: &Response) -> Option<String> {
    let said = response.headers().get(header::CONTENT_ENCODING)?.to_str().ok()?.trim();
    (!said.is_empty() && !said.eq_ignore_ascii_case("identity")).then(|| said.chars().take(40).collect())
}

fn client(settings: &config::OpenAi) -> Result<Client, OpenAiError> {
    let client = remote::client(&settings.api_key).map_err(|_| OpenAiError::Key)?;
    let connect_timeout = settings.timeout.min(Duration::from_secs(10));
    Ok(client.timeout(settings.timeout).connect_timeout(connect_timeout).build()?)
}

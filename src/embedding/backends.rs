//! The back ends of one process: the one of the settings, and those by which older vectors were made.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use afterword_actors::{
    OtherModels,
    embedder::{Chunker, Embedder, Model, ModelIdentity},
    store::{Database, StoreError, models},
};

use super::{
    back_end::{BackEnd, BackEndError, KeepTo, Opened, Preparation},
    local::back_end::Local,
    openai::back_end::OpenAi,
    scripted::back_end::Scripted,
    set_settings::SetSettings,
    turns::Turns,
};
use crate::{
    chunking::ChunkLimits,
    config::{Embedding, Provider},
    search::QueryModels,
};

/// The one place that knows the folder of each provider.
fn back_end(provider: Provider) -> &'static dyn BackEnd {
    match provider {
        Provider::Local => &Local,
        Provider::OpenAi => &OpenAi,
        Provider::Scripted => &Scripted,
    }
}

/// When the files of an older set's model are looked at again if they could not be read.
const LOADED_AGAIN: Duration = Duration::from_secs(30);

/// Loads the model of an older set. Its vectors exist, so its files most likely do too, if perhaps on a disk that is
/// mounted later.
fn load(preparation: &dyn Preparation) {
    while let Err(error) = preparation.load() {
        tracing::warn!(error, "the model of an older set is not ready; it is tried again in {LOADED_AGAIN:?}");
        std::thread::sleep(LOADED_AGAIN);
    }
}

/// The back ends of one process: the configured one, and those that older vectors need for queries.
pub struct Backends {
    settings: Embedding,
    configured: Model,
    preparation: Option<Arc<dyn Preparation>>,
    keep_to: Option<KeepTo>,
    /// The mark of the weights that the configured model's set was made with, once that is known.
    made_with: OnceLock<String>,
    others: Mutex<HashMap<ModelKey, OtherModel>>,
}

/// A model's fingerprint, and how it is reached.
type ModelKey = (String, Option<String>);

impl Backends {
    /// The back end that `settings` ask for. A local model is not loaded yet: see [`Backends::preparation`].
    ///
    /// # Errors
    /// [`BackEndError`]
    pub fn new(settings: &Embedding) -> Result<Arc<Self>, BackEndError> {
        let back_end = back_end(settings.provider);
        let limits = limits(settings, back_end)?;
        let facts = back_end.facts(settings)?;
        let identity = ModelIdentity {
            provider: settings.provider.name().to_owned(),
            model: settings.model.clone(),
            dimension: facts.dimension,
            asked_dimension: facts.asked_dimension,
            document_prefix: settings.document_prefix.clone(),
            query_prefix: settings.query_prefix.clone(),
            chunker: limits.version(),
        };
        let Opened { embedder, chunker, preparation, keep_to } = back_end.open(settings, identity)?;
        let configured = Model { embedder, chunker: chunker(limits)? };
        Ok(Arc::new(Self { preparation, keep_to, ..Self::of(settings, configured) }))
    }

    /// A model of the caller's own, instead of the one that `settings` ask for.
    pub fn with(settings: &Embedding, model: Model) -> Arc<Self> {
        Arc::new(Self::of(settings, model))
    }

    fn of(settings: &Embedding, configured: Model) -> Self {
        Self {
            settings: settings.clone(),
            configured,
            preparation: None,
            keep_to: None,
            made_with: OnceLock::new(),
            others: Mutex::default(),
        }
    }

    /// Reads which weights the configured model's set on `database` was made with: a local model with others is not
    /// loaded. Two models must not make vectors of one set.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn look_up(&self, database: &Database) -> Result<(), StoreError> {
        let Some(preparation) = &self.preparation else { return Ok(()) };
        let fingerprint = self.configured.embedder.identity().fingerprint();
        let Some(set) = models::by_fingerprint(database.reader(), &fingerprint).await? else { return Ok(()) };
        let kept = models::record_of(database.reader(), set.id).await?.settings;
        if let Some(mark) = kept.as_deref().and_then(SetSettings::from_json).and_then(|kept| kept.weights) {
            preparation.expect(mark.clone());
            // The first look counts: nothing else was offered since.
            let _ = self.made_with.set(mark);
        }
        Ok(())
    }

    /// What the runtime embeds with.
    pub fn model(&self) -> Model {
        self.configured.clone()
    }

    /// What must be done before a local model works; `None` for other back ends.
    pub fn preparation(&self) -> Option<&Arc<dyn Preparation>> {
        self.preparation.as_ref()
    }

    /// How the configured provider is reached, to be kept with its set of vectors: JSON, without secrets.
    pub fn kept(&self) -> Option<String> {
        let mut kept = SetSettings::of(&self.settings);
        back_end(self.settings.provider).keep(&self.settings, &mut kept);
        if let Some(mark) = self.made_with.get() {
            kept.weights = Some(mark.clone());
        }
        kept.to_json()
    }

    /// What a runtime on `database` embeds with, kept to the limit that all hosts there share.
    pub fn limited(&self, database: &Database) -> Model {
        limited(self.model(), self.keep_to.as_ref(), &self.settings, database)
    }

    /// Makes the models of other sets, each kept to the limit of its provider.
    pub fn others(self: &Arc<Self>, database: &Database) -> Arc<dyn OtherModels> {
        Arc::new(LimitedOthers { backends: Arc::clone(self), database: database.clone() })
    }

    /// The settings that reach the model of `wanted`, if they are known.
    fn settings_for(&self, wanted: &ModelIdentity, kept: Option<&SetSettings>) -> Option<Embedding> {
        if let Some(kept) = kept {
            let mut settings = kept.apply(wanted, &self.settings);
            back_end(kept.provider).reach(kept, &mut settings);
            return Some(settings);
        }
        // Of a set that an earlier version made, only what its identity says is known.
        let (provider, model) = (Provider::named(&wanted.provider)?, wanted.model.clone());
        let mut settings = Embedding { provider, model, model_dir: None, ..self.settings.clone() };
        settings.document_prefix.clone_from(&wanted.document_prefix);
        settings.query_prefix.clone_from(&wanted.query_prefix);
        Some(settings)
    }

    fn other(&self, wanted: &ModelIdentity, kept: Option<&str>) -> Option<OtherModel> {
        let kept = kept.and_then(SetSettings::from_json);
        let settings = self.settings_for(wanted, kept.as_ref())?;
        let back_end = back_end(settings.provider);
        let Opened { embedder, chunker, preparation, keep_to } = back_end.open(&settings, wanted.clone()).ok()?;
        if let Some(preparation) = preparation {
            if let Some(mark) = kept.as_ref().and_then(|kept| kept.weights.clone()) {
                preparation.expect(mark);
            }
            std::thread::spawn(move || load(preparation.as_ref()));
        }
        // Where a remote provider was is known only if it was kept.
        let is_known = kept.is_some() || !back_end.is_remote();
        // Vectors of texts that another version cut in another way cannot be made any more.
        let cut_alike = limits(&settings, back_end).ok().filter(|limits| limits.version() == wanted.chunker);
        let chunker = cut_alike.filter(|_| is_known).and_then(|limits| chunker(limits).ok());
        Some(OtherModel { embedder, chunker, keep_to })
    }

    fn found(&self, wanted: &ModelIdentity, kept: Option<&str>) -> Option<OtherModel> {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (wanted.fingerprint(), kept.map(str::to_owned));
        if let Some(known) = others.get(&key) {
            return Some(known.clone());
        }
        let other = self.other(wanted, kept)?;
        others.insert(key, other.clone());
        Some(other)
    }

    fn is_configured(&self, identity: &ModelIdentity) -> bool {
        self.configured.embedder.identity().fingerprint() == identity.fingerprint()
    }
}

/// [`Backends`] with the limits of providers.
struct LimitedOthers {
    backends: Arc<Backends>,
    database: Database,
}

impl OtherModels for LimitedOthers {
    fn model_of(&self, identity: &ModelIdentity, kept: Option<&str>) -> Option<Model> {
        if self.backends.is_configured(identity) {
            return Some(self.backends.limited(&self.database));
        }
        let OtherModel { embedder, chunker, keep_to } = self.backends.found(identity, kept)?;
        // Where the set was made: hosts for which that is their own model count there, too.
        let reached = self.backends.settings_for(identity, kept.and_then(SetSettings::from_json).as_ref())?;
        Some(limited(Model { embedder, chunker: chunker? }, keep_to.as_ref(), &reached, &self.database))
    }
}

/// Returns `model` under the limit on requests that `settings` set for all hosts on `database` together.
fn limited(model: Model, keep_to: Option<&KeepTo>, settings: &Embedding, database: &Database) -> Model {
    let turns = back_end(settings.provider).limit(settings).and_then(|limit| Turns::of(limit, database));
    match (keep_to, turns) {
        (Some(keep_to), Some(turns)) => Model { embedder: keep_to(turns), ..model },
        _ => model,
    }
}

/// How texts are cut: a model takes no longer inputs than it was trained for.
fn limits(settings: &Embedding, back_end: &dyn BackEnd) -> Result<ChunkLimits, BackEndError> {
    let max_tokens = settings.max_tokens.min(back_end.facts(settings)?.max_tokens);
    Ok(ChunkLimits { max_chunks: settings.max_chunks, ..ChunkLimits::new(max_tokens) })
}

/// A back end for vectors that another model made: for queries, and for documents too if they are cut as they were.
#[derive(Clone)]
struct OtherModel {
    embedder: Arc<dyn Embedder>,
    chunker: Option<Arc<dyn Chunker>>,
    keep_to: Option<KeepTo>,
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
        let OtherModel { embedder, chunker, .. } = self.found(identity, kept)?;
        Some(Model { embedder, chunker: chunker? })
    }
}

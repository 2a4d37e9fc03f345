//! A host: database, back ends, services and, if it is to process tasks, a runtime, put together from settings.

mod editing;
mod reading;
mod searching;

use std::{path::PathBuf, sync::Arc};

use afterword_actors::{
    Delays, DrainReport, Offer, RestartSettings, Retention, Runtime, RuntimeSettings, StartError,
    embedder::ModelIdentity,
    store::{Database, OpenError, OpenOptions, StoreError, control},
};

use crate::{
    articles::{AfterSave, Articles, Limits},
    auth::Tokens,
    bulk::Bulk,
    config::Settings,
    database::{self, SchemaError},
    embedding::{BackEndError, Backends},
    large_texts::LargeTexts,
    queue::Queue,
    reranking::Reranker,
    search::{Search, SearchSettings},
    sets::Sets,
    share::Shares,
    user_folders,
};

use reading::Reading;

/// Why a host could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its schema cannot be used.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// It has a part of another's rows.
    #[error(
        "{place} is not complete: the copy of {source_place} into it has not ended; run `afterword db copy --from \
         sqlite://{source_place} --to …` again, and it goes on"
    )]
    HalfCopied {
        /// The database.
        place: String,
        /// The one that is copied.
        source_place: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The embedding back end cannot be made.
    #[error(transparent)]
    Backend(#[from] BackEndError),
    /// The runtime cannot be started.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// An open, up-to-date database with the services on it: every door calls this. It processes no task: see
/// [`RunningHost`]. Cheap to clone.
#[derive(Clone)]
pub struct Host {
    /// The database.
    pub database: Database,
    /// The article service.
    pub articles: Articles,
    /// The search service.
    pub search: Search,
    /// The queue, as people manage it.
    pub queue: Queue,
    /// Bulk runs.
    pub bulk: Bulk,
    /// The tokens of callers.
    pub tokens: Tokens,
    /// The back ends that make the vectors.
    pub backends: Arc<Backends>,
    /// Bounds the memory of large texts in answers.
    pub(crate) large_texts: LargeTexts,
    /// Searches at the same time: half of the connections for reading, so that saves and reads never wait for all
    /// searches of another client.
    pub(crate) searches: Shares,
    settings: Arc<Settings>,
}

impl Host {
    /// Opens the database that `settings` name, brings its schema up to date, and puts the services on it.
    ///
    /// # Errors
    /// [`HostError`]
    pub async fn open(settings: &Settings) -> Result<Self, HostError> {
        Self::open_with(&open_options(settings), settings).await
    }

    /// The same for a process that runs long: a PostgreSQL that cannot be reached yet is waited for, as long as for a
    /// lock.
    ///
    /// # Errors
    /// [`HostError`]
    pub async fn open_patiently(settings: &Settings) -> Result<Self, HostError> {
        let start_timeout = settings.database.busy_timeout;
        Self::open_with(&OpenOptions { start_timeout, ..open_options(settings) }, settings).await
    }

    async fn open_with(options: &OpenOptions, settings: &Settings) -> Result<Self, HostError> {
        let database = Database::open(options).await?;
        database::migrate(&database).await?;
        if let Some(source_place) = control::unfinished_copy(database.reader()).await? {
            return Err(HostError::HalfCopied { place: database.place(), source_place });
        }
        database::begin_empty(&database, &settings.search.language).await?;
        let backends = Backends::new(&settings.embedding)?;
        backends.look_up(&database).await?;
        Ok(Self::on(database, backends, settings))
    }

    /// Puts the services on an open, up-to-date database, with the caller's own back ends.
    pub fn on(database: Database, backends: Arc<Backends>, settings: &Settings) -> Self {
        let after = if settings.queue.enabled {
            AfterSave::Poll
        } else {
            AfterSave::EmbedNow(backends.limited(&database), Box::new(runtime_settings(settings)))
        };
        let articles = Articles::new(database.clone(), limits(settings), settings.queue.max_attempts, after);
        let search = Search::new(database.clone(), Arc::clone(&backends) as _, search_settings(settings))
            .reranking(Reranker::of(&settings.search.rerank));
        let queue = Queue::new(database.clone());
        let bulk = Bulk::new(database.clone(), settings.queue.max_attempts);
        let tokens = Tokens::new(database.clone(), &settings.auth);
        let large_texts = LargeTexts::new(settings.server.max_body.as_u64());
        let at_once = (settings.database.read_connections / 2).max(1);
        let searches = Shares::new(at_once, at_once);
        let settings = Arc::new(settings.clone());
        Self { database, articles, search, queue, bulk, tokens, backends, large_texts, searches, settings }
    }

    /// Starts a server's runtime in this process; saves wake it from then on. A local model is fetched and loaded in
    /// the background. If the settings name a model that the database has never used, its vectors are built from now
    /// on.
    ///
    /// # Errors
    /// [`HostError::Start`]
    pub async fn start(self) -> Result<RunningHost, HostError> {
        let runtime = Runtime::start(self.database.clone(), self.offer(), runtime_settings(&self.settings)).await?;
        Ok(self.with(runtime))
    }

    /// The same for a command or an agent: it works for the wanted sets, and changes no model.
    ///
    /// # Errors
    /// [`HostError::Start`]
    pub async fn join(self) -> Result<RunningHost, HostError> {
        let runtime = Runtime::join(self.database.clone(), self.offer(), runtime_settings(&self.settings)).await?;
        Ok(self.with(runtime))
    }

    fn offer(&self) -> Offer {
        Offer {
            model: self.backends.limited(&self.database),
            settings: self.backends.kept(),
            others: self.backends.others(&self.database),
        }
    }

    fn with(self, runtime: Runtime) -> RunningHost {
        let articles = if self.settings.queue.enabled {
            let after = AfterSave::Wake(runtime.handle());
            let max_attempts = self.settings.queue.max_attempts;
            Articles::new(self.database.clone(), limits(&self.settings), max_attempts, after)
        } else {
            self.articles.clone()
        };
        let (queue, bulk) = (self.queue.waking(runtime.handle()), self.bulk.waking(runtime.handle()));
        let reading = Reading::begin(articles.clone());
        RunningHost { host: Self { articles, queue, bulk, ..self }, runtime, reading }
    }

    /// Returns the settings that it was opened with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the service for the sets of vectors: which is in use, and the progress of the next one.
    pub fn sets(&self) -> Sets {
        Sets::new(self.database.clone(), self.identity(), self.backends.kept())
    }

    /// Returns the identity of the model that the settings name.
    pub fn identity(&self) -> ModelIdentity {
        self.backends.model().embedder.identity().clone()
    }
}

/// A host with a runtime: it processes tasks.
pub struct RunningHost {
    /// Database and services.
    pub host: Host,
    /// The tree of actors.
    pub runtime: Runtime,
    /// A task that reads articles of earlier versions again, while there are any.
    reading: Reading,
}

impl RunningHost {
    /// Finishes what is being processed, releases the rest, and stops.
    pub async fn stop(self) -> DrainReport {
        drop(self.reading);
        let drained = self.runtime.stop(self.host.settings.queue.drain_timeout).await;
        self.host.database.close().await;
        drained
    }
}

/// The address of the database that `settings` name, and its limits.
pub fn open_options(settings: &Settings) -> OpenOptions {
    let url = match settings.database.url.as_str() {
        // Without a home folder the address names no file, and opening it says what to do.
        "" => format!("sqlite://{}", default_database().unwrap_or_default().display()),
        url => url.to_owned(),
    };
    OpenOptions {
        read_connections: settings.database.read_connections,
        write_connections: settings.database.write_connections,
        busy_timeout: settings.database.busy_timeout,
        ..OpenOptions::new(url)
    }
}

fn default_database() -> Option<PathBuf> {
    user_folders::data().map(|folder| folder.join("afterword.db"))
}

/// Converts the settings of the runtime.
pub fn runtime_settings(settings: &Settings) -> RuntimeSettings {
    let queue = &settings.queue;
    RuntimeSettings {
        slots: queue.slots.number(&settings.embedding),
        claim_batch: queue.claim_batch,
        poll_interval: queue.poll_interval,
        max_attempts: queue.max_attempts,
        retry: Delays { base: queue.retry_base, max: queue.retry_max },
        circuit: Delays { base: queue.circuit_base, max: queue.circuit_max },
        lease: queue.lease,
        max_processing_time: queue.max_processing_time,
        heartbeat_interval: queue.heartbeat_interval,
        metrics_interval: queue.metrics_interval,
        sweep_interval: queue.sweep_interval,
        sweep_batch: queue.sweep_batch,
        cleanup_interval: settings.retention.cleanup_interval,
        retention: retention(settings),
        restart: RestartSettings {
            intensity: queue.restart_intensity,
            window: queue.restart_window,
            ..RuntimeSettings::default().restart
        },
    }
}

/// Converts the settings of retention.
pub fn retention(settings: &Settings) -> Retention {
    let kept = &settings.retention;
    Retention {
        tasks: kept.tasks,
        events: kept.events,
        metrics: kept.metrics,
        bulk_runs: kept.bulk_runs,
        deleted_articles: kept.deleted_articles,
        versions: kept.versions,
        versions_kept: kept.versions_kept,
        hosts: kept.worker_rows,
    }
}

fn limits(settings: &Settings) -> Limits {
    Limits { max_size: settings.articles.max_size.as_u64(), max_title: settings.articles.max_title }
}

fn search_settings(settings: &Settings) -> SearchSettings {
    let search = &settings.search;
    SearchSettings {
        max_limit: search.max_limit,
        keyword_weight: search.keyword_weight,
        semantic_weight: search.semantic_weight,
        candidates: search.candidates,
        query_deadline: settings.embedding.query_deadline,
        good_similarity: search.good_similarity,
    }
}

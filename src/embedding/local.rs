//! The local back end: a BERT-family sentence transformer on this machine's cores.
//!
//! It exists before its model is there: until then the runtime waits and searches use words ([`Readiness`]). Documents
//! are computed on all cores, each core one pack of texts at a time; queries have a thread of their own, so that a
//! backfill delays no search.

pub(super) mod back_end;
mod bert;
mod load;
mod math;
mod matrix;
mod packs;
mod pooling;
mod tensors;
mod tiles;
mod tokenizer;
mod weights;
mod words;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, OnceLock},
};

use afterword_actors::embedder::{BatchLimits, EmbedError, Embedder, ModelIdentity, Purpose, Readiness, Vector};
use async_trait::async_trait;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use tokio::sync::{oneshot, watch};

use crate::chunking::{ChunkLimits, MarkdownChunker};

pub use bert::Precision;
pub use load::LoadError;
use load::{LoadedModel, Measure};
pub use matrix::peak_gflops;
pub use tokenizer::LocalTokenizer;

/// Texts in one call: enough for all cores, and not so many that a shutdown waits long for the call to end.
const LIMITS: BatchLimits = BatchLimits { texts: 64, tokens: 16_384 };

/// Calls at the same time: while one ends on its last core, the other keeps the rest busy.
const CONCURRENT_REQUESTS: usize = 2;

/// A model on this machine, loaded or still being fetched.
pub struct LocalEmbedder {
    identity: ModelIdentity,
    precision: Precision,
    model: OnceLock<Arc<LoadedModel>>,
    /// The mark of the only weights that may be loaded; not set: any.
    expected: OnceLock<String>,
    /// Within which articles are cut.
    limits: OnceLock<ChunkLimits>,
    state: watch::Sender<Readiness>,
    documents: ThreadPool,
    queries: ThreadPool,
}

impl LocalEmbedder {
    /// A back end without a model yet; `threads` 0 means one for each core.
    ///
    /// # Errors
    /// [`ThreadPoolBuildError`] if threads cannot be started.
    pub fn new(
        identity: ModelIdentity,
        threads: usize,
        precision: Precision,
    ) -> Result<Arc<Self>, ThreadPoolBuildError> {
        let pool = |threads, name: &'static str| {
            ThreadPoolBuilder::new().num_threads(threads).thread_name(move |n| format!("{name}-{n}")).build()
        };
        Ok(Arc::new(Self {
            identity,
            precision,
            model: OnceLock::new(),
            expected: OnceLock::new(),
            limits: OnceLock::new(),
            state: watch::Sender::new(Readiness::Loading("the local model is being loaded".to_owned())),
            documents: pool(threads, "embed-documents")?,
            queries: pool(1, "embed-queries")?,
        }))
    }

    /// Loads the model from `directory`; from then on it can be used. Blocking.
    ///
    /// # Errors
    /// [`LoadError`] if the files are not a model this back end can run.
    pub fn load(&self, directory: &Path) -> Result<(), LoadError> {
        self.refuse_others(directory)?;
        let model = self.documents.install(|| LoadedModel::read(directory, self.precision))?;
        self.refuse_narrow(directory, model.measure())?;
        if let Some(expected) = self.identity.dimension
            && expected != model.dimension()
        {
            return Err(LoadError::Dimension { expected, found: model.dimension() });
        }
        // A second load changes nothing: the first one is in use.
        let _ = self.model.set(Arc::new(model));
        self.state.send_replace(Readiness::Ready);
        Ok(())
    }

    /// Lets only the weights of `mark` be loaded.
    fn expect(&self, mark: String) {
        // The first one counts: it is that of the set.
        let _ = self.expected.set(mark);
    }

    /// Refuses weights with which the set of this name was not made.
    fn refuse_others(&self, directory: &Path) -> Result<(), LoadError> {
        let others =
            || LoadError::OtherWeights { directory: directory.to_path_buf(), model: self.identity.model.clone() };
        match self.expected.get() {
            Some(expected) if load::mark(directory)? != *expected => {
                // Files that are no model are damaged, and not those of another one.
                self.documents.install(|| LoadedModel::read(directory, self.precision))?;
                Err(others())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Lets articles be cut within `limits`, and within what the model takes.
    fn cut_within(&self, limits: ChunkLimits) {
        // The first ones count: they are those of the settings.
        let _ = self.limits.set(limits);
    }

    /// What cuts articles for the model, as `measure` says of it.
    ///
    /// # Errors
    /// Why none of them has room for text.
    fn cutter(&self, Measure { tokenizer, longest_input }: Measure) -> Result<MarkdownChunker, String> {
        let limits = self.limits.get().copied().unwrap_or_else(|| ChunkLimits::new(longest_input));
        let limits = ChunkLimits { max_tokens: limits.max_tokens.min(longest_input), ..limits };
        let limits = limits.with_prefix(&self.identity.document_prefix, &tokenizer);
        let no_room = |_| load::no_room(limits.max_tokens, limits.reserved_tokens);
        MarkdownChunker::new(Arc::new(tokenizer), limits).map_err(no_room)
    }

    /// Refuses a model that leaves no room for text: no article could be embedded.
    fn refuse_narrow(&self, directory: &Path, measure: &Measure) -> Result<(), LoadError> {
        if self.limits.get().is_none() {
            return Ok(()); // Nothing is cut for it.
        }
        let refused = |reason| LoadError::Unsupported { directory: directory.to_path_buf(), reason };
        self.cutter(measure.clone()).map(drop).map_err(refused)
    }

    /// Sets the state of the fetch or load, which is what requests for vectors are answered meanwhile.
    pub fn announce(&self, state: Readiness) {
        self.state.send_replace(state);
    }

    /// What it takes to cut texts for the model; `None` before that is loaded.
    fn measure(&self) -> Option<Measure> {
        self.model.get().map(|model| model.measure().clone())
    }

    /// The model's tokenizer, once it is loaded.
    pub fn tokenizer(&self) -> Option<LocalTokenizer> {
        self.model.get().map(|model| model.tokenizer().clone())
    }

    fn ready(&self) -> Result<Arc<LoadedModel>, EmbedError> {
        if let Some(model) = self.model.get() {
            return Ok(Arc::clone(model));
        }
        let reason = match &*self.state.borrow() {
            Readiness::Loading(how) => how.clone(),
            Readiness::Failed(why) => why.clone(),
            Readiness::Ready => "the local model is being loaded".to_owned(),
        };
        Err(EmbedError::unavailable(reason))
    }
}

#[async_trait]
impl Embedder for LocalEmbedder {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    fn limits(&self) -> BatchLimits {
        LIMITS
    }

    fn tokens_per_word(&self, text: &str) -> Option<f64> {
        self.model.get().and_then(|model| model.tokenizer().tokens_per_word(text))
    }

    fn requests(&self) -> Option<usize> {
        Some(CONCURRENT_REQUESTS)
    }

    fn readiness(&self) -> Option<watch::Receiver<Readiness>> {
        Some(self.state.subscribe())
    }

    async fn embed(&self, texts: &[String], purpose: Purpose) -> Result<Vec<Vector>, EmbedError> {
        let model = self.ready()?;
        let (pool, prefix) = match purpose {
            Purpose::Document => (&self.documents, &self.identity.document_prefix),
            Purpose::Query => (&self.queries, &self.identity.query_prefix),
        };
        let texts: Vec<_> = texts.iter().map(|text| format!("{prefix}{text}")).collect();
        let (reply, answer) = oneshot::channel();
        // If the caller is dropped before the computation begins, it is left out; later, its result is discarded.
        pool.spawn(move || {
            if reply.is_closed() {
                return;
            }
            let result = catch_unwind(AssertUnwindSafe(|| model.embed(&texts)));
            let result = result.unwrap_or_else(|_| Err(EmbedError::crashed("the local model panicked")));
            let _ = reply.send(result);
        });
        answer.await.unwrap_or_else(|_| Err(EmbedError::crashed("the local model's thread ended")))
    }

    /// A loaded model works; a probe that computes something would only take cores from the documents.
    async fn probe(&self) -> Result<(), EmbedError> {
        self.ready().map(drop)
    }
}

//! A model that tests can block and break.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use afterword_actors::embedder::{
    BatchLimits, Chunk, Chunker, EmbedError, Embedder, Model, ModelIdentity, Purpose, Readiness, Source, Vector,
};
use async_trait::async_trait;
use tokio::sync::{Semaphore, watch};

/// A model whose calls wait for permits, and which fails for texts with these words: `POISON`, `FLAKY`, `PANIC`,
/// `HANG`, and `ODD` for a vector of another length.
pub(crate) struct TestModel {
    identity: ModelIdentity,
    /// Each call takes one; never closed.
    pub(crate) gate: Semaphore,
    /// Texts embedded, with how often.
    pub(crate) calls: Mutex<HashMap<String, usize>>,
    running: AtomicUsize,
    /// Most calls that ran at the same time.
    pub(crate) peak: AtomicUsize,
    /// While set, every call fails with it, probes included.
    pub(crate) outage: Mutex<Option<EmbedError>>,
    /// Requests with this text fail with this error, this many times.
    pub(crate) rules: Mutex<Vec<(&'static str, EmbedError, usize)>>,
    /// Requests so far, probes among them.
    pub(crate) requests: AtomicUsize,
    /// Length of the vectors.
    pub(crate) dimension: AtomicUsize,
    /// How long a request takes.
    pub(crate) latency: Mutex<Duration>,
    pub(crate) readiness: watch::Sender<Readiness>,
    /// Requests that articles share, at the same time; 0: they share none.
    pub(crate) shared: AtomicUsize,
    /// The largest request so far. *Units:* texts.
    pub(crate) largest: AtomicUsize,
    /// The texts of all requests in the order in which they began, without probes.
    pub(crate) log: Mutex<Vec<Vec<String>>>,
}

impl TestModel {
    pub(crate) fn new(name: &str) -> Arc<Self> {
        let identity = ModelIdentity {
            provider: "test".into(),
            model: name.into(),
            dimension: None,
            asked_dimension: None,
            document_prefix: String::new(),
            query_prefix: String::new(),
            chunker: "lines-1".into(),
        };
        Arc::new(Self {
            identity,
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            calls: Mutex::default(),
            running: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            outage: Mutex::new(None),
            rules: Mutex::default(),
            requests: AtomicUsize::new(0),
            dimension: AtomicUsize::new(4),
            latency: Mutex::new(Duration::ZERO),
            readiness: watch::Sender::new(Readiness::Ready),
            shared: AtomicUsize::new(0),
            largest: AtomicUsize::new(0),
            log: Mutex::default(),
        })
    }

    /// Blocks further calls until [`TestModel::open`].
    pub(crate) async fn hold(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn open(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    /// Waits until this many requests run.
    pub(crate) async fn runs(&self, requests: usize) {
        while self.running() < requests {
            tokio::task::yield_now().await;
        }
    }

    /// Lets one request end.
    pub(crate) fn let_one_end(&self) {
        self.gate.add_permits(1);
    }

    /// Whether a request with `text` has begun.
    pub(crate) fn has_begun(&self, text: &str) -> bool {
        self.log.lock().expect("the lock").iter().flatten().any(|begun| begun == text)
    }

    /// Requests that run now.
    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// Requests with `text` fail with `error`, `times` times.
    pub(crate) fn fail(&self, text: &'static str, error: EmbedError, times: usize) {
        self.rules.lock().expect("the lock").push((text, error, times));
    }

    fn broken_rule(&self, texts: &[String]) -> Option<EmbedError> {
        let mut rules = self.rules.lock().expect("the lock");
        let broken = rules.iter_mut().find(|(text, _, left)| *left > 0 && texts.iter().any(|t| t.contains(*text)))?;
        broken.2 -= 1;
        Some(broken.1.clone())
    }

    pub(crate) fn model(self: &Arc<Self>) -> Model {
        Model { embedder: Arc::clone(self) as _, chunker: Arc::new(Lines) }
    }
}

#[async_trait]
impl Embedder for TestModel {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits { texts: 8, tokens: 1000 }
    }

    fn readiness(&self) -> Option<watch::Receiver<Readiness>> {
        Some(self.readiness.subscribe())
    }

    fn requests(&self) -> Option<usize> {
        Some(self.shared.load(Ordering::SeqCst)).filter(|&shared| shared > 0)
    }

    async fn embed(&self, texts: &[String], _purpose: Purpose) -> Result<Vec<Vector>, EmbedError> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.largest.fetch_max(texts.len(), Ordering::SeqCst);
        if let Some(error) = self.outage.lock().expect("the lock").clone() {
            return Err(error);
        }
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        if texts != ["probe"] {
            self.peak.fetch_max(running, Ordering::SeqCst);
            self.log.lock().expect("the lock").push(texts.to_vec());
        }
        let _leave = Leave(&self.running);
        self.gate.acquire().await.expect("an open gate").forget();
        let latency = *self.latency.lock().expect("the lock");
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        if texts.iter().any(|text| text.contains("HANG")) {
            std::future::pending::<()>().await;
        }
        if let Some(error) = self.broken_rule(texts) {
            return Err(error);
        }
        for text in texts {
            *self.calls.lock().expect("the lock").entry(text.clone()).or_default() += 1;
            if text.contains("PANIC") {
                panic!("asked to panic");
            }
            if text.contains("POISON") {
                return Err(EmbedError::data("poisoned"));
            }
            if text.contains("FLAKY") {
                return Err(EmbedError::transient("flaky"));
            }
        }
        let dimension = self.dimension.load(Ordering::SeqCst);
        let length = |text: &str| dimension + usize::from(text.contains("ODD"));
        Ok(texts.iter().map(|text| vector_of(text, length(text))).collect())
    }
}

struct Leave<'a>(&'a AtomicUsize);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn vector_of(text: &str, dimension: usize) -> Vector {
    let mut numbers = vec![1.0_f32; dimension];
    for (position, byte) in text.bytes().enumerate() {
        numbers[position % dimension] += f32::from(byte);
    }
    Vector::normalised(numbers).expect("a direction")
}

/// A chunk for each line that is not blank.
struct Lines;

impl Chunker for Lines {
    fn chunk(&self, source: Source<'_>) -> Result<Vec<Chunk>, EmbedError> {
        let lines = std::iter::once(source.title).chain(source.body.lines()).filter(|line| !line.trim().is_empty());
        Ok(lines
            .map(|line| Chunk { heading_path: String::new(), text: line.into(), input: line.into(), tokens: 5 })
            .collect())
    }
}

//! Made-up vectors for tests: deterministic, with the delays and failures that a test asks for.
//!
//! Words are hashed into a few dimensions, so that texts which share words are near. It is a back end like the others,
//! which lets tests drive the real program.

pub(super) mod back_end;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use afterword_actors::embedder::{BatchLimits, EmbedError, Embedder, ModelIdentity, Purpose, Vector};
use async_trait::async_trait;
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, watch};

/// A back end that follows a script.
pub struct ScriptedEmbedder {
    identity: ModelIdentity,
    dimension: usize,
    latency: Duration,
    limits: BatchLimits,
    requests: Option<usize>,
    rules: Mutex<Vec<Rule>>,
    outage: Mutex<Option<EmbedError>>,
    gate: Semaphore,
    calls: watch::Sender<Vec<Call>>,
    running: AtomicUsize,
    peak: AtomicUsize,
}

/// A call that has been made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What was to be embedded.
    pub texts: Vec<String>,
    /// What for.
    pub purpose: Purpose,
}

/// Calls that fail.
#[derive(Debug, Clone)]
pub struct Rule {
    containing: String,
    /// How many more calls fail; `None` for all.
    left: Option<u32>,
    error: EmbedError,
    panics: bool,
}

impl Rule {
    /// All calls with a text that contains `part` fail with `error`.
    pub fn containing(part: impl Into<String>, error: EmbedError) -> Self {
        Self { containing: part.into(), left: None, error, panics: false }
    }

    /// Calls with a text that contains `part` panic.
    pub fn panicking(part: impl Into<String>) -> Self {
        Self { panics: true, ..Self::containing(part, EmbedError::crashed("asked to panic")) }
    }

    /// Only the first `times` of them.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { left: Some(times), ..self }
    }
}

/// The behaviour of a [`ScriptedEmbedder`].
#[derive(Debug, Clone)]
pub struct Script {
    /// The model's name.
    pub model: String,
    /// Length of a vector.
    pub dimension: usize,
    /// How long a call takes.
    pub latency: Duration,
    /// How much one call may carry.
    pub limits: BatchLimits,
    /// As in [`Embedder::requests`].
    pub requests: Option<usize>,
    /// Calls that fail.
    pub rules: Vec<Rule>,
    /// As in [`ModelIdentity::chunker`].
    pub chunker: String,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            model: "scripted".to_owned(),
            dimension: 32,
            latency: Duration::ZERO,
            limits: BatchLimits { texts: 16, tokens: 4_096 },
            requests: None,
            rules: Vec::new(),
            chunker: "scripted".to_owned(),
        }
    }
}

/// Calls that an open gate lets through; far more than any test makes.
const OPEN: usize = Semaphore::MAX_PERMITS / 4;

impl ScriptedEmbedder {
    /// A back end that follows `script`.
    pub fn new(script: Script) -> Arc<Self> {
        let Script { model, dimension, latency, limits, requests, rules, chunker } = script;
        let identity = ModelIdentity {
            provider: "scripted".to_owned(),
            model,
            dimension: u32::try_from(dimension).ok(),
            asked_dimension: None,
            document_prefix: String::new(),
            query_prefix: String::new(),
            chunker,
        };
        Arc::new(Self {
            identity,
            dimension: dimension.max(1),
            latency,
            limits,
            requests,
            rules: Mutex::new(rules),
            outage: Mutex::new(None),
            gate: Semaphore::new(OPEN),
            calls: watch::Sender::new(Vec::new()),
            running: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        })
    }

    /// Sets an error with which every call fails, probes included; `None` ends this.
    pub fn outage(&self, error: Option<EmbedError>) {
        *lock(&self.outage) = error;
    }

    /// Adds a rule.
    pub fn fail(&self, rule: Rule) {
        lock(&self.rules).push(rule);
    }

    /// Holds document calls back until [`ScriptedEmbedder::release`]; queries and probes pass.
    pub fn hold(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Lets all documents pass again.
    pub fn release(&self) {
        self.gate.add_permits(OPEN);
    }

    /// Lets this many document calls pass.
    pub fn release_some(&self, calls: usize) {
        self.gate.add_permits(calls);
    }

    /// All calls with documents or queries so far, without probes.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.borrow().clone()
    }

    /// How often a text that contains `part` was to be embedded as a document.
    pub fn times_embedded(&self, part: &str) -> usize {
        let is_it = |call: &&Call| call.purpose == Purpose::Document;
        let texts = |call: &Call| call.texts.iter().filter(|text| text.contains(part)).count();
        self.calls.borrow().iter().filter(is_it).map(texts).sum()
    }

    /// Waits until `count` calls have begun.
    pub async fn wait_for_calls(&self, count: usize) {
        // The sender lives as long as `self`.
        let _ = self.calls.subscribe().wait_for(|calls| calls.len() >= count).await;
    }

    /// Most document calls that ran at the same time.
    pub fn peak_concurrency(&self) -> usize {
        self.peak.load(Ordering::SeqCst)
    }

    async fn document(&self, texts: &[String]) -> Result<(), EmbedError> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        let _leave = Leave(&self.running);
        self.peak.fetch_max(running, Ordering::SeqCst);
        if let Ok(permit) = self.gate.acquire().await {
            permit.forget();
        }
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        match self.broken_rule(texts) {
            Some(Rule { panics: true, error, .. }) => panic!("{error}"),
            Some(rule) => Err(rule.error),
            None => Ok(()),
        }
    }

    fn broken_rule(&self, texts: &[String]) -> Option<Rule> {
        let mut rules = lock(&self.rules);
        let rule = rules
            .iter_mut()
            .find(|rule| rule.left != Some(0) && texts.iter().any(|text| text.contains(&rule.containing)))?;
        rule.left = rule.left.map(|left| left - 1);
        Some(rule.clone())
    }

    fn vector(&self, text: &str) -> Result<Vector, EmbedError> {
        // A small value in each dimension, so that a text without words has a direction too.
        let mut numbers = vec![0.01_f32; self.dimension];
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            let digest = Sha256::digest(word.to_lowercase().as_bytes());
            let place = usize::from(u16::from_le_bytes([digest[0], digest[1]])) % self.dimension;
            numbers[place] += if digest[2].is_multiple_of(2) { 1.0 } else { -1.0 };
        }
        Vector::normalised(numbers).map_err(|error| EmbedError::data(error.to_string()))
    }
}

#[async_trait]
impl Embedder for ScriptedEmbedder {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    fn limits(&self) -> BatchLimits {
        self.limits
    }

    fn requests(&self) -> Option<usize> {
        self.requests
    }

    async fn embed(&self, texts: &[String], purpose: Purpose) -> Result<Vec<Vector>, EmbedError> {
        self.calls.send_modify(|calls| calls.push(Call { texts: texts.to_vec(), purpose }));
        if let Some(error) = lock(&self.outage).clone() {
            return Err(error);
        }
        if purpose == Purpose::Document {
            self.document(texts).await?;
        }
        texts.iter().map(|text| self.vector(text)).collect()
    }

    async fn probe(&self) -> Result<(), EmbedError> {
        match lock(&self.outage).clone() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

struct Leave<'a>(&'a AtomicUsize);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The values behind the locks are valid after a panic too: a rule may ask for one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

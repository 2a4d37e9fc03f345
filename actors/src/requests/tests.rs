//! Which texts travel together, and what their failures mean; time is paused.

mod failures;
mod once;
mod pool;
mod turns;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use proptest::prelude::*;
use tokio::time::Instant;

use super::{
    RequestRank, Requests, Text,
    pool::{Item, Pool, Who},
    under_way::UnderWay,
};
use crate::embedder::{BatchLimits, EmbedError, Embedder, Fault, ModelIdentity, Purpose, Vector};

fn text(input: String, tokens: u32) -> Arc<Text> {
    Arc::new(Text { hash: input.clone(), input, tokens })
}

fn texts(attempt: u64, tokens: &[u32]) -> Vec<Arc<Text>> {
    tokens.iter().enumerate().map(|(place, &tokens)| text(format!("{attempt}/{place}"), tokens)).collect()
}

/// Takes a tenth of a second for each request; fails as its rules say.
struct Slow {
    identity: ModelIdentity,
    limits: BatchLimits,
    shared: usize,
    requests: Mutex<Vec<Vec<String>>>,
    running: AtomicUsize,
    peak: AtomicUsize,
    rule: Rule,
}

/// How a request with these texts fails.
type Rule = Box<dyn Fn(&[String]) -> Option<EmbedError> + Send + Sync>;

const LATENCY: Duration = Duration::from_millis(100);

fn slow(shared: usize, rule: impl Fn(&[String]) -> Option<EmbedError> + Send + Sync + 'static) -> Arc<Slow> {
    let identity = ModelIdentity {
        provider: "test".into(),
        model: "slow".into(),
        dimension: None,
        asked_dimension: None,
        document_prefix: String::new(),
        query_prefix: String::new(),
        chunker: String::new(),
    };
    Arc::new(Slow {
        identity,
        limits: BatchLimits { texts: 10, tokens: 1_000 },
        shared,
        requests: Mutex::default(),
        running: AtomicUsize::new(0),
        peak: AtomicUsize::new(0),
        rule: Box::new(rule),
    })
}

#[async_trait::async_trait]
impl Embedder for Slow {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    fn limits(&self) -> BatchLimits {
        self.limits
    }

    fn requests(&self) -> Option<usize> {
        Some(self.shared)
    }

    async fn embed(&self, texts: &[String], _: Purpose) -> Result<Vec<Vector>, EmbedError> {
        self.requests.lock().expect("the lock").push(texts.to_vec());
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(running, Ordering::SeqCst);
        tokio::time::sleep(LATENCY).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        if let Some(error) = (self.rule)(texts) {
            return Err(error);
        }
        Ok(texts.iter().map(|_| Vector::normalised(vec![1.0]).expect("a vector")).collect())
    }

    async fn probe(&self) -> Result<(), EmbedError> {
        (self.rule)(&["probe".to_owned()]).map_or(Ok(()), Err)
    }
}

/// Embeds `notes` attempts of one text each, all at once; returns which failed, and how.
async fn embed_notes(slow: &Arc<Slow>, notes: usize) -> Vec<(usize, EmbedError)> {
    let requests = Requests::new(Arc::clone(slow) as Arc<dyn Embedder>, usize::MAX);
    let attempts = (0..notes).map(|note| {
        let entry = requests.enter(RequestRank { queue_key: note as i64, alone: false });
        tokio::spawn(async move {
            let refused = entry.embed(vec![text(format!("note {note}"), 5)], |_, _| {}).await.err()?;
            Some((note, refused.refusal.error))
        })
    });
    let mut failed = Vec::new();
    for attempt in attempts.collect::<Vec<_>>() {
        failed.extend(attempt.await.expect("an attempt"));
    }
    failed
}

#[tokio::test(start_paused = true)]
async fn requests_are_full_and_as_many_as_may_run_at_once() {
    let (slow, begun) = (slow(4, |_| None), Instant::now());
    assert_eq!(embed_notes(&slow, 100).await, []);
    let sizes: Vec<_> = slow.requests.lock().expect("the lock").iter().map(Vec::len).collect();
    assert_eq!(sizes, [10; 10]);
    assert_eq!(slow.peak.load(Ordering::SeqCst), 4);
    assert!(begun.elapsed() < 3 * LATENCY + Duration::from_millis(50), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_company_when_nothing_else_is_in_work() {
    let (slow, begun) = (slow(4, |_| None), Instant::now());
    embed_notes(&slow, 1).await;
    assert!(begun.elapsed() < LATENCY + Duration::from_millis(5), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_request_with_room_waits_a_little_for_those_that_are_coming_and_not_for_ever() {
    let slow = slow(1, |_| None);
    let requests = Requests::new(Arc::clone(&slow) as Arc<dyn Embedder>, usize::MAX);
    let (first, second) = (requests.enter(RequestRank::default()), requests.enter(RequestRank::default()));
    let third = requests.enter(RequestRank::default());
    let late = async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        second.embed(vec![text("second".into(), 5)], |_, _| {}).await
    };
    let (one, two) = tokio::join!(first.embed(vec![text("first".into(), 5)], |_, _| {}), late);
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(*slow.requests.lock().expect("the lock"), [["first", "second"]], "the third never came");
    drop(third);
}

#[tokio::test(start_paused = true)]
async fn who_is_gone_costs_no_request() {
    let slow = slow(1, |_| None);
    let requests = Requests::new(Arc::clone(&slow) as Arc<dyn Embedder>, usize::MAX);
    let entries: Vec<_> = (0..3).map(|_| requests.enter(RequestRank::default())).collect();
    let mut attempts: Vec<_> = entries
        .into_iter()
        .enumerate()
        .map(|(number, entry)| {
            tokio::spawn(async move { entry.embed(texts(number as u64, &[5; 10]), |_, _| {}).await.is_ok() })
        })
        .collect();
    tokio::time::sleep(LATENCY / 2).await;
    let last = attempts.pop().expect("the third");
    attempts.iter().for_each(tokio::task::JoinHandle::abort);
    assert!(last.await.expect("an attempt"));
    let sent = slow.requests.lock().expect("the lock").len();
    assert!(sent <= 3, "one that was under way, and what the third had left: {sent}");
}

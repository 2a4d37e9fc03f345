//! Which texts travel together, and what their failures mean; time is paused.

mod once;

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

/// The next request of `pool`, with each text once.
fn next(pool: &mut Pool, limits: BatchLimits, under_way: &mut UnderWay) -> Vec<Item> {
    pool.next(limits, Who::All, |item, member| under_way.join(item.key(), member))
}

fn attempts_of(items: &[Item]) -> Vec<u64> {
    items.iter().map(|item| item.attempt).collect()
}

proptest! {
    #[test]
    fn every_text_is_sent_once_and_no_request_exceeds_the_limits(
        attempts in prop::collection::vec((prop::collection::vec(1u32..400, 1..40), -5i64..5, prop::bool::weighted(0.2)), 1..20),
        most in 1usize..50, budget in 1usize..2_000,
    ) {
        let limits = BatchLimits { texts: most, tokens: budget };
        let (mut pool, mut under_way) = (Pool::default(), UnderWay::default());
        for (id, (tokens, queue_key, alone)) in attempts.iter().enumerate() {
            pool.add(id as u64, RequestRank { queue_key: *queue_key, alone: *alone }, texts(id as u64, tokens));
        }
        let mut sent = Vec::new();
        while pool.has_any(Who::All) {
            let items = next(&mut pool, limits, &mut under_way);
            prop_assert!((1..=most).contains(&items.len()));
            let sum: usize = items.iter().map(|item| item.text.tokens as usize).sum();
            prop_assert!(items.len() == 1 || sum <= budget);
            let alone = |item: &Item| attempts[item.attempt as usize].2;
            prop_assert!(!items.iter().any(alone) || items.iter().all(|item| item.attempt == items[0].attempt));
            sent.extend(items.into_iter().map(|item| item.text.hash.clone()));
        }
        let mut all: Vec<_> = attempts
            .iter()
            .enumerate()
            .flat_map(|(id, (tokens, ..))| texts(id as u64, tokens).into_iter().map(|text| text.hash.clone()))
            .collect();
        sent.sort_unstable();
        all.sort_unstable();
        prop_assert_eq!(sent, all);
    }
}

#[test]
fn a_note_is_not_behind_a_long_article_and_the_article_not_behind_the_notes() {
    let limits = BatchLimits { texts: 8, tokens: 1_000_000 };
    let (mut pool, mut under_way) = (Pool::default(), UnderWay::default());
    pool.add(0, RequestRank { queue_key: 0, alone: false }, texts(0, &[1; 10_000]));
    for note in 1..=100 {
        pool.add(note, RequestRank { queue_key: note as i64, alone: false }, texts(note, &[1]));
    }
    for round in 0..25 {
        let attempts = attempts_of(&next(&mut pool, limits, &mut under_way));
        let long = attempts.iter().filter(|&&attempt| attempt == 0).count();
        assert!((4..=5).contains(&long), "half of a request is the article's: {attempts:?}");
        assert!(attempts.contains(&(round * 4 + 1)), "the notes come in their order: {attempts:?}");
    }
}

#[test]
fn a_save_goes_before_bulk_work() {
    let limits = BatchLimits { texts: 4, tokens: 1_000 };
    let (mut pool, mut under_way) = (Pool::default(), UnderWay::default());
    for bulk in 0..100 {
        pool.add(bulk, RequestRank { queue_key: 600_000, alone: false }, texts(bulk, &[1, 1]));
    }
    next(&mut pool, limits, &mut under_way);
    pool.add(1_000, RequestRank { queue_key: 60_000, alone: false }, texts(1_000, &[1]));
    assert!(attempts_of(&next(&mut pool, limits, &mut under_way)).contains(&1_000));
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

/// Has a turn after each such time.
struct InTurns(Arc<Slow>, Duration);

const TURN: Duration = Duration::from_secs(1);

#[async_trait::async_trait]
impl Embedder for InTurns {
    fn identity(&self) -> &ModelIdentity {
        self.0.identity()
    }

    fn limits(&self) -> BatchLimits {
        self.0.limits()
    }

    fn requests(&self) -> Option<usize> {
        self.0.requests()
    }

    fn turn(&self) -> Option<BoxFuture<'static, ()>> {
        Some(Box::pin(tokio::time::sleep(self.1)))
    }

    async fn embed(&self, texts: &[String], purpose: Purpose) -> Result<Vec<Vector>, EmbedError> {
        self.0.embed(texts, purpose).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_its_turn_takes_along_what_comes_meanwhile() {
    let slow = slow(3, |_| None);
    let requests = Requests::new(Arc::new(InTurns(Arc::clone(&slow), TURN)), usize::MAX);
    let notes = (0..25_u32).map(|note| {
        let requests = Arc::clone(&requests);
        tokio::spawn(async move {
            // One after the other, as tasks are claimed when others have ended.
            tokio::time::sleep(note * TURN / 20).await;
            let entry = requests.enter(RequestRank { queue_key: note.into(), alone: false });
            entry.embed(vec![text(format!("note {note}"), 5)], |_, _| {}).await.map_err(|refused| refused.refusal.error)
        })
    });
    for note in notes.collect::<Vec<_>>() {
        assert_eq!(note.await.expect("an attempt"), Ok(()));
    }
    let sizes: Vec<_> = slow.requests.lock().expect("the lock").iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 10, 5]);
}

#[test]
fn nothing_is_done_while_a_turn_is_awaited() {
    // A request fails and is divided just after another one has got its turn, and waits a little for company.
    let attempts = async {
        let slow = slow(3, |texts| texts.iter().any(|text| text == "note 3").then(|| EmbedError::data("bad")));
        let in_turns = InTurns(slow, LATENCY - Duration::from_millis(5));
        let requests = Requests::new(Arc::new(in_turns), usize::MAX);
        let silent = requests.enter(RequestRank::default());
        let notes = (0..12).map(|note| {
            let entry = requests.enter(RequestRank { queue_key: note, alone: false });
            tokio::spawn(async move { entry.embed(vec![text(format!("note {note}"), 5)], |_, _| {}).await.is_ok() })
        });
        let mut done = 0;
        for note in notes.collect::<Vec<_>>() {
            done += usize::from(note.await.expect("an attempt"));
        }
        drop(silent);
        done
    };
    // Who is never idle stops a paused clock for ever.
    let (told, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let paused = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        told.send(paused.expect("a runtime").block_on(attempts))
    });
    assert_eq!(ended.recv_timeout(Duration::from_secs(60)), Ok(11));
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_came_too_late_for_one_request_is_the_next_ones() {
    let slow = slow(1, |_| None);
    let requests = Requests::new(Arc::new(InTurns(Arc::clone(&slow), TURN)), usize::MAX);
    let embed = |name: &'static str| {
        let entry = requests.enter(RequestRank::default());
        tokio::spawn(async move { entry.embed(vec![text(name.to_owned(), 5)], |_, _| {}).await.is_ok() })
    };
    let given_up = embed("given up");
    tokio::time::sleep(TURN / 2).await;
    given_up.abort();
    tokio::time::sleep(TURN).await;
    let begun = Instant::now();
    assert!(embed("next").await.expect("an attempt"));
    assert!(begun.elapsed() < TURN, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_one_bad_text_fails_alone_in_few_requests() {
    // Also if the failure is called the provider's own: a firewall's 401, a gateway's 503.
    for error in [
        EmbedError::data("bad"),
        EmbedError::transient("a 500"),
        EmbedError::crashed("a panic"),
        EmbedError::config("a 401"),
        EmbedError::unavailable("a 503"),
    ] {
        let kind = error.kind;
        let slow = slow(4, move |texts| texts.iter().any(|text| text == "note 7").then(|| error.clone()));
        let failed = embed_notes(&slow, 40).await;
        assert_eq!(failed.iter().map(|(note, error)| (*note, error.kind)).collect::<Vec<_>>(), [(7, kind)]);
        let requests = slow.requests.lock().expect("the lock").len();
        // Four full ones; the bad one once more, in parts of two, and those divided.
        assert!(requests <= 4 + 1 + 5 + 2, "{requests} requests");
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_at_which_the_provider_hangs_delays_no_other_for_long() {
    let slow = Arc::new(Hanging(slow(4, |_| None)));
    let requests = Requests::new(Arc::clone(&slow) as Arc<dyn Embedder>, usize::MAX);
    let begun = Instant::now();
    let notes = (0..200).map(|note| {
        let entry = requests.enter(RequestRank { queue_key: note, alone: false });
        tokio::spawn(async move {
            entry.embed(vec![text(format!("note {note}"), 5)], |_, _| {}).await.map_err(|refused| refused.refusal.error)
        })
    });
    let mut notes: Vec<_> = notes.collect();
    let bad = notes.remove(3);
    for note in notes {
        assert_eq!(note.await.expect("an attempt"), Ok(()));
    }
    assert!(begun.elapsed() < 3 * HANGS, "{:?}", begun.elapsed());
    assert!(bad.await.expect("an attempt").is_err());
}

#[tokio::test(start_paused = true)]
async fn second_attempts_at_which_the_provider_hangs_leave_a_place_to_others() {
    for places in [2, 4] {
        let slow = Arc::new(Hanging(slow(places, |_| None)));
        let requests = Requests::new(Arc::clone(&slow) as Arc<dyn Embedder>, usize::MAX);
        let embed = |name: &str, alone| {
            let entry = requests.enter(RequestRank { queue_key: 0, alone });
            let texts = vec![text(name.to_owned(), 5)];
            tokio::spawn(async move { entry.embed(texts, |_, _| {}).await.map_err(|refused| refused.refusal.error) })
        };
        let bad: Vec<_> = (0..10).map(|_| embed("note 3", true)).collect();
        tokio::time::sleep(LATENCY).await;
        let begun = Instant::now();
        for number in 10..15 {
            assert_eq!(embed(&format!("note {number}"), false).await.expect("an attempt"), Ok(()));
        }
        assert!(begun.elapsed() < 6 * LATENCY, "{:?} with {places} places", begun.elapsed());
        for bad in bad {
            assert!(bad.await.expect("an attempt").is_err());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_that_is_answered_503_again_and_again_is_no_fault_of_the_provider() {
    let slow = slow(2, |texts| texts.iter().any(|text| text == "note 0").then(|| EmbedError::unavailable("a 503")));
    let failed = embed_notes(&slow, 1).await;
    assert_eq!(failed.iter().map(|(_, error)| error.fault).collect::<Vec<_>>(), [Fault::Unclear]);
    assert_eq!(slow.requests.lock().expect("the lock").len(), 2, "it is sent twice before that is said");
}

#[tokio::test(start_paused = true)]
async fn a_503_of_the_moment_costs_nothing() {
    let times = AtomicUsize::new(0);
    let slow = slow(2, move |texts| {
        let first = texts[0] != "probe" && times.fetch_add(1, Ordering::SeqCst) == 0;
        first.then(|| EmbedError::unavailable("a 503"))
    });
    assert_eq!(embed_notes(&slow, 1).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_turn_makes_no_failure_a_late_one() {
    let times = AtomicUsize::new(0);
    let slow = slow(1, move |texts| {
        let first = texts[0] != "probe" && times.fetch_add(1, Ordering::SeqCst) == 0;
        first.then(|| EmbedError::transient("a 500").took(LATENCY))
    });
    let queued = Arc::new(Queued(Arc::clone(&slow)));
    let requests = Requests::new(queued as Arc<dyn Embedder>, usize::MAX);
    let notes = (0..10).map(|note| {
        let entry = requests.enter(RequestRank { queue_key: note, alone: false });
        tokio::spawn(async move { entry.embed(vec![text(format!("note {note}"), 5)], |_, _| {}).await.is_ok() })
    });
    for note in notes.collect::<Vec<_>>() {
        assert!(note.await.expect("an attempt"));
    }
    let requests = slow.requests.lock().expect("the lock").len();
    assert_eq!(requests, 2, "it is sent once more unchanged, and not divided");
}

/// Waits for a turn for a minute before each request.
struct Queued(Arc<Slow>);

#[async_trait::async_trait]
impl Embedder for Queued {
    fn identity(&self) -> &ModelIdentity {
        self.0.identity()
    }

    fn limits(&self) -> BatchLimits {
        self.0.limits()
    }

    fn requests(&self) -> Option<usize> {
        self.0.requests()
    }

    async fn embed(&self, texts: &[String], purpose: Purpose) -> Result<Vec<Vector>, EmbedError> {
        tokio::time::sleep(Duration::from_secs(60)).await;
        self.0.embed(texts, purpose).await
    }

    async fn probe(&self) -> Result<(), EmbedError> {
        self.0.probe().await
    }
}

const HANGS: Duration = Duration::from_secs(60);

struct Hanging(Arc<Slow>);

#[async_trait::async_trait]
impl Embedder for Hanging {
    fn identity(&self) -> &ModelIdentity {
        self.0.identity()
    }

    fn limits(&self) -> BatchLimits {
        self.0.limits()
    }

    fn requests(&self) -> Option<usize> {
        self.0.requests()
    }

    async fn embed(&self, texts: &[String], purpose: Purpose) -> Result<Vec<Vector>, EmbedError> {
        if texts.iter().any(|text| text == "note 3") {
            tokio::time::sleep(HANGS).await;
            return Err(EmbedError::transient("no answer in time"));
        }
        self.0.embed(texts, purpose).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_as_a_whole_is_asked_no_more_and_no_article_is_blamed() {
    let slow = slow(2, |_| Some(EmbedError::transient("a 500")));
    let failed = embed_notes(&slow, 100).await;
    assert_eq!(failed.len(), 100);
    assert!(failed.iter().all(|(_, error)| error.fault == Fault::Provider));
    assert!(slow.requests.lock().expect("the lock").len() <= 2, "the others were not sent");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_asks_for_a_pause_is_not_even_probed() {
    let pause = || EmbedError::transient("a 429").retry_after(Some(Duration::from_secs(9)));
    let slow = slow(2, move |texts| {
        assert_ne!(texts, ["probe"], "it asked for a pause");
        Some(EmbedError { fault: Fault::Provider, ..pause() })
    });
    let failed = embed_notes(&slow, 100).await;
    assert!(failed.len() == 100 && failed.iter().all(|(_, error)| error.fault == Fault::Provider));
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

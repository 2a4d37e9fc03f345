//! Requests that wait for their turn at the provider.

use super::*;

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

//! What failures of requests mean for their texts.

use super::*;

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

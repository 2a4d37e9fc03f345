//! Every text is embedded once, whatever happens to the attempts that bring it.

use std::collections::HashMap;

use tokio::sync::watch;

use super::*;

/// What one attempt does.
#[derive(Debug, Clone)]
struct Plan {
    /// From a small range, so that attempts share some.
    texts: Vec<u8>,
    queue_key: i64,
    /// Until it arrives. *Units:* milliseconds.
    comes: u64,
    /// While it reads and cuts. *Units:* milliseconds.
    cuts: u64,
    /// Until it is killed, if it is. *Units:* milliseconds.
    dies: Option<u64>,
    alone: bool,
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let texts = prop::collection::hash_set(0u8..60, 0..25).prop_map(|texts| texts.into_iter().collect());
    let plan =
        (texts, -3i64..3, 0u64..400, 0u64..30, prop::option::weighted(0.2, 0u64..500), prop::bool::weighted(0.1));
    let plan = plan.prop_map(|(texts, queue_key, comes, cuts, dies, alone)| Plan {
        texts,
        queue_key,
        comes,
        cuts,
        dies,
        alone,
    });
    prop::collection::vec(plan, 1..16)
}

/// What is wrong with some texts.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Data,
    Transient,
    Panic,
    /// The provider fails as a whole, for a while.
    Away,
}

fn faults() -> impl Strategy<Value = HashMap<u8, Fault>> {
    let fault = prop_oneof![Just(Fault::Data), Just(Fault::Transient), Just(Fault::Panic), Just(Fault::Away)].boxed();
    prop::collection::hash_map(0u8..60, fault, 0..3)
}

/// Counts the texts that it answers and those that it refuses.
struct Counting {
    inner: Arc<Slow>,
    faults: HashMap<u8, Fault>,
    counts: Mutex<HashMap<String, Counts>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    begun: usize,
    answered: usize,
    refused: usize,
}

impl Counting {
    fn count(&self, texts: &[String], change: impl Fn(&mut Counts)) {
        let mut counts = self.counts.lock().expect("the lock");
        texts.iter().for_each(|text| change(counts.entry(text.clone()).or_default()));
    }

    fn fault(&self, texts: &[String]) -> Option<Fault> {
        texts.iter().find_map(|text| self.faults.get(&text.parse().ok()?).copied())
    }
}

#[async_trait::async_trait]
impl Embedder for Counting {
    fn identity(&self) -> &ModelIdentity {
        self.inner.identity()
    }

    fn limits(&self) -> BatchLimits {
        self.inner.limits()
    }

    fn requests(&self) -> Option<usize> {
        self.inner.requests()
    }

    async fn embed(&self, texts: &[String], purpose: Purpose) -> Result<Vec<Vector>, EmbedError> {
        self.count(texts, |counts| counts.begun += 1);
        let vectors = self.inner.embed(texts, purpose).await?;
        let Some(fault) = self.fault(texts) else {
            self.count(texts, |counts| counts.answered += 1);
            return Ok(vectors);
        };
        self.count(texts, |counts| counts.refused += 1);
        match fault {
            Fault::Data => Err(EmbedError::data("bad")),
            Fault::Transient => Err(EmbedError::transient("a 500")),
            Fault::Panic => panic!("asked to panic"),
            Fault::Away => Err(EmbedError::unavailable("away")),
        }
    }

    async fn probe(&self) -> Result<(), EmbedError> {
        Ok(())
    }
}

/// The answers to an attempt; `None` if it was killed.
type Ended = Option<(Vec<usize>, Result<(), EmbedError>)>;

async fn attempt(requests: Arc<Requests>, plan: Plan) -> Ended {
    let Plan { texts, queue_key, comes, cuts, dies, alone } = plan;
    tokio::time::sleep(Duration::from_millis(comes)).await;
    let work = async {
        let entry = requests.enter(RequestRank { queue_key, alone });
        tokio::time::sleep(Duration::from_millis(cuts)).await;
        let texts = texts.iter().map(|number| text(number.to_string(), 5)).collect();
        let mut places = Vec::new();
        let result = entry.embed(texts, |place, _| places.push(place)).await;
        (places, result.map_err(|refused| refused.refusal.error))
    };
    match dies {
        Some(dies) => tokio::time::timeout(Duration::from_millis(dies), work).await.ok(),
        None => Some(work.await),
    }
}

/// Runs all attempts and returns their answers.
async fn run(plans: &[Plan], faults: &HashMap<u8, Fault>, shared: usize) -> (Vec<Ended>, HashMap<String, Counts>) {
    let embedder =
        Arc::new(Counting { inner: slow(shared, |_| None), faults: faults.clone(), counts: Mutex::default() });
    let requests = Requests::new(Arc::clone(&embedder) as Arc<dyn Embedder>, usize::MAX);
    let attempts: Vec<_> =
        plans.iter().map(|plan| tokio::spawn(attempt(Arc::clone(&requests), plan.clone()))).collect();
    let mut ended = Vec::new();
    for attempt in attempts {
        let end = tokio::time::timeout(Duration::from_secs(3600), attempt).await.expect("nobody waits for ever");
        ended.push(end.expect("no panic"));
    }
    drop(requests);
    let counts = embedder.counts.lock().expect("the lock").clone();
    (ended, counts)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// A text is answered once. It is sent again only if a request that carried it failed, or was aborted because every
    /// attempt that waited for it was gone. Attempts that have failed before share nothing, and may ask again for what
    /// is under way.
    #[test]
    fn a_text_is_embedded_once_whatever_fails_and_whoever_dies(
        plans in plans(), faults in faults(), shared in 1usize..4,
    ) {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        let (ended, counts) = tokio.expect("a runtime").block_on(run(&plans, &faults, shared));
        let nobody_dies = plans.iter().all(|plan| plan.dies.is_none());
        for (text, Counts { begun, answered, refused }) in counts {
            let number: u8 = text.parse().expect("a number");
            let alone = plans.iter().filter(|plan| plan.alone && plan.texts.contains(&number)).count();
            prop_assert!(answered <= 1 + alone, "text {text} was embedded {answered} times");
            prop_assert!(!nobody_dies || begun == answered + refused, "text {text} was broken off, and nobody had gone");
        }
        for (plan, ended) in plans.iter().zip(ended) {
            let Some((places, result)) = ended else { continue };
            let is_good = plan.texts.iter().all(|text| !faults.contains_key(text));
            let some_are_away = faults.values().any(|fault| matches!(fault, Fault::Away));
            if is_good && !some_are_away {
                prop_assert_eq!(&result, &Ok(()), "an attempt paid for the texts of another");
            }
            let mut sorted = places.clone();
            sorted.sort_unstable();
            sorted.dedup();
            prop_assert_eq!(sorted.len(), places.len(), "a text was answered twice");
            prop_assert!(result.is_err() || places.len() == plan.texts.len(), "a text was not answered");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_answered_a_moment_ago_is_not_sent_again_until_it_is_to_be_forgotten() {
    let slow = slow(1, |_| None);
    let requests = Requests::new(Arc::clone(&slow) as Arc<dyn Embedder>, usize::MAX);
    let ask = async |alone| {
        let entry = requests.enter(RequestRank { queue_key: 0, alone });
        entry.embed(vec![text("one".into(), 5)], |_, _| {}).await.expect("a vector");
        slow.requests.lock().expect("the lock").len()
    };
    assert_eq!((ask(false).await, ask(false).await, ask(true).await), (1, 1, 1));
    requests.forget();
    assert_eq!(ask(false).await, 2);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_text_of_a_request_that_fails_for_another_pays_nothing() {
    let slow = slow(2, |texts| texts.iter().any(|text| text == "bad").then(|| EmbedError::transient("a 500")));
    let requests = Requests::new(Arc::clone(&slow) as Arc<dyn Embedder>, usize::MAX);
    let embed = |texts: &[&str]| {
        let entry = requests.enter(RequestRank::default());
        let texts = texts.iter().map(|&input| text(input.into(), 5)).collect();
        tokio::spawn(async move { entry.embed(texts, |_, _| {}).await.map_err(|refused| refused.refusal.error) })
    };
    let first = embed(&["bad", "common"]);
    while slow.running.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let second = embed(&["common"]);
    assert_eq!(second.await.expect("an attempt"), Ok(()));
    assert!(first.await.expect("an attempt").is_err());
}

/// A model whose limits panic on demand, which happens inside the dispatcher.
struct Fragile {
    inner: Arc<Slow>,
    breaks: watch::Sender<bool>,
}

#[async_trait::async_trait]
impl Embedder for Fragile {
    fn identity(&self) -> &ModelIdentity {
        self.inner.identity()
    }

    fn limits(&self) -> BatchLimits {
        assert!(!self.breaks.send_replace(false), "asked to panic");
        self.inner.limits()
    }

    fn requests(&self) -> Option<usize> {
        self.inner.requests()
    }

    async fn embed(&self, texts: &[String], purpose: Purpose) -> Result<Vec<Vector>, EmbedError> {
        self.inner.embed(texts, purpose).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_desk_that_dies_leaves_nobody_waiting_and_the_next_attempt_begins_another() {
    let fragile = Arc::new(Fragile { inner: slow(1, |_| None), breaks: watch::Sender::new(true) });
    let requests = Requests::new(Arc::clone(&fragile) as Arc<dyn Embedder>, usize::MAX);
    let ask = async |entry: super::super::Entry| entry.embed(vec![text("one".into(), 5)], |_, _| {}).await.is_ok();
    let (first, second) = (requests.enter(RequestRank::default()), requests.enter(RequestRank::default()));
    assert_eq!(tokio::join!(ask(first), ask(second)), (false, false));
    assert!(ask(requests.enter(RequestRank::default())).await);
}

#[tokio::test(start_paused = true)]
async fn what_an_article_waits_for_its_turn_is_not_charged_to_it() {
    let slow = slow(1, |_| None);
    let requests = Requests::new(Arc::clone(&slow) as Arc<dyn Embedder>, usize::MAX);
    let alone = |queue_key| RequestRank { queue_key, alone: true };
    let entries: Vec<_> = (0..4).map(|number| requests.enter(alone(number))).collect();
    let limited = entries.iter().enumerate().map(async |(number, entry)| {
        let asked = entry.embed(texts(number as u64, &[5]), |_, _| {});
        entry.limited(LATENCY * 3 / 2, asked).await.is_some_and(|result| result.is_ok())
    });
    assert_eq!(futures_util::future::join_all(limited).await, [true; 4], "each had one turn of one latency");
    let asked = entries[0].embed(vec![text("again".into(), 5)], |_, _| {});
    assert!(entries[0].limited(LATENCY / 2, asked).await.is_none(), "its own turn is charged to it");
}

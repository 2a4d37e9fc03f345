//! Articles share requests: the stored vectors are the same as if each had been embedded by itself.

use std::sync::{Arc, atomic::Ordering};

use afterword_actors::{
    Runtime, RuntimeSettings,
    embedder::EmbedError,
    store::sql::{FromRow, Sql},
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::Fixture;
use crate::support::{TestModel, quick};

/// Texts in a request of the test's model.
const TEXTS: usize = 8;

pub(super) fn sharing(requests: usize) -> Arc<TestModel> {
    let model = TestModel::new("one");
    model.shared.store(requests, Ordering::SeqCst);
    model
}

/// The calls in which `text` was embedded.
pub(super) fn times(model: &TestModel, text: &str) -> usize {
    model.calls.lock().expect("the lock").get(text).copied().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn short_articles_share_requests_within_the_limits() {
    let (bench, model) = (Fixture::new().await, sharing(2));
    for number in 0..64 {
        bench.save(&format!("title {number}"), "").await;
    }
    model.hold().await;
    let settings = RuntimeSettings { slots: 64, ..quick() };
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
    model.runs(2).await;
    model.open();
    let stats = bench.settled(&runtime).await;
    assert_eq!((stats.completed, stats.failed), (64, 0));
    assert_eq!(bench.number("SELECT max(attempts) AS n FROM embedding_tasks").await, 1);
    assert_eq!((0..64).map(|number| times(&model, &format!("title {number}"))).max(), Some(1));
    assert_eq!(model.peak.load(Ordering::SeqCst), 2);
    assert!(model.largest.load(Ordering::SeqCst) <= TEXTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_text_fails_alone_and_costs_the_others_no_attempt() {
    for bad in ["POISON", "PANIC", "FLAKY"] {
        let (bench, model) = (Fixture::new().await, sharing(2));
        for number in 0..30 {
            let title = if number == 13 { format!("{bad} 13") } else { format!("title {number}") };
            bench.save(&title, "").await;
        }
        let settings = RuntimeSettings { slots: 30, ..quick() };
        let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
        let stats = bench.settled(&runtime).await;
        assert_eq!((stats.completed, stats.failed), (29, 1), "{bad}");
        let good = "SELECT max(attempts) AS n FROM embedding_tasks WHERE status = 'completed'";
        assert_eq!(bench.number(good).await, 1, "{bad}: an article paid for another");
        // Its first request, the parts in which it was looked for, its further attempts alone.
        assert!(times(&model, &format!("{bad} 13")) <= 12, "{bad}: {}", times(&model, &format!("{bad} 13")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_the_moment_costs_one_more_request_and_nobody_an_attempt() {
    let (bench, model) = (Fixture::new().await, sharing(1));
    for number in 0..8 {
        bench.save(&format!("title {number}"), "").await;
    }
    model.fail("title", EmbedError::transient("a hiccup"), 1);
    let settings = RuntimeSettings { slots: 8, ..quick() };
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
    assert_eq!(bench.settled(&runtime).await.completed, 8);
    let paid = bench.number("SELECT count(*) AS n FROM embedding_tasks WHERE attempts > 1").await;
    // Alone in the first request, an article is tried again as a task.
    assert!(paid <= 1, "{paid} articles paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_asks_for_a_pause_gets_it_with_texts_still_waiting() {
    let (bench, model) = (Fixture::new().await, sharing(1));
    for number in 0..40 {
        bench.save(&format!("title {number}"), "").await;
    }
    model.fail("title", EmbedError::unavailable("slow down"), 1);
    let settings = RuntimeSettings { slots: 40, ..quick() };
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
    let stats = bench.settled(&runtime).await;
    assert_eq!((stats.completed, stats.failed), (40, 0));
    assert_eq!(bench.number("SELECT max(attempts) AS n FROM embedding_tasks").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_text_that_is_always_answered_as_by_a_provider_that_is_away_fails_and_those_beside_it_do_not() {
    let (bench, model) = (Fixture::new().await, sharing(2));
    for number in 0..30 {
        let title = if number == 13 { "AWAY".to_owned() } else { format!("title {number}") };
        bench.save(&title, "").await;
    }
    model.fail("AWAY", EmbedError::unavailable("503"), usize::MAX);
    let settings = RuntimeSettings { slots: 30, ..quick() };
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
    let stats = bench.settled(&runtime).await;
    assert_eq!((stats.completed, stats.failed), (29, 1));
    assert_eq!(bench.number("SELECT max(attempts) AS n FROM embedding_tasks WHERE slug <> 'AWAY'").await, 1);
}

/// One article of a mix: its lines, and what is done to it while others are embedded.
#[derive(Debug, Clone)]
struct Plan {
    lines: Vec<u8>,
    later: Later,
}

#[derive(Debug, Clone, Copy)]
enum Later {
    Nothing,
    Edit(u8),
    Delete,
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let later =
        prop_oneof![4 => Just(Later::Nothing), 1 => any::<u8>().prop_map(Later::Edit), 1 => Just(Later::Delete)];
    let lines =
        prop_oneof![6 => prop::collection::vec(any::<u8>(), 0..4), 1 => prop::collection::vec(any::<u8>(), 20..60)];
    prop::collection::vec((lines, later).prop_map(|(lines, later)| Plan { lines, later }), 1..16)
}

/// Few different texts, so that articles share some; some are bad.
fn line(seed: u8) -> String {
    match seed {
        0..3 => "POISON".to_owned(),
        3..5 => "FLAKY".to_owned(),
        5..7 => "PANIC".to_owned(),
        7.. => format!("line {}", seed % 97),
    }
}

fn body(lines: &[u8]) -> String {
    lines.iter().map(|&seed| line(seed)).collect::<Vec<_>>().join("\n")
}

#[derive(Debug, PartialEq, FromRow)]
struct Stored {
    slug: String,
    revision: i64,
    position: Option<i32>,
    hash: Option<String>,
    vector: Option<Vec<u8>>,
}

/// Runs the plans and returns what is stored of them at the end.
async fn run(plans: &[Plan], shared: usize, slots: u32) -> (Vec<Stored>, usize, usize) {
    let (bench, model) = (Fixture::new().await, sharing(shared));
    let mut ids = Vec::new();
    for (number, plan) in plans.iter().enumerate() {
        ids.push(bench.save(&format!("title {number}"), &body(&plan.lines)).await);
    }
    let settings = RuntimeSettings { slots, ..quick() };
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
    for (plan, id) in plans.iter().zip(ids) {
        match plan.later {
            Later::Nothing => {}
            Later::Edit(seed) => edit(&bench, id, &line(seed)).await,
            Later::Delete => bench.run(format!("DELETE FROM articles WHERE id = {id}")).await,
        }
    }
    runtime.wake();
    bench.settled(&runtime).await;
    let stored = bench
        .database
        .reader()
        .rows(
            "SELECT a.slug, a.revision, c.position, c.hash, c.vector FROM articles a
             LEFT JOIN article_embeddings e ON e.article_id = a.id AND e.revision = a.revision
             LEFT JOIN article_chunks c ON c.article_id = a.id AND e.article_id IS NOT NULL
             ORDER BY a.slug, c.position",
            [],
        )
        .await
        .expect("the rows");
    (stored, model.largest.load(Ordering::SeqCst), model.peak.load(Ordering::SeqCst))
}

pub(super) async fn edit(bench: &Fixture, id: i64, text: &str) {
    bench
        .run(format!(
            "UPDATE articles SET body = '{text}', revision = 2, content_hash = 'edited {text}' WHERE id = {id}"
        ))
        .await;
    bench.enqueue_again(id, 2).await;
}

#[test]
fn any_mix_is_stored_as_if_each_article_had_been_embedded_by_itself() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime of tokio");
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    let strategy = (plans(), 1usize..4, 2u32..40);
    let result = runner.run(&strategy, |(plans, shared, slots)| {
        runtime.block_on(async {
            let (alone, ..) = run(&plans, 0, 1).await;
            let (together, largest, peak) = run(&plans, shared, slots).await;
            prop_assert_eq!(together, alone);
            prop_assert!(largest <= TEXTS, "a request of {} texts", largest);
            prop_assert!(peak <= shared, "{} requests at the same time", peak);
            Ok(())
        })
    });
    result.expect("the property");
}

//! Articles share requests, and the rules for tasks and slots are as before: one task for each slot, one attempt at an
//! article, one article after the other if so set, saves first, no article behind all of another.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use afterword_actors::{
    Runtime, RuntimeSettings,
    embedder::{Chunk, Chunker, EmbedError, Model, Source},
    task::Priority,
};

use super::{
    Fixture,
    requests::{edit, sharing, times},
};
use crate::support::{TestModel, quick};

async fn start(bench: &Fixture, model: &Arc<TestModel>, slots: u32) -> Runtime {
    let settings = RuntimeSettings { slots, ..quick() };
    Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime")
}

/// Waits until this many tasks are processed.
async fn in_work(bench: &Fixture, tasks: i64) {
    while bench.number("SELECT count(*) AS n FROM embedding_tasks WHERE status = 'processing'").await < tasks {
        tokio::task::yield_now().await;
    }
}

/// Each look at the tree passes through the mailbox of the queue, which has claimed by then if it wanted to.
async fn looked_often(runtime: &Runtime) {
    for _ in 0..50 {
        runtime.wake();
        runtime.status().await.expect("a tree");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_has_one_task_at_a_time() {
    let (bench, model) = (Fixture::new().await, sharing(2));
    for number in 0..20 {
        bench.save(&format!("title {number}"), "").await;
    }
    model.hold().await;
    let runtime = start(&bench, &model, 4).await;
    in_work(&bench, 4).await;
    looked_often(&runtime).await;
    let slots = "SELECT count(DISTINCT slot) AS n FROM embedding_tasks WHERE status = 'processing'";
    assert_eq!(bench.number(slots).await, 4);
    in_work(&bench, 4).await;
    assert_eq!(bench.number("SELECT count(*) AS n FROM embedding_tasks WHERE status = 'processing'").await, 4);
    model.open();
    assert_eq!(bench.settled(&runtime).await.completed, 20);
    let doubled = "SELECT count(*) AS n FROM embedding_task_events WHERE to_status = 'processing'";
    assert_eq!(bench.number(doubled).await, 20, "each was claimed once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_is_never_in_work_twice() {
    let (bench, model) = (Fixture::new().await, sharing(2));
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(bench.save(&format!("title {number}"), "").await);
    }
    model.hold().await;
    let runtime = start(&bench, &model, 16).await;
    in_work(&bench, 6).await;
    for &id in &ids {
        edit(&bench, id, &format!("edited {id}")).await;
    }
    looked_often(&runtime).await;
    let twice = "SELECT count(*) AS n FROM embedding_tasks WHERE status = 'processing'";
    assert_eq!(bench.number(twice).await, 6, "ten slots are free, and the edits wait");
    model.open();
    assert_eq!(bench.settled(&runtime).await.completed, 12);
    let newest = "SELECT count(*) AS n FROM article_embeddings WHERE revision = 2";
    assert_eq!(bench.number(newest).await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_one_slot_articles_are_embedded_strictly_one_after_the_other() {
    let (bench, model) = (Fixture::new().await, sharing(4));
    for article in 0..5 {
        let lines: Vec<_> = (0..30).map(|line| format!("{article} line {line}")).collect();
        bench.save(&format!("{article} title"), &lines.join("\n")).await;
    }
    let runtime = start(&bench, &model, 1).await;
    assert_eq!(bench.settled(&runtime).await.completed, 5);
    let log = model.log.lock().expect("the lock").clone();
    let mut order: Vec<_> = log.iter().flatten().map(|text| text[..1].to_owned()).collect();
    assert_eq!(order.len(), 5 * 31);
    order.dedup();
    assert_eq!(order.iter().collect::<HashSet<_>>().len(), order.len(), "one article came between another: {order:?}");
    let is_mixed = |request: &Vec<String>| request.iter().any(|text| text[..1] != request[0][..1]);
    assert!(!log.iter().any(is_mixed), "two articles in one request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_not_behind_all_of_a_long_article() {
    const LINES: usize = 10_000;
    let (bench, model) = (Fixture::new().await, sharing(1));
    let lines: Vec<_> = (0..LINES).map(|line| format!("line {line}")).collect();
    bench.save("long", &lines.join("\n")).await;
    model.hold().await;
    let runtime = start(&bench, &model, 4).await;
    model.runs(1).await;
    bench.save("note", "").await;
    runtime.wake();
    in_work(&bench, 2).await;
    let mut requests = 0;
    while bench.number("SELECT count(*) AS n FROM embedding_tasks WHERE status = 'completed'").await == 0 {
        let begun = model.log.lock().expect("the lock").len();
        model.let_one_end();
        while model.log.lock().expect("the lock").len() == begun {
            tokio::task::yield_now().await;
        }
        requests += 1;
        assert!(requests < LINES / 8 / 2, "the note is behind half of the article");
    }
    assert_eq!(times(&model, "note"), 1);
    model.open();
    assert_eq!(bench.settled(&runtime).await.completed, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_goes_before_bulk_work_that_came_earlier() {
    let (bench, model) = (Fixture::new().await, sharing(1));
    for number in 0..400 {
        bench.save(&format!("title {number}"), "").await;
    }
    // Behind saves, as an import queues them that began an hour ago.
    let handicap = Priority::Low.handicap().as_millis();
    let an_hour_ago = format!(
        "UPDATE embedding_tasks SET priority = 'low', scheduled_at = scheduled_at - 3600000,
                                   queue_key = scheduled_at - 3600000 + {handicap}"
    );
    bench.run(&an_hour_ago).await;
    model.hold().await;
    let runtime = start(&bench, &model, 16).await;
    in_work(&bench, 16).await;
    model.runs(1).await;
    bench.save("by a person", "").await;
    runtime.wake();
    let mut requests = 0;
    while !model.has_begun("by a person") {
        model.let_one_end();
        requests += 1;
        model.runs(1).await;
        while bench.number("SELECT count(*) AS n FROM embedding_tasks WHERE status = 'processing'").await < 16
            && !model.has_begun("by a person")
        {
            tokio::task::yield_now().await;
        }
    }
    // One that runs, one that is full already, and one that waits no longer for texts that are being read.
    assert!(requests <= 6, "behind {requests} of 50 requests");
    model.open();
    assert_eq!(bench.settled(&runtime).await.completed, 401);
}

/// Bodies that have been cut and not embedded, as the chunker and the model see it.
struct Weighing {
    inner: Model,
    model: Arc<TestModel>,
    cut: AtomicUsize,
    most: AtomicUsize,
}

const MIB: usize = 1 << 20;

impl Chunker for Weighing {
    fn chunk(&self, source: Source<'_>) -> Result<Vec<Chunk>, EmbedError> {
        if source.body.len() > MIB {
            let log = self.model.log.lock().expect("the lock").clone();
            let embedded = log.iter().flatten().filter(|text| text.starts_with("last")).count();
            let cut = self.cut.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(cut - embedded, Ordering::SeqCst);
        }
        self.inner.chunker.chunk(source)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_articles_in_work_take_so_much_memory_and_no_more_whatever_the_slots() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    for number in 0..8 {
        let body = format!("{number}{}\nlast {number}", "x".repeat(6 * MIB));
        bench.save(&format!("long {number}"), &body).await;
    }
    let weighing = Weighing { inner: model.model(), model: Arc::clone(&model), cut: 0.into(), most: 0.into() };
    let weighing = Arc::new(weighing);
    let offered = Model { chunker: Arc::clone(&weighing) as _, ..model.model() };
    let settings = RuntimeSettings { slots: 8, ..quick() };
    let runtime = Runtime::start(bench.database.clone(), offered, settings).await.expect("a runtime");
    assert_eq!(bench.settled(&runtime).await.completed, 8);
    let most = weighing.most.load(Ordering::SeqCst);
    assert!((1..=2).contains(&most), "{most} bodies of 6 MiB in work, of 16 MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_slot_is_one_request_after_the_other() {
    let (bench, model) = (Fixture::new().await, sharing(4));
    let lines: Vec<_> = (0..60).map(|number| format!("line {number}")).collect();
    bench.save("long", &lines.join("\n")).await;
    let runtime = start(&bench, &model, 1).await;
    assert_eq!(bench.settled(&runtime).await.completed, 1);
    assert_eq!(model.peak.load(Ordering::SeqCst), 1);
}

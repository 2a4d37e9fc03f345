//! A change of model: searches never find less than before.

#[path = "models/building.rs"]
mod building;
#[path = "models/bulk_runs.rs"]
mod bulk_runs;
#[path = "models/providers.rs"]
mod providers;
#[path = "models/races.rs"]
mod races;
#[path = "models/story.rs"]
mod story;

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use afterword_actors::{
    Offer, OtherModels, Runtime, RuntimeSettings, Trouble,
    embedder::{EmbedError, ErrorKind, Model, ModelIdentity},
    store::{
        StoreError,
        backlog::{self, Backlog, Order},
        bulk,
        models::{self, Switch},
        sql::Sql,
        stats, tasks,
        vectors::{self, NewSet},
    },
    task::{ClaimedTask, EmbeddedSet, NewTask, Operation, Priority},
};
use proptest::prelude::*;
use tokio::sync::oneshot;

use super::{Fixture, deaths::Hosts};
use crate::support::{TestModel, hash_of, quick, task};

const DEADLINE: Duration = Duration::from_secs(10);
const ACTIVE: &str = "SELECT id AS n FROM embedding_models WHERE state = 'active'";
const VECTORS_IN_USE: &str = "
    SELECT count(*) AS n FROM article_embeddings e JOIN embedding_models m ON m.id = e.model_id
    WHERE m.state = 'active'";

/// A host whose settings name `own`, and which reaches the provider of `other` too.
struct Knows(Arc<TestModel>);

impl OtherModels for Knows {
    fn model_of(&self, identity: &ModelIdentity, _: Option<&str>) -> Option<Model> {
        let model = self.0.model();
        (model.embedder.identity().fingerprint() == identity.fingerprint()).then_some(model)
    }
}

fn knowing(own: &Arc<TestModel>, other: &Arc<TestModel>) -> Offer {
    Offer { model: own.model(), settings: None, others: Arc::new(Knows(Arc::clone(other))) }
}

impl Fixture {
    async fn embedded_by(&self, model: &Arc<TestModel>, articles: usize) {
        for number in 0..articles {
            self.save(&format!("article-{number}"), &format!("text {number}")).await;
        }
        let runtime = Runtime::start(self.database.clone(), model.model(), quick()).await.expect("a runtime");
        self.settled(&runtime).await;
        runtime.stop(DEADLINE).await;
    }

    async fn change(&self, sql: &'static str) {
        self.database.write(async move |transaction| transaction.run(sql, []).await).await.expect("a change");
    }

    /// Waits until the set of `runtime` is in use; no look finds fewer than `least` vectors in use.
    async fn changes_over(&self, runtime: &Runtime, least: i64) {
        while self.number(ACTIVE).await != runtime.handle().model_id() {
            assert!(self.number(VECTORS_IN_USE).await >= least, "searches have less than they had");
            tokio::task::yield_now().await;
        }
        assert!(self.number(VECTORS_IN_USE).await >= least, "the new set has less than the old one");
    }

    /// Opens a run and queues what goes at once.
    async fn bulk(&self, ahead: u32) -> i64 {
        let id = self
            .database
            .write(async move |transaction| bulk::open(transaction, Backlog::All, "", 0).await)
            .await
            .expect("a run");
        let run = bulk::find(self.database.reader(), id).await.expect("a query").expect("a run");
        let run = Arc::new(run);
        loop {
            let run = Arc::clone(&run);
            let page = self.database.write(async move |transaction| bulk::advance(transaction, &run, 3, ahead).await);
            if page.await.expect("a page") != bulk::Page::Queued {
                return id;
            }
        }
    }

    async fn cancel_bulk(&self, id: i64) -> bool {
        self.database.write(async move |transaction| bulk::cancel(transaction, id).await).await.expect("a cancellation")
    }

    /// Saves another text of an article, as a host does.
    async fn edit(&self, article_id: i64, slug: &str, revision: i64) {
        let edited = NewTask { operation: Operation::Update, revision, ..task(article_id, slug) };
        self.database
            .write::<_, StoreError, _>(async move |transaction| {
                let sql = "UPDATE articles SET revision = $2, body = body || ' ' || $2, updated_at = {now},
                                   content_hash = content_hash || ' ' || $2 WHERE id = $1";
                transaction.run(sql, [edited.article_id.into(), edited.revision.into()]).await?;
                tasks::enqueue(transaction, &edited).await
            })
            .await
            .expect("a save");
    }

    async fn switch_to(&self, model: &Arc<TestModel>) -> Switch {
        let identity = model.model().embedder.identity().clone();
        self.database
            .write(async move |transaction| models::switch_to(transaction, &identity, None).await)
            .await
            .expect("a switch")
    }

    async fn cancel_switch(&self) -> Option<i64> {
        self.database.write(async |transaction| models::cancel(transaction).await).await.expect("a cancellation")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_with_another_model_claims_nothing_and_changes_nothing() {
    let (bench, in_use, other) = (Fixture::new().await, TestModel::new("in use"), TestModel::new("other"));
    let server = Runtime::start(bench.database.clone(), in_use.model(), quick()).await.expect("a runtime");
    let visitor = Runtime::join(bench.database.clone(), other.model(), quick()).await.expect("a runtime");
    for number in 0..61 {
        bench.save(&format!("article-{number}"), "text").await;
        server.wake();
        visitor.wake();
    }
    bench.settled(&server).await;
    assert_eq!(bench.number(VECTORS_IN_USE).await, 61);
    assert_eq!(bench.number("SELECT count(*) AS n FROM article_embeddings").await, 61);
    assert_eq!(other.peak.load(Ordering::SeqCst), 0, "it has embedded nothing");
    let told = visitor.handle().idle_because().await.expect("a query").expect("a reason");
    assert!(told.contains("other is neither in use nor being built"), "{told}");
    assert_eq!(server.handle().idle_because().await.expect("a query"), None);
    loop {
        let trouble = visitor.status().await.map(|status| status.trouble).unwrap_or_default();
        if trouble.iter().any(|trouble| trouble.to_string() == told) {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.number("SELECT count(*) AS n FROM embedding_models WHERE state = 'building'").await, 0);
    visitor.stop(DEADLINE).await;
    server.stop(DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_server_that_is_started_again_does_not_take_the_model_back() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 8).await;
    let newer = Runtime::start(bench.database.clone(), new.model(), quick()).await.expect("a runtime");
    bench.changes_over(&newer, 8).await;
    let older = Runtime::start(bench.database.clone(), old.model(), quick()).await.expect("a runtime");
    bench.save("later", "text").await;
    newer.wake();
    older.wake();
    bench.settled(&newer).await;
    assert_eq!(bench.number(ACTIVE).await, newer.handle().model_id());
    assert_eq!(bench.number(VECTORS_IN_USE).await, 9);
    assert!(older.handle().idle_because().await.expect("a query").is_some());
    // An operator may cancel it, and existing vectors are not made again.
    assert_eq!(bench.switch_to(&old).await, Switch::Begun { instead_of: None });
    bench.changes_over(&older, 9).await;
    older.stop(DEADLINE).await;
    newer.stop(DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_the_model_in_use_keeps_it() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 3).await;
    assert_eq!(bench.switch_to(&old).await, Switch::InUse { instead_of: None });
    let Switch::Begun { instead_of: None } = bench.switch_to(&new).await else { panic!("it is built from now on") };
    let building = bench.number("SELECT id AS n FROM embedding_models WHERE state = 'building'").await;
    assert_eq!(bench.switch_to(&old).await, Switch::InUse { instead_of: Some(building) });
    assert_eq!(bench.number("SELECT count(*) AS n FROM embedding_models WHERE state = 'building'").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_change_keeps_the_old_set_and_leaves_nothing_behind() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 12).await;
    new.hold().await;
    let runtime = Runtime::start(bench.database.clone(), new.model(), quick()).await.expect("a runtime");
    while new.peak.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.cancel_switch().await, Some(runtime.handle().model_id()));
    new.open();
    bench.settled(&runtime).await;
    assert_eq!(bench.number(VECTORS_IN_USE).await, 12);
    runtime.stop(DEADLINE).await;
    // Not even a restart begins it again.
    let runtime = Runtime::start(bench.database.clone(), new.model(), quick()).await.expect("a runtime");
    assert!(runtime.handle().idle_because().await.expect("a query").is_some());
    assert_eq!(bench.switch_to(&new).await, Switch::Begun { instead_of: None });
    bench.changes_over(&runtime, 12).await;
    runtime.stop(DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_back_delays_no_task() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    for number in 0..3 {
        bench.save(&format!("article-{number}"), "text").await;
    }
    bench
        .change(
            "UPDATE embedding_tasks SET created_at = created_at + 7200000, updated_at = updated_at + 7200000,
                 scheduled_at = scheduled_at + 7200000, queue_key = queue_key + 7200000",
        )
        .await;
    // What an operator does about tasks that do not move; it must not hide why.
    bench.bulk(500).await;
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    assert_eq!(bench.settled(&runtime).await.completed, 3);
    runtime.stop(DEADLINE).await;
}

#[tokio::test]
async fn the_longest_due_task_is_told_whatever_its_priority() {
    let bench = Fixture::new().await;
    bench.save("normal", "text").await;
    bench.save("low", "text").await;
    bench
        .change(
            "UPDATE embedding_tasks SET priority = 'low', scheduled_at = scheduled_at - 300000,
                 queue_key = queue_key + 240000 WHERE slug = 'low'",
        )
        .await;
    let due = stats::queue(bench.database.reader()).await.expect("statistics").oldest_due_ms;
    assert!(due.is_some_and(|due| due >= 300_000), "{due:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_hosts_that_know_no_models_are_work_for_the_set_in_use() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 3).await;
    let runtime = Runtime::start(bench.database.clone(), knowing(&new, &old), quick()).await.expect("a runtime");
    bench.save("from an earlier version", "text").await;
    bench.change("UPDATE embedding_tasks SET model_id = NULL WHERE status = 'pending'").await;
    runtime.wake();
    bench.changes_over(&runtime, 3).await;
    assert_eq!(bench.settled(&runtime).await.failed, 0);
    assert_eq!(bench.number(VECTORS_IN_USE).await, 4);
    runtime.stop(DEADLINE).await;
}

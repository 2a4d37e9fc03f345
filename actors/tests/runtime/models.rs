//! A change of model: searches never find less than before.

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
        self.database
            .write::<_, StoreError, _>(move |transaction| Box::pin(async move { transaction.run(sql, []).await }))
            .await
            .expect("a change");
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
            .write::<_, StoreError, _>(|transaction| {
                Box::pin(async move { bulk::open(transaction, Backlog::All, "", 0).await })
            })
            .await
            .expect("a run");
        let run = bulk::find(self.database.reader(), id).await.expect("a query").expect("a run");
        let run = Arc::new(run);
        loop {
            let run = Arc::clone(&run);
            let page = self.database.write::<_, StoreError, _>(move |transaction| {
                Box::pin(async move { bulk::advance(transaction, &run, 3, ahead).await })
            });
            if page.await.expect("a page") != bulk::Page::Queued {
                return id;
            }
        }
    }

    async fn cancel_bulk(&self, id: i64) -> bool {
        self.database
            .write::<_, StoreError, _>(move |transaction| Box::pin(bulk::cancel(transaction, id)))
            .await
            .expect("a cancellation")
    }

    /// Saves another text of an article, as a host does.
    async fn edit(&self, article_id: i64, slug: &str, revision: i64) {
        let edited = NewTask { operation: Operation::Update, revision, ..task(article_id, slug) };
        self.database
            .write::<_, StoreError, _>(move |transaction| {
                Box::pin(async move {
                    let sql = "UPDATE articles SET revision = $2, body = body || ' ' || $2, updated_at = {now},
                                   content_hash = content_hash || ' ' || $2 WHERE id = $1";
                    transaction.run(sql, [edited.article_id.into(), edited.revision.into()]).await?;
                    tasks::enqueue(transaction, &edited).await
                })
            })
            .await
            .expect("a save");
    }

    async fn switch_to(&self, model: &Arc<TestModel>) -> Switch {
        let identity = model.model().embedder.identity().clone();
        self.database
            .write::<_, StoreError, _>(move |transaction| {
                Box::pin(async move { models::switch_to(transaction, &identity, None).await })
            })
            .await
            .expect("a switch")
    }

    async fn cancel_switch(&self) -> Option<i64> {
        self.database
            .write::<_, StoreError, _>(|transaction| Box::pin(models::cancel(transaction)))
            .await
            .expect("a cancellation")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_bulk_run_does_not_make_a_new_set_whole() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 30).await;
    let run = bench.bulk(500).await;
    assert!(bench.cancel_bulk(run).await);
    new.hold().await;
    let runtime = Runtime::start(bench.database.clone(), new.model(), quick()).await.expect("a runtime");
    while new.peak.load(Ordering::SeqCst) == 0 {
        assert_eq!(bench.number(VECTORS_IN_USE).await, 30, "the old set serves");
        tokio::task::yield_now().await;
    }
    new.open();
    bench.changes_over(&runtime, 30).await;
    runtime.stop(DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_of_the_old_model_do_not_make_a_new_set_whole() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 20).await;
    bench.change("UPDATE embedding_tasks SET status = 'failed', cause = 'failed' WHERE status = 'completed'").await;
    new.hold().await;
    let runtime = Runtime::start(bench.database.clone(), new.model(), quick()).await.expect("a runtime");
    while new.peak.load(Ordering::SeqCst) == 0 {
        assert_eq!(bench.number(VECTORS_IN_USE).await, 20, "the old set serves");
        tokio::task::yield_now().await;
    }
    new.open();
    bench.changes_over(&runtime, 20).await;
    runtime.stop(DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_new_model_cannot_embed_and_the_old_one_did_keeps_the_old_set_until_an_operator_says_so() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 5).await;
    bench.change("UPDATE articles SET body = 'POISON' WHERE slug = 'article-3'").await;
    let runtime = Runtime::start(bench.database.clone(), new.model(), quick()).await.expect("a runtime");
    let id = runtime.handle().model_id();
    loop {
        let left = models::hindrances(bench.database.reader(), id).await.expect("a count");
        if (left.open, left.failed) == (0, 1) {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_ne!(bench.number(ACTIVE).await, id, "one article would not be found any more");
    bench
        .database
        .write::<_, StoreError, _>(move |transaction| {
            Box::pin(async move { models::accept_failed(transaction, id).await })
        })
        .await
        .expect("a word");
    bench.changes_over(&runtime, 4).await;
    runtime.stop(DEADLINE).await;
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
async fn a_retry_that_is_refused_takes_nothing_from_the_set_being_built() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 1).await;
    new.hold().await;
    let runtime = Runtime::start(bench.database.clone(), new.model(), quick()).await.expect("a runtime");
    while new.peak.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    runtime.stop(Duration::ZERO).await;
    let waiting = "SELECT id AS n FROM embedding_tasks WHERE status = 'pending'";
    let of_the_new_set = bench.number(waiting).await;
    let completed = bench.number("SELECT id AS n FROM embedding_tasks WHERE status = 'completed'").await;
    let refused = bench
        .database
        .write::<_, StoreError, _>(move |transaction| Box::pin(tasks::retry(transaction, completed)))
        .await
        .expect("an answer");
    assert_eq!(refused, tasks::Change::AlreadyWaiting(of_the_new_set));
    assert_eq!(bench.number(waiting).await, of_the_new_set);
}

#[tokio::test(flavor = "multi_thread")]
async fn articles_saved_during_a_build_are_embedded_for_both_sets() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 2).await;
    new.hold().await;
    let runtime = Runtime::start(bench.database.clone(), knowing(&new, &old), quick()).await.expect("a runtime");
    while new.peak.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let id = bench.save("meanwhile", "text").await;
    runtime.wake();
    let in_use = format!("{VECTORS_IN_USE} AND e.article_id = {id}");
    while bench.number(&in_use).await == 0 {
        tokio::task::yield_now().await;
    }
    assert_ne!(bench.number(ACTIVE).await, runtime.handle().model_id(), "by the old model, while the new one is held");
    new.open();
    bench.changes_over(&runtime, 3).await;
    runtime.stop(DEADLINE).await;
}

/// A sweep queues a page of articles; the end of each attempt brings the next, and no sweep is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_build_of_many_pages_waits_for_no_second_sweep() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 120).await;
    let settings = RuntimeSettings { slots: 2, sweep_interval: Duration::from_secs(3600), sweep_batch: 10, ..quick() };
    let runtime = Runtime::start(bench.database.clone(), knowing(&new, &old), settings).await.expect("a runtime");
    let over = tokio::time::timeout(Duration::from_secs(60), bench.changes_over(&runtime, 120)).await;
    over.expect("it goes on by itself");
    runtime.stop(DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_is_embedded_for_the_set_in_use_while_the_build_keeps_every_slot_busy() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 10).await;
    new.hold().await;
    let settings = RuntimeSettings { slots: 1, ..quick() };
    let runtime = Runtime::start(bench.database.clone(), knowing(&new, &old), settings).await.expect("a runtime");
    new.runs(1).await;
    let id = bench.save("meanwhile", "text").await;
    runtime.wake();
    // One attempt for the new set ends, and the next one is for the save.
    new.let_one_end();
    let in_use = format!("{VECTORS_IN_USE} AND e.article_id = {id}");
    while bench.number(&in_use).await == 0 {
        tokio::task::yield_now().await;
    }
    assert_ne!(bench.number(ACTIVE).await, runtime.handle().model_id(), "while the new one is held");
    new.open();
    runtime.stop(DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_provider_that_is_away_does_not_keep_the_old_one_from_its_work() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 4).await;
    *new.outage.lock().expect("the lock") = Some(EmbedError::unavailable("refused"));
    let runtime = Runtime::start(bench.database.clone(), knowing(&new, &old), quick()).await.expect("a runtime");
    while runtime.status().await.is_none_or(|status| status.trouble.is_empty()) {
        tokio::task::yield_now().await;
    }
    bench.save("meanwhile", "text").await;
    runtime.wake();
    while bench.number(VECTORS_IN_USE).await < 5 {
        tokio::task::yield_now().await;
    }
    *new.outage.lock().expect("the lock") = None;
    bench.changes_over(&runtime, 5).await;
    runtime.stop(DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_provider_that_fails_during_a_change_costs_no_article_an_attempt() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 2).await;
    new.hold().await;
    let runtime = Runtime::start(bench.database.clone(), knowing(&new, &old), quick()).await.expect("a runtime");
    *old.outage.lock().expect("the lock") = Some(EmbedError::transient("502"));
    let requests = old.requests.load(Ordering::SeqCst);
    let id = bench.save("meanwhile", "text").await;
    runtime.wake();
    let charged = format!("SELECT max(attempts) AS n FROM embedding_tasks WHERE article_id = {id}");
    // More than its attempts would make, each with a probe.
    while old.requests.load(Ordering::SeqCst) < requests + 12 {
        assert!(bench.number(&charged).await <= 1, "one may be under way");
        tokio::task::yield_now().await;
    }
    *old.outage.lock().expect("the lock") = None;
    let in_use = format!("{VECTORS_IN_USE} AND e.article_id = {id}");
    while bench.number(&in_use).await == 0 {
        runtime.wake();
        tokio::task::yield_now().await;
    }
    new.open();
    bench.changes_over(&runtime, 3).await;
    runtime.stop(DEADLINE).await;
}

impl Fixture {
    /// Waits until the runtime tells of a trouble.
    async fn troubled(&self, runtime: &Runtime, which: impl Fn(&Trouble) -> bool) -> Trouble {
        loop {
            let status = runtime.status().await;
            if let Some(found) = status.into_iter().flat_map(|status| status.trouble).find(&which) {
                return found;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_provider_that_fails_is_told_and_has_the_pause_that_it_asks_for() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 2).await;
    new.hold().await;
    let runtime = Runtime::start(bench.database.clone(), knowing(&new, &old), quick()).await.expect("a runtime");
    *old.outage.lock().expect("the lock") = Some(EmbedError::config("401"));
    bench.save("meanwhile", "text").await;
    runtime.wake();
    let fails = |trouble: &Trouble| {
        matches!(trouble, Trouble::ProviderInUse { model, kind: ErrorKind::Config, message, .. }
            if model == "old" && message == "401")
    };
    let told = bench.troubled(&runtime, fails).await.to_string();
    assert!(told.contains("old") && told.contains("401"), "{told}");
    // From its next answer on it asks for an hour: no further request is made.
    let asked = EmbedError::unavailable("429").retry_after(Some(Duration::from_secs(3600)));
    *old.outage.lock().expect("the lock") = Some(asked);
    let waits =
        |trouble: &Trouble| matches!(trouble, Trouble::ProviderInUse { next_try_ms, .. } if *next_try_ms > 3_000_000);
    bench.troubled(&runtime, waits).await;
    let requests = old.requests.load(Ordering::SeqCst);
    for number in 0..20 {
        bench.save(&format!("later-{number}"), "text").await;
        runtime.wake();
    }
    new.open();
    // The new set is made meanwhile.
    while bench.number("SELECT count(*) AS n FROM article_embeddings").await < 4 {
        tokio::task::yield_now().await;
    }
    assert_eq!(old.requests.load(Ordering::SeqCst), requests, "it is left alone");
    runtime.stop(DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_embeds_for_a_model_of_other_settings_says_so_and_is_well() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 2).await;
    let newer = Runtime::start(bench.database.clone(), new.model(), quick()).await.expect("a runtime");
    bench.changes_over(&newer, 2).await;
    newer.stop(DEADLINE).await;
    let older = Runtime::start(bench.database.clone(), knowing(&old, &new), quick()).await.expect("a runtime");
    let told = bench.troubled(&older, |trouble| matches!(trouble, Trouble::NotInEffect { .. })).await.to_string();
    assert!(told.contains("old of this host is not in effect: new is in use"), "{told}");
    assert!(older.status().await.is_some_and(|status| status.is_healthy()), "nothing waits");
    bench.save("later", "text").await;
    older.wake();
    while bench.number(VECTORS_IN_USE).await < 3 {
        tokio::task::yield_now().await;
    }
    older.stop(DEADLINE).await;
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

#[tokio::test]
async fn nothing_is_queued_for_a_set_that_was_given_up_meanwhile() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 3).await;
    assert_eq!(bench.switch_to(&new).await, Switch::Begun { instead_of: None });
    let wanted = models::wanted(bench.database.reader()).await.expect("the sets");
    let (active, building) = (wanted.active.expect("a set").id, wanted.building.expect("a set").id);
    let queue = |model_id| {
        bench.database.write::<_, StoreError, _>(move |transaction| {
            Box::pin(async move {
                let order = Order { model_id, priority: Priority::Low, max_attempts: 3, cause: "new model" };
                Ok(backlog::enqueue_wanted(transaction, &[1, 2], &order).await?.map(|queued| queued.len()))
            })
        })
    };
    assert_eq!(queue(building).await.expect("an answer"), Some(2));
    assert_eq!(bench.cancel_switch().await, Some(building));
    assert_eq!(queue(building).await.expect("an answer"), None);
    let open = "SELECT count(*) AS n FROM embedding_tasks WHERE status IN ('pending', 'processing')";
    assert_eq!(bench.number(open).await, 0, "the set is not wanted");
    assert_eq!(queue(active).await.expect("an answer"), Some(2));
}

#[tokio::test]
async fn cancelling_a_bulk_run_leaves_what_a_save_has_joined_and_what_another_run_is_about() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    bench.embedded_by(&model, 6).await;
    let ids: Vec<_> = (1..=6).collect();
    let first = bench.bulk(500).await;
    bench.edit(ids[0], "article-0", 2).await;
    assert!(bench.cancel_bulk(first).await);
    let waiting = "SELECT count(*) AS n FROM embedding_tasks WHERE status = 'pending'";
    assert_eq!(bench.number(waiting).await, 1, "the save is to be embedded");
    assert_eq!(bench.number("SELECT article_id AS n FROM embedding_tasks WHERE status = 'pending'").await, ids[0]);
    let (second, _third) = (bench.bulk(500).await, bench.bulk(500).await);
    assert!(bench.cancel_bulk(second).await);
    assert_eq!(bench.number(waiting).await, 6, "the third run is about them too");
}

/// Ends all tasks, and saves each article once more.
async fn begin_again(bench: &Fixture, hosts: &Hosts<'_>, claimed: Vec<ClaimedTask>, ids: &[i64], revision: i64) {
    hosts.complete(claimed).await;
    hosts.complete(hosts.claim(50).await).await;
    for (number, id) in ids.iter().enumerate() {
        bench.edit(*id, &format!("article-{number}"), revision).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_run_counts_what_is_claimed_while_it_is_queued() {
    let bench = Fixture::new().await;
    let hosts = Hosts::of(&bench, &TestModel::new("one")).await;
    let mut ids = Vec::new();
    for number in 0..50 {
        ids.push(bench.save(&format!("article-{number}"), "text").await);
    }
    for revision in 2..10 {
        let (run, claimed) = tokio::join!(bench.bulk(500), hosts.claim_one_by_one(50));
        let counted = format!("SELECT count(*) AS n FROM bulk_items WHERE bulk_id = {run}");
        assert_eq!(bench.number(&counted).await, 50, "in round {revision}");
        begin_again(&bench, &hosts, claimed, &ids, revision).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_queued_for_a_new_set_behind_what_is_claimed_at_that_moment() {
    let (bench, new) = (Fixture::new().await, TestModel::new("new"));
    let hosts = Hosts::of(&bench, &TestModel::new("one")).await;
    assert_eq!(bench.switch_to(&new).await, Switch::Begun { instead_of: None });
    let building = models::wanted(bench.database.reader()).await.expect("the sets").building.expect("a set").id;
    let mut ids = Vec::new();
    for number in 0..50 {
        ids.push(bench.save(&format!("article-{number}"), "text").await);
    }
    for revision in 2..10 {
        let all = ids.clone();
        let queued = bench.database.write::<_, StoreError, _>(move |transaction| {
            Box::pin(async move {
                let order = Order { model_id: building, priority: Priority::Low, max_attempts: 3, cause: "new model" };
                backlog::enqueue_wanted(transaction, &all, &order).await
            })
        });
        let (queued, claimed) = tokio::join!(queued, hosts.claim_one_by_one(50));
        queued.expect("an answer");
        // It would take the place of an attempt that fails.
        let behind = format!(
            "SELECT count(*) AS n FROM embedding_tasks t JOIN embedding_tasks p ON p.article_id = t.article_id
             WHERE t.status = 'pending' AND t.model_id = {building} AND p.status = 'processing'"
        );
        assert_eq!(bench.number(&behind).await, 0, "in round {revision}");
        begin_again(&bench, &hosts, claimed, &ids, revision).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_old_model_embeds_while_the_new_one_takes_over_is_embedded_by_the_new_one_at_once() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 3).await;
    new.hold().await;
    // No sweep comes before the end of the test.
    let settings = RuntimeSettings { sweep_interval: Duration::from_secs(3600), ..quick() };
    let runtime = Runtime::start(bench.database.clone(), knowing(&new, &old), settings).await.expect("a runtime");
    while new.peak.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    old.hold().await;
    bench.save("meanwhile", "text").await;
    runtime.wake();
    let in_work = "SELECT count(*) AS n FROM embedding_tasks t JOIN embedding_models m ON m.id = t.model_id
                   WHERE t.status = 'processing' AND m.state = 'active'";
    while bench.number(in_work).await == 0 {
        tokio::task::yield_now().await;
    }
    new.open();
    bench.changes_over(&runtime, 3).await;
    old.open();
    bench.settled(&runtime).await;
    assert_eq!(bench.number(VECTORS_IN_USE).await, 4, "what was saved meanwhile is found by meaning");
    runtime.stop(DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_that_are_being_stored_while_the_sets_change_over_stay_found() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 2).await;
    let hosts = Hosts::of(&bench, &old).await;
    bench.switch_to(&new).await;
    let building = models::wanted(bench.database.reader()).await.expect("the sets").building.expect("a set").id;
    let complete =
        "INSERT INTO article_embeddings (article_id, model_id, revision, content_hash, chunk_count, embedded_at)
                    SELECT e.article_id, b.id, e.revision, e.content_hash, e.chunk_count, e.embedded_at
                    FROM article_embeddings e CROSS JOIN embedding_models b WHERE b.state = 'building'";
    bench.change(complete).await;
    // Neither set has it: so it keeps nobody from changing over, until the set in use has it.
    let id = bench.save("meanwhile", "text").await;
    let claimed = hosts.claim(1).await;
    let ((stored, is_stored), (release, released)) = (oneshot::channel(), oneshot::channel::<()>());
    let storing = bench.database.write::<_, StoreError, _>(move |transaction| {
        Box::pin(async move {
            vectors::check_writes(transaction, &claimed.iter().collect::<Vec<_>>()).await?;
            let set = EmbeddedSet { revision: 1, content_hash: hash_of("meanwhile", "text"), chunks: vec![] };
            let [task] = claimed.as_slice() else { panic!("one task is claimed") };
            let new = NewSet { article_id: id, model_id: task.model_id, set: &set, stored: 0 };
            vectors::store(transaction, &[new]).await?;
            // A question, so that what has gathered is sent.
            transaction.rows::<i64>("SELECT count(*) AS n FROM article_embeddings", []).await?;
            let _ = stored.send(());
            let _ = released.await;
            Ok(())
        })
    });
    let changing_over = async {
        is_stored.await.expect("vectors");
        let change = bench
            .database
            .write::<_, StoreError, _>(move |transaction| Box::pin(models::activate_if_whole(transaction, building)));
        let mut change = std::pin::pin!(change);
        // If it does not wait, it changes over now; if it does, it must not be waited for.
        let early = tokio::time::timeout(Duration::from_millis(200), &mut change).await;
        let _ = release.send(());
        match early {
            Ok(early) => early,
            Err(_) => change.await,
        }
    };
    let (storing, changed_over) = tokio::join!(storing, changing_over);
    storing.expect("a commit");
    assert!(!changed_over.expect("an answer"), "the new set does not have what the one in use has");
    assert_eq!(bench.number(VECTORS_IN_USE).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_mends_what_a_cancelled_bulk_run_left_without_vectors() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    bench.embedded_by(&model, 6).await;
    bench.change("DELETE FROM article_embeddings").await;
    let run = bench.bulk(500).await;
    assert!(bench.cancel_bulk(run).await);
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    while bench.number(VECTORS_IN_USE).await < 6 {
        tokio::task::yield_now().await;
    }
    runtime.stop(DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_goes_before_a_bulk_run_and_few_of_its_tasks_wait_at_a_time() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    bench.embedded_by(&model, 40).await;
    bench.change("DELETE FROM article_embeddings").await;
    bench.bulk(10).await;
    assert_eq!(bench.number("SELECT count(*) AS n FROM embedding_tasks WHERE status = 'pending'").await, 10);
    let saved = bench.save("by a person", "text").await;
    let settings = RuntimeSettings { slots: 1, sweep_batch: 10, ..quick() };
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
    let most = "SELECT count(*) AS n FROM embedding_tasks WHERE status = 'pending' AND priority = 'low'";
    while bench.number(VECTORS_IN_USE).await < 41 {
        assert!(bench.number(most).await <= 10);
        tokio::task::yield_now().await;
    }
    let before = format!(
        "SELECT count(*) AS n FROM embedding_task_events e
         WHERE e.event = 'claimed' AND e.id < (SELECT min(id) FROM embedding_task_events
                                               WHERE event = 'claimed' AND article_id = {saved})
           AND e.task_id IN (SELECT task_id FROM bulk_items)"
    );
    assert_eq!(bench.number(&before).await, 0, "the save was begun first");
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

/// What may happen to a collection while models change.
#[derive(Debug, Clone, Copy)]
enum Step {
    Save,
    Edit(usize),
    Delete(usize),
    Bulk,
    CancelBulk,
    Fail,
    SwitchTo(usize),
    CancelSwitch,
    Visit(usize),
    Restart(usize),
    Settle,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Save),
        2 => any::<usize>().prop_map(Step::Edit),
        1 => any::<usize>().prop_map(Step::Delete),
        2 => Just(Step::Bulk),
        2 => Just(Step::CancelBulk),
        1 => Just(Step::Fail),
        2 => (0usize..2).prop_map(Step::SwitchTo),
        1 => Just(Step::CancelSwitch),
        1 => (0usize..3).prop_map(Step::Visit),
        2 => (0usize..2).prop_map(Step::Restart),
        2 => Just(Step::Settle),
    ]
}

/// A collection, and the hosts on it.
struct Story {
    bench: Fixture,
    models: [Arc<TestModel>; 3],
    server: Option<Runtime>,
    visitor: Option<Runtime>,
    /// Ids and revisions.
    articles: Vec<(i64, i64)>,
    saved: usize,
    runs: Vec<i64>,
    found: BTreeSet<i64>,
}

impl Story {
    async fn new() -> Self {
        let models = [TestModel::new("one"), TestModel::new("two"), TestModel::new("three")];
        let bench = Fixture::new().await;
        Self {
            bench,
            models,
            server: None,
            visitor: None,
            articles: vec![],
            saved: 0,
            runs: vec![],
            found: BTreeSet::new(),
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Save => {
                self.saved += 1;
                let slug = format!("article-{}", self.saved);
                self.articles.push((self.bench.save(&slug, "text").await, 1));
            }
            Step::Edit(which) => {
                let count = self.articles.len();
                if let Some((id, revision)) = self.articles.get_mut(which.checked_rem(count).unwrap_or(0)) {
                    *revision += 1;
                    self.bench.edit(*id, "edited", *revision).await;
                }
            }
            Step::Delete(which) => {
                if !self.articles.is_empty() {
                    let (id, _) = self.articles.swap_remove(which % self.articles.len());
                    self.delete(id).await;
                }
            }
            Step::Bulk => self.runs.push(self.bench.bulk(20).await),
            Step::CancelBulk => {
                if let Some(run) = self.runs.pop() {
                    self.bench.cancel_bulk(run).await;
                }
            }
            Step::Fail => {
                let sql = "UPDATE embedding_tasks SET status = 'failed', cause = 'failed', completed_at = updated_at
                           WHERE id = (SELECT min(id) FROM embedding_tasks WHERE status = 'pending')
                             AND status = 'pending'";
                self.bench.change(sql).await;
            }
            Step::SwitchTo(model) => {
                self.bench.switch_to(&self.models[model]).await;
            }
            Step::CancelSwitch => drop(self.bench.cancel_switch().await),
            Step::Visit(model) => {
                let offer = self.models[model].model();
                let visitor = Runtime::join(self.bench.database.clone(), offer, quick()).await.expect("a runtime");
                if let Some(earlier) = self.visitor.replace(visitor) {
                    earlier.stop(DEADLINE).await;
                }
            }
            Step::Restart(model) => self.restart(model).await,
            Step::Settle => tokio::task::yield_now().await,
        }
    }

    async fn delete(&self, id: i64) {
        self.bench
            .database
            .write::<_, StoreError, _>(move |transaction| {
                Box::pin(async move {
                    tasks::withdraw(transaction, id, "article deleted").await?;
                    transaction.run("DELETE FROM articles WHERE id = $1", [id.into()]).await
                })
            })
            .await
            .expect("a deletion");
    }

    async fn restart(&mut self, model: usize) {
        if let Some(earlier) = self.server.take() {
            earlier.stop(DEADLINE).await;
        }
        let offer = knowing(&self.models[model], &self.models[1 - model]);
        let database = self.bench.database.clone();
        self.server = Some(Runtime::start(database, offer, quick()).await.expect("a runtime"));
    }

    /// Every article that was found is found, unless it has been deleted.
    async fn look(&mut self) {
        let sql = "SELECT e.article_id AS n FROM article_embeddings e JOIN embedding_models m ON m.id = e.model_id
                   WHERE m.state = 'active'";
        let rows = self.bench.database.reader().rows::<i64>(sql, []).await.expect("rows");
        let found: BTreeSet<_> = rows.into_iter().collect();
        let there: BTreeSet<_> = self.articles.iter().map(|(id, _)| *id).collect();
        let lost: Vec<_> = self.found.intersection(&there).filter(|id| !found.contains(id)).collect();
        assert!(lost.is_empty(), "not found any more: {lost:?}");
        self.found = found;
    }

    async fn ends_whole(&mut self, model: usize) {
        self.bench.switch_to(&self.models[model]).await;
        self.restart(model).await;
        // No host may be left that makes the set in use: a task that waits for it half a minute goes to the next set.
        let half_a_minute = "UPDATE embedding_tasks SET scheduled_at = scheduled_at - 30000
                             WHERE status = 'pending' AND scheduled_at > {now} - 30000";
        // Tasks that were made to fail are retried, as an operator would.
        let server = self.server.take().expect("a server");
        let wanted = self.articles.len() as i64;
        let whole = "SELECT count(*) AS n FROM articles a JOIN article_embeddings e ON e.article_id = a.id
                         AND e.content_hash = a.content_hash
                     JOIN embedding_models m ON m.id = e.model_id WHERE m.state = 'active'";
        let waiting = async {
            while self.bench.number(ACTIVE).await != server.handle().model_id()
                || self.bench.number(whole).await < wanted
            {
                self.look().await;
                let retried = self.bench.database.write::<_, StoreError, _>(|transaction| {
                    Box::pin(async move { tasks::retry_failed(transaction, 0, 100).await })
                });
                retried.await.expect("a retry");
                self.bench.change(half_a_minute).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(60), waiting).await.is_err() {
            let stats = stats::queue(self.bench.database.reader()).await;
            panic!("it does not become whole: {stats:?}");
        }
        self.look().await;
        server.stop(DEADLINE).await;
        if let Some(visitor) = self.visitor.take() {
            visitor.stop(DEADLINE).await;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_change_of_model_takes_an_article_from_searches(
        steps in prop::collection::vec(step(), 4..24),
        last in 0usize..2,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut story = Story::new().await;
            for step in steps {
                story.take(step).await;
                story.look().await;
            }
            story.ends_whole(last).await;
        });
    }
}

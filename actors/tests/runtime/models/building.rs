//! What a set that is being built needs to be complete, and what it gets.

use super::*;

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
    bench.database.write(async move |transaction| models::accept_failed(transaction, id).await).await.expect("a word");
    bench.changes_over(&runtime, 4).await;
    runtime.stop(DEADLINE).await;
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
        .write(async move |transaction| tasks::retry(transaction, completed).await)
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

#[tokio::test]
async fn nothing_is_queued_for_a_set_that_was_given_up_meanwhile() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 3).await;
    assert_eq!(bench.switch_to(&new).await, Switch::Begun { instead_of: None });
    let wanted = models::wanted(bench.database.reader()).await.expect("the sets");
    let (active, building) = (wanted.active.expect("a set").id, wanted.building.expect("a set").id);
    let queue = |model_id| {
        bench.database.write::<_, StoreError, _>(async move |transaction| {
            let order = Order { model_id, priority: Priority::Low, max_attempts: 3, cause: "new model" };
            Ok(backlog::enqueue_wanted(transaction, &[1, 2], &order).await?.map(|queued| queued.len()))
        })
    };
    assert_eq!(queue(building).await.expect("an answer"), Some(2));
    assert_eq!(bench.cancel_switch().await, Some(building));
    assert_eq!(queue(building).await.expect("an answer"), None);
    let open = "SELECT count(*) AS n FROM embedding_tasks WHERE status IN ('pending', 'processing')";
    assert_eq!(bench.number(open).await, 0, "the set is not wanted");
    assert_eq!(queue(active).await.expect("an answer"), Some(2));
}

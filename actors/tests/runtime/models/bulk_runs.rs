//! Bulk runs, beside saves and changes of model.

use super::*;

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

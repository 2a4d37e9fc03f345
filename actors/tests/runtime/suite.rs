//! The runtime on a real database, with a model that tests can hold and break.

use std::{sync::atomic::Ordering, time::Duration};

use afterword_actors::{Runtime, embedder::EmbedError, task::TaskStatus};

use super::Bench;
use crate::support::{TestModel, quick};

const DEADLINE: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn saved_articles_are_embedded_and_told_about() {
    let (bench, model) = (Bench::new().await, TestModel::new("one"));
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    let mut events = runtime.subscribe();
    let id = bench.save("hello", "first line\nsecond line").await;
    runtime.wake();
    loop {
        let event = events.recv().await.expect("an event");
        if event.status == TaskStatus::Completed {
            assert_eq!((event.article_id, event.attempts), (id, 1));
            break;
        }
    }
    assert_eq!(bench.number("SELECT count(*) AS n FROM article_chunks").await, 3);
    let status = runtime.status().await.expect("a tree");
    assert!(status.is_healthy(), "{status:#?}");
    assert_eq!(status.walk().len(), 1 + 5 + 4, "the root, its children, four workers");
    assert!(runtime.stop(DEADLINE).await.finished);
    assert_eq!(bench.number("SELECT count(*) AS n FROM embedding_hosts WHERE state = 'stopped'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_any_actor_while_tasks_run_loses_nothing_and_stores_nothing_twice() {
    for victim in [
        "MetricsActor",
        "QueueActor",
        "WorkerSupervisor",
        "HeartbeatActor",
        "MaintenanceActor",
        "WorkerActor 0",
        "WorkerActor 3",
    ] {
        let (bench, model) = (Bench::new().await, TestModel::new("one"));
        for number in 0..40 {
            bench.save(&format!("article-{number}"), &format!("line a {number}\nline b {number}")).await;
        }
        model.hold().await;
        let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
        while model.peak.load(Ordering::SeqCst) < 4 {
            tokio::task::yield_now().await;
        }
        let cells = runtime.cells().await;
        cells[victim].kill();
        model.open();
        let stats = bench.settled(&runtime).await;
        assert_eq!((stats.completed, stats.failed), (40, 0), "after the death of {victim}");
        assert_eq!(bench.number("SELECT count(*) AS n FROM article_chunks").await, 120, "{victim}");
        assert_eq!(bench.number("SELECT count(*) AS n FROM article_embeddings").await, 40, "{victim}");
        let mut healthy = false;
        for _ in 0..100 {
            let status = runtime.status().await.expect("a tree");
            healthy = status.is_healthy() && status.walk().len() == 10;
            if healthy {
                break;
            }
            let _ = tokio::time::timeout(Duration::from_millis(20), std::future::pending::<()>()).await;
        }
        assert!(healthy, "the tree is whole again after the death of {victim}: {:#?}", runtime.status().await);
        runtime.stop(DEADLINE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_costs_no_document_an_attempt() {
    let (bench, model) = (Bench::new().await, TestModel::new("one"));
    *model.outage.lock().expect("the lock") = Some(EmbedError::unavailable("connection refused"));
    for number in 0..10 {
        bench.save(&format!("article-{number}"), "text").await;
    }
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    let mut events = runtime.subscribe();
    while events.recv().await.expect("an event").status != TaskStatus::Pending {}
    let status = runtime.status().await.expect("a tree");
    assert!(!status.is_healthy());
    assert!(status.walk().iter().any(|a| a.last_error.as_deref().is_some_and(|e| e.contains("connection refused"))));
    *model.outage.lock().expect("the lock") = None;
    let stats = bench.settled(&runtime).await;
    assert_eq!((stats.completed, stats.failed), (10, 0));
    assert_eq!(bench.number("SELECT max(attempts) AS n FROM embedding_tasks").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_documents_fail_with_their_reason_and_hold_nobody_up() {
    let (bench, model) = (Bench::new().await, TestModel::new("one"));
    bench.save("poison", "good line\nPOISON line").await;
    bench.save("flaky", "FLAKY").await;
    bench.save("panic", "PANIC").await;
    for number in 0..10 {
        bench.save(&format!("article-{number}"), "text").await;
    }
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    let stats = bench.settled(&runtime).await;
    assert_eq!((stats.completed, stats.failed), (10, 3));
    for (slug, kind, attempts) in [("poison", "data", 1), ("flaky", "transient", 3), ("panic", "crashed", 3)] {
        let sql = format!(
            "SELECT attempts AS n FROM embedding_tasks
             WHERE slug = '{slug}' AND status = 'failed' AND error_kind = '{kind}'"
        );
        assert_eq!(bench.number(&sql).await, attempts, "{slug}");
    }
    assert!(runtime.status().await.expect("a tree").is_healthy(), "a bad document is no fault of the tree");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_host_held_is_rescued_at_the_next_start() {
    let (bench, model) = (Bench::new().await, TestModel::new("one"));
    bench.save("orphan", "text").await;
    model.hold().await;
    let first = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    while model.peak.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    drop(first); // No drain, no goodbye: its lock is released, its lease still runs.
    let second = TestModel::new("one");
    let runtime = Runtime::start(bench.database.clone(), second.model(), quick()).await.expect("a runtime");
    let stats = bench.settled(&runtime).await;
    assert_eq!(stats.completed, 1);
    assert_eq!(bench.number("SELECT attempts AS n FROM embedding_tasks").await, 2, "a crash counts its attempt");
    assert_eq!(bench.number("SELECT count(*) AS n FROM embedding_hosts WHERE state = 'lost'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_past_its_deadline_gives_tasks_back_uncounted() {
    let (bench, model) = (Bench::new().await, TestModel::new("one"));
    bench.save("slow", "text").await;
    model.hold().await;
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    while model.peak.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let drained = runtime.stop(Duration::from_millis(50)).await;
    assert_eq!((drained.finished, drained.released), (false, 1));
    let sql = "SELECT attempts AS n FROM embedding_tasks WHERE status = 'pending'";
    assert_eq!(bench.number(sql).await, 0, "waiting again, no attempt spent");
}

#[tokio::test(flavor = "multi_thread")]
async fn pausing_stops_claims_and_resuming_goes_on() {
    let (bench, model) = (Bench::new().await, TestModel::new("one"));
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    assert!(runtime.pause().await.expect("a pause"));
    assert!(!runtime.pause().await.expect("a pause"), "paused already");
    bench.save("waiting", "text").await;
    runtime.wake();
    assert!(runtime.status().await.is_some(), "the wake-up has been handled");
    assert_eq!(runtime.handle().queue_stats().await.expect("statistics").pending, 1);
    assert!(runtime.resume().await.expect("a resume"));
    assert_eq!(bench.settled(&runtime).await.completed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_model_builds_beside_the_old_one_and_takes_over_when_whole() {
    let (bench, old) = (Bench::new().await, TestModel::new("old"));
    for number in 0..5 {
        bench.save(&format!("article-{number}"), "text").await;
    }
    let runtime = Runtime::start(bench.database.clone(), old.model(), quick()).await.expect("a runtime");
    bench.settled(&runtime).await;
    runtime.stop(DEADLINE).await;
    let new = TestModel::new("new");
    let runtime = Runtime::start(bench.database.clone(), new.model(), quick()).await.expect("a runtime");
    let active = "SELECT id AS n FROM embedding_models WHERE state = 'active'";
    while bench.number(active).await != runtime.handle().model_id() {
        let vectors = bench.number(
            "SELECT count(*) AS n FROM article_embeddings e JOIN embedding_models m ON m.id = e.model_id
             WHERE m.state = 'active'",
        );
        assert_eq!(vectors.await, 5, "the active set is whole at every moment");
    }
    assert_eq!(bench.number("SELECT count(*) AS n FROM embedding_models WHERE state = 'retired'").await, 1);
}

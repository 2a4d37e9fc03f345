//! The runtime on a real database, with a model that tests can block and break.

#[path = "suite/provider_failures.rs"]
mod provider_failures;

use std::{sync::atomic::Ordering, time::Duration};

use afterword_actors::{
    ActorState, Delays, RestartSettings, Runtime, RuntimeSettings, Trouble, embed_now,
    embedder::{EmbedError, ErrorKind, Readiness},
    store::{
        Engine, StoreError,
        claim::{self, Claim, HostSets},
        leases,
    },
    task::TaskStatus,
};

use super::Fixture;
use crate::support::{TestModel, quick};

const DEADLINE: Duration = Duration::from_secs(10);

/// A provider that failed is asked again after a minute.
fn asked_again_in_a_minute() -> RuntimeSettings {
    let circuit = Delays { base: Duration::from_secs(60), max: Duration::from_secs(60) };
    RuntimeSettings { circuit, ..quick() }
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_articles_are_embedded_and_told_about() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
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
        let (bench, model) = (Fixture::new().await, TestModel::new("one"));
        for number in 0..40 {
            bench.save(&format!("article-{number}"), &format!("line a {number}\nline b {number}")).await;
        }
        model.hold().await;
        let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
        while model.peak.load(Ordering::SeqCst) < 4 {
            tokio::task::yield_now().await;
        }
        let victims = runtime.victims().await;
        victims[victim].kill();
        model.open();
        let stats = bench.settled(&runtime).await;
        assert_eq!((stats.completed, stats.failed), (40, 0), "after the death of {victim}");
        if !victim.starts_with("WorkerActor") {
            let most = bench.number("SELECT max(attempts) AS n FROM embedding_tasks").await;
            assert_eq!(most, 1, "no document pays for the death of {victim}");
        }
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

/// The queue dies while the restart of the workers is pending, and comes back after it.
#[tokio::test(flavor = "multi_thread")]
async fn workers_that_come_back_before_their_queue_are_found_by_it() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    let delays = Delays { base: Duration::from_millis(50), max: Duration::from_secs(5) };
    let restart = RestartSettings { delays, ..quick().restart };
    let settings = RuntimeSettings { restart, ..quick() };
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
    // Each of its deaths doubles the delay of the next restart; the workers' first is the shortest.
    for _ in 0..3 {
        bench.whole(&runtime).await;
        runtime.victims().await["QueueActor"].kill();
        bench.state(&runtime, "QueueActor", ActorState::Restarting).await;
    }
    bench.whole(&runtime).await;
    let victims = runtime.victims().await;
    victims["WorkerSupervisor"].kill();
    bench.state(&runtime, "WorkerSupervisor", ActorState::Restarting).await;
    victims["QueueActor"].kill();
    bench.whole(&runtime).await;
    bench.save("after", "text").await;
    runtime.wake();
    let stats = tokio::time::timeout(DEADLINE, bench.settled(&runtime)).await;
    assert_eq!(stats.expect("workers that the queue knows").completed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_host_held_is_rescued_at_the_next_start() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
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
    assert_eq!(bench.number("SELECT attempts AS n FROM embedding_tasks").await, 1, "others might have been to blame");
    assert_eq!(bench.number("SELECT crashes AS n FROM embedding_tasks").await, 1);
    assert_eq!(bench.number("SELECT count(*) AS n FROM embedding_hosts WHERE state = 'lost'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_past_its_deadline_gives_tasks_back_uncounted() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
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
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
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
    let (bench, old) = (Fixture::new().await, TestModel::new("old"));
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

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_being_loaded_is_waited_for_without_a_word_of_failure() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    model.readiness.send_replace(Readiness::Loading("40 %".to_owned()));
    for number in 0..5 {
        bench.save(&format!("article-{number}"), "text").await;
    }
    let settings = RuntimeSettings { poll_interval: Duration::from_secs(3600), ..quick() };
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
    bench.whole(&runtime).await;
    let trouble = runtime.status().await.expect("a tree").trouble;
    assert_eq!(trouble, [Trouble::Loading { message: "40 %".to_owned() }]);
    assert_eq!(model.requests.load(Ordering::SeqCst), 0);
    model.readiness.send_replace(Readiness::Ready);
    assert_eq!(bench.settled(&runtime).await.completed, 5);
    assert_eq!(bench.number("SELECT max(attempts) AS n FROM embedding_tasks").await, 1);
    assert_eq!(bench.number("SELECT count(*) AS n FROM embedding_task_events WHERE error_kind IS NOT NULL").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_that_hold_every_connection_keep_no_task_waiting() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    let mut events = runtime.subscribe();
    bench.save("one", "text").await;
    let reader = bench.database.reader();
    let held = (reader.begin().await.expect("a connection"), reader.begin().await.expect("the other one"));
    let completed = async { while events.recv().await.expect("an event").status != TaskStatus::Completed {} };
    tokio::time::timeout(DEADLINE, completed).await.expect("connections of the runtime's own");
    held.0.rollback().await.expect("an end");
    held.1.rollback().await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_commit_claimed_whose_answer_was_lost_is_given_back_uncounted() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    bench.whole(&runtime).await;
    runtime.pause().await.expect("a pause");
    bench.save("claimed", "text").await;
    let incarnation = runtime.handle().incarnation().to_owned();
    bench
        .run(format!(
            "UPDATE embedding_tasks SET status = 'processing', cause = 'claimed', attempts = 1, max_attempts = 1,
                 lease_token = 'lost', lease_expires_at = {{now}} + 3600000, incarnation = '{incarnation}', slot = 0,
                 started_at = {{now}}"
        ))
        .await;
    runtime.resume().await.expect("an end of the pause");
    let stats = tokio::time::timeout(DEADLINE, bench.settled(&runtime)).await.expect("an end before the lease's");
    assert_eq!((stats.completed, stats.failed), (1, 0));
    assert_eq!(bench.number("SELECT attempts AS n FROM embedding_tasks").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_lives_does_not_rescue_its_own_tasks() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    bench.save("one", "text").await;
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    bench.settled(&runtime).await;
    let makes = HostSets::only(runtime.handle().model_id());
    runtime.stop(DEADLINE).await;
    bench.save("two", "text").await;
    let rescued = bench.database.write::<_, StoreError, _>(async move |transaction| {
        let lease = Duration::ZERO;
        let request = Claim { token: "t", incarnation: "me", slots: &[0], lease, from: None, makes };
        assert_eq!(claim::claim(transaction, request).await?.len(), 1);
        let by_itself = leases::rescue_expired(transaction, Some("me")).await?.len();
        Ok((by_itself, leases::rescue_expired(transaction, Some("another")).await?.len()))
    });
    assert_eq!(rescued.await, Ok((0, 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_row_was_removed_is_seen_again() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    bench.whole(&runtime).await;
    bench.run("DELETE FROM embedding_worker_status").await;
    bench.run("DELETE FROM embedding_hosts").await;
    while bench.number("SELECT count(*) AS n FROM embedding_hosts WHERE state = 'running'").await == 0 {
        tokio::task::yield_now().await;
    }
    runtime.stop(DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_that_cannot_be_read_fails_alone() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    if bench.database.engine() == Engine::Postgres {
        return; // PostgreSQL takes no text that is none.
    }
    bench.save("broken", "text").await;
    bench.run("UPDATE articles SET body = CAST(x'ff' AS TEXT)").await;
    for number in 0..5 {
        bench.save(&format!("article-{number}"), "text").await;
    }
    let settings = asked_again_in_a_minute();
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
    let stats = tokio::time::timeout(DEADLINE, bench.settled(&runtime)).await.expect("an end of its attempts");
    assert_eq!((stats.completed, stats.failed), (5, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_that_embeds_and_whose_caller_has_gone_is_carried_to_its_end() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    bench.save("one", "text").await;
    let task = bench.number("SELECT id AS n FROM embedding_tasks").await;
    model.hold().await;
    let (database, given) = (bench.database.clone(), model.model());
    let caller = tokio::spawn(async move { embed_now(&database, &given, &quick(), task).await });
    while model.peak.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    caller.abort();
    model.open();
    while bench.number("SELECT count(*) AS n FROM embedding_tasks WHERE status = 'completed'").await == 0 {
        tokio::task::yield_now().await;
    }
}

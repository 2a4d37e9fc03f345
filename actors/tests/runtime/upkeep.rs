//! Maintenance beside a database that takes long.

use std::time::Duration;

use afterword_actors::{
    ActorState, Runtime, RuntimeSettings,
    store::{Database, Engine, OpenOptions, StoreError, sql::Sql},
};
use tokio::sync::oneshot;

use super::{Fixture, deaths::Hosts};
use crate::support::{TestModel, quick};

#[tokio::test(flavor = "multi_thread")]
async fn every_actor_answers_while_the_database_keeps_maintenance_waiting() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    let soon = Duration::from_millis(20);
    let settings = RuntimeSettings { sweep_interval: soon, poll_interval: soon, ..quick() };
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
    bench.whole(&runtime).await;
    let other = Database::open(&OpenOptions::new(bench.url())).await.expect("a database");
    let lock = match other.engine() {
        Engine::Sqlite => "SELECT 1", // A writer has the lock.
        Engine::Postgres => "LOCK TABLE embedding_tasks IN ACCESS EXCLUSIVE MODE",
    };
    let ((locked, is_locked), (release, released)) = (oneshot::channel(), oneshot::channel::<()>());
    let holding = tokio::spawn(async move {
        let held = other.write::<_, StoreError, _>(move |transaction| {
            Box::pin(async move {
                transaction.run(lock, []).await?;
                let _ = locked.send(());
                let _ = released.await;
                Ok(())
            })
        });
        held.await
    });
    is_locked.await.expect("a lock");
    for _ in 0..50 {
        let status = runtime.status().await.expect("a tree");
        let stuck: Vec<_> = status.walk().into_iter().filter(|a| a.state == ActorState::Unresponsive).collect();
        assert!(stuck.is_empty(), "{stuck:#?}");
        // Time for a sweep to begin.
        let _ = tokio::time::timeout(soon, std::future::pending::<()>()).await;
    }
    release.send(()).expect("a lock that is held");
    holding.await.expect("no panic").expect("an end");
    bench.save("after", "text").await;
    runtime.wake();
    assert_eq!(bench.settled(&runtime).await.completed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_host_held_comes_back_although_the_clock_was_set_back_since() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    let dead = Hosts::of(&bench, &TestModel::new("one")).await;
    bench.save("held", "text").await;
    assert_eq!(dead.claim(1).await.len(), 1);
    // Five hours ahead, the host began, gave a sign and took a lease.
    for sql in [
        "INSERT INTO embedding_hosts (incarnation, hostname, pid, version, state, started_at, heartbeat_at)
         SELECT 'start 0', 'here', 1, '1', 'running', {now} + 18000000, {now} + 18000000",
        "UPDATE embedding_tasks SET lease_expires_at = lease_expires_at + 18000000",
    ] {
        let changed = bench.database.write::<_, StoreError, _>(move |transaction| {
            Box::pin(async move { transaction.run(sql, []).await.map(drop) })
        });
        changed.await.expect("a change");
    }
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    while bench.number("SELECT count(*) AS n FROM article_embeddings").await == 0 {
        tokio::task::yield_now().await;
    }
    runtime.stop(Duration::from_secs(10)).await;
}

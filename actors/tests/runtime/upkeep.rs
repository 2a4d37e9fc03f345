//! Maintenance beside a database that takes long.

use std::time::Duration;

use afterword_actors::{
    ActorState, Delays, RestartSettings, Runtime, RuntimeSettings, Trouble,
    store::{Database, Engine, OpenOptions, StoreError, leases, sql::Sql},
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
        let held = other.write::<_, StoreError, _>(async move |transaction| {
            transaction.run(lock, []).await?;
            let _ = locked.send(());
            let _ = released.await;
            Ok(())
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
        let changed = bench.database.write(async move |transaction| transaction.run(sql, []).await.map(drop));
        changed.await.expect("a change");
    }
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    while bench.number("SELECT count(*) AS n FROM article_embeddings").await == 0 {
        tokio::task::yield_now().await;
    }
    runtime.stop(Duration::from_secs(10)).await;
}

/// No answer from the actor that knows them does not mean that there are none.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_lives_keeps_its_leases_while_nobody_can_say_which_it_holds() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    let one = bench.save("held", "text").await;
    model.hold().await;
    let delays = Delays { base: Duration::from_secs(3600), max: Duration::from_secs(3600) };
    let settings = RuntimeSettings {
        lease: Duration::from_secs(30),
        restart: RestartSettings { delays, ..quick().restart },
        ..quick()
    };
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
    model.runs(1).await;
    runtime.victims().await["QueueActor"].kill();
    bench.state(&runtime, "QueueActor", ActorState::Restarting).await;
    let expiry = format!("SELECT lease_expires_at AS n FROM embedding_tasks WHERE article_id = {one}");
    for _ in 0..2 {
        let before = bench.number(&expiry).await;
        let renewed = async { while bench.number(&expiry).await <= before {} };
        tokio::time::timeout(Duration::from_secs(30), renewed).await.expect("a lease that is renewed");
    }
    let put_back = "SELECT count(*) AS n FROM embedding_task_events WHERE event NOT IN ('created', 'claimed')";
    assert_eq!(bench.number(put_back).await, 0);
    model.open();
    runtime.stop(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_leases_of_one_host_are_renewed_by_its_name() {
    let bench = Fixture::new().await;
    let hosts = Hosts::of(&bench, &TestModel::new("one")).await;
    for slug in ["one", "two", "three"] {
        bench.save(slug, "text").await;
    }
    assert_eq!(hosts.claim(3).await.len(), 3);
    bench.run("UPDATE embedding_tasks SET lease_expires_at = 1").await;
    bench.run("UPDATE embedding_tasks SET incarnation = 'another' WHERE slug = 'three'").await;
    let renewed = bench
        .database
        .write(async move |transaction| leases::renew_all_of(transaction, "start 0", Duration::from_secs(60)).await);
    assert_eq!(renewed.await, Ok(2));
    let left = "SELECT count(*) AS n FROM embedding_tasks WHERE lease_expires_at = 1 AND incarnation = 'another'";
    assert_eq!(bench.number(left).await, 1);
    let valid = "SELECT count(*) AS n FROM embedding_tasks WHERE lease_expires_at > {now}";
    assert_eq!(bench.number(valid).await, 2);
}

/// As `flush` returns early when there is nothing to do, only the runtime's looks say that the database is back.
#[tokio::test(flavor = "multi_thread")]
async fn trouble_with_the_database_ends_by_itself_when_no_article_waits() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    bench.whole(&runtime).await;
    bench.run("ALTER TABLE embedding_tasks RENAME TO elsewhere").await;
    let is_told = async |runtime: &Runtime| {
        let status = runtime.status().await.expect("a tree");
        status.trouble.iter().any(|trouble| matches!(trouble, Trouble::Database { .. }))
    };
    let told = async |trouble: bool| {
        let told = async {
            while is_told(&runtime).await != trouble {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), told).await.expect("a change");
    };
    told(true).await;
    bench.run("ALTER TABLE elsewhere RENAME TO embedding_tasks").await;
    told(false).await;
    runtime.stop(Duration::from_secs(10)).await;
}

//! Several hosts on one database: what one is told, claims, and limits they keep together.

use std::time::Duration;

use afterword::{
    articles::ArticlePatch,
    database,
    embedding::scripted::Script,
    queue::{Event, Queue},
};
use afterword_actors::{
    RuntimeSettings,
    store::{backlog::Backlog, bulk, events, hosts, leases, rate_limit, settle, sql::Sql},
    task::Lease,
};

use super::TestHost;
use crate::support::{DRAIN, article, quick};

#[tokio::test(flavor = "multi_thread")]
async fn what_one_host_is_told_holds_for_all() {
    let world = TestHost::new().await;
    let (one, other) = (world.start().await, world.beside().await.start().await);
    assert!(one.pause().await.expect("a pause"));
    let service = world.articles(Some(&one));
    for n in 0..6 {
        service.create(article(&format!("article-{n}"), "text")).await.expect("a save");
    }
    for runtime in [&one, &other] {
        runtime.wake();
        runtime.status().await.expect("a tree");
    }
    assert!(other.resume().await.expect("an end of the pause"));
    world.settled(&one).await;
    let early = "SELECT count(*) AS n FROM embedding_task_events WHERE event = 'claimed'
                 AND id < (SELECT id FROM embedding_task_events WHERE event = 'queue resumed')";
    assert_eq!(world.number(early).await, 0, "nobody claims while anybody has paused the queue");
    // A run that the first begins is continued or ended by the other.
    for is_cancelled in [false, true] {
        other.pause().await.expect("a pause");
        let run = one.handle().start_bulk(Backlog::All, String::new()).await.expect("a run");
        while bulk::find(world.database.reader(), run).await.expect("a look").expect("a run").state == "queuing" {
            tokio::task::yield_now().await;
        }
        if is_cancelled {
            let cancel = world.database.write(async move |t| bulk::cancel(t, run).await);
            assert!(cancel.await.expect("a cancel"));
        }
        one.resume().await.expect("an end of the pause");
        world.settled(&other).await;
        let summary = loop {
            let found = bulk::find(world.database.reader(), run).await.expect("a look").expect("a run");
            if let Some(summary) = found.summary {
                break serde_json::from_str::<bulk::Summary>(&summary).expect("a summary");
            }
            tokio::task::yield_now().await;
        };
        let expected = if is_cancelled { (0, 6) } else { (6, 0) };
        assert_eq!((summary.succeeded, summary.cancelled), expected);
    }
    one.stop(DRAIN).await;
    other.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_claim_end_and_rescue_at_the_same_time_never_meet() {
    let settings = RuntimeSettings { slots: 8, claim_batch: 3, ..quick() };
    let world = TestHost::with(Script::default(), settings).await;
    let elsewhere = [world.beside().await, world.beside().await];
    let runtimes = [world.start().await, elsewhere[0].start().await, elsewhere[1].start().await];
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let service = elsewhere[writer % 2].articles(None);
        writers.spawn(async move {
            for n in 0..40 {
                // The same few articles, by all: saves meet claims, ends and each other.
                let slug = format!("article-{}", n % 10);
                let _ = service.create(article(&slug, "text")).await;
                let body = Some(format!("writer {writer}, text {n}"));
                service.update(&slug, ArticlePatch { body, ..ArticlePatch::default() }).await.expect("a save");
            }
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.expect("a writer");
    }
    world.settled(&runtimes[0]).await;
    assert_eq!(world.stats().await.failed, 0);
    let stale = "SELECT count(*) AS n FROM articles a LEFT JOIN article_embeddings e ON e.article_id = a.id
                 WHERE e.content_hash IS DISTINCT FROM a.content_hash";
    assert_eq!(world.number(stale).await, 0);
    let found = database::verify(&world.database).await.expect("a look");
    assert!(found.sound, "{:?}", found.findings);
    for runtime in runtimes {
        runtime.stop(DRAIN).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_ran_out_lets_nothing_be_written() {
    // The host sends its heartbeat only at its start: every rescue is the test's.
    let settings = RuntimeSettings { heartbeat_interval: Duration::from_secs(3600), ..quick() };
    let world = TestHost::with(Script::default(), settings).await;
    world.embedder.hold();
    let runtime = world.start().await;
    world.articles(Some(&runtime)).create(article("one", "text")).await.expect("a save");
    world.embedder.wait_for_calls(1).await;
    // The beat's last step, after its rescue.
    while world.number("SELECT count(*) AS n FROM embedding_worker_status").await == 0 {
        tokio::task::yield_now().await;
    }
    let sql = "UPDATE embedding_tasks SET lease_expires_at = 0 WHERE status = 'processing' RETURNING id AS n";
    let id = world.number(sql).await;
    let sql = "SELECT lease_token FROM embedding_tasks WHERE id = $1";
    let token = world.database.reader().row(sql, [id.into()]).await.expect("a row").expect("a row");
    let rescued = world.database.write(async |t| leases::rescue_expired(t, None).await).await;
    assert_eq!(rescued.expect("a rescue").len(), 1);
    let verdict = settle::TaskVerdict {
        lease: Lease { task_id: id, token },
        next: settle::Next::Completed,
        cause: "completed",
        error: None,
    };
    let settled = world.database.write(async move |t| settle::settle(t, &[verdict]).await).await;
    assert_eq!(settled, Ok(Vec::new()));
    world.embedder.release();
    assert_eq!(world.settled(&runtime).await.completed, 1);
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_committed_late_is_told_all_the_same() {
    let world = TestHost::new().await;
    let queue = Queue::new(world.database.clone());
    let mut follower = queue.follow(None).await.expect("a place");
    let elsewhere = world.beside().await;
    let record = |event: &'static str| {
        let database = world.database.clone();
        async move {
            let act = database.write(async |t| events::record_act(t, event, "").await);
            act.await.expect("an act");
        }
    };
    let late = elsewhere.database.write_connection().begin().await.expect("a transaction");
    events::record_act(&late, "late", "").await.expect("an act");
    record("early").await;
    let told = |events: Vec<Event>| events.into_iter().map(|event| event.event).collect::<Vec<_>>();
    assert_eq!(told(follower.next(10).await.expect("events")), ["early"]);
    assert!(follower.waits());
    let place = follower.last();
    late.commit().await.expect("a commit");
    assert_eq!(told(follower.next(10).await.expect("events")), ["late"]);
    assert!(!follower.waits() && follower.next(10).await.expect("events").is_empty(), "each once");
    // A follower that goes on from that place gets the late entry too.
    let late = elsewhere.database.write_connection().begin().await.expect("a transaction");
    events::record_act(&late, "later still", "").await.expect("an act");
    record("early again").await;
    assert_eq!(told(follower.next(10).await.expect("events")), ["early again"]);
    assert!(place < follower.last());
    // A place that only a database had which is restored to an earlier state is the newest one.
    let last = follower.last();
    assert_eq!(queue.follow(Some(last + 30_000)).await.expect("a place").last(), last);
    let mut another = queue.follow(Some(follower.last())).await.expect("a place");
    late.commit().await.expect("a commit");
    assert_eq!(told(another.next(10).await.expect("events")), ["later still"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_a_session_is_dead() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    let incarnation = runtime.handle().incarnation().to_owned();
    assert!(world.database.dead_among(std::slice::from_ref(&incarnation)).await.expect("a look").is_empty());
    assert_eq!(world.database.living(10).await.expect("hosts").len(), 1);
    drop(runtime);
    while world.database.dead_among(std::slice::from_ref(&incarnation)).await.expect("a look").is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(world.database.living(10).await.expect("hosts").is_empty());
    let silent = hosts::others(world.database.reader(), "", Duration::from_secs(3600)).await.expect("hosts");
    assert!(silent.is_empty(), "it has not been silent for an hour");
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_keep_the_limit_of_a_provider_together() {
    const LIMIT: u32 = 7;
    let world = TestHost::new().await;
    let (elsewhere, mut askers) = (world.beside().await, tokio::task::JoinSet::new());
    for n in 0..20 {
        let database = if n % 2 == 0 { world.database.clone() } else { elsewhere.database.clone() };
        askers.spawn(async move {
            let take = database.write(async |t| rate_limit::take(t, "provider", LIMIT).await);
            take.await.expect("an answer")
        });
    }
    let waits: Vec<_> = askers.join_all().await.into_iter().flatten().collect();
    assert_eq!(waits.len(), 13, "whoever comes first is not asked to wait");
    assert!(waits.iter().all(|wait| *wait <= Duration::from_millis(60_001)), "{waits:?}");
    world.run("UPDATE provider_calls SET at = at - 60000 WHERE id % 2 = 0").await;
    let take = world.database.write(async |t| rate_limit::take(t, "provider", LIMIT).await);
    assert_eq!(take.await, Ok(None), "a minute later");
    // Calls of a time to come, which was before the clock was set back, are none of the last minute.
    world.run("UPDATE provider_calls SET at = at + 10800000").await;
    let take = world.database.write(async |t| rate_limit::take(t, "provider", 1).await);
    assert_eq!(take.await, Ok(None), "after a step back");
}

//! Articles share requests, and something ends in the middle: nothing is lost, no attempt waits for ever, and none
//! fails because of another.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use afterword_actors::{
    Runtime, RuntimeSettings,
    store::{Database, Engine, OpenOptions, StoreError, sql::Sql},
};
use tokio::sync::oneshot;

use super::{
    Fixture,
    requests::{sharing, times},
};
use crate::support::{TestModel, quick};

const ARTICLES: i64 = 24;

async fn saved() -> Fixture {
    let bench = Fixture::new().await;
    for number in 0..ARTICLES {
        bench.save(&format!("title {number}"), &format!("line a {number}\nline b {number}")).await;
    }
    bench
}

fn settings() -> RuntimeSettings {
    RuntimeSettings { slots: 8, ..quick() }
}

/// Two shared requests are under way, and no more begins.
async fn in_the_middle(bench: &Fixture) -> (Arc<TestModel>, Runtime) {
    let model = sharing(2);
    model.hold().await;
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings()).await.expect("a runtime");
    model.runs(2).await;
    (model, runtime)
}

async fn all_is_embedded(bench: &Fixture, runtime: &Runtime) {
    let stats = bench.settled(runtime).await;
    assert_eq!((stats.completed, stats.failed), (ARTICLES, 0));
    assert_eq!(bench.number("SELECT count(*) AS n FROM article_chunks").await, 3 * ARTICLES);
    assert_eq!(bench.number("SELECT count(*) AS n FROM article_embeddings").await, ARTICLES);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_in_a_shared_request_costs_its_own_article_one_attempt_and_others_nothing() {
    let bench = saved().await;
    let (model, runtime) = in_the_middle(&bench).await;
    let victims = runtime.victims().await;
    for victim in ["WorkerActor 0", "WorkerActor 5"] {
        victims[victim].kill();
    }
    model.open();
    all_is_embedded(&bench, &runtime).await;
    let paid = "SELECT count(*) AS n FROM embedding_tasks WHERE attempts > 1";
    assert!(bench.number(paid).await <= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_death_of_any_other_actor_in_the_middle_costs_no_article_an_attempt() {
    for victim in ["QueueActor", "WorkerSupervisor", "HeartbeatActor", "MaintenanceActor", "MetricsActor"] {
        let bench = saved().await;
        let (model, runtime) = in_the_middle(&bench).await;
        runtime.victims().await[victim].kill();
        model.open();
        all_is_embedded(&bench, &runtime).await;
        assert_eq!(bench.number("SELECT max(attempts) AS n FROM embedding_tasks").await, 1, "{victim}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_in_the_middle_gives_everything_back_uncounted() {
    let bench = saved().await;
    let (_model, runtime) = in_the_middle(&bench).await;
    let drained = runtime.stop(Duration::from_millis(50)).await;
    assert!(!drained.finished);
    assert!(drained.released > 0);
    let open = "SELECT count(*) AS n FROM embedding_tasks WHERE status = 'pending' AND attempts = 0";
    assert_eq!(bench.number(open).await, ARTICLES);
    let next = sharing(2);
    let runtime = Runtime::start(bench.database.clone(), next.model(), settings()).await.expect("a runtime");
    all_is_embedded(&bench, &runtime).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_with_time_ends_the_shared_requests_first() {
    let bench = saved().await;
    let (model, runtime) = in_the_middle(&bench).await;
    let (drained, ()) = tokio::join!(runtime.stop(Duration::from_secs(30)), async { model.open() });
    assert_eq!((drained.finished, drained.released), (true, 0));
    let open = "SELECT count(*) AS n FROM embedding_tasks WHERE status = 'processing'";
    assert_eq!(bench.number(open).await, 0);
    assert!(bench.number("SELECT count(*) AS n FROM embedding_tasks WHERE status = 'completed'").await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_that_died_in_the_middle_held_is_embedded_by_the_next() {
    let bench = saved().await;
    let (_model, runtime) = in_the_middle(&bench).await;
    drop(runtime); // As by kill -9: no goodbye.
    let next = sharing(2);
    let runtime = Runtime::start(bench.database.clone(), next.model(), settings()).await.expect("a runtime");
    all_is_embedded(&bench, &runtime).await;
    assert!(bench.number("SELECT max(attempts) AS n FROM embedding_tasks").await <= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_at_which_the_provider_hangs_for_ever_fails_and_the_others_do_not() {
    let bench = saved().await;
    bench.save("hanging", "HANG").await;
    let model = sharing(2);
    let settings = RuntimeSettings { max_processing_time: Duration::from_millis(500), slots: 32, ..quick() };
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
    let stats = bench.settled(&runtime).await;
    assert_eq!((stats.completed, stats.failed), (ARTICLES, 1));
    let failed = "SELECT count(*) AS n FROM embedding_tasks WHERE slug = 'hanging' AND status = 'failed'";
    assert_eq!(bench.number(failed).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_while_the_provider_hangs_waits_no_longer_than_it_may() {
    let bench = Fixture::new().await;
    bench.save("hanging", "HANG").await;
    let model = sharing(1);
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings()).await.expect("a runtime");
    model.runs(1).await;
    let drained = runtime.stop(Duration::from_millis(50)).await;
    assert_eq!((drained.finished, drained.released), (false, 1));
    while model.running() > 0 {
        tokio::task::yield_now().await; // The request ends with those who waited for it.
    }
}

/// Whatever the settings say about waiting for another process.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_while_another_process_holds_what_it_has_to_write() {
    let bench = Fixture::with(|options| OpenOptions { busy_timeout: Duration::from_secs(3600), ..options }).await;
    let runtime = Runtime::start(bench.database.clone(), sharing(1).model(), settings()).await.expect("a runtime");
    let other = Database::open(&OpenOptions::new(bench.url())).await.expect("a database");
    let ((holds, held), (leave, left)) = (oneshot::channel(), oneshot::channel());
    let holder = tokio::spawn(async move {
        let holding = other.write(async move |transaction| {
            if transaction.engine() == Engine::Postgres {
                transaction.run("LOCK TABLE embedding_hosts IN SHARE MODE", []).await?;
            }
            let _ = holds.send(());
            let _ = left.await;
            Ok::<(), StoreError>(())
        });
        holding.await.expect("a lock");
    });
    held.await.expect("a lock");
    let stop = async {
        runtime.stop(Duration::ZERO).await;
        bench.database.clone().close().await;
    };
    tokio::time::timeout(Duration::from_secs(60), stop).await.expect("an end");
    let _ = leave.send(());
    holder.await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_that_the_database_refused_are_not_used_again() {
    let (bench, model) = (Fixture::new().await, sharing(1));
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings()).await.expect("a runtime");
    bench.save("before", "").await;
    bench.settled(&runtime).await;
    model.dimension.store(5, Ordering::SeqCst);
    for number in 0..4 {
        bench.save(&format!("title {number}"), "").await;
    }
    runtime.wake();
    while runtime.status().await.expect("a tree").trouble.is_empty() {
        tokio::task::yield_now().await;
    }
    model.dimension.store(4, Ordering::SeqCst);
    let stats = bench.settled(&runtime).await;
    assert_eq!((stats.completed, stats.failed), (5, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_texts_of_workers_that_died_are_not_embedded_again() {
    let bench = saved().await;
    let (model, runtime) = in_the_middle(&bench).await;
    model.let_one_end();
    while model.log.lock().expect("the lock").len() < 3 {
        tokio::task::yield_now().await; // The third begins when the answer of one has arrived.
    }
    let answered: Vec<_> =
        model.calls.lock().expect("the lock").keys().filter(|text| *text != "probe").cloned().collect();
    let victims = runtime.victims().await;
    for slot in 0..7 {
        victims[&format!("WorkerActor {slot}")].kill();
    }
    model.open();
    all_is_embedded(&bench, &runtime).await;
    assert!(!answered.is_empty());
    for text in answered {
        assert_eq!(times(&model, &text), 1, "{text}");
    }
}

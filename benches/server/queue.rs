//! Draining, with and without history, with and without an open snapshot.

use std::time::{Duration, Instant};

use afterword_actors::{
    Runtime, RuntimeSettings,
    store::{
        Database, StoreError,
        claim::{Claim, HostSets, claim, new_token},
        models,
        settle::{Next, TaskVerdict, settle},
        sql::Sql,
    },
};

use crate::{
    no_op::{fill_with_no_ops, free_model},
    test_database::{self, OnPostgres, TestDatabase},
    times::Times,
};

/// Tasks for each second, by `hosts` runtimes of `slots` each.
pub(crate) async fn drain(count: i64, slots: u32, hosts: usize) -> f64 {
    let place = OnPostgres::fresh().await;
    let database = test_database::open(place.url()).await;
    fill_with_no_ops(&database, count).await;
    vacuum(&database).await;
    let settings = RuntimeSettings { slots, claim_batch: (slots / 2).max(1), ..RuntimeSettings::default() };
    let begun = Instant::now();
    let mut runtimes = Vec::new();
    for _ in 0..hosts {
        let own = test_database::open(place.url()).await;
        runtimes.push(Runtime::start(own, free_model(), settings.clone()).await.expect("a runtime"));
    }
    let done = "SELECT tasks AS n FROM embedding_task_counts WHERE status = 'completed'";
    while database.reader().row::<i64>(done, []).await.expect("a count").unwrap_or(0) < count {
        // Rarely: on two cores, looking slows the work down.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    for runtime in runtimes {
        runtime.stop(Duration::from_secs(5)).await;
    }
    rate
}

async fn vacuum(database: &Database) {
    database.write_connection().run("VACUUM ANALYZE", []).await.expect("a vacuum");
}

/// By slots and by hosts.
pub(crate) async fn rates() {
    for slots in [1, 8, 64, 256, 512] {
        let count = if slots == 1 { 3_000 } else { 50_000 };
        println!("no-op tasks drained, 1 host, {slots:>3} slots: {:>8.0} /s", drain(count, slots, 1).await);
    }
    for hosts in [1, 2, 4] {
        println!("no-op tasks drained, {hosts} hosts, 256 slots: {:>8.0} /s", drain(50_000, 256, hosts).await);
    }
}

/// Claims and ends batches as a host does, timing the claims.
async fn claim_for(database: &Database, model_id: i64, time: Duration, pause: Duration) -> Times {
    let slots: Vec<_> = (0..64).collect();
    let (mut times, begun) = (Times::default(), Instant::now());
    // As a host does: from where the last claim ended, and from the front now and then.
    let (mut reached, mut looked_at_all) = (None, begun);
    while begun.elapsed() < time {
        if looked_at_all.elapsed() > Duration::from_secs(10) {
            (reached, looked_at_all) = (None, Instant::now());
        }
        let (slots, from) = (slots.clone(), reached);
        let claimed_at = Instant::now();
        let tasks = database
            .write::<_, StoreError, _>(async move |transaction| {
                let lease = Duration::from_secs(60);
                let makes = HostSets::only(model_id);
                claim(
                    transaction,
                    Claim { token: &new_token(), incarnation: "bench", slots: &slots, lease, from, makes },
                )
                .await
            })
            .await
            .expect("a claim");
        times.0.push(claimed_at.elapsed());
        reached = tasks.iter().map(|task| task.position()).max();
        if tasks.is_empty() {
            break;
        }
        let verdicts: Vec<_> = tasks
            .into_iter()
            .map(|task| TaskVerdict { lease: task.lease, next: Next::Completed, cause: "completed", error: None })
            .collect();
        database.write(async move |transaction| settle(transaction, &verdicts).await).await.expect("an end");
        tokio::time::sleep(pause).await;
    }
    times
}

async fn model_id(database: &Database) -> i64 {
    models::active(database.reader()).await.expect("a model").expect("a model").id
}

/// A million finished tasks must not change what a claim costs.
pub(crate) async fn history() {
    for finished in [0, 1_000_000] {
        let place = OnPostgres::fresh().await;
        let database = test_database::open(place.url()).await;
        fill_with_no_ops(&database, 60_000).await;
        if finished > 0 {
            let sql = "INSERT INTO embedding_tasks (article_id, slug, operation, status, priority, revision, attempts,
                           max_attempts, created_at, updated_at, scheduled_at, queue_key, completed_at, cause)
                       SELECT 1 + i % 60000, 'article-' || 1 + i % 60000, 'update', 'completed', 'normal', 1, 1, 3,
                              {now}, {now}, {now}, {now}, {now}, 'completed'
                       FROM generate_series(1, $1) i";
            let fill = async { database.write_connection().run(sql, [i64::from(finished).into()]).await };
            fill.await.expect("a history");
        }
        vacuum(&database).await;
        let id = model_id(&database).await;
        let times = claim_for(&database, id, Duration::from_secs(30), Duration::ZERO).await;
        times.say(&format!("claims of 64 with {finished} finished tasks"));
    }
}

/// An open snapshot keeps every dead row from being removed.
pub(crate) async fn snapshot(time: Duration) {
    let place = OnPostgres::fresh().await;
    let database = test_database::open(place.url()).await;
    fill_with_no_ops(&database, 900_000).await;
    vacuum(&database).await;
    let id = model_id(&database).await;
    let pause = Duration::from_millis(50);
    let free = claim_for(&database, id, time.min(Duration::from_secs(60)), pause).await;
    free.say("claims of 64, no snapshot open");
    let holder = test_database::open(place.url()).await;
    let held = holder.reader().begin().await.expect("a transaction");
    held.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", []).await.expect("a snapshot");
    held.row::<i64>("SELECT count(*) AS n FROM embedding_models", []).await.expect("a snapshot");
    let begun = Instant::now();
    let share = time / 4;
    // It is used now and then: otherwise PostgreSQL would end its transaction.
    for _ in 0..4 {
        let times = claim_for(&database, id, share, pause);
        let awake = async {
            loop {
                tokio::time::sleep(Duration::from_secs(5)).await;
                held.run("SELECT 1", []).await.expect("a snapshot");
            }
        };
        let times = tokio::select! { times = times => times, () = awake => unreachable!("it never ends") };
        times.say(&format!("claims of 64, a snapshot open for {:.0?}", begun.elapsed()));
    }
    held.rollback().await.expect("an end");
}

//! What statements of the queue read, whatever plan PostgreSQL makes for them.

use std::time::Duration;

use afterword::embedding::scripted::Script;
use afterword_actors::{
    RuntimeSettings,
    store::{
        StoreError,
        claim::{Claim, HostSets, claim, new_token},
        settle,
        sql::Sql,
        vectors,
    },
    task::ClaimedTask,
};

use super::TestHost;
use crate::support::{DRAIN, article, quick};

#[tokio::test(flavor = "multi_thread")]
async fn what_has_waited_long_is_found_also_behind_a_backlog() {
    let settings = RuntimeSettings { slots: 2, claim_batch: 1, ..quick() };
    let world = TestHost::with(Script::default(), settings).await;
    for n in 0..30 {
        world.articles(None).create(article(&format!("article-{n}"), "text")).await.expect("a save");
    }
    world
        .run("UPDATE embedding_tasks SET queue_key = queue_key - 86400000 + 1000 * id, scheduled_at = 0 WHERE id > 5")
        .await;
    let runtime = world.start().await;
    assert_eq!(world.settled(&runtime).await.completed, 30);
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_and_ends_read_little_more_than_they_take_whatever_has_been_done() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    let makes = HostSets::only(runtime.handle().model_id());
    runtime.stop(DRAIN).await;
    let tasks = "
        INSERT INTO embedding_tasks (article_id, slug, operation, status, priority, revision, max_attempts, created_at,
            updated_at, scheduled_at, queue_key, completed_at, cause)
        SELECT n, 'article-' || n, 'update', status, 'normal', 1, 3, 0, 0, 0, 0,
               CASE status WHEN 'completed' THEN 0 END, 'test'
        FROM generate_series(1, 90000) n, LATERAL (SELECT CASE WHEN n <= 30000 THEN 'completed' ELSE 'pending' END) s(status)
        ORDER BY n";
    world.run(tasks).await;
    world.database.write_connection().run("VACUUM ANALYZE embedding_tasks", []).await.expect("a vacuum");
    let read = "SELECT CAST(seq_tup_read + idx_tup_fetch AS BIGINT) AS n FROM pg_stat_xact_user_tables
                WHERE relname = 'embedding_tasks'";
    let read = world.database.write::<_, StoreError, _>(async move |transaction| {
        let slots: Vec<_> = (0..8).collect();
        let (mut from, mut reads) = (None, Vec::new());
        // As PostgreSQL plans a statement that it has seen some times: for any number of tasks.
        transaction.run("SET LOCAL plan_cache_mode = force_generic_plan", []).await?;
        for _ in 0..20 {
            let lease = Duration::from_secs(60);
            let request = Claim { token: &new_token(), incarnation: "test", slots: &slots, lease, from, makes };
            let claimed = claim(transaction, request).await?;
            assert_eq!(claimed.len(), 8);
            from = claimed.iter().map(|task| task.position()).max();
            let tasks: Vec<_> = claimed.iter().collect();
            assert_eq!(vectors::check_writes(transaction, &tasks).await?.len(), 8);
            let done = |task: ClaimedTask| {
                let next = settle::Next::Completed;
                settle::TaskVerdict { lease: task.lease, next, cause: "completed", error: None }
            };
            let verdicts: Vec<_> = claimed.into_iter().map(done).collect();
            assert_eq!(settle::settle(transaction, &verdicts).await?.len(), 8);
            reads.push(transaction.row::<i64>(read, []).await?.unwrap_or(0));
        }
        Ok(reads)
    });
    let read = read.await.expect("claims");
    let most = read.windows(2).map(|pair| pair[1] - pair[0]).max().expect("claims");
    assert!(most < 200, "{most} rows read to claim and end 8: {read:?}");
}

/// If PostgreSQL last counted when no task was pending or processing, it takes every index of such tasks for equally
/// good, however many there are by now: an index by time or number must not be usable to find an article.
#[tokio::test(flavor = "multi_thread")]
async fn no_article_is_looked_for_in_an_index_of_something_else() {
    let world = TestHost::new().await;
    let plans = world.database.write::<_, StoreError, _>(async move |transaction| {
        let rightly = ["embedding_tasks_one_pending", "embedding_tasks_one_processing", "embedding_tasks_by_article"];
        for index in rightly {
            transaction.run(&format!("DROP INDEX {index}"), []).await?;
        }
        transaction.run("SET LOCAL enable_seqscan = off", []).await?;
        let mut plans = String::new();
        for status in ["pending", "processing"] {
            let look = format!("EXPLAIN SELECT 1 FROM embedding_tasks WHERE article_id = 1 AND status = '{status}'");
            for plan in transaction.rows::<String>(&look, []).await? {
                plans.push_str(&plan);
                plans.push('\n');
            }
        }
        Ok(plans)
    });
    let plans = plans.await.expect("plans");
    for other in ["_claim", "_leases", "_due", "_pending "] {
        assert!(!plans.contains(&format!("embedding_tasks{other}")), "{plans}");
    }
}

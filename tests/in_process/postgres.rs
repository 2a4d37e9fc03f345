//! What is special about PostgreSQL: its sessions, its indexes, its own tools.

use std::{process::Command, time::Duration};

use crate::support::{self, DRAIN, OnPostgres, TestDatabase, article, quick};
use afterword::{
    articles::ArticlePatch,
    auth::{NewToken, Permission, Tokens},
    config::Settings,
    database,
    embedding::scripted::Script,
    queue::{Event, Queue},
    search::{Mode, Query},
};
use afterword_actors::{
    Runtime, RuntimeSettings, Trouble,
    store::{
        Database, OpenOptions, StoreError,
        backlog::Backlog,
        bulk,
        claim::{Claim, HostSets, claim, new_token},
        events, hosts, leases, rate_limit, settle,
        sql::Sql,
        vectors,
    },
    task::{ClaimedTask, Lease, TaskStatus},
};

type TestHost = support::TestHost<OnPostgres>;

/// A host that does not poll before the test is over: it acts only on notifications.
fn search_failing() -> RuntimeSettings {
    RuntimeSettings { poll_interval: Duration::from_secs(3600), ..quick() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_hears_of_what_another_process_saves() {
    let world = TestHost::with(Script::default(), search_failing()).await;
    let runtime = world.start().await;
    let mut told = runtime.subscribe();
    let elsewhere = world.beside().await;
    for n in 0..5 {
        elsewhere.articles(None).create(article(&format!("article-{n}"), "text")).await.expect("a save");
        while told.recv().await.expect("an event").status != TaskStatus::Completed {}
    }
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_ear_is_cut_off_hears_again_and_has_missed_nothing() {
    let world = TestHost::with(Script::default(), search_failing()).await;
    let runtime = world.start().await;
    let mut told = runtime.subscribe();
    let elsewhere = world.beside().await;
    let cut = "WITH ears AS MATERIALIZED (
                   SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                   WHERE l.locktype = 'advisory' AND d.datname = current_database())
               SELECT count(*) AS n FROM ears WHERE pg_terminate_backend(pid)";
    for n in 0..5 {
        assert_eq!(world.number(cut).await, 1, "one connection listens");
        // Perhaps announced while no host listens: the poll after the reconnection finds it.
        elsewhere.articles(None).create(article(&format!("article-{n}"), "text")).await.expect("a save");
        while told.recv().await.expect("an event").status != TaskStatus::Completed {}
        let incarnation = [runtime.handle().incarnation().to_owned()];
        while !world.database.dead_among(&incarnation).await.expect("a look").is_empty() {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(world.number("SELECT count(*) AS n FROM embedding_task_events WHERE event = 'rescued'").await, 0);
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_made_while_the_door_is_opened_keeps_it_closed() {
    let world = TestHost::new().await;
    let tokens = Tokens::new(world.database.clone(), &Settings::default().auth);
    let new = |name: String| NewToken { name, scope: Permission::Admin, lifetime: None };
    for round in 0..20 {
        tokens.create(new(format!("former-{round}"))).await.expect("a token");
        tokens.revoke(&format!("former-{round}")).await.expect("an end");
        let (opened, made) = tokio::join!(tokens.open(), tokens.create(new(format!("new-{round}"))));
        made.expect("a token");
        assert!(tokens.any().await.expect("a look"), "round {round}: {opened:?}");
        tokens.revoke(&format!("new-{round}")).await.expect("it is there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connection_gives_up_what_it_waits_for_and_what_it_forgets() {
    let world = TestHost::new().await;
    for connection in [world.database.reader(), world.database.write_connection()] {
        let sql = "SELECT current_setting('lock_timeout') AS lock_timeout,
                          current_setting('idle_in_transaction_session_timeout') AS idle";
        let limits = connection.row::<(String, String)>(sql, []).await.expect("settings");
        assert_eq!(limits, Some(("10s".to_owned(), "15s".to_owned())));
    }
}

/// A role and a database may have settings by which decisions about tasks would be made on what was true before.
#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_role_do_not_change_how_transactions_see_each_other() {
    let hardened = TestHost::new().await;
    for setting in ["default_transaction_isolation = 'serializable'", "statement_timeout = '1ms'"] {
        hardened
            .database
            .write_connection()
            .script(&format!(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {}', current_database()); END $$",
                setting.replace('\'', "''")
            ))
            .await
            .expect("a setting");
    }
    let world = hardened.beside().await;
    for connection in [world.database.reader(), world.database.write_connection()] {
        let sql = "SELECT current_setting('transaction_isolation'), current_setting('statement_timeout')";
        let settings = connection.row::<(String, String)>(sql, []).await.expect("settings");
        assert_eq!(settings, Some(("read committed".to_owned(), "0".to_owned())));
    }
    let runtime = world.start().await;
    let articles = world.articles(Some(&runtime));
    let saves = (0..40).map(|n| {
        let articles = articles.clone();
        async move { articles.create(article(&format!("article-{n}"), "a text of many")).await }
    });
    for saved in futures_util::future::join_all(saves).await {
        saved.expect("a save that collides with no other");
    }
    assert_eq!(world.settled(&runtime).await.failed, 0);
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_or_panics_leaves_nothing() {
    let world = TestHost::new().await;
    let write = |name: &'static str| {
        let database = world.database.clone();
        async move {
            database
                .write::<_, StoreError, _>(async move |transaction| {
                    let sql = "INSERT INTO queue_control VALUES ($1, '', 0)";
                    transaction.run(sql, [name.into()]).await?;
                    match name {
                        "refused" => Err(StoreError::Unexpected("refused".to_owned())),
                        "panics" => panic!("asked to panic"),
                        // PostgreSQL answers the COMMIT of such a transaction without an error.
                        "heedless" => {
                            let _ = transaction.run("SELECT * FROM not_there", []).await;
                            Ok(())
                        }
                        _ => Ok(()),
                    }
                })
                .await
        }
    };
    let results = tokio::join!(write("a"), write("refused"), write("b"), write("panics"), write("c"));
    assert!(write("heedless").await.is_err(), "what was not committed is not acknowledged");
    assert!(results.0.is_ok() && results.2.is_ok() && results.4.is_ok());
    assert!(results.1.is_err() && results.3.is_err());
    assert_eq!(world.number("SELECT count(*) AS n FROM queue_control").await, 3);
    assert!(matches!(write("a").await, Err(StoreError::Constraint(_))), "a refusal has its own name");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_gets_no_connection_says_so_and_goes_on_by_itself() {
    let world = TestHost::new().await;
    let patience = Duration::from_millis(200);
    let options = OpenOptions { write_connections: 1, busy_timeout: patience, ..OpenOptions::new(world.place.url()) };
    let narrow = Database::open(&options).await.expect("a database");
    let runtime = Runtime::start(narrow.clone(), world.model(), world.settings.clone()).await.expect("a runtime");
    let taken = narrow.write_connection().begin().await.expect("the only connection");
    world.articles(Some(&runtime)).create(article("one", "text")).await.expect("a save, by another host");
    loop {
        let status = runtime.status().await.expect("a tree");
        let none_free = |trouble: &Trouble| matches!(trouble, Trouble::Database { message, .. } if message.contains("all of this process are in use"));
        if status.trouble.iter().any(none_free) {
            break;
        }
        tokio::task::yield_now().await;
    }
    taken.rollback().await.expect("the end");
    assert_eq!(world.settled(&runtime).await.completed, 1);
    let status = runtime.status().await.expect("a tree");
    assert!(status.walk().iter().all(|actor| actor.restarts == 0), "no restart was spent: {status:#?}");
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_on_connections_is_told_as_one_and_passes() {
    let world = TestHost::new().await;
    let role = format!("limited_{}", std::process::id());
    world.run(format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 3")).await;
    world.run(format!("GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")).await;
    let mut url = reqwest::Url::parse(&world.place.url()).expect("an address");
    url.set_username(&role).expect("a user");
    let patience = Duration::from_millis(300);
    let options = OpenOptions { read_connections: 2, busy_timeout: patience, ..OpenOptions::new(url.as_str()) };
    let limited = Database::open(&options).await.expect("one connection for each purpose");
    let taken = limited.reader().begin().await.expect("the only one for reading");
    let refused = limited.reader().row::<i64>("SELECT 1 AS n", []).await.expect_err("no further one");
    let told = refused.to_string();
    assert!(matches!(refused, StoreError::NoConnection(_)), "{told}");
    assert!(told.contains("too many connections") && told.contains("lower database.read_connections"), "{told}");
    taken.rollback().await.expect("the end");
    // It goes back to the pool beside the answer.
    while limited.reader().row::<i64>("SELECT 1 AS n", []).await.is_err() {}
    let told = limited.present_outage();
    assert!(matches!(told, Some(StoreError::NoConnection(_))), "those who find none wait all the same: {told:?}");
    limited.close().await;
    world.run(format!("DROP OWNED BY {role}")).await;
    world.run(format!("DROP ROLE {role}")).await;
}

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
async fn an_index_of_vectors_finds_what_comparing_them_all_finds() {
    let world =
        TestHost::with(Script { dimension: 24, ..Script::default() }, RuntimeSettings { slots: 8, ..quick() }).await;
    let runtime = world.start().await;
    let service = world.articles(Some(&runtime));
    for n in 0..600 {
        let body = format!("alpha{} beta{} gamma{} delta{n}", n % 7, n % 31, n % 101);
        let new = article(&format!("article-{n}"), &body);
        let folder = afterword::articles::folder::Folder::parse(&format!("shelf/{}", n % 20)).expect("a folder");
        service.create(afterword::articles::NewArticle { folder, ..new }).await.expect("a save");
    }
    world.settled(&runtime).await;
    let queries: Vec<_> = (0..40).map(|n| format!("alpha{} beta{} gamma{}", n % 7, n % 31, n * 13 % 101)).collect();
    let mut exact = Vec::new();
    for query in &queries {
        exact.push(world.found(query, Mode::Semantic).await);
    }
    let rebuilt = database::rebuild(&world.database, "english", &|_| {}).await.expect("an index");
    assert_eq!((rebuilt.articles, rebuilt.vectors), (600, 600));
    let used = "SELECT count(*) AS n FROM pg_stat_user_indexes WHERE indexrelname LIKE 'article_chunks_near_%'";
    assert_eq!(world.number(used).await, 1, "one index for the one model");
    let (mut found, mut all) = (0, 0);
    for (query, exact) in queries.iter().zip(exact) {
        let indexed = world.found(query, Mode::Semantic).await;
        found += exact.iter().filter(|slug| indexed.contains(slug)).count();
        all += exact.len();
    }
    assert!(found * 100 >= all * 99, "recall@10 of {found} in {all}");
    // In a narrow folder, nothing is missed for the index being full of others.
    let folder = afterword::articles::folder::Folder::parse("shelf/3").expect("a folder");
    let query = Query { folder, ..Query::new(queries[0].clone(), Mode::Semantic, 30) };
    assert_eq!(world.search.search(&query).await.expect("an answer").hits.len(), 30);
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_vectors_are_indexed_without_being_asked_for() {
    let world = TestHost::with(Script { dimension: 8, ..Script::default() }, quick()).await;
    let runtime = world.start().await;
    world.articles(Some(&runtime)).create(article("one", "a text")).await.expect("a save");
    world.settled(&runtime).await;
    let indexes = "SELECT count(*) AS n FROM pg_indexes WHERE indexname = 'article_chunks_near_1'";
    assert_eq!(world.number(indexes).await, 0, "not worth it");
    let copies = "INSERT INTO article_chunks
                      (article_id, model_id, position, heading_path, text, hash, tokens, vector, embedding)
                  SELECT article_id, model_id, n, '', text, hash || n, tokens, vector, embedding
                  FROM article_chunks CROSS JOIN generate_series(1, 20000) n";
    world.database.write_connection().run(copies, []).await.expect("chunks");
    runtime.stop(DRAIN).await;
    // The first sweep is at the start.
    let runtime = world.start().await;
    while world.number(indexes).await == 0 {
        tokio::task::yield_now().await;
    }
    let whole = "SELECT count(*) AS n FROM pg_index WHERE NOT indisvalid";
    assert_eq!(world.number(whole).await, 0);
    assert_eq!(world.found("a text", Mode::Semantic).await, ["one"]);
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_are_exact_before_and_after_they_are_folded() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    for n in 0..20 {
        service.create(article(&format!("article-{n}"), "text")).await.expect("a save");
    }
    let before = world.stats().await;
    assert_eq!(before.pending, 20);
    let deltas = "SELECT count(*) AS n FROM embedding_task_deltas";
    assert!(world.number(deltas).await > 0);
    for _ in 0..2 {
        let fold = world.database.write(async |t| afterword_actors::store::stats::fold(t).await);
        fold.await.expect("a fold");
    }
    assert_eq!(world.number(deltas).await, 0);
    assert_eq!(world.stats().await.total(), before.total());
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

#[tokio::test(flavor = "multi_thread")]
async fn every_command_works_on_postgresql() {
    let place = OnPostgres::fresh().await;
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_afterword"))
            .env("AFTERWORD_DATABASE__URL", place.url())
            .env("AFTERWORD_EMBEDDING__PROVIDER", "scripted")
            .args(arguments)
            .arg("--json")
            .output()
            .expect("a program that runs");
        let text = String::from_utf8_lossy(if output.status.success() { &output.stdout } else { &output.stderr });
        (output.status.success(), text.into_owned())
    };
    run(&["article", "create", "Bees", "--body", "They dance.", "--folder", "animals"]);
    for arguments in [
        &["bulk", "start"][..],
        &["bulk", "list"],
        &["article", "list"],
        &["article", "update", "bees", "--body", "They dance in the dark."],
        &["article", "history", "bees"],
        &["search", "dark"],
        &["queue", "pause"],
        &["queue", "resume"],
        &["queue", "stats"],
        &["queue", "list"],
        &["queue", "show", "1"],
        &["queue", "events"],
        &["queue", "rescue"],
        &["queue", "retry-failed"],
        &["queue", "cleanup", "--older-than", "1h"],
        &["status"],
        &["index", "rebuild"],
        &["db", "status"],
        &["db", "migrate"],
        &["db", "verify"],
        &["doctor"],
    ] {
        let (worked, text) = run(arguments);
        assert!(worked, "{arguments:?}: {text}");
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON and nothing else");
    }
    for arguments in [&["db", "backup", "file"][..], &["db", "restore", "Cargo.toml"]] {
        let (worked, text) = run(arguments);
        assert!(!worked && (text.contains("pg_dump") || text.contains("pg_restore")), "{arguments:?}: {text}");
    }
    let count = world_number(&place, "SELECT count(*) AS n FROM articles").await;
    assert_eq!(count, 1);
}

async fn world_number(place: &OnPostgres, sql: &str) -> i64 {
    let database = support::open(place.url()).await;
    database.reader().row::<i64>(sql, []).await.expect("a query").expect("a row")
}

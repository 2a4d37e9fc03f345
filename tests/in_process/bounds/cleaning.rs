//! Retention removes what is old enough, and nothing else.

use std::time::Duration;

use afterword::{articles::ArticlePatch, bulk::Bulk};
use afterword_actors::{
    Retention,
    store::{
        backlog::Backlog,
        retention::{self, CleanupReport},
    },
};

use super::TestHost;
use crate::support::{DRAIN, article};

const FOR_EVER: Retention = Retention {
    tasks: Duration::ZERO,
    events: Duration::ZERO,
    metrics: Duration::ZERO,
    bulk_runs: Duration::ZERO,
    deleted_articles: Duration::ZERO,
    versions: Duration::ZERO,
    versions_kept: 0,
    hosts: Duration::ZERO,
};
const AGE: Duration = Duration::from_secs(500);

async fn clean(world: &TestHost, kept: Retention) -> CleanupReport {
    retention::clean(&world.database, &kept).await.expect("a clean-up")
}

async fn edit(world: &TestHost, slug: &str, times: usize) {
    for n in 0..times {
        let body = Some(format!("{slug}, text {n}"));
        world.articles(None).update(slug, ArticlePatch { body, ..ArticlePatch::default() }).await.expect("a save");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_run_goes_with_all_it_did_and_until_then_tells_how_it_ended() {
    let world = TestHost::new().await;
    for n in 0..120 {
        world.articles(None).create(article(&format!("article-{n}"), "text")).await.expect("a save");
    }
    let runtime = world.start().await;
    let service = Bulk::new(world.database.clone(), 3);
    let run = runtime.handle().start_bulk(Backlog::All, String::new()).await.expect("a run");
    let ended = loop {
        let run = service.run(run).await.expect("a run");
        if run.has_ended() {
            break run;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((ended.succeeded, ended.queued), (120, 120));
    // Its summary says all: its articles are not counted again each time that it is looked at.
    let other = "INSERT INTO bulk_operations (id, scope, state, requested_at) VALUES (2000, 'all', 'cancelled', 1)";
    world.run(other).await;
    world.run("UPDATE bulk_items SET bulk_id = 2000").await;
    let again = service.run(run).await.expect("a run");
    assert_eq!((again.succeeded, again.queued, again.per_second), (120, 120, ended.per_second));
    world.run(&format!("UPDATE bulk_items SET bulk_id = {run}")).await;
    world.run("DELETE FROM bulk_operations WHERE id = 2000").await;
    runtime.stop(DRAIN).await;
    // Its tasks were removed before it.
    world.run("UPDATE embedding_tasks SET completed_at = completed_at - 1000000").await;
    assert!(clean(&world, Retention { tasks: AGE, ..FOR_EVER }).await.tasks >= 120);
    let later = service.run(run).await.expect("a run");
    assert_eq!((later.succeeded, later.failed, later.cancelled), (120, 0, 0));
    // Young runs and open ones stay.
    world.run("INSERT INTO bulk_operations (id, scope, state, requested_at) VALUES (1000, 'all', 'running', 1)").await;
    world.run("INSERT INTO bulk_items (bulk_id, article_id, task_id, adopted) VALUES (1000, 1, 1, TRUE)").await;
    let kept = Retention { bulk_runs: AGE, ..FOR_EVER };
    assert_eq!(clean(&world, kept).await.bulk_runs, 0);
    world.run("UPDATE bulk_operations SET finished_at = finished_at - 1000000").await;
    let removed = clean(&world, kept).await;
    assert_eq!((removed.bulk_items, removed.bulk_runs), (120, 1));
    assert_eq!(world.number("SELECT count(*) AS n FROM bulk_items").await, 1, "of the run that goes on");
    assert_eq!(clean(&world, kept).await, CleanupReport::default(), "nothing is left to do");
}

#[tokio::test(flavor = "multi_thread")]
async fn past_revisions_go_by_age_behind_the_newest_of_each_article() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    for (slug, edits) in [("much", 130), ("little", 3), ("never", 0)] {
        service.create(article(slug, "first")).await.expect("a save");
        edit(&world, slug, edits).await;
    }
    service.create(article("gone", "first")).await.expect("a save");
    edit(&world, "gone", 5).await;
    service.delete("gone", None).await.expect("a deletion");
    let versions = |slug: &'static str| {
        let service = service.clone();
        async move { service.history(slug).await.expect("a history").len() }
    };
    let kept = Retention { versions: AGE, versions_kept: 4, ..FOR_EVER };
    assert_eq!(clean(&world, kept).await.versions, 0, "all are young");
    world.run("UPDATE article_versions SET superseded_at = superseded_at - 1000000").await;
    edit(&world, "much", 1).await;
    assert_eq!(clean(&world, FOR_EVER).await.versions, 0, "that is what zero says");
    assert_eq!(clean(&world, kept).await.versions, 127, "131 are past, and the newest four stay");
    assert_eq!((versions("much").await, versions("little").await, versions("never").await), (5, 4, 1));
    assert_eq!(versions("gone").await, 6, "a deletion can be undone with all that was before it");
    assert_eq!(clean(&world, kept).await.versions, 0);
    // Those of a deleted article have a retention of their own, and leave nothing behind.
    let removed = clean(&world, Retention { deleted_articles: AGE, ..FOR_EVER }).await;
    assert_eq!(removed.deleted_articles, 6);
    assert_eq!(versions("much").await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_stay_at_the_front_keeps_nothing_behind_it() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    world.articles(Some(&runtime)).create(article("alive", "text")).await.expect("a save");
    world.settled(&runtime).await;
    runtime.stop(DRAIN).await;
    // More than a page of failures that stay, each the newest of its article, all ended at one moment; then others.
    let articles = "
        INSERT INTO articles (id, slug, title, body, content_hash, created_at, updated_at)
        SELECT 1000 + p.id * 40 + q.id, 'failed-' || p.id || '-' || q.id, 't', 'b', 'h', 1, 1
        FROM (SELECT id FROM {N}) p CROSS JOIN (SELECT id FROM {N}) q";
    let tasks = "
        INSERT INTO embedding_tasks (article_id, slug, operation, status, priority, revision, max_attempts, created_at,
            updated_at, scheduled_at, queue_key, completed_at, cause)
        SELECT a.id, a.slug, 'update', s.status, 'normal', 1, 3, 1, 1, 1, 1, s.ended, 'test'
        FROM articles a CROSS JOIN (SELECT 'failed' AS status, 5 AS ended, 2 AS turn
                                    UNION ALL SELECT 'completed', 7, 1) s
        WHERE a.id >= 1000 ORDER BY s.turn, a.id";
    let numbers = "(SELECT 1 AS id UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5)";
    let numbers = format!("(SELECT 5 * (a.id - 1) + b.id AS id FROM {numbers} a CROSS JOIN {numbers} b) n");
    world.run(articles.replace("{N}", &numbers).leak()).await;
    world.run(tasks).await;
    let removed = clean(&world, Retention { tasks: AGE, ..FOR_EVER }).await;
    assert_eq!(removed.tasks, 625, "those that were completed");
    let failed = "SELECT count(*) AS n FROM embedding_tasks WHERE status = 'failed'";
    assert_eq!(world.number(failed).await, 625);
    assert_eq!(world.stats().await.failed, 625, "and the counts know");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_a_time_to_come_keeps_no_others_of_the_trail() {
    let world = TestHost::new().await;
    // The clock was wrong for a while, and is right again.
    world.run("INSERT INTO embedding_task_events (at, event) VALUES (32503680000000, 'paused')").await;
    let numbers = "SELECT 1 AS id UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5";
    let many = format!(
        "INSERT INTO embedding_task_events (at, event) SELECT 1, 'resumed' FROM ({numbers}) a CROSS JOIN ({numbers}) b
         CROSS JOIN ({numbers}) c CROSS JOIN ({numbers}) d CROSS JOIN ({numbers}) e"
    );
    world.run(many.leak()).await;
    assert_eq!(clean(&world, Retention { events: AGE, ..FOR_EVER }).await.events, 3_125);
    assert_eq!(world.number("SELECT count(*) AS n FROM embedding_task_events WHERE event = 'paused'").await, 1);
}

//! The day of a running host: all its statements, through the services that the doors call.

use std::time::Duration;

use afterword::{
    articles::{ArticlePatch, NewArticle, folder::Folder, slug::Slug},
    bulk::Bulk,
    files::{SyncRequest, left_copies, sync},
    hosts,
    queue::{Queue, TaskFilter},
    search::{Mode, Query},
};
use afterword_actors::{
    Retention, Runtime,
    store::{backlog::Backlog, events, rate_limit, retention, sql::Sql, tasks},
    task::TaskStatus,
};

use crate::support::{TestDatabase, TestHost, article};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Does everything, and leaves some tasks waiting, one of them for later.
pub(crate) async fn spend<P: TestDatabase>(world: &TestHost<P>, runtime: &Runtime) {
    let queue = Queue::new(world.database.clone());
    articles(world, runtime).await;
    notes(world).await;
    looks(world, &queue).await;
    people(world, runtime, &queue).await;
    let retention = Retention {
        tasks: 7 * DAY,
        events: 30 * DAY,
        metrics: 30 * DAY,
        bulk_runs: 30 * DAY,
        deleted_articles: 30 * DAY,
        versions: 30 * DAY,
        versions_kept: 2,
        hosts: DAY,
    };
    retention::clean(&world.database, &retention).await.expect("a clean-up");
    backlog(world, runtime, &queue).await;
}

async fn articles<P: TestDatabase>(world: &TestHost<P>, runtime: &Runtime) {
    let service = world.articles(Some(runtime));
    let mut feed = service.changes();
    feed.next().await.expect("changes");
    for n in 0..20 {
        let folder = Folder::parse(&format!("new/{}", n % 3)).expect("a folder");
        let new =
            NewArticle { folder, idempotency_key: Some(format!("new-{n}")), ..article(&format!("new-{n}"), "kites") };
        service.create(new).await.expect("a save");
    }
    for n in 0..5 {
        let body = Some(format!("kites and umbrellas {n}"));
        service.update(&format!("new-{n}"), ArticlePatch { body, ..ArticlePatch::default() }).await.expect("a save");
    }
    service.rename("new-5", Slug::parse("renamed").expect("a slug"), None).await.expect("a rename");
    for slug in ["new-6", "old-7"] {
        service.delete(slug, None).await.expect("a deletion");
        service.restore(slug, None).await.expect("a restoration");
    }
    service.delete("new-8", None).await.expect("a deletion");
    let skip = ArticlePatch { skip_embedding: Some(true), ..ArticlePatch::default() };
    service.update("new-9", skip).await.expect("a save");
    world.settled(runtime).await;
    feed.next().await.expect("changes");
    service.history("new-1").await.expect("a history");
    service.read_revision("new-1", 1).await.expect("a revision");
    service.read("new-5").await.expect("an article, by its former name");
    service.read("nowhere").await.expect_err("nothing");
    let page = service.newest(&Folder::default(), None, 10).await.expect("articles");
    service.newest(&Folder::default(), page.1.as_deref(), 10).await.expect("articles");
    service.subfolders(&Folder::default(), 10).await.expect("folders");
    service.slugs("new", 10).await.expect("slugs");
}

/// A folder that is kept in step, with what happens to files.
async fn notes<P: TestDatabase>(world: &TestHost<P>) {
    let vault = tempfile::tempdir().expect("a folder");
    let file = |name: &str| vault.path().join(name);
    let write = |name: &str, text: &str| std::fs::write(file(name), text).expect("a file");
    for n in 0..5 {
        write(&format!("note-{n}.md"), &format!("---\ntags: [kite]\n---\n# Note {n}\n\nsee [[Note {}]]\n", n + 1));
    }
    let folder = Folder::parse("notes").expect("a folder");
    let asked = SyncRequest { directory: vault.path().to_owned(), folder, many_deletions: true, dry_run: false };
    let service = world.articles(None);
    let both = async || sync(&service, &asked).await.expect("a run");
    both().await;
    both().await;
    write("note-0.md", "# Note 0\n\nchanged here\n");
    std::fs::rename(file("note-1.md"), file("moved.md")).expect("a move");
    std::fs::remove_file(file("note-2.md")).expect("a removal");
    let body = Some("changed there".to_owned());
    service.update("note-3", ArticlePatch { body, ..ArticlePatch::default() }).await.expect("a save");
    service.delete("note-4", None).await.expect("a deletion");
    both().await;
    both().await;
    left_copies(&world.database).await.expect("copies");
}

async fn looks<P: TestDatabase>(world: &TestHost<P>, queue: &Queue) {
    for (mode, folder) in [(Mode::Hybrid, ""), (Mode::Hybrid, "new"), (Mode::Keyword, ""), (Mode::Semantic, "")] {
        let folder = Folder::parse(folder).expect("a folder");
        let query = Query { folder, ..Query::new("umbrellas", mode, 5) };
        world.search.search(&query).await.expect("an answer");
    }
    queue.numbers().await.expect("numbers");
    queue.gauges().await.expect("numbers");
    world.stats().await;
    hosts::workers(&world.database).await.expect("workers");
    let statuses =
        [TaskStatus::Pending, TaskStatus::Processing, TaskStatus::Completed, TaskStatus::Failed, TaskStatus::Cancelled];
    let article_id = world.number("SELECT id AS n FROM articles WHERE slug = 'old-9'").await;
    for status in statuses.into_iter().map(Some).chain([None]) {
        for article_id in [None, Some(article_id)] {
            let filter = TaskFilter { status, article_id, before: None, limit: 20 };
            let page = queue.tasks(&filter).await.expect("tasks");
            queue.tasks(&TaskFilter { before: page.next_before, ..filter }).await.expect("tasks");
            if let Some(task) = page.tasks.first() {
                queue.task(task.id).await.expect("a task");
            }
        }
    }
    let filter = events::Filter { task_id: None, limit: 20 };
    let newest = queue.events(&filter).await.expect("events");
    queue.events_before(newest[0].id, 20).await.expect("events");
    queue.minutes().await.expect("minutes");
    queue.follow(Some(newest[0].id)).await.expect("a place").next(100).await.expect("events");
    take_turn(world).await;
}

async fn take_turn<P: TestDatabase>(world: &TestHost<P>) {
    let take = world.database.write(async |t| rate_limit::take(t, "somewhere", 100).await);
    take.await.expect("a turn");
}

async fn people<P: TestDatabase>(world: &TestHost<P>, runtime: &Runtime, queue: &Queue) {
    let bulk = Bulk::new(world.database.clone(), 3);
    let folder = Folder::parse("new").expect("a folder");
    for scope in Backlog::ALL {
        bulk.count(scope, &folder).await.expect("a count");
    }
    let run = runtime.handle().start_bulk(Backlog::All, "new".to_owned()).await.expect("a run");
    while !bulk.run(run).await.expect("a run").has_ended() {
        tokio::task::yield_now().await;
    }
    let cancelled = bulk.start(Backlog::All, &folder).await.expect("a run");
    bulk.cancel(cancelled).await.expect("a cancel");
    bulk.list(10).await.expect("runs");
    // Only a page of the thousands of failed tasks is read: retrying them all is work, not a read.
    let retry = world.database.write(async |t| tasks::retry_failed(t, 0, 50).await);
    retry.await.expect("retries");
    let failed = TaskFilter { status: Some(TaskStatus::Failed), article_id: None, before: None, limit: 1 };
    let failed = queue.tasks(&failed).await.expect("tasks").tasks[0].id;
    let _ = queue.retry(failed).await;
    let _ = queue.cancel(failed).await;
    queue.rescue().await.expect("a rescue");
    world.settled(runtime).await;
}

async fn backlog<P: TestDatabase>(world: &TestHost<P>, runtime: &Runtime, queue: &Queue) {
    queue.pause().await.expect("a pause");
    let service = world.articles(Some(runtime));
    for n in 0..40 {
        service.create(article(&format!("waiting-{n}"), "kites")).await.expect("a save");
    }
    world
        .run(
            "UPDATE embedding_tasks SET scheduled_at = scheduled_at + 100000, queue_key = queue_key + 100000
               WHERE status = 'pending' AND id % 2 = 0",
        )
        .await;
    queue.numbers().await.expect("numbers");
    // A claim, while it is paused and while it is not.
    runtime.wake();
    runtime.status().await.expect("a tree");
    let waiting = "SELECT count(*) AS n FROM embedding_tasks WHERE status = 'pending'";
    let row = world.database.reader().row::<i64>(waiting, []).await.expect("a count");
    assert!(row.is_some_and(|row| row >= 40));
}

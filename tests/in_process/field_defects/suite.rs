//! The defects that the engine could contribute to.

use std::{sync::Arc, time::Duration};

use afterword::{
    articles::{AfterSave, ArticlePatch, Articles, EmbeddingState, Limits, NewArticle, slug::Slug},
    config::{LoadedSettings, Sources},
    embedding::scripted::{Rule, Script},
    search::Mode,
};
use afterword_actors::{
    Retention, RuntimeSettings,
    embedder::EmbedError,
    store::{backlog::Backlog, bulk, hosts, metrics, retention, sql, tasks},
    task::{NewTask, Operation},
};

use super::TestHost;
use crate::support::{DRAIN, article, quick};

fn body(text: &str) -> ArticlePatch {
    ArticlePatch { body: Some(text.to_owned()), ..ArticlePatch::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_down_completes_nothing_and_wipes_no_vectors() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    let service = world.articles(Some(&runtime));
    service.create(article("one", "umbrella")).await.expect("a save");
    world.settled(&runtime).await;
    world.embedder.outage(Some(EmbedError::unavailable("connection refused")));
    let mut told = runtime.subscribe();
    service.update("one", body("parasol")).await.expect("a save");
    while told.recv().await.expect("an event").error.is_none() {}
    let read = service.read("one").await.expect("an article");
    assert_eq!(read.embedding.status, EmbeddingState::Pending);
    assert!(read.embedding.searchable && read.embedding.stale, "the old vectors serve");
    assert_eq!(world.number("SELECT count(*) AS n FROM article_chunks").await, 1);
    world.embedder.outage(None);
    assert_eq!(world.settled(&runtime).await.failed, 0);
    assert_eq!(world.found("parasol", Mode::Semantic).await, ["one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_keeps_tasks_in_flight() {
    let world = TestHost::new().await;
    world.embedder.hold();
    let runtime = world.start().await;
    world.articles(Some(&runtime)).create(article("one", "text")).await.expect("a save");
    world.embedder.wait_for_calls(1).await;
    assert_eq!(world.stats().await.processing, 1);
    drop(runtime);
    world.embedder.release();
    let life = world.beside().await;
    let runtime = life.start().await;
    assert_eq!(life.settled(&runtime).await.completed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_tasks_never_overlap_beyond_the_slots() {
    let script = Script { latency: Duration::from_millis(5), ..Script::default() };
    let world = TestHost::with(script, RuntimeSettings { slots: 1, ..quick() }).await;
    for n in 0..12 {
        world.articles(None).create(article(&format!("article-{n}"), "text")).await.expect("a save");
    }
    let runtime = world.start().await;
    world.settled(&runtime).await;
    assert_eq!(world.embedder.peak_concurrency(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_tasks_succeed() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    let service = world.articles(Some(&runtime));
    let id = service.create(article("one", "text")).await.expect("a save").article.id;
    world.settled(&runtime).await;
    service.delete("one", None).await.expect("a deletion");
    let task = NewTask { operation: Operation::Delete, cause: "test", ..NewTask::created(id, "one") };
    runtime.enqueue(task).await.expect("a task");
    let stats = world.settled(&runtime).await;
    assert_eq!((stats.completed, stats.failed), (2, 0));
    assert_eq!(world.number("SELECT count(*) AS n FROM article_chunks").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_does_not_break_the_waiting_task() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    service.create(article("before", "text")).await.expect("a save");
    service.rename("before", Slug::parse("after").expect("a slug"), None).await.expect("a rename");
    let runtime = world.start().await;
    assert_eq!(world.settled(&runtime).await.completed, 1);
    assert_eq!(service.read("before").await.expect("by its former name").slug, "after");
    assert_eq!(world.found("text", Mode::Semantic).await, ["after"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_edits_make_one_embedding() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    service.create(article("one", "draft")).await.expect("a save");
    for n in 0..20 {
        service.update("one", body(&format!("draft number {n}"))).await.expect("a save");
    }
    assert_eq!(world.stats().await.pending, 1);
    let runtime = world.start().await;
    world.settled(&runtime).await;
    assert_eq!(world.embedder.times_embedded("draft"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn unchanged_chunks_are_not_embedded_again() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    let service = world.articles(Some(&runtime));
    let text = |last: &str| format!("# One\n\napples\n\n# Two\n\npears\n\n# Three\n\n{last}\n");
    service.create(article("one", &text("plums"))).await.expect("a save");
    world.settled(&runtime).await;
    service.update("one", body(&text("cherries"))).await.expect("a save");
    world.settled(&runtime).await;
    assert_eq!(world.embedder.times_embedded("apples"), 1);
    assert_eq!(world.embedder.times_embedded("cherries"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_attempts_are_three_tries() {
    let world = TestHost::new().await;
    world.embedder.fail(Rule::containing("flaky", EmbedError::transient("500")));
    let runtime = world.start().await;
    world.articles(Some(&runtime)).create(article("one", "flaky")).await.expect("a save");
    assert_eq!(world.settled(&runtime).await.failed, 1);
    assert_eq!(world.embedder.times_embedded("flaky"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_finds_an_exhausted_task() {
    let world = TestHost::new().await;
    world.embedder.fail(Rule::containing("flaky", EmbedError::transient("500")).times(3));
    let runtime = world.start().await;
    let saved = world.articles(Some(&runtime)).create(article("one", "flaky")).await.expect("a save");
    assert_eq!(world.settled(&runtime).await.failed, 1);
    let id = saved.task_id.expect("a task");
    let change = world.database.write(async move |t| tasks::retry(t, id).await).await;
    assert_eq!(change, Ok(tasks::Change::Done));
    runtime.wake();
    let stats = world.settled(&runtime).await;
    assert_eq!((stats.completed, stats.failed), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_queue_embeds_inside_the_save_and_never_fails_it() {
    let world = TestHost::new().await;
    world.embedder.fail(Rule::containing("broken", EmbedError::data("unreadable")));
    let after = AfterSave::EmbedNow(world.model(), Box::new(quick()));
    let service = Articles::new(world.database.clone(), Limits::default(), 3, after);
    let saved = service.create(article("good", "text")).await.expect("a save").article;
    assert_eq!(saved.embedding.status, EmbeddingState::Completed);
    let saved = service.create(article("bad", "broken")).await.expect("a save").article;
    assert_eq!(saved.embedding.status, EmbeddingState::Failed);
    let settings = LoadedSettings::load(&Sources {
        variables: [("EMBEDDING_QUEUE_ENABLED".to_owned(), "false".to_owned())].into(),
        ..Sources::default()
    });
    assert!(!settings.expect("settings").settings.queue.enabled);
}

#[tokio::test(flavor = "multi_thread")]
async fn opted_out_articles_are_embedded_by_nothing() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    let service = world.articles(Some(&runtime));
    service.create(NewArticle { skip_embedding: true, ..article("never", "secret") }).await.expect("a save");
    world.embedder.hold();
    service.create(article("later", "secret")).await.expect("a save");
    let skip = ArticlePatch { skip_embedding: Some(true), ..ArticlePatch::default() };
    service.update("later", skip).await.expect("a save");
    world.embedder.release();
    let id = runtime.handle().start_bulk(Backlog::All, String::new()).await.expect("a run");
    while bulk::find(world.database.reader(), id).await.expect("a query").expect("a run").summary.is_none() {
        let _ = tokio::time::timeout(Duration::from_millis(10), runtime.subscribe().recv()).await;
    }
    world.settled(&runtime).await;
    assert_eq!(world.number("SELECT count(*) AS n FROM article_embeddings").await, 0);
    assert_eq!(service.read("later").await.expect("an article").embedding.status, EmbeddingState::Skipped);
    assert_eq!(world.found("secret", Mode::Keyword).await.len(), 2, "found by words all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heading_only_article_has_a_vector() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    let service = world.articles(Some(&runtime));
    service.create(article("headings", "# Only\n\n## Headings\n")).await.expect("a save");
    service.create(article("empty", "")).await.expect("a save");
    assert_eq!(world.settled(&runtime).await.completed, 2);
    assert_eq!(world.number("SELECT count(DISTINCT article_id) AS n FROM article_chunks").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn awkward_texts_all_end_in_a_true_state() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    let service = world.articles(Some(&runtime));
    let texts = [
        "数据库".repeat(5_000),
        "ا".repeat(10_000),
        "x".repeat(100_000),
        "nul\0nul".to_owned(),
        "\u{feff}mark".to_owned(),
        " \n\t ".to_owned(),
        "👩‍👩‍👧‍👦".repeat(500),
    ];
    for (n, text) in texts.iter().enumerate() {
        service.create(article(&format!("awkward-{n}"), text)).await.expect("a save");
    }
    let stats = world.settled(&runtime).await;
    assert_eq!((stats.completed, stats.failed), (i64::try_from(texts.len()).expect("few"), 0));
    assert!(world.number("SELECT max(tokens) AS n FROM article_chunks").await <= 64, "no chunk is too long");
    let refused = service.create(article("huge", &"x".repeat(65 << 20))).await.expect_err("too large");
    assert!(refused.to_string().contains("articles.max_size"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn headings_inside_code_fences_split_nothing() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    let text = "# Real\n\n```sh\n# not a heading\nls\n```\n";
    world.articles(Some(&runtime)).create(article("fence", text)).await.expect("a save");
    world.settled(&runtime).await;
    assert_eq!(world.number("SELECT count(*) AS n FROM article_chunks").await, 1);
    assert_eq!(world.number("SELECT count(*) AS n FROM article_chunks WHERE heading_path = 'Real'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_dimension_works_and_a_change_under_the_same_name_is_refused() {
    let world = TestHost::with(Script { dimension: 7, ..Script::default() }, quick()).await;
    let runtime = world.start().await;
    world.articles(Some(&runtime)).create(article("one", "text")).await.expect("a save");
    world.settled(&runtime).await;
    assert_eq!(world.number("SELECT max(length(vector)) AS n FROM article_chunks").await, 28);
    runtime.stop(DRAIN).await;
    let other = world.beside_with(Script { dimension: 9, ..Script::default() }).await;
    let runtime = other.start().await;
    let mut told = runtime.subscribe();
    other.articles(Some(&runtime)).update("one", body("other text")).await.expect("a save");
    let error = loop {
        if let Some(error) = told.recv().await.expect("an event").error {
            break error;
        }
    };
    assert!(error.contains('9') && error.contains('7'), "{error}");
    assert_eq!(other.number("SELECT max(length(vector)) AS n FROM article_chunks").await, 28, "nothing mixed in");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vector_index_misses_nothing_it_should_find() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    let service = world.articles(Some(&runtime));
    // The index exists before the data does.
    assert!(world.found("anything", Mode::Hybrid).await.is_empty());
    for n in 0..120 {
        service
            .create(article(&format!("article-{n}"), &format!("alpha{} beta{} gamma{n}", n % 7, n % 11)))
            .await
            .expect("a save");
    }
    world.settled(&runtime).await;
    for n in (0..120).step_by(10) {
        let text = format!("Title of article {n} alpha{} beta{} gamma{n}", n % 7, n % 11);
        assert!(world.found(&text, Mode::Semantic).await.contains(&format!("article-{n}")), "{n}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_worker_has_a_row_and_a_dead_host_is_not_running() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    let incarnation = runtime.handle().incarnation().to_owned();
    while hosts::workers(world.database.reader(), &incarnation).await.expect("rows").len() < 2 {
        tokio::task::yield_now().await;
    }
    drop(runtime);
    let life = world.beside().await;
    let next = life.start().await;
    while world.number("SELECT count(*) AS n FROM embedding_hosts WHERE state = 'lost'").await == 0 {
        tokio::task::yield_now().await;
    }
    let dead = hosts::workers(world.database.reader(), &incarnation).await.expect("rows");
    assert!(dead.iter().all(|row| row.state == "stopped"));
    next.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_is_carried_out() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    let service = world.articles(Some(&runtime));
    service.create(article("one", "text")).await.expect("a save");
    service.create(article("gone", "text")).await.expect("a save");
    world.settled(&runtime).await;
    service.delete("gone", None).await.expect("a deletion");
    runtime.stop(DRAIN).await;
    let now = sql::now(world.database.reader()).await.expect("a time");
    let minutes = metrics::since(world.database.reader(), now - 600_000).await.expect("rows");
    assert!(!minutes.is_empty(), "the last minute was written at the end");
    world.run("UPDATE embedding_tasks SET completed_at = completed_at - 1000000 WHERE completed_at IS NOT NULL").await;
    world.run("UPDATE embedding_task_events SET at = at - 1000000").await;
    world.run("UPDATE embedding_metrics SET minute = minute - 1000000").await;
    world.run("UPDATE article_versions SET superseded_at = superseded_at - 1000000").await;
    world.run("UPDATE embedding_hosts SET heartbeat_at = heartbeat_at - 1000000").await;
    let age = Duration::from_secs(500);
    let kept = Retention {
        tasks: age,
        events: age,
        metrics: age,
        bulk_runs: age,
        deleted_articles: age,
        versions: age,
        versions_kept: 1,
        hosts: age,
    };
    let removed = retention::clean(&world.database, &kept).await.expect("a clean-up");
    assert_eq!((removed.tasks, removed.deleted_articles, removed.hosts), (2, 1, 1));
    assert!(removed.events >= 6 && removed.metrics >= 1, "{removed:?}");
    assert_eq!(world.stats().await.total(), 0, "the numbers count only what is there");
    assert_eq!(world.number("SELECT count(*) AS n FROM article_chunks").await, 1, "vectors are not history");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_updates_never_collide_on_the_revision() {
    let world = TestHost::new().await;
    let service = Arc::new(world.articles(None));
    service.create(article("one", "text")).await.expect("a save");
    let elsewhere = world.beside().await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let service = if writer % 2 == 0 { world.articles(None) } else { elsewhere.articles(None) };
        writers.spawn(async move {
            for n in 0..10 {
                service.update("one", body(&format!("writer {writer}, text {n}"))).await.expect("a save");
            }
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.expect("a writer");
    }
    let history = service.history("one").await.expect("a history");
    let revisions: Vec<_> = history.iter().map(|revision| revision.revision).collect();
    assert_eq!(revisions, (1..=81).rev().collect::<Vec<_>>(), "every save is a revision of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_embedding_status() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    let service = world.articles(Some(&runtime));
    world.embedder.hold();
    let saved = service.create(article("one", "text")).await.expect("a save").article;
    let read = service.read("one").await.expect("an article");
    let listed = service.list(&Default::default(), None, 10).await.expect("a list").articles;
    let hit = world.find("text", Mode::Hybrid).await.hits.remove(0);
    for status in [saved.embedding.status, read.embedding.status, listed[0].embedding.status, hit.embedding.status] {
        assert!(matches!(status, EmbeddingState::Pending | EmbeddingState::Processing), "{status:?}");
    }
    world.embedder.release();
    world.settled(&runtime).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_waits_for_the_provider_says_so_first() {
    let circuit = afterword_actors::Delays { base: Duration::from_secs(60), max: Duration::from_secs(60) };
    let world = TestHost::with(Script::default(), RuntimeSettings { circuit, ..quick() }).await;
    world.embedder.outage(Some(EmbedError::config("401: the key is wrong")));
    let runtime = world.start().await;
    let mut told = runtime.subscribe();
    let saved = world.articles(Some(&runtime)).create(article("one", "text")).await.expect("a save");
    while told.recv().await.expect("an event").error.is_none() {}
    let queue = afterword::queue::Queue::new(world.database.clone());
    let shown = queue.task(saved.task_id.expect("a task")).await.expect("the task");
    assert!(shown.explanation.contains("401: the key is wrong"), "{}", shown.explanation);
    let fleet = loop {
        let fleet = afterword::hosts::living(&world.database).await.expect("hosts");
        if fleet.iter().any(|host| !host.trouble.is_empty()) {
            break fleet;
        }
        tokio::task::yield_now().await;
    };
    let findings = afterword::health::diagnosis::of_hosts(&fleet);
    assert!(findings.iter().any(|finding| finding.part == "provider"), "{findings:?}");
    // Also when it would wait for a delay of its own.
    world.run("UPDATE embedding_tasks SET scheduled_at = {now} + 3600000 WHERE status = 'pending'").await;
    let shown = queue.task(saved.task_id.expect("a task")).await.expect("the task").explanation;
    let places = ["401: the key is wrong", "its next attempt is in"].map(|part| shown.find(part));
    assert!(places[0].is_some() && places[0] < places[1], "{shown}");
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_undone_is_the_last_change_of_the_text() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    service.create(article("one", "first")).await.expect("a save");
    service.update("one", body("second")).await.expect("a save");
    service.rename("one", Slug::from_title("two"), None).await.expect("a rename");
    let undone = service.restore("two", None).await.expect("a past");
    assert_eq!((undone.article.body.as_str(), undone.article.slug.as_str()), ("first", "two"));
    let again = service.restore("two", None).await.expect("a past");
    assert_eq!(again.article.body, "second", "an undoing is a change, too");
    service.create(article("only-renamed", "text")).await.expect("a save");
    service.rename("only-renamed", Slug::from_title("other"), None).await.expect("a rename");
    assert!(!service.restore("other", None).await.expect("a past").changed, "its text was never another");
}

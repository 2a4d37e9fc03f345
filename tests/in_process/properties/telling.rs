//! Reports: status, bulk runs, the audit trail, the numbers.

use std::collections::{BTreeSet, HashMap};

use afterword::{
    articles::{ArticlePatch, EmbeddingState},
    embedding::scripted::Rule,
};
use afterword_actors::{
    embedder::EmbedError,
    store::{backlog::Backlog, bulk, events, sql::Sql, tasks},
    task::TaskStatus,
};
use proptest::prelude::*;

use super::TestHost;
use crate::{
    properties::cases,
    support::{DRAIN, TOKIO, article},
};

/// The moves that a task may make.
fn is_legal(from: Option<&str>, to: &str) -> bool {
    matches!(
        (from, to),
        (None, "pending")
            | (Some("pending"), "processing" | "cancelled" | "pending")
            | (Some("processing"), "completed" | "failed" | "cancelled" | "pending")
            | (Some("failed" | "cancelled"), "pending")
    )
}

/// The state of an article before a bulk run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InitialState {
    Embedded,
    Missing,
    Stale,
    Failed,
    Skipped,
}

fn standing() -> impl Strategy<Value = InitialState> {
    prop::sample::select(vec![
        InitialState::Embedded,
        InitialState::Missing,
        InitialState::Stale,
        InitialState::Failed,
        InitialState::Skipped,
    ])
}

async fn arrange(world: &TestHost, standings: &[InitialState]) {
    world.embedder.fail(Rule::containing("broken", EmbedError::data("unreadable")));
    let runtime = world.start().await;
    let service = world.articles(Some(&runtime));
    for (n, standing) in standings.iter().enumerate() {
        let body = if *standing == InitialState::Failed { "broken" } else { "text" };
        let new = article(&format!("article-{n}"), body);
        let skip_embedding = *standing == InitialState::Skipped;
        service.create(afterword::articles::NewArticle { skip_embedding, ..new }).await.expect("a save");
    }
    world.settled(&runtime).await;
    runtime.stop(DRAIN).await;
    for (n, standing) in standings.iter().enumerate() {
        let sql = match standing {
            InitialState::Missing => "DELETE FROM article_embeddings WHERE article_id = $1",
            InitialState::Stale => "UPDATE article_embeddings SET content_hash = 'older' WHERE article_id = $1",
            InitialState::Embedded | InitialState::Failed | InitialState::Skipped => continue,
        };
        let id = service.read(&format!("article-{n}")).await.expect("an article").id;
        world.database.write(async move |transaction| transaction.run(sql, [id.into()]).await).await.expect("a change");
    }
}

async fn bulk_run(world: &TestHost, id: i64) -> afterword_entities::bulk_operation::Model {
    bulk::find(world.database.reader(), id).await.expect("a query").expect("a run")
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn property_07_status_at_every_stage(fails in 0u32..4, edits in 0usize..3) {
        TOKIO.block_on(async {
            let world = TestHost::new().await;
            if fails > 0 {
                world.embedder.fail(Rule::containing("text", EmbedError::transient("500")).times(fails));
            }
            let runtime = world.start().await;
            let mut told = runtime.subscribe();
            let service = world.articles(Some(&runtime));
            service.create(article("one", "text")).await.expect("a save");
            for edit in 0..edits {
                let changes = ArticlePatch { body: Some(format!("text {edit}")), ..ArticlePatch::default() };
                service.update("one", changes).await.expect("a save");
            }
            world.settled(&runtime).await;
            let filter = events::Filter { limit: 10_000, ..events::Filter::default() };
            let mut last: HashMap<i64, String> = HashMap::new();
            for event in events::list(world.database.reader(), &filter).await.expect("a trail") {
                let (Some(task), Some(to)) = (event.task_id, event.to_status) else { continue };
                prop_assert!(is_legal(event.from_status.as_deref(), &to), "{:?} → {to}", event.from_status);
                let before = last.insert(task, to);
                prop_assert_eq!(before, event.from_status, "no step is missing");
            }
            while let Ok(event) = told.try_recv() {
                prop_assert_ne!(event.slug, "");
            }
            let read = service.read("one").await.expect("an article");
            if read.embedding.status == EmbeddingState::Completed {
                prop_assert_eq!(read.embedding.revision, Some(read.revision), "embedded at this revision");
                let model = runtime.handle().model_id();
                let sql = format!("SELECT count(*) AS n FROM article_embeddings WHERE model_id = {model}");
                prop_assert_eq!(world.number(&sql).await, 1, "by this model");
                prop_assert!(read.embedding.searchable && !read.embedding.stale);
            } else {
                prop_assert_eq!(read.embedding.status, EmbeddingState::Failed);
            }
            runtime.stop(DRAIN).await;
            Ok(())
        })?;
    }

    #[test]
    fn property_08_bulk_completeness(standings in prop::collection::vec(standing(), 1..8)) {
        TOKIO.block_on(async {
            let mut world = TestHost::new().await;
            // Only the bulk run queues anything.
            world.settings.sweep_interval = std::time::Duration::from_secs(3600);
            arrange(&world, &standings).await;
            world.run("INSERT INTO queue_control VALUES ('paused', 'true', 0) ON CONFLICT DO NOTHING").await;
            let runtime = world.start().await;
            let before = world.number("SELECT coalesce(max(id), 0) AS n FROM embedding_tasks").await;
            let id = runtime.handle().start_bulk(Backlog::Needed, String::new()).await.expect("a run");
            // All of it is queued before anything is claimed: else what the sweep at the start has queued might be
            // embedded before the run looks, and there is nothing left for it to do.
            while bulk_run(&world, id).await.state == "queuing" {
                tokio::task::yield_now().await;
            }
            runtime.resume().await.expect("a resume");
            let summary = loop {
                let run = bulk_run(&world, id).await;
                if let Some(summary) = run.summary {
                    break serde_json::from_str::<bulk::Summary>(&summary).expect("a summary");
                }
                let _ = tokio::time::timeout(std::time::Duration::from_millis(10), runtime.subscribe().recv()).await;
            };
            let wanted: BTreeSet<_> = standings.iter().enumerate()
                .filter(|(_, s)| matches!(s, InitialState::Missing | InitialState::Stale | InitialState::Failed))
                .map(|(n, _)| format!("article-{n}")).collect();
            let listed = tasks::list(world.database.reader(), &tasks::Filter { limit: 1000, ..Default::default() }).await;
            // The sweep at the start may have queued some of them already; the run adopts those.
            let sql = format!("SELECT count(*) AS n FROM bulk_items WHERE bulk_id = {id}");
            prop_assert_eq!(world.number(&sql).await, i64::try_from(wanted.len()).expect("few"), "each once");
            let queued: BTreeSet<_> = listed.expect("tasks").into_iter().filter(|t| t.id > before).map(|t| t.slug).collect();
            prop_assert!(queued.is_subset(&wanted), "{queued:?} are not all in {wanted:?}");
            let count = |which| i64::try_from(standings.iter().filter(|s| **s == which).count()).expect("few");
            prop_assert_eq!(summary.failed, count(InitialState::Failed));
            prop_assert_eq!(summary.succeeded, count(InitialState::Missing) + count(InitialState::Stale));
            prop_assert_eq!(summary.skipped, count(InitialState::Skipped));
            prop_assert_eq!(summary.failures.len(), usize::try_from(summary.failed).expect("few"));
            prop_assert!(summary.failures.iter().all(|f| f.error_message.as_deref().is_some_and(|m| m.contains("unreadable"))));
            runtime.stop(DRAIN).await;
            Ok(())
        })?;
    }

    #[test]
    fn property_11_audit_log_complete(
        bodies in prop::collection::vec(prop::sample::select(vec!["text", "broken", "flaky"]), 1..5),
        retry in any::<bool>(), pause in any::<bool>(), delete in any::<bool>(),
    ) {
        TOKIO.block_on(async {
            let world = TestHost::new().await;
            world.embedder.fail(Rule::containing("broken", EmbedError::data("unreadable")));
            world.embedder.fail(Rule::containing("flaky", EmbedError::transient("500")).times(1));
            let runtime = world.start().await;
            let service = world.articles(Some(&runtime));
            if pause {
                runtime.pause().await.expect("a pause");
            }
            for (n, body) in bodies.iter().enumerate() {
                service.create(article(&format!("article-{n}"), body)).await.expect("a save");
            }
            if delete {
                service.delete("article-0", None).await.expect("a deletion");
            }
            if pause {
                runtime.resume().await.expect("a resume");
            }
            world.settled(&runtime).await;
            if retry {
                world.database.write(async |t| {
tasks::retry_failed(t, 0, 100).await
}).await.expect("retries");
                runtime.wake();
                world.settled(&runtime).await;
            }
            let filter = events::Filter { limit: 10_000, ..events::Filter::default() };
            let trail = events::list(world.database.reader(), &filter).await.expect("a trail");
            let all = tasks::list(world.database.reader(), &tasks::Filter { limit: 1000, ..Default::default() }).await;
            for task in all.expect("tasks") {
                let steps: Vec<_> = trail.iter().filter(|event| event.task_id == Some(task.id)).collect();
                prop_assert_eq!(steps.first().map(|s| s.event.as_str()), Some("created"));
                prop_assert_eq!(steps.last().and_then(|s| s.to_status.clone()), Some(task.status.clone()));
                for pair in steps.windows(2) {
                    prop_assert_eq!(&pair[0].to_status, &pair[1].from_status);
                    prop_assert!(pair[0].at <= pair[1].at, "time stamps in order");
                }
                let claims = steps.iter().filter(|s| s.event == "claimed").count();
                prop_assert!(claims >= usize::try_from(task.attempts).expect("few"), "every attempt is in the trail");
                if task.status == "failed" {
                    let detail = steps.last().and_then(|s| s.detail.clone()).unwrap_or_default();
                    prop_assert!(!detail.is_empty(), "a failure says why");
                }
            }
            let acts: Vec<_> = trail.iter().filter(|e| e.task_id.is_none()).map(|e| e.event.as_str()).collect();
            prop_assert_eq!(acts.contains(&"queue paused") && acts.contains(&"queue resumed"), pause);
            prop_assert_eq!(acts.contains(&"article deleted"), delete);
            runtime.stop(DRAIN).await;
            Ok(())
        })?;
    }

    #[test]
    fn property_12_exact_statistics(
        bodies in prop::collection::vec(prop::sample::select(vec!["text", "broken"]), 0..6), cancels in 0usize..3,
        released in 0usize..6,
    ) {
        TOKIO.block_on(async {
            let world = TestHost::new().await;
            world.embedder.fail(Rule::containing("broken", EmbedError::data("unreadable")));
            world.embedder.hold();
            let service = world.articles(None);
            for (n, body) in bodies.iter().enumerate() {
                service.create(article(&format!("article-{n}"), body)).await.expect("a save");
            }
            for id in 1..=cancels {
                let id = i64::try_from(id).expect("few");
                world.database.write(async move |t| {
tasks::cancel(t, id).await
}).await.expect("a cancel");
            }
            let runtime = world.start().await;
            world.embedder.release_some(released);
            for _ in 0..3 {
                // One statement, one moment: counted in both ways at once.
                let agree = world.number(
                    "SELECT count(*) AS n FROM embedding_task_counts c
                     WHERE c.tasks <> (SELECT count(*) FROM embedding_tasks t WHERE t.status = c.status)").await;
                prop_assert_eq!(agree, 0);
            }
            world.embedder.release();
            let stats = world.settled(&runtime).await;
            let cancelled = cancels.min(bodies.len());
            let failed = bodies.iter().skip(cancelled).filter(|body| **body == "broken").count();
            let number = |count: usize| i64::try_from(count).expect("few");
            prop_assert_eq!(stats.cancelled, number(cancelled));
            prop_assert_eq!(stats.failed, number(failed));
            prop_assert_eq!(stats.completed, number(bodies.len() - cancelled - failed));
            prop_assert_eq!(stats.total(), number(bodies.len()));
            // Told after the commit: a moment may pass.
            let ended = u64::try_from(stats.completed + stats.failed).expect("few");
            let metrics = loop {
                let metrics = runtime.handle().metrics().await.expect("metrics");
                if metrics.total.completed + metrics.total.failed >= ended {
                    break metrics;
                }
                tokio::task::yield_now().await;
            };
            prop_assert_eq!(metrics.total.completed, u64::try_from(stats.completed).expect("few"));
            prop_assert_eq!(metrics.total.failed, u64::try_from(stats.failed).expect("few"));
            let by_worker: u64 = metrics.workers.values().map(|worker| worker.completed).sum();
            prop_assert_eq!(by_worker, metrics.total.completed, "per worker and in all");
            prop_assert_eq!(TaskStatus::ALL.len(), 5);
            runtime.stop(DRAIN).await;
            Ok(())
        })?;
    }
}

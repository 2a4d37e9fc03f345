//! Processing: what survives, what runs at once, what is attempted again.

use std::{collections::HashMap, time::Duration};

use afterword::{
    articles::{ArticlePatch, EmbeddingState},
    embedding::scripted::{Rule, Script},
};
use afterword_actors::{
    Delays, RuntimeSettings,
    backoff::{FACTOR, JITTER},
    embedder::EmbedError,
    store::events,
};
use afterword_entities::embedding_task_event::Model as Event;
use proptest::prelude::*;

use super::TestHost;
use crate::{
    properties::cases,
    support::{DRAIN, TOKIO, article, quick},
};

async fn trail(world: &TestHost) -> Vec<Event> {
    let filter = events::Filter { limit: 100_000, ..events::Filter::default() };
    events::list(world.database.reader(), &filter).await.expect("a trail")
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn property_04_tasks_survive_restart(
        articles in 1usize..8, cuts in prop::collection::vec(0usize..6, 1..4), polite in any::<bool>(),
    ) {
        TOKIO.block_on(async {
            // A death counts as an attempt, so that there must be more attempts than deaths.
            let settings = RuntimeSettings { max_attempts: 20, ..quick() };
            let world = TestHost::with(Script::default(), settings).await;
            for n in 0..articles {
                world.articles(None).create(article(&format!("article-{n}"), &format!("text {n}"))).await.expect("a save");
            }
            for cut in cuts {
                world.embedder.hold();
                let life = world.beside().await;
                let before = life.embedder.calls().len();
                let runtime = life.start().await;
                world.embedder.release_some(cut);
                let waiting = world.stats().await.pending;
                if waiting > 0 {
                    life.embedder.wait_for_calls(before + 1).await;
                }
                if polite {
                    runtime.stop(Duration::ZERO).await;
                } else {
                    drop(runtime);
                }
            }
            world.embedder.release();
            let life = world.beside().await;
            let runtime = life.start().await;
            let stats = life.settled(&runtime).await;
            prop_assert_eq!((stats.completed, stats.failed), (i64::try_from(articles).expect("few"), 0));
            for n in 0..articles {
                let read = life.articles(None).read(&format!("article-{n}")).await.expect("an article");
                prop_assert_eq!(read.embedding.status, EmbeddingState::Completed);
            }
            prop_assert_eq!(world.number(
                "SELECT count(*) AS n FROM (SELECT 1 FROM article_chunks GROUP BY article_id, position HAVING count(*) > 1) twice"
            ).await, 0, "nothing is stored twice");
            if polite {
                prop_assert_eq!(world.number("SELECT max(attempts) AS n FROM embedding_tasks").await, 1);
            }
            runtime.stop(DRAIN).await;
            Ok(())
        })?;
    }

    #[test]
    fn property_05_sequential_processing(slots in 1u32..5, articles in 1usize..7, edits in 0usize..4) {
        TOKIO.block_on(async {
            let world = TestHost::with(Script::default(), RuntimeSettings { slots, ..quick() }).await;
            let runtime = world.start().await;
            let service = world.articles(Some(&runtime));
            for n in 0..articles {
                service.create(article(&format!("article-{n}"), "text")).await.expect("a save");
            }
            for edit in 0..edits {
                let changes = ArticlePatch { body: Some(format!("edit {edit}")), ..ArticlePatch::default() };
                service.update("article-0", changes).await.expect("a save");
            }
            world.settled(&runtime).await;
            prop_assert!(world.embedder.peak_concurrency() <= slots as usize);
            let (mut by_slot, mut by_article) = (HashMap::new(), HashMap::new());
            for event in trail(&world).await {
                let (Some(task), Some(article)) = (event.task_id, event.article_id) else { continue };
                if event.to_status.as_deref() == Some("processing") {
                    prop_assert_eq!(by_slot.insert(event.slot, task), None, "one task at a time in a slot");
                    prop_assert_eq!(by_article.insert(article, task), None, "an article never twice at once");
                } else if event.from_status.as_deref() == Some("processing") {
                    by_slot.remove(&event.slot);
                    by_article.remove(&article);
                }
            }
            runtime.stop(DRAIN).await;
            Ok(())
        })?;
    }

    #[test]
    fn property_06_retry_with_exponential_backoff(failures in 0u32..6, max_attempts in 1u32..5, base in 2u64..12) {
        TOKIO.block_on(async {
            let retry = Delays { base: Duration::from_millis(base), max: Duration::from_secs(5) };
            let world = TestHost::with(Script::default(), RuntimeSettings { max_attempts, retry, ..quick() }).await;
            if failures > 0 {
                world.embedder.fail(Rule::containing("flaky", EmbedError::transient("500")).times(failures));
            }
            let runtime = world.start().await;
            world.articles(Some(&runtime)).create(article("flaky", "flaky text")).await.expect("a save");
            let stats = world.settled(&runtime).await;
            let attempts = (failures + 1).min(max_attempts);
            prop_assert_eq!(stats.completed, i64::from(failures < max_attempts));
            prop_assert_eq!(stats.failed, i64::from(failures >= max_attempts));
            prop_assert_eq!(world.number("SELECT attempts AS n FROM embedding_tasks").await, i64::from(attempts));
            prop_assert_eq!(world.embedder.times_embedded("flaky"), attempts as usize, "no try more, no try less");
            let mut failed_at = None;
            for event in trail(&world).await {
                match (event.event.as_str(), failed_at) {
                    ("retry scheduled", _) => failed_at = Some(event),
                    ("claimed", Some(failed)) => {
                        let attempt = failed.attempt.unwrap_or(1);
                        let least = base as f64 * FACTOR.powi(attempt - 1) * (1.0 - JITTER);
                        // Both times are whole milliseconds.
                        prop_assert!((event.at - failed.at) as f64 >= least.floor() - 1.0, "try {attempt} came too soon");
                        failed_at = None;
                    }
                    (_, other) => failed_at = other,
                }
            }
            runtime.stop(DRAIN).await;
            Ok(())
        })?;
    }
}

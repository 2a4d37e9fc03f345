//! Saves: their order, what they wait for, and what makes them fail.

use afterword::{
    articles::{ArticlePatch, EmbeddingState},
    embedding::scripted::Rule,
    search::Mode,
};
use afterword_actors::embedder::EmbedError;
use proptest::prelude::*;

use super::TestHost;
use crate::{
    properties::{
        acts::{Act, TRACES, WITHOUT_ARTICLE, WITHOUT_TASK, act},
        cases,
    },
    support::{DRAIN, TOKIO, article},
};

/// Carries it out; returns whether the service accepted it.
async fn carry_out(articles: &afterword::articles::Articles, act: &Act) -> bool {
    let slug = |n: &u8| format!("article-{n}");
    match act {
        Act::Create(n) => articles.create(article(&slug(n), "first text")).await.is_ok(),
        Act::Update(n, text) => {
            let changes = ArticlePatch { body: Some(format!("text {text}")), ..ArticlePatch::default() };
            articles.update(&slug(n), changes).await.is_ok()
        }
        Act::Stale(n) => {
            let body = Some("never saved".to_owned());
            let changes = ArticlePatch { body, expected_revision: Some(1_000), ..ArticlePatch::default() };
            articles.update(&slug(n), changes).await.is_ok()
        }
        Act::Delete(n) => articles.delete(&slug(n), None).await.is_ok(),
        Act::Skip(n) => {
            let changes = ArticlePatch { skip_embedding: Some(true), ..ArticlePatch::default() };
            articles.update(&slug(n), changes).await.is_ok()
        }
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn property_01_persistence_precedes_queuing(acts in prop::collection::vec(act(), 1..12)) {
        TOKIO.block_on(async {
            let world = TestHost::new().await;
            let articles = world.articles(None);
            let observer = world.beside().await;
            for act in &acts {
                let before = world.number(TRACES).await;
                let ((), accepted) = tokio::join!(
                    async { for _ in 0..3 {
                        // One snapshot shows both sides of every save, or neither.
                        assert_eq!(observer.number(WITHOUT_ARTICLE).await, 0);
                        assert_eq!(observer.number(WITHOUT_TASK).await, 0);
                    }},
                    carry_out(&articles, act),
                );
                if !accepted {
                    prop_assert_eq!(world.number(TRACES).await, before, "a refused save leaves no trace: {:?}", act);
                }
                prop_assert_eq!(world.number(WITHOUT_ARTICLE).await, 0);
                prop_assert_eq!(world.number(WITHOUT_TASK).await, 0);
            }
            Ok(())
        })?;
    }

    #[test]
    fn property_02_immediate_response(bodies in prop::collection::vec("[a-z ]{0,60}", 1..6)) {
        TOKIO.block_on(async {
            let world = TestHost::new().await;
            world.embedder.hold();
            let runtime = world.start().await;
            let articles = world.articles(Some(&runtime));
            for (number, body) in bodies.iter().enumerate() {
                let slug = format!("article-{number}");
                // No embedding can be made: that the save returns proves that it does not wait for one.
                let saved = articles.create(article(&slug, body)).await.expect("a save").article;
                prop_assert_eq!((&saved.slug, &saved.body, saved.revision), (&slug, body, 1));
                let changes = ArticlePatch { body: Some(format!("{body} again")), ..ArticlePatch::default() };
                let saved = articles.update(&slug, changes).await.expect("a save").article;
                prop_assert_eq!((saved.body, saved.revision), (format!("{body} again"), 2));
                let state = saved.embedding.status;
                prop_assert!(matches!(state, EmbeddingState::Pending | EmbeddingState::Processing), "{:?}", state);
            }
            prop_assert_eq!(world.number("SELECT count(*) AS n FROM article_embeddings").await, 0);
            world.embedder.release();
            prop_assert_eq!(world.settled(&runtime).await.failed, 0);
            runtime.stop(DRAIN).await;
            Ok(())
        })?;
    }

    #[test]
    fn property_03_failure_isolation(
        good in 1usize..5, bad in 1usize..4, fault in 0u8..4, outage in any::<bool>(),
    ) {
        TOKIO.block_on(async {
            let world = TestHost::new().await;
            world.embedder.fail(match fault {
                0 => Rule::containing("bad", EmbedError::data("unreadable")),
                1 => Rule::containing("bad", EmbedError::transient("flaky")),
                2 => Rule::containing("bad", EmbedError::resource("out of memory")),
                _ => Rule::panicking("bad"),
            });
            if outage {
                world.embedder.outage(Some(EmbedError::unavailable("down")));
            }
            let runtime = world.start().await;
            let articles = world.articles(Some(&runtime));
            for n in 0..good {
                articles.create(article(&format!("good-{n}"), "good words")).await.expect("a save");
            }
            for n in 0..bad {
                let slug = format!("bad-{n}");
                articles.create(article(&slug, "bad words")).await.expect("a save");
                let changes = ArticlePatch { title: Some("bad title".into()), ..ArticlePatch::default() };
                articles.update(&slug, changes).await.expect("an update whatever happens to its embedding");
                prop_assert_eq!(articles.read(&slug).await.expect("an article").revision, 2);
            }
            if outage {
                prop_assert_eq!(world.found("words", Mode::Hybrid).await.len(), good + bad, "found by words");
                world.embedder.outage(None);
            }
            let stats = world.settled(&runtime).await;
            // A task of the first revision may have failed before the update came with its own.
            prop_assert!((bad..=2 * bad).contains(&usize::try_from(stats.failed).expect("few")));
            for n in 0..good {
                let embedding = articles.read(&format!("good-{n}")).await.expect("an article").embedding;
                prop_assert_eq!(embedding.status, EmbeddingState::Completed);
            }
            for n in 0..bad {
                let embedding = articles.read(&format!("bad-{n}")).await.expect("an article").embedding;
                prop_assert_eq!(embedding.status, EmbeddingState::Failed);
                prop_assert!(embedding.error.is_some() && !embedding.searchable);
            }
            runtime.stop(DRAIN).await;
            Ok(())
        })?;
    }
}

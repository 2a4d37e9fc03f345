//! Searches: during embedding, and right after.

use afterword::{articles::ArticlePatch, search::Mode};
use afterword_actors::task::TaskStatus;
use proptest::prelude::*;

use super::TestHost;
use crate::{
    properties::cases,
    support::{DRAIN, TOKIO, article},
};

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn property_09_search_while_processing(old in 0usize..3, new in 1usize..4) {
        TOKIO.block_on(async {
            let world = TestHost::new().await;
            let runtime = world.start().await;
            let service = world.articles(Some(&runtime));
            for n in 0..old {
                service.create(article(&format!("old-{n}"), "settled words about kites")).await.expect("a save");
            }
            world.settled(&runtime).await;
            world.embedder.hold();
            for n in 0..new {
                service.create(article(&format!("new-{n}"), "fresh words about kites")).await.expect("a save");
            }
            // No embedding can be made: that the searches return proves that they do not wait for one.
            let words = world.found("kites", Mode::Keyword).await;
            prop_assert_eq!(words.len(), old + new, "found by words at once");
            let both = world.found("kites", Mode::Hybrid).await;
            prop_assert_eq!(both.len(), old + new);
            if old > 0 {
                let meaning = world.found("kites", Mode::Semantic).await;
                prop_assert!(meaning.len() == old && meaning.iter().all(|slug| slug.starts_with("old")));
            }
            world.embedder.release();
            world.settled(&runtime).await;
            prop_assert_eq!(world.found("kites", Mode::Semantic).await.len(), old + new);
            runtime.stop(DRAIN).await;
            Ok(())
        })?;
    }

    #[test]
    fn property_10_index_consistent_after_completion(edits in 1usize..4, delete in any::<bool>(), skip in any::<bool>()) {
        TOKIO.block_on(async {
            let world = TestHost::new().await;
            let elsewhere = world.beside().await;
            let runtime = world.start().await;
            let service = world.articles(Some(&runtime));
            let mut told = runtime.subscribe();
            service.create(article("other", "nothing of the kind")).await.expect("a save");
            service.create(article("one", "marmalade")).await.expect("a save");
            for edit in 0..=edits {
                let word = ["marmalade", "telescope", "volcano", "harpsichord"][edit];
                let changes = ArticlePatch { body: Some(word.to_owned()), ..ArticlePatch::default() };
                if edit > 0 {
                    service.update("one", changes).await.expect("a save");
                }
                loop {
                    let event = told.recv().await.expect("an event");
                    if event.slug == "one" && event.status == TaskStatus::Completed {
                        break;
                    }
                }
                // The very next search, here and in another process.
                for place in [&world, &elsewhere] {
                    let answer = place.find(word, Mode::Semantic).await;
                    let best = answer.hits.first().map(|hit| (hit.slug.clone(), hit.snippet.clone()));
                    prop_assert_eq!(best, Some(("one".to_owned(), word.to_owned())));
                }
            }
            if delete || skip {
                if delete {
                    service.delete("one", None).await.expect("a deletion");
                } else {
                    let changes = ArticlePatch { skip_embedding: Some(true), ..ArticlePatch::default() };
                    service.update("one", changes).await.expect("a save");
                }
                for place in [&world, &elsewhere] {
                    prop_assert!(!place.found("volcano", Mode::Semantic).await.contains(&"one".to_owned()));
                }
                prop_assert_eq!(world.number("SELECT count(*) AS n FROM article_chunks WHERE article_id = 2").await, 0);
            }
            runtime.stop(DRAIN).await;
            Ok(())
        })?;
    }
}

#[test]
fn a_long_article_that_is_nearest_hides_no_others() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let runtime = world.start().await;
        let service = world.articles(Some(&runtime));
        let section = |n: usize| format!("# Part {n}\n\nkites kites kites kites kites\n\n");
        service.create(article("long", &(0..300).map(section).collect::<String>())).await.expect("a save");
        for n in 0..4 {
            let body = format!("kites, and other things number {n}, of which there is more to tell");
            service.create(article(&format!("short-{n}"), &body)).await.expect("a save");
        }
        world.settled(&runtime).await;
        assert!(world.number("SELECT count(*) AS n FROM article_chunks").await > 300);
        assert_eq!(world.found("kites", Mode::Semantic).await.len(), 5);
        runtime.stop(DRAIN).await;
    });
}

//! Passages, and more of the same.

use afterword::search::{Mode, Query, SearchError};

use super::TestHost;
use crate::support::{DRAIN, article};

#[tokio::test(flavor = "multi_thread")]
async fn the_passage_that_answers_is_shown_and_others_on_request() {
    let world = TestHost::new().await;
    let filler = "Nothing of interest is said here, at some length, over and over again. ".repeat(12);
    let body = format!(
        "# Intro\n\n{filler}\n\n# Rust\n\nA borrow ends early.\n\n# More\n\n{filler}\n\n# Last\n\nAnother borrow."
    );
    world.articles(None).create(article("long", &body)).await.expect("a save");
    let runtime = world.start().await;
    world.settled(&runtime).await;
    let query = Query { passages: 2, ..Query::new("borrow ends", Mode::Hybrid, 5) };
    let answer = world.search.search(&query).await.expect("an answer");
    let hit = &answer.hits[0];
    assert!(hit.snippet.contains("borrow ends"), "{hit:?}");
    assert!(hit.heading_path.contains("Rust"), "{hit:?}");
    assert_eq!(hit.passages.len(), 1);
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn related_articles_share_rare_words_and_are_never_the_article_itself() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    for (slug, body) in [
        ("bread", "Sourdough bread rises overnight in the fridge."),
        ("pizza", "Sourdough pizza wants dough that rises."),
        ("bees", "Bees live in hives and make honey."),
        ("boats", "Boats sail on the sea."),
    ] {
        articles.create(article(slug, body)).await.expect("a save");
    }
    for embedded in [false, true] {
        let runtime = world.start().await;
        if embedded {
            world.settled(&runtime).await;
        }
        let related = world.search.related("bread", 3).await.expect("an answer");
        let slugs: Vec<_> = related.hits.iter().map(|hit| hit.slug.as_str()).collect();
        assert_eq!(slugs.first(), Some(&"pizza"), "{slugs:?}");
        assert!(!slugs.contains(&"bread"));
        runtime.stop(DRAIN).await;
    }
    assert!(matches!(world.search.related("nobody", 3).await, Err(SearchError::NoArticle(_))));
}

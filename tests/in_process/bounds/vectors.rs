//! Many vectors: they are read while words answer, and what changed is followed page by page.

use std::{fs::File, process::Command, sync::Arc, time::Duration};

use afterword::{
    articles::ArticlePatch,
    search::{Mode, Query, Search, SearchSettings},
};
use afterword_actors::{RuntimeSettings, store::Engine};

use super::TestHost;
use crate::support::{DRAIN, OneModel, article, quick};

fn query(text: &str) -> Query {
    Query::new(text, Mode::Hybrid, 10)
}

#[tokio::test(flavor = "multi_thread")]
async fn words_answer_while_the_vectors_are_read_and_the_reading_outlives_who_began_it() {
    let world = TestHost::new().await;
    if world.database.engine() == Engine::Postgres {
        return; // Has nothing to read.
    }
    let runtime = world.start().await;
    world.articles(Some(&runtime)).create(article("one", "umbrella")).await.expect("a save");
    world.settled(&runtime).await;
    // A reading begins with the file beside the database, and waits at a pipe until somebody writes to it.
    let pipe = world.database.beside().expect("a file").path();
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let settings = SearchSettings { query_deadline: Duration::ZERO, ..SearchSettings::default() };
    let search = Search::new(world.database.clone(), Arc::new(OneModel(Arc::clone(&world.embedder))), settings);
    let first = search.search(&query("umbrella")).await.expect("an answer");
    assert!(first.degraded.is_some_and(|why| why.contains("being read")), "it says why");
    assert_eq!(first.hits.len(), 1, "by its words");
    tokio::task::spawn_blocking(move || drop(File::options().write(true).open(pipe))).await.expect("a writer");
    while search.search(&query("umbrella")).await.expect("an answer").degraded.is_some() {
        tokio::task::yield_now().await;
    }
    // A search without time for new vectors uses the earlier ones, and never none.
    world.articles(Some(&runtime)).create(article("two", "umbrella")).await.expect("a save");
    world.settled(&runtime).await;
    assert_eq!(search.search(&query("umbrella")).await.expect("an answer").degraded, None);
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_is_followed_in_pages_whatever_it_is() {
    let world = TestHost::with(Default::default(), RuntimeSettings { slots: 8, ..quick() }).await;
    let runtime = world.start().await;
    let service = world.articles(Some(&runtime));
    service.create(article("first", "umbrella")).await.expect("a save");
    world.settled(&runtime).await;
    assert_eq!(world.found("umbrella", Mode::Semantic).await, ["first"]);
    // More changes than a page has, and an article with more chunks than one.
    for n in 0..520 {
        service.create(article(&format!("article-{n}"), &format!("parasol number{n}"))).await.expect("a save");
    }
    let long: Vec<_> = (0..2_300).map(|n| format!("# Heading {n}\n\nzebra{n} stripes{n}\n")).collect();
    service.create(article("long", &long.join("\n"))).await.expect("a save");
    service
        .update("first", ArticlePatch { body: Some("telescope".into()), ..ArticlePatch::default() })
        .await
        .expect("a save");
    world.settled(&runtime).await;
    assert!(world.number("SELECT max(chunk_count) AS n FROM article_embeddings").await > 2_000);
    // Nothing is missing or left over: a first reading of everything gives the same.
    let beside = world.beside().await;
    let near = async |world: &TestHost, text: &str| {
        let hits = world.find(text, Mode::Semantic).await.hits;
        hits.into_iter().map(|hit| (hit.slug, hit.similarity)).collect::<Vec<_>>()
    };
    for text in ["telescope", "umbrella", "parasol number519", "zebra0 stripes0", "zebra1999", "zebra2000", "zebra2299"]
    {
        let seen = near(&world, text).await;
        assert_eq!(seen, near(&beside, text).await, "{text}");
        assert!(!seen.is_empty());
    }
    runtime.stop(DRAIN).await;
}

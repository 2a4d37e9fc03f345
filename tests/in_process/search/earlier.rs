//! Words indexed by an earlier version are found, and are indexed again while searches go on.

use afterword::{
    articles::{ArticlePatch, folder::Folder},
    database,
    search::{Mode, Query},
};
use afterword_actors::store::{Engine, StoreError, sql::Sql};

use super::TestHost;
use crate::support::article;

/// Saves as a host of an earlier version: with its words, and none of ours.
async fn written_earlier(world: &TestHost, slug: &str, body: &str) {
    world.articles(None).create(article(slug, body)).await.expect("a save");
    let (slug, body) = (slug.to_owned(), body.to_owned());
    world
        .database
        .write::<_, StoreError, _>(async move |transaction| {
            let (forget, write) = match transaction.engine() {
                Engine::Sqlite => (
                    "DELETE FROM article_terms WHERE rowid = (SELECT id FROM articles WHERE slug = $1)",
                    "INSERT INTO article_words (rowid, title, body) SELECT id, title, $2 FROM articles WHERE slug = $1",
                ),
                Engine::Postgres => (
                    "DELETE FROM article_terms WHERE article_id = (SELECT id FROM articles WHERE slug = $1)",
                    "INSERT INTO article_words (article_id, part, length, words)
                         SELECT id, 0, 5, to_tsvector('afterword', $2) FROM articles WHERE slug = $1",
                ),
            };
            transaction.run(forget, [slug.clone().into()]).await?;
            transaction.run(write, [slug.into(), body.into()]).await.map(drop)
        })
        .await
        .expect("words of an earlier version");
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_found_before_and_after() {
    let world = TestHost::new().await;
    for n in 0..120 {
        written_earlier(&world, &format!("old-{n}"), &format!("umbrellas number{n} in the rain")).await;
    }
    world.articles(None).create(article("new", "An umbrella of today.")).await.expect("a save");
    let of_both = world.found("umbrella", Mode::Keyword).await;
    assert_eq!(of_both.len(), 10);
    assert_eq!(world.found("number77", Mode::Keyword).await, ["old-77"]);
    assert_eq!(world.found("\"number77 in the rain\"", Mode::Keyword).await, ["old-77"]);
    assert!(database::verify(&world.database).await.expect("a verdict").sound);

    database::renew_words(&world.database, "english").await.expect("new words");
    assert_eq!(world.number("SELECT count(*) AS n FROM article_words").await, 0);
    assert_eq!(world.found("number77", Mode::Keyword).await, ["old-77"]);
    assert_eq!(world.found("umbrella", Mode::Keyword).await.len(), 10);
    // A host of an earlier version may still be there.
    written_earlier(&world, "late", "umbrellas and parasols").await;
    assert_eq!(world.found("parasol", Mode::Keyword).await, ["late"]);
    database::renew_words(&world.database, "english").await.expect("new words");
    assert_eq!(world.found("parasol", Mode::Keyword).await, ["late"]);
    assert!(database::verify(&world.database).await.expect("a verdict").sound);
}

/// Gives an article the terms that version 5 wrote: stems that do not say of which language they are.
async fn unmarked(world: &TestHost, slug: &str, terms: &str) {
    let (slug, terms) = (slug.to_owned(), terms.to_owned());
    world
        .database
        .write::<_, StoreError, _>(async move |transaction| {
            let write = match transaction.engine() {
                Engine::Sqlite => {
                    "INSERT OR REPLACE INTO article_terms (rowid, title, body)
                         SELECT id, '', $2 FROM articles WHERE slug = $1"
                }
                Engine::Postgres => {
                    "UPDATE article_terms SET title = '', words = array_to_tsvector(string_to_array($2, ' '))
                         WHERE article_id = (SELECT id FROM articles WHERE slug = $1)"
                }
            };
            transaction.run(write, [slug.into(), terms.into()]).await?;
            transaction.run("UPDATE fulltext_state SET version = 5, rebuilt_to = NULL WHERE id = 1", []).await.map(drop)
        })
        .await
        .expect("terms of an earlier version");
}

#[tokio::test(flavor = "multi_thread")]
async fn articles_in_other_languages_are_found_while_their_stems_are_renewed() {
    let world = TestHost::new().await;
    let body = "Die Häuser sind nicht weit von der Straße, und die Zeitungen sind in dem Haus.";
    for slug in ["old", "new"] {
        world.articles(None).create(article(slug, body)).await.expect("a save");
    }
    unmarked(&world, "old", "haus weit strass zeitung").await;
    let found = async |word: &str| -> Vec<String> {
        let mut found = world.found(word, Mode::Keyword).await;
        found.sort();
        found
    };
    for word in ["Häuser", "Zeitungen", "\"Haus\"", "Zeitu*"] {
        assert_eq!(found(word).await, ["new", "old"], "{word} before");
    }
    database::renew_words(&world.database, "english").await.expect("new words");
    for word in ["Häuser", "Zeitungen", "\"Haus\"", "Zeitu*"] {
        assert_eq!(found(word).await, ["new", "old"], "{word} after");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_has_no_words_to_renew() {
    let world = TestHost::new().await;
    database::begin_empty(&world.database, "german").await.expect("a note");
    assert_eq!(database::language(&world.database).await.expect("a language"), "german");
    world.articles(None).create(article("one", "Viele Kinder spielen.")).await.expect("a save");
    assert_eq!(world.found("Kind", Mode::Keyword).await, ["one"]);
    database::begin_empty(&world.database, "english").await.expect("nothing");
    assert_eq!(database::language(&world.database).await.expect("a language"), "german", "it has articles");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_language_is_taken_up_when_it_is_asked_for() {
    let world = TestHost::new().await;
    world.articles(None).create(article("one", "Viele Kinder spielen.")).await.expect("a save");
    assert!(world.found("\"Kind\"", Mode::Keyword).await.is_empty(), "English knows no such plural");
    database::rebuild(&world.database, "german", &|_| ()).await.expect("an index");
    assert_eq!(world.found("\"Kind\"", Mode::Keyword).await, ["one"]);
    assert_eq!(database::language(&world.database).await.expect("a language"), "german");
    let refused = database::rebuild(&world.database, "klingon", &|_| ()).await.expect_err("no stems");
    assert!(refused.to_string().contains("klingon") && refused.to_string().contains("german"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn articles_that_are_moved_meanwhile_are_written_anew_like_all() {
    const ARTICLES: usize = 30;
    let world = TestHost::new().await;
    let articles = world.articles(None);
    // Each takes a while to be read.
    let body = "Kinder ".repeat(4_000);
    for n in 0..ARTICLES {
        articles.create(article(&format!("a-{n}"), &body)).await.expect("a save");
    }
    let moved_on_and_on = async {
        for round in 0.. {
            for n in 0..ARTICLES {
                let folder = Some(Folder::parse(&format!("round-{round}")).expect("a folder"));
                articles
                    .update(&format!("a-{n}"), ArticlePatch { folder, ..ArticlePatch::default() })
                    .await
                    .expect("a move");
            }
        }
    };
    tokio::select! {
        rebuilt = database::rebuild(&world.database, "german", &|_| ()) => drop(rebuilt.expect("an index")),
        () = moved_on_and_on => {}
    }
    let found = world.search.search(&Query::new("Kind", Mode::Keyword, 50)).await.expect("an answer");
    assert_eq!(found.hits.len(), ARTICLES, "English knows no such plural");
}

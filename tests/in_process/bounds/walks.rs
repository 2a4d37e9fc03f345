//! Lists that are walked page by page while articles are saved: none of them is missed, and none comes twice.

use std::collections::BTreeMap;

use afterword::articles::{ArticlePatch, Articles, NewArticle, folder::Folder, properties::Filter, slug::Slug};
use afterword_actors::store::Engine;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::TestHost;
use crate::support::article;

const ARTICLES: i64 = 20;
/// *Units:* milliseconds since 1970.
const LONG_AGO: i64 = 1_700_000_000_000;

async fn fill(articles: &Articles) {
    for n in 0..ARTICLES {
        let at = Some(LONG_AGO + n);
        let tags = "---\ntags: [all]\n---\n".to_owned();
        let one =
            NewArticle { created_at: at, updated_at: at, front_matter: tags, ..article(&format!("note-{n}"), "text") };
        articles.create(one).await.expect("an article");
    }
}

async fn append(articles: &Articles, slug: &str, text: &str) {
    let body = articles.read(slug).await.expect("an article").body;
    let changes = ArticlePatch { body: Some(format!("{body} {text}")), ..ArticlePatch::default() };
    articles.update(slug, changes).await.expect("a save");
}

/// Walks through a list; `between` is done after each page, with what the page listed. Returns how often each was
/// listed, by number.
async fn walk<F: AsyncFn(usize, &[String])>(articles: &Articles, filter: &str, between: F) -> BTreeMap<String, usize> {
    let (folder, filter) = (Folder::default(), Filter::parse(filter).expect("a filter"));
    let (mut seen, mut cursor) = (BTreeMap::new(), None::<String>);
    for page in 0..1_000 {
        let listed = articles.list_where(&folder, &filter, cursor.as_deref(), 3).await.expect("a page");
        let slugs: Vec<String> = listed.articles.into_iter().map(|article| article.slug).collect();
        for slug in &slugs {
            *seen.entry(slug.replace("renamed", "note")).or_default() += 1;
        }
        between(page, &slugs).await;
        cursor = listed.next_cursor;
        if cursor.is_none() {
            return seen;
        }
    }
    panic!("it has no end");
}

fn all_once() -> BTreeMap<String, usize> {
    (0..ARTICLES).map(|n| (format!("note-{n}"), 1)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_saved_while_a_list_is_walked_is_listed_once() {
    for filter in ["", "tag:all"] {
        let world = TestHost::new().await;
        let articles = world.articles(None);
        fill(&articles).await;
        // The last ones are saved before their turn, and again, and each that was listed is saved by its reader.
        let seen = walk(&articles, filter, async |page, listed| {
            for slug in listed.iter().map(String::as_str).chain(["note-0", "note-1", "note-2"]) {
                append(&articles, slug, &page.to_string()).await;
            }
            articles.create(article(&format!("new-{page}"), "#all")).await.expect("an article");
        });
        assert_eq!(seen.await, all_once(), "{filter:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_renamed_while_a_list_is_walked_is_listed_once() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    fill(&articles).await;
    let seen = walk(&articles, "", async |page, _| {
        let slug = Slug::parse(&format!("renamed-{page}")).expect("a slug");
        articles.rename(&format!("note-{page}"), slug, None).await.expect("a new name");
    });
    assert_eq!(seen.await, all_once());
}

#[tokio::test(flavor = "multi_thread")]
async fn times_that_files_name_hide_no_article_and_repeat_none() {
    for filter in ["", "tag:all"] {
        let world = TestHost::new().await;
        let articles = world.articles(None);
        fill(&articles).await;
        // Ahead of every clock, and first in the list.
        let changes = ArticlePatch {
            updated_at: Some(4_000_000_000_000),
            body: Some("later".to_owned()),
            ..ArticlePatch::default()
        };
        articles.update("note-9", changes).await.expect("a save");
        let seen = walk(&articles, filter, async |page, listed| {
            // Those to come, and those that were listed, are saved with times in the midst of the list.
            let to_come = ["note-0", "note-1", "note-2", "note-3"];
            for (n, slug) in (0..).zip(listed.iter().map(String::as_str).chain(to_come)) {
                let body = Some(format!("text of page {page}"));
                let changes = ArticlePatch { updated_at: Some(LONG_AGO + 10 - n), body, ..ArticlePatch::default() };
                articles.update(slug, changes).await.expect("a save");
            }
        });
        assert_eq!(seen.await, all_once(), "{filter:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_whose_past_is_not_kept_is_not_missed_either() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    fill(&articles).await;
    let seen = walk(&articles, "", async |page, _| {
        append(&articles, "note-1", &page.to_string()).await;
        append(&articles, "note-1", "more").await;
        world.run("DELETE FROM article_versions WHERE revision + 1 < (SELECT max(revision) FROM articles)").await;
    });
    let seen = seen.await;
    assert!(seen.keys().eq(all_once().keys()), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_articles_come_in_pages_too() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    fill(&articles).await;
    for n in 0..7 {
        articles.delete(&format!("note-{n}"), None).await.expect("a deletion");
    }
    let (folder, mut seen, mut cursor) = (Folder::default(), Vec::new(), None::<String>);
    loop {
        let page = articles.deleted_after(&folder, None, (cursor.as_deref(), 3), <[_]>::len).await.expect("a page");
        assert_eq!(page.total, 7);
        seen.extend(page.articles.into_iter().map(|article| article.slug));
        let Some(next) = page.next_cursor else { break };
        cursor = Some(next);
    }
    assert_eq!(seen, (0..7).rev().map(|n| format!("note-{n}")).collect::<Vec<_>>());
    let of_a_list = articles.list(&folder, None, 3).await.expect("a page").next_cursor;
    assert!(articles.deleted_after(&folder, None, (of_a_list.as_deref(), 3), <[_]>::len).await.is_err());
    assert!(articles.list(&folder, cursor.as_deref(), 3).await.is_err(), "a place in one list is none in the other");
}

/// More saves than are looked at to say where an article was in a list.
const MANY: i64 = 20_001;

/// Numbers from 1 to `count`, as `s(n)`.
fn series(world: &TestHost, count: i64) -> String {
    match world.database.engine() {
        Engine::Sqlite => format!(
            "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) SELECT n FROM s) s"
        ),
        Engine::Postgres => format!("(SELECT CAST(n AS BIGINT) AS n FROM generate_series(1, {count}) n) s"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_since_whose_beginning_very_much_was_saved_is_begun_again() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    fill(&articles).await;
    let folder = Folder::default();
    let begun = articles.list(&folder, None, 3).await.expect("a page").next_cursor;
    world
        .run(format!(
            "INSERT INTO article_versions (article_id, revision, slug, title, folder, body, extra, content_hash,
                                           skip_embedding, created_at, updated_at, superseded_at)
             SELECT a.id, s.n, a.slug, a.title, a.folder, a.body, a.extra, a.content_hash, a.skip_embedding, a.created_at,
                    a.updated_at, {{now}} - 60000 + s.n
             FROM {} CROSS JOIN articles a WHERE a.slug = 'note-0'",
            series(&world, MANY)
        ))
        .await;
    let begun = begun.expect("a further page");
    // One that nobody was given makes as little work.
    let known = String::from_utf8(URL_SAFE_NO_PAD.decode(&begun).expect("a cursor")).expect("text");
    let list = known.split(':').next().expect("the list");
    let forged = URL_SAFE_NO_PAD.encode(format!("{list}:9999999999999:1:0"));
    for cursor in [begun, forged] {
        let refused = articles.list(&folder, Some(&cursor), 3).await.expect_err("too old").to_string();
        assert!(refused.contains("too old") && refused.contains("begin without one"), "{refused}");
        assert!(articles.newest(&folder, Some(&cursor), 3).await.is_err());
    }
    assert_eq!(walk(&articles, "", async |_, _| {}).await, all_once());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_saves_all_that_is_listed_comes_to_the_end_of_a_list_of_any_length() {
    const PAGE: i64 = 6_000;
    let world = TestHost::new().await;
    world
        .run(format!(
            "INSERT INTO articles (id, slug, title, folder, body, content_hash, created_at, updated_at)
             SELECT s.n, 'article-' || s.n, 'Article', '', '', 'h', s.n, s.n FROM {}",
            series(&world, 5 * PAGE)
        ))
        .await;
    let (articles, folder) = (world.articles(None), Folder::default());
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = articles.list(&folder, cursor.as_deref(), PAGE as u32).await.expect("a page");
        seen.extend(page.articles.into_iter().map(|article| article.slug));
        let Some(next) = page.next_cursor else { break };
        cursor = Some(next);
        // All that was listed on this page is saved, an hour ago.
        let listed = 5 * PAGE - seen.len() as i64;
        let these = format!("id > {listed} AND id <= {listed} + {PAGE}");
        let saved = "{now} - 3600000";
        world
            .run(format!(
                "INSERT INTO article_versions (article_id, revision, slug, title, folder, body, extra, content_hash,
                                               skip_embedding, created_at, updated_at, superseded_at)
                 SELECT id, revision, slug, title, folder, body, extra, content_hash, skip_embedding, created_at, updated_at,
                        {saved}
                 FROM articles WHERE {these}"
            ))
            .await;
        world.run(format!("UPDATE articles SET revision = revision + 1, updated_at = {saved} WHERE {these}")).await;
    }
    let expected: Vec<_> = (1..=5 * PAGE).rev().map(|n| format!("article-{n}")).collect();
    assert_eq!(seen.len() as i64, 5 * PAGE);
    assert!(seen == expected, "each once, and in their order");
}

//! Articles of mcp-markdown-manager are imported with their history; an interrupted run is completed by the next.

use afterword::articles::{ArticlePatch, Articles};
use afterword::files::{ManagerError, ManagerReport, import_manager};

use super::TestHost;
use crate::support::{SqliteTestHost, TestDatabase, article};

const TABLES: [&str; 6] = [
    "DROP SCHEMA IF EXISTS manager CASCADE",
    "CREATE SCHEMA manager",
    "CREATE TABLE manager.articles (id SERIAL PRIMARY KEY, title TEXT NOT NULL, slug TEXT NOT NULL UNIQUE, content TEXT NOT NULL,
         folder TEXT, is_public BOOLEAN, no_rag BOOLEAN, created_at TIMESTAMPTZ, updated_at TIMESTAMPTZ, created_by TEXT,
         updated_by TEXT)",
    "CREATE TABLE manager.article_history (id SERIAL PRIMARY KEY, article_id INTEGER NOT NULL, version_id INTEGER NOT NULL,
         title TEXT, content TEXT, folder TEXT, message TEXT, content_hash TEXT, created_by TEXT, created_at TIMESTAMPTZ)",
    "INSERT INTO manager.articles VALUES
         (1, 'Tides', 'tides', 'third', 'sea/notes', TRUE, FALSE, '2024-01-01T00:00Z', '2024-03-01T00:00Z', 'a', 'b'),
         (2, 'Quiet', 'Quiet_One', 'only', NULL, FALSE, TRUE, '2024-02-01T00:00Z', NULL, 'a', NULL),
         (3, 'Taken', 'taken', 'theirs', '', NULL, NULL, '2024-02-02T00:00Z', '2024-02-02T00:00Z', NULL, NULL)",
    "INSERT INTO manager.article_history (article_id, version_id, title, content, folder, created_at) VALUES
         (1, 1, 'Tide', 'first', NULL, '2024-01-01T00:00Z'), (1, 2, 'Tides', 'second', 'sea', '2024-02-01T00:00Z'),
         (1, 3, 'Tides', 'third', 'sea/notes', '2024-03-01T00:00Z'), (2, 1, 'Quiet', 'only', NULL, '2024-02-01T00:00Z')",
];

/// The other program's database, a schema of its own on the same PostgreSQL server.
async fn theirs() -> (TestHost, String) {
    let theirs = TestHost::new().await;
    for statement in TABLES {
        theirs.run(statement).await;
    }
    let url = format!("{}?options=-c%20search_path%3Dmanager", theirs.place.url());
    (theirs, url)
}

async fn bring_in(articles: &Articles, url: &str) -> ManagerReport {
    let plan = import_manager(articles, url, true, &|_, _| {}).await.expect("a look");
    let report = import_manager(articles, url, false, &|_, _| {}).await.expect("a run");
    assert_eq!(plan, ManagerReport { dry_run: true, ..report }, "what is done is what was promised");
    import_manager(articles, url, false, &|_, _| {}).await.expect("a run again")
}

async fn come_over<P: TestDatabase>(world: &crate::support::TestHost<P>) {
    let (theirs, url) = theirs().await;
    let articles = world.articles(None);
    articles.create(article("taken", "ours")).await.expect("an article");
    let first = import_manager(&articles, &url, true, &|_, _| {}).await.expect("a look");
    assert_eq!((first.articles, first.revisions, first.created), (3, 5, 3));
    assert_eq!(world.number("SELECT count(*) AS n FROM articles").await, 1, "a dry run does nothing");
    let again = bring_in(&articles, &url).await;
    assert_eq!((again.unchanged, again.created, again.failed.len()), (3, 0, 0), "{again:?}");
    let tides = articles.read("tides").await.expect("an article");
    assert_eq!((tides.body.as_str(), tides.folder.as_str(), tides.revision), ("third", "sea/notes", 3));
    assert_eq!(
        (tides.created_at.to_string().as_str(), tides.updated_at.to_string().as_str()),
        ("2024-01-01T00:00:00Z", "2024-03-01T00:00:00Z")
    );
    assert_eq!(tides.properties["public"], true);
    let first = articles.read_revision("tides", 1).await.expect("a revision");
    assert_eq!((first.title.as_str(), first.body.as_str()), ("Tide", "first"));
    assert!(articles.read("quiet-one").await.expect("an article").skip_embedding);
    assert_eq!(articles.read("taken").await.expect("an article").body, "ours");

    // The state after a run that was killed after the first revision.
    articles.restore("tides", Some(1)).await.expect("a revision");
    world.run("DELETE FROM article_versions WHERE slug = 'tides'").await;
    world.run("UPDATE articles SET revision = 1, front_matter = '' WHERE slug = 'tides'").await;
    let hash = afterword_hash("Tide\0\0first");
    let sql = format!("UPDATE article_sources SET revision = 1, file_hash = '{hash}' WHERE path = 'tides.md'");
    world.run(Box::leak(sql.into_boxed_str())).await;
    let report = import_manager(&articles, &url, false, &|_, _| {}).await.expect("a run");
    assert_eq!((report.continued, report.unchanged, report.failed.len()), (1, 2, 0), "{report:?}");
    let tides = articles.read("tides").await.expect("an article");
    assert_eq!((tides.revision, tides.body.as_str()), (3, "third"));

    // New articles are imported; those that were edited or deleted here stay so.
    theirs.run("UPDATE manager.articles SET content = 'fourth'").await;
    let changes = ArticlePatch { body: Some("edited here".to_owned()), ..ArticlePatch::default() };
    articles.update("quiet-one", changes).await.expect("a save");
    let other = articles.list(&afterword::articles::folder::Folder::default(), None, 10).await.expect("a page");
    let other = other.articles.into_iter().find(|found| found.slug.starts_with("taken-")).expect("an article");
    articles.delete(&other.slug, None).await.expect("a deletion");
    let report = import_manager(&articles, &url, false, &|_, _| {}).await.expect("a run");
    assert_eq!(
        (report.continued, report.edited, report.deleted),
        (1, vec!["Quiet_One".to_owned()], vec!["taken".to_owned()])
    );
    assert_eq!(articles.read("tides").await.expect("an article").body, "fourth");
    assert_eq!(articles.read("quiet-one").await.expect("an article").body, "edited here");

    let wrong = import_manager(&articles, "sqlite://x.db", false, &|_, _| {}).await;
    assert!(matches!(wrong, Err(ManagerError::Theirs(_))));
}

fn afterword_hash(text: &str) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(text.as_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn articles_come_over_with_their_history_and_once() {
    come_over(&SqliteTestHost::new().await).await;
    come_over(&TestHost::new().await).await;
}

/// The state after a run that was killed when the first of the revisions was saved.
async fn killed_after_the_first<P: TestDatabase>(world: &crate::support::TestHost<P>, slug: &str, first: &str) {
    let articles = world.articles(None);
    articles.restore(slug, Some(1)).await.expect("a revision");
    let hash = afterword_hash(first);
    for sql in [
        format!("DELETE FROM article_versions WHERE slug = '{slug}'"),
        format!("UPDATE articles SET revision = 1, front_matter = '' WHERE slug = '{slug}'"),
        format!("UPDATE article_sources SET revision = 1, file_hash = '{hash}' WHERE path = '{slug}.md'"),
    ] {
        world.run(Box::leak(sql.into_boxed_str())).await;
    }
}

async fn go_back_and_on<P: TestDatabase>(world: &crate::support::TestHost<P>) {
    let (theirs, url) = theirs().await;
    theirs.run("UPDATE manager.articles SET title = 'Tide', content = 'first', folder = NULL WHERE id = 1").await;
    theirs
        .run("UPDATE manager.article_history SET title = 'Tide', content = 'first', folder = NULL WHERE version_id = 3")
        .await;
    let articles = world.articles(None);
    import_manager(&articles, &url, false, &|_, _| {}).await.expect("a run");
    killed_after_the_first(world, "tides", "Tide\0\0first").await;
    let report = import_manager(&articles, &url, false, &|_, _| {}).await.expect("a run");
    assert_eq!((report.continued, report.unchanged, report.failed.len()), (1, 2, 0), "{report:?}");
    assert_eq!(articles.read_revision("tides", 2).await.expect("a revision").body, "second");
    assert_eq!(articles.read("tides").await.expect("an article").revision, 3);
    let again = import_manager(&articles, &url, false, &|_, _| {}).await.expect("a run");
    assert_eq!(again.unchanged, 3, "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_came_back_to_an_earlier_text_comes_over_whole() {
    go_back_and_on(&SqliteTestHost::new().await).await;
    go_back_and_on(&TestHost::new().await).await;
}

async fn come_over_twice<P: TestDatabase>(world: &crate::support::TestHost<P>) {
    let (_theirs, url) = theirs().await;
    let runs = (0..3).map(|_| {
        let (articles, url) = (world.articles(None), url.clone());
        tokio::spawn(async move { import_manager(&articles, &url, false, &|_, _| {}).await.expect("a run") })
    });
    for run in runs.collect::<Vec<_>>() {
        let report = run.await.expect("it ends");
        assert!(report.failed.is_empty() && report.edited.is_empty(), "{report:?}");
    }
    assert_eq!(world.number("SELECT count(*) AS n FROM articles").await, 3);
    assert_eq!(world.number("SELECT count(*) AS n FROM article_versions").await, 2, "and no revision twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_at_once_bring_each_article_over_once() {
    come_over_twice(&SqliteTestHost::new().await).await;
    come_over_twice(&TestHost::new().await).await;
}

async fn known_by_number<P: TestDatabase>(world: &crate::support::TestHost<P>) {
    let (theirs, url) = theirs().await;
    let articles = world.articles(None);
    bring_in(&articles, &url).await;
    // Another slug there, its former one for another article, and what is set beside the text.
    theirs.run("UPDATE manager.articles SET slug = 'ebb', is_public = FALSE, no_rag = TRUE WHERE id = 1").await;
    theirs
        .run(
            "INSERT INTO manager.articles VALUES
             (4, 'New', 'tides', 'new', NULL, FALSE, FALSE, 'infinity', '-infinity', NULL, NULL),
             (5, repeat('t', 400), 'long', 'text', NULL, FALSE, FALSE, NULL, NULL, NULL, NULL)",
        )
        .await;
    let plan = import_manager(&articles, &url, true, &|_, _| {}).await.expect("a look");
    let report = import_manager(&articles, &url, false, &|_, _| {}).await.expect("a run");
    assert_eq!(plan, ManagerReport { dry_run: true, ..report });
    assert_eq!((plan.created, plan.continued, plan.unchanged, plan.failed.len()), (2, 1, 2, 0), "{plan:?}");
    let tides = articles.read("tides").await.expect("an article");
    assert!(tides.skip_embedding && tides.properties.get("public").is_none() && tides.body == "third", "{tides:?}");
    let title = articles.read("long").await.expect("an article").title;
    assert!(title.chars().count() <= 300 && title.ends_with('…'), "{title}");
    theirs.run("UPDATE manager.articles SET content = 'fourth' WHERE id = 1").await;
    bring_in(&articles, &url).await;
    assert_eq!(articles.read("tides").await.expect("an article").body, "fourth");
    assert_eq!(world.number("SELECT count(*) AS n FROM articles").await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_is_known_by_its_number_whatever_it_is_called() {
    known_by_number(&SqliteTestHost::new().await).await;
    known_by_number(&TestHost::new().await).await;
}

async fn too_long<P: TestDatabase>(world: &crate::support::TestHost<P>) {
    let (theirs, url) = theirs().await;
    let long = "UPDATE manager.articles SET content = '---\npublic: no ' || repeat('0123456789', 40000) || '\n---\n' WHERE id = 1";
    theirs.run(long).await;
    let articles = world.articles(None);
    let plan = import_manager(&articles, &url, true, &|_, _| {}).await.expect("a look");
    let report = import_manager(&articles, &url, false, &|_, _| {}).await.expect("a run");
    assert_eq!(plan, ManagerReport { dry_run: true, ..report });
    assert_eq!((plan.created, plan.failed.len()), (2, 1), "{:?}", plan.failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_what_cannot_be_saved() {
    too_long(&SqliteTestHost::new().await).await;
    too_long(&TestHost::new().await).await;
}

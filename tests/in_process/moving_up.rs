//! From SQLite to PostgreSQL: everything arrives once, however often the copy is started.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{self, DRAIN, OnPostgres, OnSqlite, TOKIO, TestDatabase as _, TestHost, article};
use afterword::{
    articles::{ArticlePatch, NewArticle, slug::Slug},
    database::{self, CopyError, CopyProgress},
    embedding::scripted::Rule,
    search::Mode,
};
use afterword_actors::{
    embedder::EmbedError,
    store::{OpenOptions, stats::QueueStats},
};
use proptest::prelude::*;

const SUBJECTS: [&str; 8] = [
    "tides and the moon",
    "bread",
    "honey bees dancing",
    "lighthouses",
    "数据库的历史",
    "Éclairs à la crème",
    "queues",
    "tea",
];

/// A SQLite database with a past: edits, former slugs, deleted articles, failures, a switch.
async fn lived_in(articles: usize) -> TestHost<OnSqlite> {
    let world = TestHost::<OnSqlite>::new().await;
    world.embedder.fail(Rule::containing("unreadable", EmbedError::data("unreadable")));
    let runtime = world.start().await;
    let service = world.articles(Some(&runtime));
    for n in 0..articles {
        let subject = SUBJECTS[n % SUBJECTS.len()];
        let body = format!("# Of {subject}\n\nText {n} about {subject}.\n\n## More\n\nWords {}.\n", n * 7);
        service.create(article(&format!("article-{n}"), &body)).await.expect("a save");
    }
    service.create(article("broken", "unreadable")).await.expect("a save");
    let tagged = NewArticle {
        front_matter: "---\ntags: [Été, sea/coast, a-b, a_b]\nstatus: draft\nn: [3, 1, 2]\n---\n".to_owned(),
        ..article("tagged", "#Zeta #alpha [[article-0]] [x](article-1.md) [[nowhere]]")
    };
    service.create(tagged).await.expect("a save");
    if articles > 2 {
        let changes = ArticlePatch { body: Some("Another text.".to_owned()), ..ArticlePatch::default() };
        service.update("article-0", changes).await.expect("a save");
        service.rename("article-1", Slug::parse("renamed").expect("a slug"), None).await.expect("a rename");
        service.delete("article-2", None).await.expect("a deletion");
    }
    world.settled(&runtime).await;
    runtime.pause().await.expect("a pause");
    service.create(article("waiting", "not embedded yet")).await.expect("a save");
    runtime.stop(DRAIN).await;
    world
}

fn silent(_: CopyProgress<'_>) {}

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_and_goes_on_living() {
    let (sqlite, postgres) = (lived_in(60).await, TestHost::<OnPostgres>::new().await);
    let copied = database::copy(&sqlite.database, &postgres.database, &silent).await.expect("a copy");
    let rows = |name: &str| copied.tables.iter().find(|table| table.table == name).map(|table| table.rows);
    assert_eq!(rows("articles"), Some(62), "one was deleted, one waits, one is broken");
    assert!(rows("embedding_task_events").is_some_and(|rows| rows > 180), "{copied:?}");
    let found = database::verify(&postgres.database).await.expect("a look");
    assert!(found.sound, "{:?}", found.findings);
    assert_eq!(counts(&postgres).await, counts(&sqlite).await, "the numbers are SQLite's, and the pause too");
    let (read, there) = (postgres.articles(None), sqlite.articles(None));
    assert_eq!(read.read("article-1").await.expect("by its former slug").slug, "renamed");
    let histories = (read.history("article-0").await, there.history("article-0").await);
    assert_eq!(histories.0.expect("a history"), histories.1.expect("a history"));
    assert_eq!((rows("article_tags"), rows("article_properties"), rows("article_links")), (Some(6), Some(4), Some(3)));
    let tagged = (read.read("tagged").await.expect("there").tags, there.read("tagged").await.expect("there").tags);
    assert_eq!(tagged.0, tagged.1);
    read.restore("article-2", None).await.expect("a deletion is undone");
    let runtime = postgres.start().await;
    runtime.resume().await.expect("a resume");
    postgres.settled(&runtime).await;
    assert_eq!(postgres.embedder.times_embedded("Text 5"), 0, "vectors were copied, and are not made again");
    assert_eq!(read.read("waiting").await.expect("an article").embedding.status.as_str(), "completed");
    let new = read.create(article("new", "a new one")).await.expect("a save").article;
    assert!(new.id > 63, "numbers go on where SQLite's ended");
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_find_the_same() {
    let (sqlite, postgres) = (lived_in(60).await, TestHost::<OnPostgres>::new().await);
    database::copy(&sqlite.database, &postgres.database, &silent).await.expect("a copy");
    for query in ["tides moon", "bees", "数据库", "eclairs creme", "\"about bread\"", "text of lighthouses and tea"]
    {
        let meaning = (sqlite.found(query, Mode::Semantic).await, postgres.found(query, Mode::Semantic).await);
        assert_eq!(meaning.0, meaning.1, "by meaning: {query}");
        let words = (sqlite.find(query, Mode::Keyword).await, postgres.find(query, Mode::Keyword).await);
        let all = |answer: &afterword::search::SearchAnswer| {
            let mut slugs: Vec<_> = answer.hits.iter().map(|hit| hit.title.clone()).collect();
            slugs.sort();
            slugs.len()
        };
        assert_eq!(all(&words.0), all(&words.1), "as many by words: {query}");
        assert!(all(&words.0) > 0, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_saved_while_both_sides_are_compared_is_noticed() {
    let (sqlite, postgres) = (lived_in(3).await, TestHost::<OnPostgres>::new().await);
    let elsewhere = sqlite.beside().await;
    let saved = std::sync::Once::new();
    let save = |progress: CopyProgress<'_>| {
        if progress.comparing && progress.table != "articles" {
            saved.call_once(|| {
                let articles = elsewhere.articles(None);
                let save = async move { articles.create(article("late", "text")).await.map(drop) };
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(save)).expect("a save");
            });
        }
    };
    let copied = database::copy(&sqlite.database, &postgres.database, &save).await;
    assert!(saved.is_completed());
    assert!(matches!(copied, Err(CopyError::Changed(_) | CopyError::Differs { .. })), "{copied:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_beginning_of_this_copy_is_left_alone() {
    let (sqlite, postgres) = (lived_in(3).await, TestHost::<OnPostgres>::new().await);
    postgres.articles(None).create(article("own", "text")).await.expect("a save");
    let refused = database::copy(&sqlite.database, &postgres.database, &silent).await;
    assert!(matches!(refused, Err(CopyError::NotEmpty(_))), "{refused:?}");
    assert_eq!(postgres.number("SELECT count(*) AS n FROM articles").await, 1);
    let refused = database::copy(&postgres.database, &sqlite.database, &silent).await;
    assert!(matches!(refused, Err(CopyError::Direction)), "{refused:?}");
    let runtime = sqlite.start().await;
    let refused = database::copy(&sqlite.database, &postgres.database, &silent).await;
    assert!(matches!(refused, Err(CopyError::InUse { .. })), "{refused:?}");
    runtime.stop(DRAIN).await;
}

/// A copy that is dropped in the middle, as by Ctrl-C, as soon as `stop` says so. Returns whether it was complete by
/// then.
async fn interrupted(
    sqlite: &TestHost<OnSqlite>,
    postgres: &TestHost<OnPostgres>,
    stop: impl Fn(&CopyProgress<'_>) -> bool + Sync,
) -> bool {
    let stopped = tokio::sync::Notify::new();
    let tell = |progress: CopyProgress<'_>| {
        if stop(&progress) {
            stopped.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = stopped.notified() => false,
        ended = database::copy(&sqlite.database, &postgres.database, &tell) => ended.is_ok(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_meanwhile_is_noticed() {
    let (sqlite, postgres) = (lived_in(5).await, TestHost::<OnPostgres>::new().await);
    assert!(!interrupted(&sqlite, &postgres, |progress| progress.comparing).await);
    sqlite.run("UPDATE articles SET title = 'Changed' WHERE slug = 'article-3'").await;
    let ended = database::copy(&sqlite.database, &postgres.database, &silent).await;
    assert!(matches!(ended, Err(CopyError::Differs { ref table, .. }) if table == "articles"), "{ended:?}");
}

/// Runs a command on the copy.
fn command(postgres: &TestHost<OnPostgres>, arguments: &[&str]) -> (bool, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_afterword"));
    command.env("AFTERWORD_DATABASE__URL", postgres.place.url()).env("AFTERWORD_EMBEDDING__PROVIDER", "scripted");
    let output = command.args(arguments).output().expect("a process");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_copied_in_part_is_not_taken_for_a_database() {
    let (sqlite, postgres) = (lived_in(40).await, TestHost::<OnPostgres>::new().await);
    assert!(!interrupted(&sqlite, &postgres, |progress| progress.table == "articles" && progress.done > 0).await);
    for arguments in [
        &["article", "list"][..],
        &["article", "create", "Another", "--body", "text"],
        &["db", "verify"],
        &["doctor"],
        &["serve", "--bind", "127.0.0.1:0"],
    ] {
        let (worked, said) = command(&postgres, arguments);
        assert!(!worked && said.contains("is not complete") && said.contains("db copy"), "{arguments:?}: {said}");
    }
    database::copy(&sqlite.database, &postgres.database, &silent).await.expect("a whole copy");
    let (worked, said) = command(&postgres, &["article", "list"]);
    assert!(worked, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_copied_is_refused_before_anything_is_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (empty, target) = (folder.path().join("empty.db"), TestHost::<OnPostgres>::new().await);
    std::fs::write(&empty, "").expect("a file");
    let at = |path: &std::path::Path| OpenOptions::new(format!("sqlite://{}", path.display()));
    let (server, missing) = (OpenOptions::new(target.place.url()), folder.path().join("missing.db"));
    let refused = async |from: &OpenOptions, to: &OpenOptions| database::open_both(from, to).await.err();
    assert!(matches!(refused(&at(&empty), &at(&missing)).await, Some(CopyError::Direction)));
    assert!(matches!(refused(&server, &at(&missing)).await, Some(CopyError::Direction)));
    assert!(matches!(refused(&at(&missing), &server).await, Some(CopyError::Missing(_))));
    assert!(matches!(refused(&at(&empty), &server).await, Some(CopyError::Nothing(_))));
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("one").path()).collect();
    assert!(left == [empty.clone()] && empty.metadata().expect("a file").len() == 0, "{left:?}");
    let sqlite = lived_in(3).await;
    target.run("CREATE SCHEMA strangers").await;
    target.run("CREATE TABLE strangers.words (word TEXT)").await;
    let strangers = OpenOptions::new(format!("{}?options[search_path]=strangers", server.url));
    let refusal = refused(&OpenOptions::new(sqlite.place.url()), &strangers).await;
    assert!(matches!(refusal, Some(CopyError::Foreign { ref table, .. }) if table == "words"), "{refusal:?}");
    let tables = "SELECT count(*) AS n FROM pg_class
                  WHERE relkind = 'r' AND relnamespace = CAST('strangers' AS regnamespace)";
    assert_eq!(target.number(tables).await, 1, "nothing was made beside another program's tables");
    target.run("CREATE TABLE foreign_words (word TEXT)").await;
    let refused = database::copy(&sqlite.database, &target.database, &silent).await;
    assert!(matches!(refused, Err(CopyError::Foreign { ref table, .. }) if table == "foreign_words"), "{refused:?}");
}

/// The numbers that do not pass with time.
async fn counts<P: support::TestDatabase>(world: &TestHost<P>) -> QueueStats {
    QueueStats { oldest_due_ms: None, ..world.stats().await }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_interrupted_copy_goes_on_where_it_stopped(articles in 3usize..100, stops in prop::collection::vec(1usize..18, 1..4)) {
        TOKIO.block_on(async {
            let (sqlite, postgres) = (lived_in(articles).await, TestHost::<OnPostgres>::new().await);
            for stop in stops {
                let steps = AtomicUsize::new(0);
                if interrupted(&sqlite, &postgres, |_| steps.fetch_add(1, Ordering::SeqCst) == stop).await {
                    prop_assert_eq!(counts(&postgres).await, counts(&sqlite).await);
                    return Ok(());
                }
            }
            database::copy(&sqlite.database, &postgres.database, &silent).await.expect("a whole copy");
            prop_assert_eq!(counts(&postgres).await, counts(&sqlite).await);
            Ok(())
        })?;
    }
}

//! Opening a database: by several commands at once, under several names, and what is no database of ours.

use std::path::Path;

use afterword_actors::{
    schema,
    store::{Connection, Database, OpenError, OpenOptions},
};

use super::{TestHost, afterword, contents, number, raw, said};
use crate::support;

/// Commands that start together on one database: all succeed, all saves are there.
fn start_together(folder: &Path, url: &str) {
    let create =
        |n: usize| afterword(folder, url, &["article", "create", &format!("Article {n}"), "--body", "Text."]).spawn();
    let started: Vec<_> = (0..4).map(|n| create(n).expect("a process")).collect();
    for process in started {
        let ended = process.wait_with_output().expect("an end");
        assert!(ended.status.success(), "{}", said(&ended));
    }
    let listed = afterword(folder, url, &["article", "list", "--json"]).output().expect("a process");
    assert_eq!(said(&listed).matches("\"slug\"").count(), 4, "{}", said(&listed));
}

#[test]
fn commands_that_start_together_on_a_new_database_all_succeed() {
    for _ in 0..3 {
        let folder = tempfile::tempdir().expect("a folder");
        start_together(folder.path(), &format!("sqlite://{}", folder.path().join("new/site.db").display()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_start_together_at_an_upgrade_all_succeed() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("site.db").display());
    let database = support::open(url.clone()).await;
    let later = schema::steps().len() - 5;
    schema::take_back(&database, u32::try_from(later).expect("few")).await.expect("an earlier schema");
    database.close().await;
    start_together(folder.path(), &url);
}

#[test]
fn commands_that_start_together_on_a_new_postgresql_database_all_succeed() {
    let server = std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL");
    support::TOKIO.block_on(async {
        let administrator = Connection::open(&format!("{server}/postgres")).await.expect("a server");
        for round in 0..2 {
            let name = format!("together_{}_{round}", std::process::id());
            administrator.script(&format!("CREATE DATABASE {name}")).await.expect("a database");
            let folder = tempfile::tempdir().expect("a folder");
            start_together(folder.path(), &format!("{server}/{name}"));
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn another_programs_file_is_refused_and_left_as_it_is() {
    let foreign = [
        "CREATE TABLE bookmarks (url TEXT)",
        "CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT)",
        "PRAGMA journal_mode = WAL; CREATE TABLE notes (text TEXT)",
        "PRAGMA application_id = 252006675; CREATE TABLE t (x)",
        "CREATE TABLE seaql_migrations (version TEXT, applied_at BIGINT);
         INSERT INTO seaql_migrations VALUES ('m20220101_000001_users', 1); CREATE TABLE users (name TEXT)",
    ];
    for sql in foreign {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("other.db");
        raw(&path, sql).await;
        let before = contents(folder.path());
        let url = format!("sqlite://{}", path.display());
        let refused = Database::open(&OpenOptions::new(url.clone())).await;
        assert!(matches!(refused, Err(OpenError::NotOurs { .. })), "{sql}");
        let refused = afterword(folder.path(), &url, &["article", "list"]).output().expect("a process");
        assert!(!refused.status.success() && said(&refused).contains("another program's"), "{}", said(&refused));
        assert!(contents(folder.path()) == before, "{sql}: {:?}", contents(folder.path()).keys());
        assert!(!folder.path().join("other.db.hosts").exists(), "{sql}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("letter.txt");
    std::fs::write(&path, "Dear reader, this is no database, and it is long enough to be read as one. ".repeat(20))
        .expect("a file");
    let before = contents(folder.path());
    let refused = Database::open(&OpenOptions::new(format!("sqlite://{}", path.display()))).await;
    assert!(matches!(refused, Err(OpenError::NotSqlite(_))));
    assert!(contents(folder.path()) == before);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_earlier_versions_are_known_by_their_history() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("old.db");
    let url = format!("sqlite://{}", path.display());
    let database = support::open(url.clone()).await;
    afterword::database::migrate(&database).await.expect("a schema");
    let id = number(database.reader(), "SELECT application_id AS n FROM pragma_application_id").await;
    assert_eq!(id, afterword_actors::store::APPLICATION_ID, "what the migration writes is what is looked for");
    database.close().await;
    raw(&path, "PRAGMA application_id = 0").await;
    support::open(url.clone()).await.close().await;
    // The state after a first start that an earlier version did not complete.
    std::fs::remove_file(&path).expect("a file");
    raw(&path, "CREATE TABLE seaql_migrations (version varchar NOT NULL PRIMARY KEY, applied_at bigint NOT NULL)")
        .await;
    let first = include_str!("../../../migration/src/m20261124_000001_articles/up.sqlite.sql");
    let half = &first[..first.find("CREATE TABLE slug_aliases").expect("a statement")];
    raw(&path, half).await;
    let created =
        afterword(folder.path(), &url, &["article", "create", "One", "--body", "Text."]).output().expect("a process");
    assert!(created.status.success(), "{}", said(&created));
}

#[test]
fn a_tilde_is_the_home_directory() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = "sqlite://~/notes/x.db";
    let created =
        afterword(folder.path(), url, &["article", "create", "One", "--body", "Text."]).output().expect("a process");
    assert!(created.status.success(), "{}", said(&created));
    assert!(folder.path().join("notes/x.db").is_file() && !folder.path().join("~").exists());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_seen_by_whatever_name_the_database_is_opened() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    let path = world.database.file().expect("a file").to_path_buf();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let (link, folder) = (elsewhere.path().join("alias.db"), elsewhere.path().join("folder"));
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    std::os::unix::fs::symlink(path.parent().expect("a folder"), &folder).expect("a link");
    for alias in [link, folder.join(path.file_name().expect("a name"))] {
        let seen = support::open(format!("sqlite://{}", alias.display())).await;
        assert_eq!(seen.living(10).await.expect("hosts").len(), 1, "{}", alias.display());
        seen.close().await;
    }
    // Two names of one file would have two logs.
    let hard = path.with_file_name("hard.db");
    std::fs::hard_link(&path, &hard).expect("a link");
    for name in [&hard, &path] {
        let refused = Database::open(&OpenOptions::new(format!("sqlite://{}", name.display()))).await;
        assert!(matches!(refused, Err(OpenError::SeveralNames { names: 2, .. })));
    }
    std::fs::remove_file(&hard).expect("a file");
    support::open(format!("sqlite://{}", path.display())).await.close().await;
    runtime.stop(support::DRAIN).await;
}

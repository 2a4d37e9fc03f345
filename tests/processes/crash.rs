//! `kill -9` of a real process at every step: after the restart every article is embedded once, at its newest revision.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use afterword_actors::store::{Database, OpenOptions, sql::Sql};

use crate::support::process::{Server, program};

/// Articles in each case.
const ARTICLES: usize = 24;
/// A test that has waited this long for something is stuck.
const STUCK: Duration = Duration::from_secs(120);

struct ServerFolder {
    folder: tempfile::TempDir,
}

impl ServerFolder {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a folder") };
        let files = place.folder.path().join("articles");
        std::fs::create_dir(&files).expect("a folder");
        for number in 0..ARTICLES {
            let text =
                format!("# Article {number}\n\nWords of article {number}.\n\n## More\n\nAnd more of {number}.\n");
            std::fs::write(files.join(format!("article-{number}.md")), text).expect("a file");
        }
        place
    }

    fn url(&self) -> String {
        format!("sqlite://{}", self.folder.path().join("crash.db").display())
    }

    fn command(&self, latency: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_afterword"));
        command
            .current_dir(self.folder.path())
            .env("AFTERWORD_EMBEDDING__PROVIDER", "scripted")
            .env("AFTERWORD_EMBEDDING__SCRIPTED__LATENCY", latency)
            .env("AFTERWORD_QUEUE__SLOTS", "3")
            .env("AFTERWORD_QUEUE__RETRY_BASE", "20ms")
            .args(["--database", &self.url()])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn import(&self) -> Child {
        self.command("15ms", &["import", "articles", "--wait", "--on-conflict", "skip"]).spawn().expect("a process")
    }

    /// Opens the database as soon as the process has made it.
    async fn database(&self) -> Database {
        let path = self.folder.path().join("crash.db");
        until("the database", || path.exists()).await;
        Database::open(&OpenOptions::new(self.url())).await.expect("a database")
    }

    /// Restarts, and checks that nothing was lost and nothing is there twice.
    async fn all_embedded_after_a_restart(&self, arrow: &str) {
        let status = self
            .command("0s", &["import", "articles", "--wait", "--on-conflict", "skip"])
            .status()
            .expect("a process that ends");
        assert!(status.success(), "after a death {arrow}");
        let database = self.database().await;
        let all = i64::try_from(ARTICLES).expect("few");
        assert_eq!(number(&database, "SELECT count(*) AS n FROM articles").await, all, "{arrow}");
        let embedded = "SELECT count(*) AS n FROM articles a JOIN article_embeddings e ON e.article_id = a.id
                        WHERE e.content_hash = a.content_hash";
        assert_eq!(number(&database, embedded).await, all, "{arrow}");
        let open = "SELECT count(*) AS n FROM embedding_tasks WHERE status IN ('pending', 'processing', 'failed')";
        assert_eq!(number(&database, open).await, 0, "{arrow}");
        let torn = "SELECT count(*) AS n FROM article_embeddings e WHERE e.chunk_count <> (
                        SELECT count(*) FROM article_chunks c WHERE c.article_id = e.article_id)";
        assert_eq!(number(&database, torn).await, 0, "{arrow}");
        let found = afterword::database::verify(&database).await.expect("a look");
        assert!(found.sound, "{arrow}: {:?}", found.findings);
    }
}

async fn number(database: &Database, sql: &str) -> i64 {
    // Before the schema is there, there is nothing.
    database.reader().row::<i64>(sql, []).await.ok().flatten().unwrap_or(0)
}

async fn until(what: &str, mut there: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !there() {
        assert!(begun.elapsed() < STUCK, "waited too long for {what}");
        tokio::task::yield_now().await;
    }
}

async fn until_at_least(database: &Database, least: i64, sql: &str) {
    let begun = Instant::now();
    while number(database, sql).await < least {
        assert!(begun.elapsed() < STUCK, "waited too long for {sql}");
    }
}

/// Kills an import when `sql` has reached `least`, then restarts.
async fn killed_when(arrow: &str, least: i64, sql: &str) {
    let place = ServerFolder::new();
    let mut process = place.import();
    let database = place.database().await;
    until_at_least(&database, least, sql).await;
    process.kill().expect("a kill");
    process.wait().expect("an end");
    drop(database);
    place.all_embedded_after_a_restart(arrow).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_two_saves() {
    killed_when("between two saves", 5, "SELECT count(*) AS n FROM articles").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_save_before_the_claim() {
    killed_when("before the claim", 12, "SELECT count(*) AS n FROM embedding_tasks WHERE status = 'pending'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_provider_is_asked() {
    killed_when("in the call", 3, "SELECT count(*) AS n FROM embedding_tasks WHERE status = 'processing'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_some_commits() {
    killed_when("after some commits", 7, "SELECT count(*) AS n FROM article_embeddings").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again() {
    let place = ServerFolder::new();
    for round in 1..=6 {
        let mut process = place.import();
        let database = place.database().await;
        let done = "SELECT count(*) AS n FROM embedding_task_events WHERE event = 'claimed'";
        until_at_least(&database, round * 2, done).await;
        process.kill().expect("a kill");
        process.wait().expect("an end");
    }
    place.all_embedded_after_a_restart("again and again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_article_that_kills_its_host_is_found_and_no_other_pays() {
    const CLAIMS: &str = "SELECT count(*) AS n FROM embedding_task_events WHERE event = 'claimed' AND task_id = (
                              SELECT id FROM embedding_tasks WHERE slug = 'article-5')";
    const OPEN: &str = "SELECT count(*) AS n FROM embedding_tasks WHERE status IN ('pending', 'processing')";
    let place = ServerFolder::new();
    let imported = place.command("0s", &["import", "articles"]).status().expect("a process that ends");
    assert!(imported.success());
    let database = place.database().await;
    let mut deaths = 0_i64;
    while number(&database, OPEN).await > 0 {
        let mut host = place.command("400ms", &["import", "articles", "--wait", "--on-conflict", "skip"]);
        let mut host = host.env("AFTERWORD_QUEUE__SLOTS", "12").spawn().expect("a process");
        loop {
            if number(&database, CLAIMS).await > deaths {
                host.kill().expect("a kill");
                deaths += 1;
            }
            if host.try_wait().expect("a look").is_some() {
                break;
            }
        }
        host.wait().expect("an end");
    }
    assert_eq!(deaths, 5);
    let done = "SELECT count(*) AS n FROM embedding_tasks WHERE status = 'completed' AND attempts = 1";
    assert_eq!(number(&database, done).await, i64::try_from(ARTICLES).expect("few") - 1);
    let found = "SELECT attempts AS n FROM embedding_tasks
                 WHERE slug = 'article-5' AND status = 'failed' AND error_kind = 'crashed'";
    assert_eq!(number(&database, found).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_a_bulk_run_is_queued_and_worked_on() {
    let place = ServerFolder::new();
    let imported = place.command("0s", &["import", "articles"]).status().expect("a process that ends");
    assert!(imported.success());
    let mut process = place.command("20ms", &["bulk", "start"]).spawn().expect("a process");
    let database = place.database().await;
    until_at_least(&database, 4, "SELECT count(*) AS n FROM article_embeddings").await;
    process.kill().expect("a kill");
    process.wait().expect("an end");
    drop(database);
    place.all_embedded_after_a_restart("in a bulk run").await;
    let database = place.database().await;
    let begun = Instant::now();
    // The run goes on, too, and the next host closes it.
    while number(&database, "SELECT count(*) AS n FROM bulk_operations WHERE state <> 'completed'").await > 0 {
        assert!(begun.elapsed() < STUCK, "the bulk run is never closed");
        let status = place.command("0s", &["bulk", "start"]).status().expect("a process that ends");
        assert!(status.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_killed_is_seen_to_be_dead_at_once() {
    let place = ServerFolder::new();
    let mut process = place.import();
    let database = place.database().await;
    until_at_least(&database, 1, "SELECT count(*) AS n FROM embedding_hosts WHERE state = 'running'").await;
    process.kill().expect("a kill");
    process.wait().expect("an end");
    let shown = place.command("0s", &["status", "--json"]).stdout(Stdio::piped()).output().expect("a process");
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(shown["total"], 0, "no host is said to run");
    assert!(Path::new(env!("CARGO_BIN_EXE_afterword")).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_takes_along_what_only_the_log_of_a_dead_process_has() {
    let server = Server::start(&[]);
    server.create("Kept", "saved last").await;
    server.signal("KILL");
    let (_, folder) = server.ended();
    let log = folder.path().join("server.db-wal");
    assert!(std::fs::metadata(log).is_ok_and(|log| log.len() > 0), "it died with its log");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| {
        let output = program(elsewhere.path()).args(arguments).output().expect("a command");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    run(&["db", "restore", folder.path().join("server.db").to_str().expect("text")]);
    assert_eq!(run(&["article", "show", "kept", "--body"]), "saved last");
}

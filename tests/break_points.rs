//! A real process fails, panics or is killed at every named point: afterwards everything acknowledged is there, the
//! next process opens the database and goes on, and everything is embedded.
//!
//! `cargo test --features break-points --test break_points`

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use afterword_actors::store::{Connection, Database, OpenOptions, sql::Sql};
use browser::Browser;
use support::process::{Server, serve};

#[path = "clients/page/browser.rs"]
#[allow(dead_code, reason = "each program uses a part")]
mod browser;
#[allow(dead_code, reason = "each program uses a part")]
mod support {
    #[path = "process.rs"]
    pub(crate) mod process;
}

const ACTIONS: [&str; 3] = ["error", "panic", "kill"];

struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn url(&self) -> String {
        format!("sqlite://{}", self.path("site.db").display())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_afterword"));
        command
            .current_dir(self.folder.path())
            .env("AFTERWORD_EMBEDDING__PROVIDER", "scripted")
            .env("AFTERWORD_QUEUE__RETRY_BASE", "20ms")
            .args(["--database", &self.url()])
            .args(arguments);
        command
    }

    /// Three notes to import.
    fn write_notes(&self) {
        let notes = self.path("notes");
        std::fs::create_dir_all(&notes).expect("a folder");
        for name in ["one", "two", "three"] {
            std::fs::write(notes.join(format!("{name}.md")), format!("# {name}\n\nWords of {name}.\n"))
                .expect("a file");
        }
    }

    /// Runs a command that breaks at `point`, and checks that it got there.
    fn broken(&self, point: &str, action: &str, arguments: &[&str]) -> Output {
        self.broken_at(point, action, 1, arguments)
    }

    /// The same at the `at`-th time that it gets there.
    fn broken_at(&self, point: &str, action: &str, at: usize, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        let choice = format!("{point}={action}@{at}");
        let output = command.env("BREAK_POINT", choice).output().expect("a process");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(&format!("break point {point}")), "{point} was not reached: {said}");
        output
    }

    fn works(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().expect("a process");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        output
    }

    async fn number(&self, sql: &str) -> i64 {
        let database = Database::open(&OpenOptions::new(self.url())).await.expect("a database");
        let number = database.reader().row(sql, []).await.expect("a query").expect("a row");
        database.close().await;
        number
    }

    /// Goes on, embeds everything, and finds no damage; the acknowledged article is there.
    async fn goes_on(&self, case: &str, acknowledged: bool) {
        let notes = self.path("notes");
        std::fs::create_dir_all(&notes).expect("a folder");
        std::fs::write(notes.join("later.md"), "# Later\n\nWords.\n").expect("a file");
        self.works(&["import", "notes", "--wait", "--on-conflict", "skip"]);
        if acknowledged {
            assert_eq!(self.number("SELECT count(*) AS n FROM articles WHERE title = 'Early'").await, 1, "{case}");
        }
        let bare = "SELECT count(*) AS n FROM articles a LEFT JOIN article_embeddings e ON e.article_id = a.id
                    WHERE e.content_hash IS NOT a.content_hash";
        assert_eq!(self.number(bare).await, 0, "{case}: all is embedded");
        let open = "SELECT count(*) AS n FROM embedding_tasks WHERE status IN ('pending', 'processing', 'failed')";
        assert_eq!(self.number(open).await, 0, "{case}");
        self.works(&["db", "verify"]);
    }
}

const CREATE: [&str; 5] = ["article", "create", "Early", "--body", "Words."];

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start() {
    let steps = ["begun", "ran", "entered", "committed"].map(|step| format!("migration.up.{step}"));
    let steps = steps.into_iter().flat_map(|point| [1, 3, 8, 13, 14].map(|at| (point.clone(), at)));
    let opening = ["open.made", "open.connected"].map(|point| (point.to_owned(), 1));
    for (point, at) in opening.into_iter().chain(steps) {
        for action in ACTIONS {
            let site = Site::new();
            let created = site.broken_at(&point, action, at, &CREATE);
            site.goes_on(&format!("{point} {action} {at}"), created.status.success()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save() {
    for point in ["save.begun", "save.ran", "save.committed"] {
        for action in ACTIONS {
            let site = Site::new();
            site.works(&["db", "migrate"]);
            let created = site.broken(point, action, &CREATE);
            site.goes_on(&format!("{point} {action}"), created.status.success()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_back() {
    for step in ["begun", "ran", "struck", "committed"] {
        for at in [1, 2, 5, 8] {
            for action in ACTIONS {
                let site = Site::new();
                site.works(&["db", "migrate"]);
                let point = format!("migration.down.{step}");
                site.broken_at(&point, action, at, &["db", "rollback", "--steps", "8", "--yes"]);
                site.goes_on(&format!("{point} {action} {at}"), false).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup() {
    for point in ["backup.copied", "backup.placed"] {
        for action in ACTIONS {
            let site = Site::new();
            site.works(&CREATE);
            site.broken(point, action, &["db", "backup", "copy.db"]);
            if site.path("copy.db").exists() {
                site.works(&["db", "restore", "copy.db"]);
            } else {
                site.works(&["db", "backup", "copy.db"]);
            }
            site.goes_on(&format!("{point} {action}"), true).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore() {
    for point in ["restore.copied", "restore.checked", "restore.ready", "restore.moved", "restore.placed"] {
        for action in ACTIONS {
            let (site, case) = (Site::new(), format!("{point} {action}"));
            site.works(&CREATE);
            site.works(&["db", "backup", "copy.db"]);
            site.works(&["article", "create", "Newer", "--body", "Words."]);
            site.broken(point, action, &["db", "restore", "copy.db"]);
            // One of the two, whole.
            let articles = site.number("SELECT count(*) AS n FROM articles").await;
            assert!(articles == 1 || articles == 2, "{case}: {articles}");
            site.goes_on(&case, true).await;
            if action != "kill" {
                assert!(!site.path("site.db.restoring").exists(), "{case}");
            }
            site.works(&["db", "restore", "copy.db"]);
            assert_eq!(site.number("SELECT count(*) AS n FROM articles").await, 1, "{case}");
            let left: Vec<_> = files(site.folder.path()).into_iter().filter(|name| name.contains("restor")).collect();
            assert!(left.iter().all(|name| name.contains(".before-restore-")), "{case}: {left:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_of_an_article() {
    let points = [
        "claim.taken",
        "worker.given",
        "attempt.loaded",
        "attempt.cut",
        "attempt.embedded",
        "settle.stored",
        "settle.ended",
        "queue.committed",
    ];
    for point in points {
        for action in ACTIONS {
            let (site, case) = (Site::new(), format!("{point} {action}"));
            site.works(&CREATE);
            site.write_notes();
            let imported = site.broken(point, action, &["import", "notes", "--wait"]);
            // A single failure in a process that lives on loses nothing.
            assert_eq!(imported.status.success(), action != "kill", "{case}: {imported:?}");
            site.goes_on(&case, true).await;
            assert_eq!(site.number("SELECT count(*) AS n FROM articles").await, 5, "{case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rescue() {
    for action in ACTIONS {
        let site = Site::new();
        site.write_notes();
        site.works(&CREATE);
        site.broken("attempt.embedded", "kill", &["import", "notes", "--wait"]);
        site.broken("rescue.put_back", action, &["import", "notes", "--wait", "--on-conflict", "skip"]);
        site.goes_on(&format!("rescue.put_back {action}"), true).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_model() {
    const OTHER: (&str, &str) = ("AFTERWORD_EMBEDDING__MODEL", "another");
    const IN_USE: &str = "SELECT id AS n FROM embedding_models WHERE state = 'active'";
    for point in ["switch.begun", "switch.activated"] {
        for action in ACTIONS {
            let (site, case) = (Site::new(), format!("{point} {action}"));
            site.works(&CREATE);
            site.write_notes();
            site.works(&["import", "notes", "--wait"]);
            let before = site.number(IN_USE).await;
            let mut switch = site.command(&["model", "switch"]);
            let choice = format!("{point}={action}@1");
            let broken = switch.env(OTHER.0, OTHER.1).env("BREAK_POINT", choice).output().expect("a process");
            let said = String::from_utf8_lossy(&broken.stderr);
            assert!(said.contains(&format!("break point {point}")), "{case} was not reached: {said}");
            // The set in use has all articles, whichever it is.
            let found = "SELECT count(*) AS n FROM article_embeddings e JOIN embedding_models m ON m.id = e.model_id
                         JOIN articles a ON a.id = e.article_id AND a.content_hash = e.content_hash
                         WHERE m.state = 'active'";
            assert_eq!(site.number(found).await, 4, "{case}");
            let again = site.command(&["model", "switch"]).env(OTHER.0, OTHER.1).output().expect("a process");
            assert!(again.status.success(), "{case}: {again:?}");
            assert_ne!(site.number(IN_USE).await, before, "{case}");
            assert_eq!(site.number(found).await, 4, "{case}");
            site.works(&["db", "verify"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_up() {
    for point in ["cleanup.removed", "cleanup.committed"] {
        for action in ACTIONS {
            let (site, case) = (Site::new(), format!("{point} {action}"));
            site.works(&CREATE);
            site.write_notes();
            site.works(&["import", "notes", "--wait"]);
            site.broken(point, action, &["queue", "cleanup", "--older-than", "0s"]);
            site.works(&["queue", "cleanup", "--older-than", "0s"]);
            assert_eq!(site.number("SELECT count(*) AS n FROM embedding_tasks").await, 0, "{case}");
            site.goes_on(&case, true).await;
        }
    }
}

/// From SQLite to PostgreSQL: run again, the copy is completed, and nothing is there twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy() {
    let server = std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL; scripts/with-postgres sets it");
    let administration = Connection::open(&format!("{server}/postgres")).await.expect("a server");
    let points = [("copy.page", 1), ("copy.page", 5), ("copy.compared", 1), ("copy.finished", 1)];
    for (number, (point, at)) in points.into_iter().enumerate() {
        for action in ACTIONS {
            let (site, case) = (Site::new(), format!("{point} {at} {action}"));
            let name = format!("copied_{}_{number}_{action}", std::process::id());
            administration.script(&format!("CREATE DATABASE {name}")).await.expect("a database");
            let (from, to) = (site.url(), format!("{server}/{name}"));
            site.write_notes();
            site.works(&["import", "notes", "--wait"]);
            let copy = ["db", "copy", "--from", &from, "--to", &to];
            site.broken_at(point, action, at, &copy);
            let again = site.command(&copy).output().expect("a process");
            let said = String::from_utf8_lossy(&again.stderr).into_owned();
            // A copy that was already complete is reported as such.
            assert!(again.status.success() || point == "copy.finished", "{case}: {said}");
            let copied = Database::open(&OpenOptions::new(to)).await.expect("a database");
            let sql = "SELECT count(*) AS n FROM articles a JOIN article_embeddings e ON e.article_id = a.id";
            let rows = copied.reader().row::<i64>(sql, []).await.expect("a query").expect("a row");
            assert_eq!(rows, 3, "{case}: {said}");
            copied.close().await;
            assert_eq!(site.number(sql).await, 3, "{case}: the source is left as it is");
        }
    }
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_is_seen_to_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = serve(folder.path(), &["queue.slots=1"]);
    command.env("BREAK_POINT", "worker.given=panic");
    let server = Server::started(command, folder);
    let browser = Browser::open().await;
    browser.go(&server.url("/runtime")).await;
    browser.until_said("#sentence", "Everything works").await;
    assert!(!browser.text("[data-fragment=hosts]").await.contains("restarted"));
    server.create("Given to it", "text").await;
    browser.until_said("[data-fragment=hosts]", "restarted 1×").await;
    server.until_embedding("given-to-it", "completed").await;
    browser.until_said("#sentence", "Everything works").await;
    browser.close().await;
}

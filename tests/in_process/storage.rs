//! The options of the database, and how writes share it.

mod copies;
mod opening;
mod owners;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
};

use afterword_actors::store::{Connection, Database, StoreError, sql::Sql};
use futures_util::FutureExt;
use tokio::sync::Semaphore;

use crate::support;

type TestHost = support::TestHost<support::OnSqlite>;

async fn number(connection: &impl Sql, sql: &str) -> i64 {
    connection.row::<i64>(sql, []).await.expect("a pragma").expect("a row")
}

async fn journal_mode(connection: &impl Sql) -> String {
    let mode = connection.row("SELECT journal_mode FROM pragma_journal_mode", []).await;
    mode.expect("a pragma").expect("a row")
}

async fn is_durable(connection: &impl Sql) {
    const FULL: i64 = 2;
    assert_eq!(journal_mode(connection).await, "wal");
    assert_eq!(number(connection, "SELECT synchronous AS n FROM pragma_synchronous").await, FULL);
    assert_eq!(number(connection, "SELECT foreign_keys AS n FROM pragma_foreign_keys").await, 1);
    assert!(number(connection, "SELECT timeout AS n FROM pragma_busy_timeout").await >= 1000, "it waits for a lock");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_live_connection_is_durable_and_keeps_its_references() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    is_durable(world.database.write_connection()).await;
    // Open at the same time, so that each is another of the two.
    let readers = world.database.reader();
    let (one, other) = (readers.begin().await.expect("a reader"), readers.begin().await.expect("another"));
    is_durable(&one).await;
    is_durable(&other).await;
    (one.rollback().await).and(other.rollback().await).expect("the end");
    runtime.stop(support::DRAIN).await;
}

/// The names of writes, in the order in which they ran.
type Order = Arc<Mutex<Vec<&'static str>>>;

async fn note_behind(database: Database, name: &'static str, order: Order) -> Result<(), StoreError> {
    let noted = move || {
        order.lock().expect("an order").push(name);
        Ok(())
    };
    database.write_behind(async move |_| noted()).await
}

async fn note(database: Database, name: &'static str, order: Order) -> Result<(), StoreError> {
    let noted = move || {
        order.lock().expect("an order").push(name);
        Ok(())
    };
    database.write(async move |_| noted()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_goes_before_whatever_waits_in_the_background() {
    let world = TestHost::new().await;
    let (gate, entered) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let holding = tokio::spawn({
        let (database, gate, entered) = (world.database.clone(), Arc::clone(&gate), Arc::clone(&entered));
        async move {
            database
                .write_behind::<_, StoreError, _>(async move |_| {
                    entered.add_permits(1);
                    drop(gate.acquire().await);
                    Ok(())
                })
                .await
        }
    });
    drop(entered.acquire().await.expect("the writer is busy"));
    let order = Arc::new(Mutex::new(Vec::new()));
    let waiting = async {
        tokio::join!(
            note_behind(world.database.clone(), "sweep", Arc::clone(&order)),
            note_behind(world.database.clone(), "metrics", Arc::clone(&order)),
            note(world.database.clone(), "save", Arc::clone(&order)),
        )
    };
    let mut waiting = Box::pin(waiting);
    // Once polled, all three are in their lanes.
    assert!((&mut waiting).now_or_never().is_none());
    gate.add_permits(1);
    let (sweep, metrics, save) = waiting.await;
    sweep.and(metrics).and(save).expect("commits");
    holding.await.expect("an end").expect("a commit");
    assert_eq!(*order.lock().expect("an order"), ["save", "sweep", "metrics"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_or_panics_takes_no_neighbour_along() {
    let world = TestHost::new().await;
    world.run("CREATE TABLE kept (name TEXT)").await;
    let write = |name: &'static str| {
        let database = world.database.clone();
        async move {
            database
                .write::<_, StoreError, _>(async move |transaction| {
                    transaction.run("INSERT INTO kept VALUES ($1)", [name.into()]).await?;
                    match name {
                        "refused" => Err(StoreError::Unexpected("refused".to_owned())),
                        "panics" => panic!("asked to panic"),
                        _ => Ok(()),
                    }
                })
                .await
        }
    };
    let results = tokio::join!(write("a"), write("refused"), write("b"), write("panics"), write("c"));
    assert!(results.0.is_ok() && results.2.is_ok() && results.4.is_ok());
    assert!(results.1.is_err() && results.3.is_err());
    assert_eq!(world.number("SELECT count(*) AS n FROM kept").await, 3);
    write("later").await.expect("the writer lives");
}

/// The longest that the write-ahead log may be, with what one batch adds. *Units:* bytes.
const LONG_LOG: u64 = 48 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn the_log_stays_short_under_readers_that_never_pause() {
    let world = TestHost::new().await;
    world.run("CREATE TABLE kept (body BLOB NOT NULL)").await;
    let readers = world.database.reader().clone();
    // One snapshot is taken before the other is given up: there is always one.
    let reading = tokio::spawn(async move {
        let mut last = readers.begin().await.expect("a reader");
        loop {
            let next = readers.begin().await.expect("another");
            number(&next, "SELECT count(*) AS n FROM kept").await;
            std::mem::replace(&mut last, next).rollback().await.expect("the end");
        }
    });
    let log = PathBuf::from(format!("{}-wal", world.database.file().expect("a file").display()));
    let mut longest = 0;
    for _ in 0..320 {
        world.run("INSERT INTO kept VALUES (zeroblob(500000))").await;
        longest = longest.max(std::fs::metadata(&log).expect("a log").len());
    }
    reading.abort();
    assert!(longest < LONG_LOG, "of 160 MB that were written, {longest} bytes lay in the log at a time");
}

fn afterword(folder: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_afterword"));
    command.current_dir(folder).env("HOME", folder).env("AFTERWORD_EMBEDDING__PROVIDER", "scripted");
    command.args(["--database", url]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Everything in a folder: names and contents of files.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    let file = |entry: std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (!entry.path().is_dir()).then(|| (name, std::fs::read(entry.path()).expect("a file")))
    };
    entries.filter_map(file).collect()
}

async fn raw(path: &Path, sql: &str) {
    let connection = Connection::open(&format!("sqlite://{}?mode=rwc", path.display())).await.expect("a file");
    connection.script(sql).await.expect("a statement");
    connection.close().await.expect("an end");
}

//! A disk that is full or fails, at every point: acknowledged rows are there, refusals say why, and writes work again
//! as soon as there is room, without a restart.
//!
//! The disk is a real one; a small library loaded before the C library makes calls fail. Each walk runs this program
//! again as another process, with that library.
#![cfg(target_os = "linux")]

#[path = "failing_disk/disk.rs"]
mod disk;

use std::{collections::BTreeMap, path::PathBuf};

use afterword_actors::{
    schema,
    store::{
        Database, OpenOptions, StoreError,
        sql::{Sql, Value},
    },
};
use disk::{FailingDisk, Fault};
use futures_util::future::join_all;

/// Pages that the writer keeps in memory here, so that a write of some hundred kilobytes goes to the disk early.
const CACHE_PAGES: &str = "PRAGMA cache_size = 8";
/// A body larger than that.
const LARGE: usize = 160_000;

/// An acknowledged row: its name and the length of its body.
type Acknowledged = BTreeMap<String, usize>;

struct Site {
    url: String,
    database: Database,
    acknowledged: Acknowledged,
    round: usize,
}

impl Site {
    async fn new() -> Self {
        let url = format!("sqlite://{}", PathBuf::from(disk::folder()).join("site.db").display());
        let database = open(&url).await;
        schema::migrate(&database).await.expect("a schema");
        let make = "CREATE TABLE kept (name TEXT PRIMARY KEY, body BLOB NOT NULL)";
        database.write_connection().run(make, []).await.expect("a table");
        Self { url, database, acknowledged: Acknowledged::new(), round: 0 }
    }

    /// Writes of all kinds at once; acknowledged ones are recorded, and each refusal is checked.
    async fn round(&mut self) {
        self.round += 1;
        let _ = self.database.write_connection().run(CACHE_PAGES, []).await;
        let sizes = [10, 2_000, LARGE, 30, 60_000, LARGE, 500];
        let name = |kind: &str, size: usize, number: usize| format!("{kind} {} {number} {size}", self.round);
        let saves = sizes.iter().enumerate().map(|(number, &size)| (name("save", size, number), size));
        let saves = saves.map(|(name, size)| save(&self.database, name, size));
        let behind = (0..3).map(|number| (name("behind", 70, number), 70));
        let behind = behind.map(|(name, size)| save_behind(&self.database, name, size));
        let heedless = (0..2).map(|number| heedless(&self.database, name("heedless", LARGE, number)));
        let (saves, behind, heedless) = tokio::join!(join_all(saves), join_all(behind), join_all(heedless));
        for result in saves.into_iter().chain(behind).chain(heedless.into_iter().flatten()) {
            match result {
                Ok((name, size)) => drop(self.acknowledged.insert(name, size)),
                Err(error) => assert!(error.is_outage(), "a refusal that may be tried again: {error:?}"),
            }
        }
    }

    /// Checks that the database works again and has all that was acknowledged.
    async fn is_whole(&mut self) {
        let name = format!("after {}", self.round);
        let (name, size) = save(&self.database, name, 40).await.expect("writes go on without a restart");
        self.acknowledged.insert(name, size);
        has_all(&self.database, &self.acknowledged).await;
    }

    async fn is_whole_after_a_reopen(&self) {
        has_all(&open(&self.url).await, &self.acknowledged).await;
    }
}

async fn open(url: &str) -> Database {
    Database::open(&OpenOptions { read_connections: 1, ..OpenOptions::new(url) }).await.expect("a database")
}

async fn has_all(database: &Database, acknowledged: &Acknowledged) {
    let rows = serde_json::to_string(&acknowledged.iter().collect::<Vec<_>>()).expect("JSON");
    let sql = "SELECT count(*) AS n FROM {rows $1: name TEXT, size BIGINT} a
               JOIN kept k ON k.name = a.name AND length(k.body) = a.size";
    let there = database.reader().row::<i64>(sql, [rows.into()]).await.expect("a count").expect("a row");
    assert_eq!(usize::try_from(there), Ok(acknowledged.len()), "of what was acknowledged");
    let torn = "SELECT count(*) AS n FROM pragma_integrity_check WHERE integrity_check <> 'ok'";
    let torn = database.reader().row::<i64>(torn, []).await.expect("a look").expect("a row");
    assert_eq!(torn, 0, "the database is sound");
}

const INSERT: &str = "INSERT INTO kept VALUES ($1, zeroblob($2))";

fn values(name: &str, size: usize) -> [Value; 2] {
    [name.into(), i64::try_from(size).expect("small").into()]
}

async fn save(database: &Database, name: String, size: usize) -> Result<(String, usize), StoreError> {
    database.write(async move |transaction| insert(transaction, name, size).await).await
}

async fn save_behind(database: &Database, name: String, size: usize) -> Result<(String, usize), StoreError> {
    database.write_behind(async move |transaction| insert(transaction, name, size).await).await
}

async fn insert(
    transaction: &afterword_actors::store::Transaction,
    name: String,
    size: usize,
) -> Result<(String, usize), StoreError> {
    transaction.run(INSERT, values(&name, size)).await?;
    Ok((name, size))
}

/// A write that ignores its failures, and returns the rows that it believes to be there.
async fn heedless(database: &Database, name: String) -> Vec<Result<(String, usize), StoreError>> {
    let wrote = database
        .write(async move |transaction| {
            let mut believed = Vec::new();
            for size in [LARGE, 20, LARGE, 30] {
                let name = format!("{name} {}", believed.len());
                if transaction.run(INSERT, values(&name, size)).await.is_ok() {
                    believed.push((name, size));
                }
            }
            Ok::<_, StoreError>(believed)
        })
        .await;
    match wrote {
        Ok(believed) => believed.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    }
}

/// Lets the first call fail, then the second, and so on, later in growing steps, until a round makes fewer calls.
async fn walk(error: i64, forever: bool) {
    let (disk, mut site) = (FailingDisk::attached(), Site::new().await);
    let mut at = 0;
    loop {
        disk.set(Fault { at, forever, error, full: false });
        site.round().await;
        let reached = disk.seen() > at;
        disk.set(Fault::NONE);
        site.is_whole().await;
        if site.round.is_multiple_of(16) || !reached {
            site.is_whole_after_a_reopen().await;
        }
        if !reached {
            assert!(at > 30, "a round is more than {at} calls");
            return;
        }
        at += 1 + at / 12;
    }
}

#[test]
fn no_room_at_one_point() {
    disk::in_a_process_of_its_own("walk_no_room_once");
}

#[test]
fn no_room_from_one_point_on() {
    disk::in_a_process_of_its_own("walk_no_room_from_then");
}

#[test]
fn a_broken_disk_at_one_point() {
    disk::in_a_process_of_its_own("walk_broken_once");
}

#[test]
fn a_broken_disk_from_one_point_on() {
    disk::in_a_process_of_its_own("walk_broken_from_then");
}

#[test]
fn a_disk_that_is_full_until_there_is_room() {
    disk::in_a_process_of_its_own("full_until_there_is_room");
}

#[test]
fn no_room_during_a_first_start() {
    disk::in_a_process_of_its_own("walk_first_starts");
}

/// A first start that fails at one point, or from one point on, is completed by the next one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs in a process of its own"]
async fn walk_first_starts() {
    let (disk, mut at, mut forever) = (FailingDisk::attached(), 0, false);
    for number in 0.. {
        let url = format!("sqlite://{}", PathBuf::from(disk::folder()).join(format!("first-{number}.db")).display());
        disk.set(Fault { at, forever, error: disk::ENOSPC, full: false });
        let _ = start(&url).await;
        let reached = disk.seen() > at;
        disk.set(Fault::NONE);
        let steps = start(&url).await.expect("the next start goes on");
        assert_eq!(steps, i64::try_from(schema::steps().len()).expect("few"));
        match (reached, forever) {
            (true, _) => at += 1 + at / 12,
            (false, false) => (at, forever) = (0, true),
            (false, true) => return,
        }
    }
}

/// Opens the database and brings its schema up to date; returns how many steps it has.
async fn start(url: &str) -> Result<i64, String> {
    let database = Database::open(&OpenOptions::new(url)).await.map_err(|error| error.to_string())?;
    let started = schema::migrate(&database).await.map_err(|error| error.to_string());
    let steps = database.reader().row::<i64>("SELECT count(*) AS n FROM seaql_migrations", []).await;
    database.close().await;
    started?;
    Ok(steps.map_err(|error| error.to_string())?.unwrap_or(0))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs in a process of its own"]
async fn walk_no_room_once() {
    walk(disk::ENOSPC, false).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs in a process of its own"]
async fn walk_no_room_from_then() {
    walk(disk::ENOSPC, true).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs in a process of its own"]
async fn walk_broken_once() {
    walk(disk::EIO, false).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs in a process of its own"]
async fn walk_broken_from_then() {
    walk(disk::EIO, true).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs in a process of its own"]
async fn full_until_there_is_room() {
    let (disk, mut site) = (FailingDisk::attached(), Site::new().await);
    for _ in 0..4 {
        site.round().await;
        disk.set(Fault { full: true, ..Fault::NONE });
        let before = site.acknowledged.len();
        for _ in 0..6 {
            site.round().await;
            has_all(&site.database, &site.acknowledged).await;
        }
        let refused = save(&site.database, format!("too large {}", site.round), 40 * LARGE).await;
        assert_eq!(refused, Err(StoreError::DiskFull), "it says why; {before} were acknowledged before");
        disk.set(Fault::NONE);
        site.is_whole().await;
        site.is_whole_after_a_reopen().await;
    }
}

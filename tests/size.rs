//! The cost of each statement of a running host does not grow with the past.
//!
//! A host spends a day on two databases that differ only in the size of their past, or only in the length of their
//! bodies. All its statements are recorded, and run once more to measure what each reads: on SQLite steps of its
//! machine and pages, on PostgreSQL pages. Times are not measured.
//!
//! `scripts/test` does so at a small part of the full size, which is still far above what makes PostgreSQL read a table
//! whole because it is small; `scripts/size` at the full one: a million tasks, three million entries of the audit
//! trail, a million articles of bulk runs, a gigabyte of bodies.

mod support;

#[path = "size/day.rs"]
mod day;
#[path = "size/history.rs"]
mod history;
#[path = "size/postgres.rs"]
mod postgres;
#[path = "size/recording.rs"]
mod recording;
#[path = "size/sqlite.rs"]
mod sqlite;

use std::collections::BTreeMap;

use afterword::embedding::scripted::Script;
use afterword_actors::RuntimeSettings;
use history::Size;
use recording::Recording;
use support::{DRAIN, OnPostgres, OnSqlite, TestDatabase, TestHost, article, quick};

/// What one statement read, by unit.
type Cost = Vec<(&'static str, u64)>;

/// The larger past; the smaller is a tenth of it.
fn size() -> Size {
    if std::env::var_os("TEST_FULL_SIZE").is_some() {
        Size { articles: 20_000, body: 50_000, ended: 1_000_000 }
    } else {
        Size { articles: 400, body: 20_000, ended: 60_000 }
    }
}

/// Pairs of databases: the first is small in one thing.
fn pairs() -> [[Size; 2]; 2] {
    let few = Size { ended: 6_000, ..size() };
    [[Size { ended: size().ended / 10, ..size() }, size()], [Size { body: 500, ..few }, Size { body: 100_000, ..few }]]
}

/// A past within the retention, so that neither size has anything to clean up.
async fn after<P: TestDatabase>(size: Size) -> (TestHost<P>, Recording) {
    let settings = RuntimeSettings { slots: 4, ..quick() };
    let world = TestHost::<P>::with(Script { dimension: 8, ..Script::default() }, settings).await;
    let runtime = world.start().await;
    world.articles(Some(&runtime)).create(article("first", "umbrella")).await.expect("a save");
    world.settled(&runtime).await;
    runtime.stop(DRAIN).await;
    history::fill(&world.database, size).await;
    let listening = recording::listen();
    let runtime = world.start().await;
    day::spend(&world, &runtime).await;
    runtime.stop(DRAIN).await;
    let said = listening.heard();
    // Waiting tasks can be claimed again.
    world.run("DELETE FROM queue_control").await;
    (world, said)
}

/// The highest cost of each statement, by its text.
fn dearest(costs: Vec<(String, Cost)>) -> BTreeMap<String, Cost> {
    let mut dearest: BTreeMap<String, Cost> = BTreeMap::new();
    for (sql, cost) in costs {
        let most = dearest.entry(sql).or_insert_with(|| cost.clone());
        for (most, cost) in most.iter_mut().zip(cost) {
            most.1 = most.1.max(cost.1);
        }
    }
    dearest
}

/// Ten times the past may make a tree one level deeper, and nothing else.
fn grows(small: u64, large: u64, slack: u64) -> bool {
    large > small + small / 2 + slack
}

fn compare(pair: [Size; 2], small: &BTreeMap<String, Cost>, large: &BTreeMap<String, Cost>, slack: u64) {
    assert!(small.len() > 60, "only {} statements were heard", small.len());
    let mut dear = Vec::new();
    for (sql, cost) in large {
        // A statement of one side only cannot be compared; it must stay below a limit that any past would break.
        let before = small.get(sql);
        for (position, (unit, large)) in cost.iter().enumerate() {
            let small = before.map_or(200, |cost| cost[position].1);
            if grows(small, *large, slack) {
                dear.push(format!(
                    "{small} → {large} {unit}: {}",
                    sql.split_whitespace().collect::<Vec<_>>().join(" ")
                ));
            }
        }
    }
    assert!(dear.is_empty(), "these cost more when there is more, {pair:?}:\n{}", dear.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_no_statement_reads_more_when_more_has_been_done() {
    let _alone = recording::alone().await;
    for pair in pairs() {
        let mut costs = Vec::new();
        for size in pair {
            let (world, said) = after::<OnSqlite>(size).await;
            let file = world.database.file().expect("a file").to_path_buf();
            costs.push(dearest(sqlite::costs(&file, &said)));
            sqlite::check_plans(&file, &said);
        }
        compare(pair, &costs[0], &costs[1], 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_no_statement_reads_more_when_more_has_been_done() {
    let _alone = recording::alone().await;
    for pair in pairs() {
        let mut costs = Vec::new();
        for size in pair {
            let (world, said) = after::<OnPostgres>(size).await;
            costs.push(dearest(postgres::costs(&world.database, &said).await));
        }
        // Up to this many pages, PostgreSQL takes a scan of the whole table for cheaper than a hundred lookups.
        compare(pair, &costs[0], &costs[1], 700);
    }
}

//! Writes that share a transaction, and statements that share a journey: each write is kept as a whole, or none of it.

use std::sync::atomic::{AtomicI64, Ordering};

use afterword_actors::store::{Database, StoreError, sql::Sql};
use futures_util::future::join_all;
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};

use crate::{
    properties::cases,
    support::{OnPostgres, OnSqlite, TOKIO, TestDatabase, open},
};

/// What a write does, one after the other.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Writes a row, later.
    Later,
    /// Writes a row now.
    Now,
    /// Counts its own rows: it sees all of them.
    Count,
    /// Writes a row that there is already, later.
    LaterTwice,
    /// Reads, and goes on whatever the answer is.
    Look,
    /// Writes a row twice now; the write goes on as if nothing had happened.
    Ignored,
    /// Gives up.
    Refused,
    Panics,
}

#[test]
fn a_write_is_kept_as_a_whole_or_not_at_all_on_sqlite() {
    every_write_is_whole::<OnSqlite>(100);
}

#[test]
fn a_write_is_kept_as_a_whole_or_not_at_all_on_postgresql() {
    every_write_is_whole::<OnPostgres>(20);
}

fn every_write_is_whole<P: TestDatabase>(times: u32) {
    let database = TOKIO.block_on(async {
        let place = P::fresh().await;
        let database = open(place.url()).await;
        let table = "CREATE TABLE kept (run BIGINT, write BIGINT, step BIGINT, PRIMARY KEY (run, write, step))";
        database.write(async move |transaction| transaction.run(table, []).await).await.map(|_| (place, database))
    });
    let (_place, database) = database.expect("a table");
    let step = prop_oneof![
        6 => Just(Step::Later), 3 => Just(Step::Now), 2 => Just(Step::Count), 1 => Just(Step::LaterTwice),
        1 => Just(Step::Look),        1 => Just(Step::Ignored), 1 => Just(Step::Refused), 1 => Just(Step::Panics),
    ];
    let runs = AtomicI64::new(0);
    let config = Config { cases: times, ..cases() };
    let result = TestRunner::new(config).run(&vec(vec(step, 0..6), 1..12), |writes| {
        TOKIO.block_on(all_at_once(&database, runs.fetch_add(1, Ordering::SeqCst), writes))
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// Writes all of them together, and compares what is there with what was answered.
async fn all_at_once(database: &Database, run: i64, writes: Vec<Vec<Step>>) -> Result<(), TestCaseError> {
    let each = writes.iter().enumerate().map(|(number, steps)| written(database, run, number as i64, steps.clone()));
    let answers = join_all(each).await;
    for (number, (steps, answer)) in writes.iter().zip(&answers).enumerate() {
        let there = count(database.reader(), run, number as i64).await.expect("a count");
        let wanted = steps.iter().filter(|step| matches!(step, Step::Later | Step::Now)).count() as i64;
        let fails = steps.iter().any(|step| matches!(step, Step::LaterTwice | Step::Refused | Step::Panics));
        prop_assert_eq!(
            there,
            if answer.is_ok() { wanted } else { 0 },
            "write {} of {:?}: {:?}",
            number,
            writes,
            answer
        );
        prop_assert!(!(fails && answer.is_ok()), "write {} of {:?}", number, writes);
        let is_clear = !fails && !steps.iter().any(|step| matches!(step, Step::Ignored));
        prop_assert!(!is_clear || answer.is_ok(), "write {} of {:?}: {:?}", number, writes, answer);
    }
    Ok(())
}

async fn written(database: &Database, run: i64, write: i64, steps: Vec<Step>) -> Result<(), StoreError> {
    let body = database.write::<_, StoreError, _>(async move |transaction| {
        let mut rows = 0;
        for step in steps {
            let insert = "INSERT INTO kept (run, write, step) VALUES ($1, $2, $3)";
            let twice = "INSERT INTO kept (run, write, step) VALUES ($1, $2, -1), ($1, $2, -1 + 0 * $3)";
            let values = [run.into(), write.into(), rows.into()];
            match step {
                Step::Later => transaction.later(insert, values).await?,
                Step::Now => assert_eq!(transaction.run(insert, values).await?, 1, "one row, whatever went before"),
                Step::Count => assert_eq!(count(transaction, run, write).await?, rows),
                Step::Look => drop(count(transaction, run, write).await),
                Step::LaterTwice => transaction.later(twice, values).await?,
                Step::Ignored => drop(transaction.run(twice, values).await),
                Step::Refused => return Err(StoreError::Unexpected("refused".to_owned())),
                Step::Panics => panic!("asked to panic"),
            }
            rows += i64::from(matches!(step, Step::Later | Step::Now));
        }
        Ok(())
    });
    body.await
}

async fn count(connection: &impl Sql, run: i64, write: i64) -> Result<i64, StoreError> {
    connection.one("SELECT count(*) AS n FROM kept WHERE run = $1 AND write = $2", [run.into(), write.into()]).await
}

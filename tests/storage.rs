//! What the database is opened with, and how writes share it.

mod support;

use std::sync::{Arc, Mutex};

use afterword_actors::store::{
    Database, StoreError,
    sql::{Number, Sql},
};
use futures_util::FutureExt;
use sea_orm::{ConnectionTrait, FromQueryResult, TransactionTrait};
type World = support::World<support::File>;

use tokio::sync::Semaphore;

async fn number(connection: &impl ConnectionTrait, sql: &str) -> i64 {
    connection.row::<Number>(sql, []).await.expect("a pragma").expect("a row").n
}

async fn journal_mode(connection: &impl ConnectionTrait) -> String {
    #[derive(FromQueryResult)]
    struct Row {
        journal_mode: String,
    }
    let row = connection.row::<Row>("SELECT journal_mode FROM pragma_journal_mode", []).await;
    row.expect("a pragma").expect("a row").journal_mode
}

async fn is_durable(connection: &impl ConnectionTrait) {
    const FULL: i64 = 2;
    assert_eq!(journal_mode(connection).await, "wal");
    assert_eq!(number(connection, "SELECT synchronous AS n FROM pragma_synchronous").await, FULL);
    assert_eq!(number(connection, "SELECT foreign_keys AS n FROM pragma_foreign_keys").await, 1);
    assert!(number(connection, "SELECT timeout AS n FROM pragma_busy_timeout").await >= 1000, "it waits for a lock");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_live_connection_is_durable_and_keeps_its_references() {
    let world = World::new().await;
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
    database.write_behind(|_| Box::pin(async move { noted() })).await
}

async fn note(database: Database, name: &'static str, order: Order) -> Result<(), StoreError> {
    let noted = move || {
        order.lock().expect("an order").push(name);
        Ok(())
    };
    database.write(|_| Box::pin(async move { noted() })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_goes_before_whatever_waits_in_the_background() {
    let world = World::new().await;
    let (gate, entered) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let holding = tokio::spawn({
        let (database, gate, entered) = (world.database.clone(), Arc::clone(&gate), Arc::clone(&entered));
        async move {
            database
                .write_behind::<_, StoreError, _>(move |_| {
                    Box::pin(async move {
                        entered.add_permits(1);
                        drop(gate.acquire().await);
                        Ok(())
                    })
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
    let world = World::new().await;
    world.run("CREATE TABLE kept (name TEXT)").await;
    let write = |name: &'static str| {
        let database = world.database.clone();
        async move {
            database
                .write::<_, StoreError, _>(move |transaction| {
                    Box::pin(async move {
                        transaction.run("INSERT INTO kept VALUES ($1)", [name.into()]).await?;
                        match name {
                            "refused" => Err(StoreError::Unexpected("refused".to_owned())),
                            "panics" => panic!("asked to panic"),
                            _ => Ok(()),
                        }
                    })
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

//! An SQLite database that another process keeps locked.

use afterword::{
    config,
    health::{Health, HealthSources, State},
};
use afterword_actors::store::{Connection, StoreError};

use crate::support::{DRAIN, SqliteTestHost, TestDatabase, article};

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_another_process_is_told_of_the_database_and_of_nothing_else() {
    let world = SqliteTestHost::new().await;
    let runtime = world.start().await;
    let service = world.articles(Some(&runtime));
    service.create(article("one", "text")).await.expect("a save");
    world.settled(&runtime).await;
    let settings = config::Health::default();
    let sources = HealthSources { database: world.database.clone(), runtime: runtime.handle(), settings };
    assert_eq!(Health::begin(&sources).await.report().parts["database"].state, State::Ready);

    let other = Connection::open(&world.place.url()).await.expect("a connection");
    other.script("BEGIN IMMEDIATE").await.expect("the lock");
    let saving = tokio::spawn(async move { service.create(article("two", "text")).await });
    while world.database.present_outage() != Some(StoreError::Busy) {
        tokio::task::yield_now().await;
    }
    let report = Health::begin(&sources).await.report();
    let database = &report.parts["database"];
    assert_eq!(database.state, State::Degraded);
    assert!(database.detail.as_deref().is_some_and(|told| told.contains("locked by another process")), "{report:?}");
    assert_eq!(report.parts["runtime"].state, State::Ready, "no actor waits for it: {report:?}");

    other.script("ROLLBACK").await.expect("the end");
    let _ = saving.await.expect("an end");
    world.run("DELETE FROM queue_control WHERE FALSE").await;
    assert_eq!(world.database.present_outage(), None);
    assert_eq!(Health::begin(&sources).await.report().parts["database"].state, State::Ready);
    runtime.stop(DRAIN).await;
}

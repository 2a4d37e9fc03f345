//! The store against a reference model of the queue: the same random steps on both, under a clock that the test sets,
//! compared after every step.
//!
//! `AFTERWORD_STORIES` runs more stories than usual, `AFTERWORD_STEPS` makes them longer.

mod clock;
mod invariants;
mod look;
mod machine;
mod model;
mod step;
mod step_answer;
mod story;
#[path = "../support/test_database.rs"]
mod test_database;
mod world;

use afterword_actors::store::{Database, Engine};
use story::Shelf;
use test_database::{OnPostgres, OnSqlite, TOKIO, TestDatabase, open};

/// Stories for each engine.
const STORIES: usize = 200;
/// Steps of a story.
const STEPS: usize = 60;

#[test]
fn sqlite_does_what_the_machine_does() {
    clock::take_over_sqlite();
    tell_all::<OnSqlite>();
}

#[test]
fn postgresql_does_what_the_machine_does() {
    tell_all::<OnPostgres>();
}

fn tell_all<P: TestDatabase>() {
    let place = TOKIO.block_on(P::fresh());
    let database = TOKIO.block_on(prepared(place.url()));
    let shelf = Shelf {
        stories: number_from("AFTERWORD_STORIES", STORIES) as u32,
        steps: number_from("AFTERWORD_STEPS", STEPS),
        models: 2,
    };
    story::tell_many(&database, shelf);
    TOKIO.block_on(database.close());
}

/// A database whose clock the test sets.
async fn prepared(url: String) -> Database {
    let database = open(url.clone()).await;
    match database.engine() {
        // Nothing here must survive the test.
        Engine::Sqlite => {
            database.write_connection().script("PRAGMA synchronous = OFF").await.expect("a pragma");
            database
        }
        Engine::Postgres => {
            database.write_connection().script(clock::TAKE_OVER_POSTGRES).await.expect("a clock");
            database.close().await;
            open(url).await
        }
    }
}

fn number_from(variable: &str, usual: usize) -> usize {
    std::env::var(variable).map_or(usual, |number| number.parse().expect("a number"))
}

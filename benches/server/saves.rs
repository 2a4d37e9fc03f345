//! Saves while the queue drains a backlog, from the call to the answer.

use std::time::{Duration, Instant};

use afterword::articles::{AfterSave, Articles, Limits, NewArticle, slug::Slug};
use afterword_actors::{Runtime, RuntimeSettings, store::Database};

use crate::{
    no_op::{fill_with_no_ops, free_model},
    test_database::{self, OnPostgres, TestDatabase},
    times::Times,
};

const SAVES: usize = 1_000;

async fn save(database: &Database, after: AfterSave, name: &str) -> Times {
    let articles = Articles::new(database.clone(), Limits::default(), 3, after);
    let body = "Words of a page. ".repeat(200);
    let mut times = Times::default();
    for number in 0..SAVES {
        let new = NewArticle {
            title: format!("Saved {name} {number}"),
            body: format!("{body}{number}"),
            slug: Slug::parse(&format!("saved-{name}-{number}")).ok(),
            ..NewArticle::default()
        };
        let begun = Instant::now();
        articles.create(new).await.expect("a save");
        times.0.push(begun.elapsed());
        tokio::time::sleep(Duration::from_micros(1_000 + (number as u64 * 7919) % 4_000)).await;
    }
    times
}

pub(crate) async fn latencies() {
    let place = OnPostgres::fresh().await;
    let database = test_database::open(place.url()).await;
    save(&database, AfterSave::Poll, "idle").await.say("saves, nothing else running");
    fill_backlog(&database).await;
    for slots in [1, 8] {
        let own = test_database::open(place.url()).await;
        let settings = RuntimeSettings { slots, ..RuntimeSettings::default() };
        let runtime = Runtime::start(own, free_model(), settings).await.expect("a runtime");
        let after = AfterSave::Wake(runtime.handle());
        let name = format!("slots-{slots}");
        save(&database, after, &name).await.say(&format!("saves, while {slots} slots drain a backlog"));
        runtime.stop(Duration::from_secs(5)).await;
    }
}

async fn fill_backlog(database: &Database) {
    // The articles of the first round have tasks already; these are added to them.
    use afterword_actors::store::sql::Sql;
    for table in ["embedding_tasks", "articles"] {
        database.write_connection().run(&format!("DELETE FROM {table}"), []).await.expect("an empty table");
    }
    fill_with_no_ops(database, 100_000).await;
    // The inserted rows brought their own numbers.
    let next = "SELECT setval(pg_get_serial_sequence('articles', 'id'), max(id)) FROM articles";
    database.write_connection().run(next, []).await.expect("a number");
}

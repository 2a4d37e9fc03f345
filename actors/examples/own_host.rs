//! A host that uses only the runtime: its own table, its own transaction, and nothing else of Afterword.
//!
//! `cargo run -p afterword-actors --example own_host` saves two recipes, waits until both are embedded, changes one and
//! removes the other.

#[path = "own_host/letters.rs"]
mod letters;

use std::time::Duration;

use afterword_actors::{
    Runtime, RuntimeSettings, schema,
    store::{Database, OpenOptions, StoreError, Tables, sql::Sql, tasks},
    task::{NewTask, TaskStatus},
};

/// The host's row, its article and the task that embeds it: all three are committed, or none.
async fn save(database: &Database, name: &'static str, text: &'static str) -> Result<i64, StoreError> {
    let saved = database.write::<_, StoreError, _>(async move |transaction| {
        let article = "INSERT INTO articles (slug, title, body, content_hash, created_at, updated_at)
                           VALUES ($1, $1, $2, $2, {now}, {now}) RETURNING id";
        let id: i64 = transaction.one(article, [name.into(), text.into()]).await?;
        transaction.run("INSERT INTO recipes (name, article_id) VALUES ($1, $2)", [name.into(), id.into()]).await?;
        tasks::enqueue(transaction, &NewTask::created(id, name)).await
    });
    saved.await
}

/// A change has a revision and a hash of its own: by these the runtime sees that it is to be embedded.
async fn change(database: &Database, name: &'static str, text: &'static str) -> Result<i64, StoreError> {
    let changed = database.write::<_, StoreError, _>(async move |transaction| {
        let article = "UPDATE articles SET body = $2, content_hash = $2, revision = revision + 1, updated_at = {now}
                           WHERE slug = $1 RETURNING id, revision";
        let (id, revision) = transaction.one::<(i64, i64)>(article, [name.into(), text.into()]).await?;
        tasks::enqueue(transaction, &NewTask::updated(id, name, revision)).await
    });
    changed.await
}

/// What waits is withdrawn, and the vectors go with the article.
async fn remove(database: &Database, name: &'static str) -> Result<(), StoreError> {
    let removed = database.write::<_, StoreError, _>(async move |transaction| {
        let id: i64 = transaction.one("SELECT id FROM articles WHERE slug = $1", [name.into()]).await?;
        tasks::withdraw(transaction, id, "recipe removed").await?;
        transaction.run("DELETE FROM recipes WHERE name = $1", [name.into()]).await?;
        transaction.run("DELETE FROM articles WHERE id = $1", [id.into()]).await.map(drop)
    });
    removed.await
}

/// Runs the host once on the database at `url`; returns how many recipes are embedded.
pub(crate) async fn run(url: &str) -> Result<usize, Box<dyn std::error::Error>> {
    // A file that the host has had before, with tables of its own, is welcome.
    let options = OpenOptions { tables: Tables::AmongOthers, ..OpenOptions::new(url) };
    let database = Database::open(&options).await?;
    schema::migrate(&database).await?;
    let own = "CREATE TABLE IF NOT EXISTS recipes (name TEXT PRIMARY KEY, article_id BIGINT NOT NULL)";
    let made = database.write(async move |transaction| transaction.run(own, []).await);
    made.await?;
    let runtime = Runtime::start(database.clone(), letters::model(), RuntimeSettings::default()).await?;
    let mut events = runtime.subscribe();
    save(&database, "bread", "Flour, water, salt, and a night of patience.").await?;
    save(&database, "soup", "Whatever is left, and an onion.").await?;
    runtime.wake();
    let mut embedded = 0;
    while embedded < 2 {
        let event = events.recv().await?;
        match event.status {
            TaskStatus::Completed => embedded += 1,
            TaskStatus::Failed => return Err(event.error.unwrap_or_default().into()),
            TaskStatus::Pending | TaskStatus::Processing | TaskStatus::Cancelled => {}
        }
    }
    change(&database, "bread", "Flour, water, salt, and two nights of patience.").await?;
    runtime.wake();
    while events.recv().await?.status != TaskStatus::Completed {}
    remove(&database, "soup").await?;
    let left: Vec<String> = database.reader().rows("SELECT slug FROM articles", []).await?;
    assert_eq!(left, ["bread"]);
    runtime.stop(Duration::from_secs(10)).await;
    Ok(embedded)
}

#[tokio::main]
#[cfg_attr(test, allow(dead_code, reason = "a test includes this file and calls `run`"))]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::temp_dir().join(format!("recipes-{}.db", std::process::id()));
    let embedded = run(&format!("sqlite://{}", file.display())).await?;
    println!("{embedded} recipes are embedded");
    Ok(())
}

//! No-op jobs drained by apalis on SQLite, as it comes (without `synchronous`). Prints jobs for each second.

use std::time::{Duration, Instant};

use apalis::prelude::*;
use apalis_sqlite::{Config, SqlitePool, SqliteStorage};
use futures::stream;

async fn nothing(_: u64) -> Result<(), BoxDynError> {
    Ok(())
}

#[tokio::main]
async fn main() {
    let count: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(2_000);
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite://{}?mode=rwc", directory.path().join("queue.db").display());
    let pool = SqlitePool::connect(&url).await.expect("a database");
    SqliteStorage::setup(&pool).await.expect("a schema");
    let mut backend = SqliteStorage::new(&pool).with_config(Config::default().queue("nothing").batch_size(256));
    backend.push_all(&mut stream::iter((0..count).map(|n| TaskBuilder::new(n).build()))).await.expect("jobs");
    let begun = Instant::now();
    let worker = WorkerBuilder::new("worker").backend(backend).concurrency(256).build(nothing);
    let work = tokio::spawn(worker.run());
    loop {
        let open: i64 = open_jobs(&pool).await;
        if open == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("{:.0}", count as f64 / begun.elapsed().as_secs_f64());
    work.abort();
}

async fn open_jobs(pool: &SqlitePool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM Jobs WHERE status <> 'Done'").fetch_one(pool).await.expect("a number")
}

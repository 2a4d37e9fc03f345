//! No-op jobs drained by apalis on PostgreSQL, which keeps what is done. Prints jobs for each second.

use std::time::{Duration, Instant};

use apalis::prelude::*;
use apalis_postgres::{Config, PgPool, PostgresStorage};
use futures::stream;

async fn nothing(_: u64) -> Result<(), BoxDynError> {
    Ok(())
}

#[tokio::main]
async fn main() {
    let count: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let url = std::env::var("PEER_DATABASE").expect("PEER_DATABASE, the address of a database");
    let pool = PgPool::connect(&url).await.expect("a database");
    PostgresStorage::setup(&pool).await.expect("a schema");
    let config = Config::default().queue("nothing").batch_size(256);
    let mut backend = PostgresStorage::new(&pool).with_config(config);
    backend.push_all(&mut stream::iter((0..count).map(|n| TaskBuilder::new(n).build()))).await.expect("jobs");
    let begun = Instant::now();
    let worker = WorkerBuilder::new("worker").backend(backend).concurrency(256).build(nothing);
    let work = tokio::spawn(worker.run());
    loop {
        let sql = "SELECT count(*) FROM apalis.jobs WHERE status <> 'Done'";
        let open: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await.expect("a number");
        if open == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("{:.0}", count as f64 / begun.elapsed().as_secs_f64());
    work.abort();
}

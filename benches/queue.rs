//! How fast the queue drains, audit trail, counts and status rows included. A plain program:
//! `cargo bench --bench queue [-- SLOTS]`; with SLOTS it prints one number, tasks for each second.

mod no_op;

use std::time::{Duration, Instant};

use afterword_actors::{
    Runtime, RuntimeSettings, schema,
    store::{Database, OpenOptions, sql::Sql},
};
use no_op::{fill_with_no_ops, free_model};

async fn database(directory: &tempfile::TempDir) -> Database {
    let url = format!("sqlite://{}", directory.path().join("bench.db").display());
    let database = Database::open(&OpenOptions::new(url)).await.expect("a database");
    schema::migrate(&database).await.expect("a schema");
    database
}

async fn drain(count: i64, slots: u32) -> f64 {
    let directory = tempfile::tempdir().expect("a directory");
    let database = database(&directory).await;
    fill_with_no_ops(&database, count).await;
    // Two halves: while one is committed, the other is processed.
    let settings = RuntimeSettings { slots, claim_batch: (slots / 2).max(1), ..RuntimeSettings::default() };
    let begun = Instant::now();
    let runtime = Runtime::start(database.clone(), free_model(), settings).await.expect("a runtime");
    let open = "SELECT tasks AS n FROM embedding_task_counts WHERE status = 'completed'";
    while database.reader().row::<i64>(open, []).await.expect("a count").unwrap_or(0) < count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    runtime.stop(Duration::from_secs(5)).await;
    rate
}

#[tokio::main]
async fn main() {
    if let Some(slots) = std::env::args().skip(1).find_map(|text| text.parse().ok()) {
        println!("{:.0}", drain(30_000, slots).await);
        return;
    }
    for slots in [1, 8, 64, 256, 512] {
        let count = if slots == 1 { 5_000 } else { 50_000 };
        println!("no-op tasks drained, {slots:>3} slots: {:>8.0} /s", drain(count, slots).await);
    }
}

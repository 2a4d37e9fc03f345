//! From the first save to the last searchable article, with a provider of a given latency; in the same run, for
//! comparison, the ideal: a loop over all texts that fills its requests.
//!
//! `cargo bench --bench end_to_end [-- WORD…]`; a word selects the runs with it in their line, e.g. `SQLite "200 ms"`.
//! PostgreSQL takes part under `scripts/with-postgres`.

#[path = "end_to_end/collection.rs"]
mod collection;
#[path = "end_to_end/peer.rs"]
mod peer;
#[path = "end_to_end/provider.rs"]
mod provider;
#[path = "end_to_end/run.rs"]
mod run;
#[path = "../tests/support/test_database.rs"]
#[allow(dead_code, reason = "each program uses a part")]
mod test_database;

use std::time::Duration;

use collection::Collection;
use provider::Provider;
use run::{Measured, Site};
use test_database::{OnPostgres, OnSqlite, TestDatabase};

/// The defaults of the settings.
const BATCH: usize = 96;
const CONCURRENCY: usize = 4;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(all());
}

async fn all() {
    let words: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let is_wanted = |line: &str| words.iter().all(|word| line.contains(word.as_str()));
    println!(
        "{:<72} {:>8} {:>8} {:>6} {:>9} {:>8} {:>6} {:>6} {:>9}",
        "", "seconds", "ideal s", "ratio", "requests", "fewest", "texts", "MiB", "a save ms"
    );
    for (shape, articles, chunks) in
        [("notes of 1 chunk", 10_000, 1), ("articles of 3 chunks", 300, 3), ("articles of 40 chunks", 100, 40)]
    {
        for latency in [5, 20, 50, 200] {
            for hosts in [1, 3] {
                let label = |engine: &str| format!("{articles} {shape}, {latency} ms, {hosts} host(s), {engine}");
                let collection = Collection { articles, chunks };
                let latency = Duration::from_millis(latency);
                if is_wanted(&label("SQLite")) {
                    measure::<OnSqlite>(&label("SQLite"), collection, latency, hosts).await;
                }
                if is_wanted(&label("PostgreSQL")) && std::env::var_os("TEST_POSTGRES_URL").is_some() {
                    measure::<OnPostgres>(&label("PostgreSQL"), collection, latency, hosts).await;
                }
            }
        }
    }
}

async fn measure<P: TestDatabase>(label: &str, collection: Collection, latency: Duration, hosts: usize) {
    let provider = Provider::start(latency).await;
    let ideal = peer::fill_all_requests(&provider, &collection.inputs()).await;
    let fewest = collection.texts().div_ceil(BATCH);
    provider.forget();
    let place = P::fresh().await;
    let Measured { took, a_save } = run::run(&Site { url: place.url(), provider: &provider, hosts }, collection).await;
    let (requests, texts) = (provider.requests(), provider.texts());
    println!(
        "{label:<72} {:>8.2} {:>8.2} {:>6.2} {requests:>9} {fewest:>8} {:>6.1} {:>6.0} {:>9.0}",
        took.as_secs_f64(),
        ideal.as_secs_f64(),
        took.as_secs_f64() / ideal.as_secs_f64(),
        texts as f64 / requests as f64,
        run::memory_mib(),
        a_save.as_secs_f64() * 1000.0,
    );
}

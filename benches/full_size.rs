//! How long a save takes on a database with a long past, beside an empty one: a million tasks, three million entries of the
//! audit trail, a gigabyte of bodies. Sweeps and clean-up run every second, metrics are asked for, and a client follows what
//! happens. A plain program: `scripts/with-postgres cargo bench --bench full_size` (`FULL_SIZE_TASKS=100000` for fewer;
//! without TEST_POSTGRES_URL on SQLite alone). Takes some 10 GB of disk for a while.

#[path = "../tests/size/history.rs"]
mod history;
#[path = "../tests/support/process.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod process;
#[path = "../tests/support/test_database.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod test_database;

use std::time::{Duration, Instant};

use history::Size;
use process::Server;
use reqwest::Client;
use serde_json::json;
use test_database::{OnPostgres, OnSqlite, TOKIO, TestDatabase, open};
use tokio::task::JoinSet;

/// The two servers take turns, so that a busy moment of the machine meets both.
const ROUNDS: usize = 8;
const SAVES: usize = 250;
const SETTINGS: [&str; 3] = ["log.level=warn", "queue.sweep_interval=1s", "retention.cleanup_interval=1s"];

fn main() {
    let tasks = std::env::var("FULL_SIZE_TASKS").ok().and_then(|number| number.parse().ok()).unwrap_or(1_000_000);
    TOKIO.block_on(async {
        measure::<OnSqlite>("SQLite", tasks).await;
        if std::env::var_os("TEST_POSTGRES_URL").is_some() {
            measure::<OnPostgres>("PostgreSQL", tasks).await;
        }
    });
}

async fn measure<P: TestDatabase>(name: &str, tasks: i64) {
    let (empty_place, grown_place) = (P::fresh().await, P::fresh().await);
    let empty = served(&empty_place, None).await;
    let grown = served(&grown_place, Some(Size { articles: tasks / 50, body: 50_000, ended: tasks })).await;
    let (mut on_empty, mut on_grown) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        on_empty.extend(saves(&empty, round).await);
        on_grown.extend(saves(&grown, round).await);
    }
    println!("{name}, {tasks} tasks have ended");
    let (empty, grown) = (quantiles(on_empty), quantiles(on_grown));
    for (at, which) in ["p50", "p99"].into_iter().enumerate() {
        let (empty, grown) = (empty[at], grown[at]);
        println!("  {which} of a save: empty {empty:>6.2} ms, grown {grown:>6.2} ms: {:.2} ×", grown / empty);
    }
}

/// A server on a database with this past.
async fn served<P: TestDatabase>(place: &P, past: Option<Size>) -> Server {
    let url = format!("database.url={}", place.url());
    let settings: Vec<&str> = SETTINGS.into_iter().chain([url.as_str()]).collect();
    let server = Server::start(&settings);
    server.create("First", "text").await;
    server.until_embedding("first", "completed").await;
    let Some(past) = past else { return server };
    server.signal("TERM");
    let (_, folder) = server.ended();
    let database = open(place.url()).await;
    history::fill(&database, past).await;
    database.close().await;
    Server::start_in(folder, &settings)
}

/// Saves at irregular moments, while others watch.
async fn saves(server: &Server, round: usize) -> Vec<Duration> {
    let client = Client::new();
    let mut watchers = JoinSet::new();
    watchers.spawn(ask(client.clone(), server.url("/metrics")));
    watchers.spawn(follow(client.clone(), server.url("/api/events")));
    let mut times = Vec::with_capacity(SAVES);
    for n in 0..SAVES {
        tokio::time::sleep(Duration::from_micros((n as u64 * 2_654_435_761) % 16_000)).await;
        let body = format!("number {n} of round {round} has words of its own ").repeat(60);
        let new = json!({ "title": format!("Saved {round} {n}"), "body": body });
        let began = Instant::now();
        let answer = client.post(server.url("/api/articles")).json(&new).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.bytes().await.expect("an answer");
        times.push(began.elapsed());
    }
    times
}

async fn ask(client: Client, address: String) {
    loop {
        let answer = client.get(&address).send().await.expect("an answer");
        answer.bytes().await.expect("an answer");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

async fn follow(client: Client, address: String) {
    let mut answer = client.get(&address).send().await.expect("an answer");
    while let Ok(Some(_)) = answer.chunk().await {}
}

/// The middle, and what one of a hundred exceeds. *Units:* milliseconds.
fn quantiles(mut times: Vec<Duration>) -> [f64; 2] {
    times.sort_unstable();
    [50, 99].map(|percent| times[times.len() * percent / 100].as_secs_f64() * 1_000.0)
}

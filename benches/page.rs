//! What the page costs with a million tasks and 100,000 articles: the time and the bytes of a first view, and the
//! processor's time for two hundred open views while nothing happens. A plain program:
//! `scripts/with-postgres cargo bench --bench page` (`PAGE_ARTICLES=10000` for fewer articles, with ten tasks each; without
//! TEST_POSTGRES_URL on SQLite alone).

#[path = "../tests/size/history.rs"]
mod history;
#[path = "../tests/support/process.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod process;
#[path = "../tests/support/test_database.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod test_database;

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use history::Size;
use process::Server;
use reqwest::Client;
use test_database::{OnPostgres, OnSqlite, TOKIO, TestDatabase, open};

const PATHS: [&str; 10] = [
    "/",
    "/?folder=shelf",
    "/?q=old",
    "/articles/old-5",
    "/articles/old-5/history",
    "/runtime",
    "/runtime/tasks",
    "/runtime/tasks?status=failed",
    "/runtime/trail",
    "/settings/figures",
];
/// How often each path is asked for after the first time.
const ROUNDS: usize = 30;
const VIEWERS: usize = 200;
/// How long nothing happens while the views are open.
const SILENCE: Duration = Duration::from_secs(60);

fn main() {
    let articles = std::env::var("PAGE_ARTICLES").ok().and_then(|number| number.parse().ok()).unwrap_or(100_000);
    TOKIO.block_on(async {
        measure::<OnSqlite>("SQLite", articles).await;
        if std::env::var_os("TEST_POSTGRES_URL").is_some() {
            measure::<OnPostgres>("PostgreSQL", articles).await;
        }
    });
}

async fn measure<P: TestDatabase>(name: &str, articles: i64) {
    let place = P::fresh().await;
    let url = format!("database.url={}", place.url());
    // One client may have an eighth of the connections for streams.
    let settings = [url.as_str(), "log.level=warn", "server.max_connections=2048"];
    let server = Server::start(&settings);
    server.create("First", "text").await;
    server.until_embedding("first", "completed").await;
    server.signal("TERM");
    let (_, folder) = server.ended();
    let database = open(place.url()).await;
    history::fill(&database, Size { articles, body: 2_000, ended: 10 * articles }).await;
    database.close().await;
    let server = Server::start_in(folder, &settings);
    println!("{name}, {articles} articles, {} tasks", 11 * articles);
    let client = Client::new();
    for path in PATHS {
        view(&server, &client, path).await;
    }
    silence(&server).await;
}

/// The first view, which fetches styles and script, too, and later ones.
async fn view(server: &Server, client: &Client, path: &str) {
    let began = Instant::now();
    let page = text(server, client, path).await;
    let mut sent = page.len();
    let first = began.elapsed();
    let linked: HashSet<_> = page.split('"').filter(|part| part.starts_with("/page/")).collect();
    for address in linked {
        sent += text(server, client, address).await.len();
    }
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        text(server, client, path).await;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let (middle, most) = (times[ROUNDS / 2], times[ROUNDS - 1]);
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    println!(
        "  {path:<32} first {:>7.1} ms  p50 {:>7.1} ms  most {:>7.1} ms  {:>6.1} KB",
        ms(first),
        ms(middle),
        ms(most),
        sent as f64 / 1_024.0
    );
}

async fn text(server: &Server, client: &Client, path: &str) -> String {
    let response = client.get(server.url(path)).header("accept", "text/html").send().await.expect("an answer");
    assert!(response.status().is_success(), "{path}: {}", response.status());
    response.text().await.expect("text")
}

/// Half of the viewers look at the runtime, half at an article.
async fn silence(server: &Server) {
    let mut views = Vec::with_capacity(VIEWERS);
    for viewer in 0..VIEWERS {
        let path = if viewer % 2 == 0 { "/live/runtime" } else { "/live/articles/old-5" };
        let response = server.get(path).await;
        assert!(response.status().is_success(), "view {viewer}: {}", response.status());
        views.push(tokio::spawn(async move {
            let mut response = response;
            while let Ok(Some(_)) = response.chunk().await {}
        }));
    }
    // What they are sent first is not silence.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let before = processor_time(server);
    tokio::time::sleep(SILENCE).await;
    let took = processor_time(server) - before;
    let share = took.as_secs_f64() / SILENCE.as_secs_f64() * 100.0;
    println!("  {VIEWERS} open views while nothing happens: {share:.1} % of a core");
    assert!(views.iter().all(|view| !view.is_finished()), "all of them were there");
}

/// What the server's process has used so far, in a hundredth of a second's steps.
fn processor_time(server: &Server) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).expect("a process");
    let behind_the_name = stat.rsplit_once(')').expect("a name").1;
    let fields: Vec<u64> = behind_the_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse().ok()).collect();
    Duration::from_millis(fields.iter().sum::<u64>() * 10)
}

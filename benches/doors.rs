//! What a client of the server waits for: articles created over REST and over MCP while the queue drains, and two
//! hundred clients at once. A plain program: `cargo bench --bench doors [-- SECONDS]`.
//!
//! Articles of three chunks, a provider that takes 20 ms: the conditions under which the server that this one follows
//! was measured (create over REST p50 9–15 ms, p99 35–128 ms; over MCP p50 24 ms).
//!
//! `-- searches FOLDER` measures searches instead, in the markdown files of a folder, with the local model.

#[path = "../tests/support/process.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod process;
#[path = "doors/searches.rs"]
mod searches;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use process::Server;
use reqwest::Client;
use rmcp::{
    ServiceExt,
    model::CallToolRequestParams,
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use serde_json::{Value, json};

/// Articles that wait when the measurement begins: more than are embedded meanwhile.
const BACKLOG: usize = 3_000;
const ROUNDS: usize = 500;
const CLIENTS: usize = 200;
/// How long the two hundred clients work, unless the command line says otherwise. *Units:* seconds.
const SECONDS: u64 = 60;

fn main() {
    // Cargo adds a flag.
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    if let [what, folder] = arguments.as_slice()
        && what == "searches"
    {
        return runtime.block_on(searches::measure(folder.as_ref()));
    }
    let seconds = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(SECONDS);
    runtime.block_on(measure(Duration::from_secs(seconds)));
}

async fn measure(span: Duration) {
    let server = Server::start(&["embedding.scripted.latency=20ms", "log.level=warn"]);
    let client = Client::builder().tcp_nodelay(true).build().expect("a client");
    print("create over REST, nothing waits", &over_rest(&server, &client, "idle", ROUNDS).await);
    over_rest(&server, &client, "backlog", BACKLOG).await;
    print("create over REST, while the queue drains", &over_rest(&server, &client, "rest", ROUNDS).await);
    print("create over MCP, while the queue drains", &over_mcp(&server).await);
    println!("{:<52} {}", "tasks still waiting", server.json("/api/queue/stats").await["queue"]["pending"]);
    crowd(&server, &client, span).await;
}

/// Three chunks, different each time.
fn article(kind: &str, number: usize) -> Value {
    let section = |name: &str| {
        let sentence = format!("Sentence of {kind} {number}, in its part {name}, about things that are kept. ");
        format!("## {name}\n\n{}\n\n", sentence.repeat(12))
    };
    let body = ["One", "Two", "Three"].map(section).concat();
    json!({ "title": format!("{kind} {number}"), "body": body })
}

async fn over_rest(server: &Server, client: &Client, kind: &str, rounds: usize) -> Vec<Duration> {
    let mut times = Vec::with_capacity(rounds);
    for number in 0..rounds {
        let request = client.post(server.url("/api/articles")).json(&article(kind, number));
        let began = Instant::now();
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 201);
        response.bytes().await.expect("a body");
        times.push(began.elapsed());
    }
    times
}

async fn over_mcp(server: &Server) -> Vec<Duration> {
    let config = StreamableHttpClientTransportConfig::with_uri(server.url("/mcp"));
    let session = ().serve(StreamableHttpClientTransport::from_config(config)).await.expect("a session");
    let mut times = Vec::with_capacity(ROUNDS);
    for number in 0..ROUNDS {
        let Value::Object(arguments) = article("mcp", number) else { unreachable!("an article is an object") };
        let call = CallToolRequestParams::new("create_article").with_arguments(arguments);
        let began = Instant::now();
        let result = session.call_tool(call).await.expect("a result");
        assert_ne!(result.is_error, Some(true), "{result:?}");
        times.push(began.elapsed());
    }
    session.cancel().await.expect("an end");
    times
}

/// Each client creates, reads and searches, in a loop.
async fn crowd(server: &Server, client: &Client, span: Duration) {
    let (ends, errors) = (Instant::now() + span, Arc::new(AtomicUsize::new(0)));
    let clients = (0..CLIENTS).map(|number| {
        let (client, base, errors) = (client.clone(), server.url("/api"), Arc::clone(&errors));
        tokio::spawn(async move {
            let mut times = [Vec::new(), Vec::new(), Vec::new()];
            for round in 0.. {
                if Instant::now() >= ends {
                    break;
                }
                let kind = format!("crowd {number}");
                let requests = [
                    client.post(format!("{base}/articles")).json(&article(&kind, round)),
                    client.get(format!("{base}/articles/crowd-{number}-{round}")),
                    client.get(format!("{base}/search?q=sentence%20{number}&limit=5")),
                ];
                for (times, request) in times.iter_mut().zip(requests) {
                    let began = Instant::now();
                    let answered = match request.send().await {
                        Ok(response) => response.status().is_success() && response.bytes().await.is_ok(),
                        Err(_) => false,
                    };
                    times.push(began.elapsed());
                    errors.fetch_add(usize::from(!answered), Ordering::Relaxed);
                }
            }
            times
        })
    });
    let mut all = [Vec::new(), Vec::new(), Vec::new()];
    for client in clients.collect::<Vec<_>>() {
        for (all, times) in all.iter_mut().zip(client.await.expect("a client")) {
            all.extend(times);
        }
    }
    let requests: usize = all.iter().map(Vec::len).sum();
    let rate = requests as f64 / span.as_secs_f64();
    println!(
        "{CLIENTS} clients, {span:?}: {requests} requests, {rate:.0}/s, {} errors",
        errors.load(Ordering::Relaxed)
    );
    for (what, times) in ["create", "read", "search"].iter().zip(&all) {
        print(&format!("  {what}"), times);
    }
}

fn print(what: &str, times: &[Duration]) {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e3;
    println!("{what:<52} p50 {:>7.2} ms   p99 {:>7.2} ms", at(0.5), at(0.99));
}

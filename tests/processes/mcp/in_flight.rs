//! Two requests of one session with one id: the first is answered, and the second is refused at once.

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio_util::sync::CancellationToken;

use crate::{
    support::agent::host,
    support::process::Server,
    support::{SqliteTestHost as TestHost, TOKIO},
};

fn initialize() -> Value {
    json!({ "jsonrpc": "2.0", "id": "begin", "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } } })
}

/// A call that waits for the end of a run, which does not come.
fn waiting(id: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {
        "name": "get_bulk_embedding_progress", "arguments": { "wait_seconds": 50 } } })
}

fn ping(id: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "ping" })
}

/// The answer in a stream of events.
async fn answer(request: RequestBuilder) -> Value {
    let text = request.send().await.expect("an answer").text().await.expect("text");
    let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).find(|data| data.contains("jsonrpc"));
    serde_json::from_str(data.unwrap_or(&text)).unwrap_or_else(|_| panic!("{text}"))
}

#[test]
fn over_http() {
    TOKIO.block_on(async {
        let server = Server::start(&["embedding.scripted.latency=1h"]);
        server.create("One", "text").await;
        server.post("/api/bulk", &json!({ "scope": "all" })).await;
        let (client, url) = (Client::new(), server.url("/mcp"));
        let post = |message: &Value| {
            let request = client.post(&url).header("accept", "application/json, text/event-stream").json(message);
            request.header("mcp-protocol-version", "2025-11-25")
        };
        let begun = post(&initialize()).send().await.expect("a session");
        let session = begun.headers()["mcp-session-id"].clone();
        begun.text().await.expect("an introduction");
        let post = |message: &Value| post(message).header("mcp-session-id", session.clone());
        let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        post(&told).send().await.expect("accepted");
        // Its head comes when the call has begun.
        let first = post(&waiting("d")).send().await.expect("a stream");
        let second = answer(post(&ping("d"))).await;
        assert_eq!((&second["error"]["code"], &second["id"]), (&json!(-32600), &json!("d")), "{second}");
        assert_eq!(answer(post(&ping("e"))).await["id"], "e", "another one is answered");
        drop(first);
    });
}

#[test]
fn over_a_pipe() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        world.embedder.hold();
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let host = host(&world);
        let articles = host.articles.clone();
        articles.create(crate::support::article("one", "text")).await.expect("a save");
        host.bulk.start(afterword::api::Backlog::All.into(), &Default::default()).await.expect("a run");
        tokio::spawn(async move { afterword::mcp::serve(host, theirs, CancellationToken::new()).await });
        let (input, mut output) = tokio::io::split(ours);
        let mut lines = BufReader::new(input).lines();
        let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let cancelled =
            json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": "d" } });
        for message in [initialize(), told, waiting("d"), ping("d"), cancelled, ping("e"), ping("e2")] {
            output.write_all(format!("{message}\n").as_bytes()).await.expect("room");
        }
        let (mut refused, mut answered) = (0, Vec::new());
        while answered.len() < 2 {
            let line = lines.next_line().await.expect("text").expect("an answer");
            let heard: Value = serde_json::from_str(&line).expect("JSON");
            match heard["id"].as_str() {
                Some("d") if heard["error"]["code"] == -32600 => refused += 1,
                Some(id @ ("e" | "e2")) => answered.push(id.to_owned()),
                _ => {}
            }
        }
        assert_eq!(refused, 1, "the second, and at once");
    });
}

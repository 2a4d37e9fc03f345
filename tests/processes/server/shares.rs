//! What one client takes while others are served: time, turns, and room for large bodies.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use reqwest::Method;
use serde_json::json;

use super::{
    life::refusal,
    limits::{begin, connect, say},
};
use crate::support::process::{STUCK, Server};

/// Sends the head of a request, whose body does not come.
fn announce(server: &Server, path: &str, token: &str, length: usize) -> TcpStream {
    let mut stream = connect(server);
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("sent");
    stream
}

/// Waits until the server asks for the body of an announced request: it has its turn and its room.
fn is_asked_for(stream: &mut TcpStream) {
    let mut asked = [0; 64];
    let read = stream.read(&mut asked).expect("an answer");
    assert!(asked[..read].starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&asked[..read]));
}

/// An embedding that never ends, inside the save.
const ENDLESS: [&str; 2] = ["queue.enabled=false", "embedding.scripted.latency=1h"];

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_takes_too_long_is_broken_off_and_its_save_stands() {
    let server = Server::start(&[ENDLESS[0], ENDLESS[1], "server.request_timeout=500ms"]);
    let article = json!({ "title": "Over REST", "body": "text" });
    let (status, problem) = refusal(server.post("/api/articles", &article).await).await;
    assert_eq!((status, &problem["code"]), (503, &json!("timeout")), "{problem}");
    assert_eq!(server.json("/api/articles/over-rest").await["body"], "text");
    // A client of the newer era has no session, and waits for one answer.
    let request = server.request(Method::POST, "/mcp").header("accept", "application/json, text/event-stream");
    let version = "2026-07-28";
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "raw", "version": "1" },
    });
    let params = json!({
        "name": "create_article", "arguments": { "title": "Over MCP", "body": "text" }, "_meta": meta,
    });
    let message = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params });
    let request = request.header("mcp-protocol-version", version).header("mcp-method", "tools/call");
    let (status, problem) =
        refusal(request.header("mcp-name", "create_article").json(&message).send().await.expect("an answer")).await;
    assert_eq!((status, &problem["code"]), (503, &json!("timeout")), "{problem}");
    assert_eq!(server.json("/api/articles/over-mcp").await["body"], "text");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_broken_off_however_steadily_its_body_comes() {
    let server = Server::start(&["server.request_timeout=500ms", "server.body_timeout=1h"]);
    let token = server.command(&["token", "create", "one", "--scope", "admin"]);
    for path in ["/api/articles", "/mcp"] {
        let mut stream = announce(&server, path, &token, 100);
        is_asked_for(&mut stream);
        let mut answer = [0; 64];
        let read = stream.read(&mut answer).expect("an answer, although the body is not there");
        let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 503"), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_begun_is_carried_out_whoever_hangs_up() {
    let server = Server::start(&["queue.enabled=false", "embedding.scripted.latency=2s"]);
    let session = begin(&server, None).await;
    let create = |id: u32, title: &str| {
        let params = json!({ "name": "create_article", "arguments": { "title": title, "body": "text" } });
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
        say(&server, None, Some(&session), call.to_string())
    };
    let begun = async |slug: &str| {
        let saved = async { while server.get(&format!("/api/articles/{slug}")).await.status() != 200 {} };
        tokio::time::timeout(STUCK, saved).await.expect("a save");
    };
    let hung_up = create(7, "Hung up").await;
    begun("hung-up").await;
    drop(hung_up);
    let cancelled = create(8, "Cancelled").await;
    begun("cancelled").await;
    let params = json!({ "requestId": 8 });
    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params });
    assert_eq!(say(&server, None, Some(&session), cancel.to_string()).await.status(), 202);
    for slug in ["hung-up", "cancelled"] {
        server.until_embedding(slug, "completed").await;
    }
    drop(cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_that_announces_large_bodies_leaves_room_for_the_others() {
    let server = Server::start(&[
        "server.max_body=4MiB",
        "articles.max_size=3MiB",
        "server.body_timeout=1h",
        "server.request_timeout=1h",
    ]);
    let one = server.command(&["token", "create", "one"]);
    let other = server.command(&["token", "create", "other"]);
    let announced: Vec<_> = (0..4).map(|_| announce(&server, "/mcp", &one, 4 << 20)).collect();
    let save = async |token: &str, title: &str, size: usize| {
        let article = json!({ "title": title, "body": "x".repeat(size), "skip_embedding": true });
        let request = server.request(Method::POST, "/api/articles").bearer_auth(token).json(&article);
        request.send().await.expect("an answer").status().as_u16()
    };
    let saved = tokio::time::timeout(STUCK, save(&other, "Large", 5 << 19)).await;
    assert_eq!(saved.expect("there is room for another client"), 201);
    drop(announced);
    let saved = tokio::time::timeout(STUCK, save(&one, "Of the first", 5 << 19)).await;
    assert_eq!(saved.expect("whoever hangs up gives its room back"), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_with_very_many_requests_waits_for_itself() {
    const AT_ONCE: usize = 64;
    let server = Server::start(&["server.body_timeout=1h", "server.request_timeout=1h"]);
    let one = server.command(&["token", "create", "one"]);
    let other = server.command(&["token", "create", "other"]);
    let mut held: Vec<_> = (0..AT_ONCE).map(|_| announce(&server, "/api/articles", &one, 90)).collect();
    held.iter_mut().for_each(is_asked_for);
    let get = |token: &str| server.request(Method::GET, "/api/articles").bearer_auth(token).send();
    let more = get(&one);
    tokio::pin!(more);
    for _ in 0..20 {
        tokio::select! {
            biased;
            _ = &mut more => panic!("more than {AT_ONCE} at once"),
            answer = get(&other) => assert_eq!(answer.expect("an answer").status(), 200),
        }
    }
    held.pop();
    let answer = tokio::time::timeout(STUCK, more).await.expect("a turn").expect("an answer");
    assert_eq!(answer.status(), 200);
}

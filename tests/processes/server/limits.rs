//! What one client may take of a server: connections, memory, streams and time. Each limit is attacked.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::{
    server::life::refusal,
    support::process::{STUCK, Server},
};

pub(super) fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).expect("a connection");
    stream.set_read_timeout(Some(STUCK)).expect("a time-out");
    stream
}

/// Waits until the server ends the connection; returns what it sent before.
fn end_of(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer);
    assert!(ended.is_ok() || ended.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset));
    String::from_utf8_lossy(&answer).into_owned()
}

/// A connection with an open request, whose body does not come.
fn at_work(server: &Server) -> TcpStream {
    let mut stream = connect(server);
    let head = "POST /api/articles HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Expect: 100-continue\r\nContent-Length: 90\r\n\r\n";
    stream.write_all(head.as_bytes()).expect("sent");
    // The server asks for the body as soon as it reads it.
    let mut asked = [0; 64];
    let read = stream.read(&mut asked).expect("an answer");
    assert!(asked[..read].starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&asked[..read]));
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_fill_no_server() {
    let server = Server::start(&["server.max_connections=20"]);
    let mut silent: Vec<_> = (0..20).map(|_| connect(&server)).collect();
    assert_eq!(server.get("/health").await.status(), 200);
    server.create("Meanwhile", "somebody else is served").await;
    silent.extend((0..40).map(|_| connect(&server)));
    assert_eq!(server.json("/api/articles").await["total"], 1);
    assert!(end_of(&mut silent[0]).is_empty(), "the one that was silent longest made room");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_connections_are_at_work_it_still_says_that_it_lives() {
    let server = Server::start(&["server.max_connections=3", "server.body_timeout=1h", "server.request_timeout=1h"]);
    let held: Vec<_> = (0..3).map(|_| at_work(&server)).collect();
    assert_eq!(server.get("/health").await.status(), 200);
    assert_eq!(server.get("/ready").await.status(), 200);
    let (status, problem) = refusal(server.get("/api/articles").await).await;
    assert_eq!((status, &problem["code"]), (503, &json!("too_many_connections")));
    drop(held);
    let again = async { while server.get("/api/articles").await.status() != 200 {} };
    tokio::time::timeout(STUCK, again).await.expect("room again");
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_who_do_not_finish_their_form_keep_nobody_out() {
    let server = Server::start(&["server.max_connections=4"]);
    let token = server.command(&["token", "create", "one"]);
    let mut strangers = Vec::new();
    for _ in 0..8 {
        let mut stranger = connect(&server);
        let head = "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                    Expect: 100-continue\r\nContent-Length: 100\r\n\r\n";
        stranger.write_all(head.as_bytes()).expect("sent");
        let mut asked = [0; 64];
        let read = stranger.read(&mut asked).expect("an answer");
        assert!(asked[..read].starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&asked[..read]));
        strangers.push(stranger);
    }
    let request = server.request(Method::GET, "/api/articles").bearer_auth(&token);
    assert_eq!(request.send().await.expect("an answer").status(), 200);
    assert_eq!(server.get("/login").await.status(), 200, "another stranger");
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_who_do_not_read_keep_nobody_from_signing_in() {
    let server = Server::start(&[]);
    let mut unread: Vec<_> = (0..80).map(|_| connect(&server)).collect();
    for stream in &mut unread {
        let request = "GET /api/docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(12);
        stream.write_all(request.as_bytes()).expect("sent");
    }
    let all_taken = async { while server.get("/api/openapi.json").await.status() != 503 {} };
    tokio::time::timeout(STUCK, all_taken).await.expect("many who do not read");
    assert_eq!(server.get("/login").await.status(), 200);
    let page = server.get("/login").await.text().await.expect("a page");
    let style = page.split("href=\"").find(|part| part.contains(".css")).and_then(|part| part.split('"').next());
    assert_eq!(server.get(style.expect("a style sheet")).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_article_takes_its_room_until_it_was_read() {
    const SIZE: usize = 20 << 20;
    let server = Server::start(&["server.max_body=30MiB", "articles.max_size=25MiB"]);
    server.create("Small", "text").await;
    let article = json!({ "title": "Big", "body": "A line.\n".repeat(SIZE / 8), "skip_embedding": true });
    assert_eq!(server.post("/api/articles", &article).await.status(), 201);
    for path in ["/articles/big/text", "/articles/big/edit", "/api/articles/big"] {
        let mut unread = connect(&server);
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n");
        unread.write_all(request.as_bytes()).expect("sent");
        unread.read_exact(&mut [0; 64]).expect("the beginning of an answer");
        let second = server.get(path);
        tokio::pin!(second);
        for _ in 0..20 {
            tokio::select! {
                biased;
                _ = &mut second => panic!("{path}: there is room for one of them"),
                small = server.get("/api/articles/small") => assert_eq!(small.status(), 200),
            }
        }
        drop(unread);
        assert_eq!(second.await.status(), 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_is_cut_off() {
    let server = Server::start(&["server.header_timeout=300ms", "server.idle_timeout=300ms"]);
    assert!(end_of(&mut connect(&server)).is_empty(), "not a byte came");
    let mut idle = connect(&server);
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
    assert!(end_of(&mut idle).starts_with("HTTP/1.1 200"), "answered, and then nothing came");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_cut_off_and_holds_little() {
    let server = Server::start(&["server.write_timeout=300ms", "server.max_connections=64"]);
    let body = "A line that nobody reads.\n".repeat((12 << 20) / 26);
    let created =
        server.post("/api/articles", &json!({ "title": "Unread", "body": body, "skip_embedding": true })).await;
    assert_eq!(created.status(), 201);
    let before = memory(&server).await;
    let open = measured(&server, "process_open_fds").await;
    let mut unread: Vec<_> = (0..24).map(|_| connect(&server)).collect();
    for stream in &mut unread {
        stream.write_all(b"GET /api/articles/unread HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
    }
    server.create("Meanwhile", "somebody else saves").await;
    let grown = memory(&server).await - before;
    assert!(grown < 400.0 * 1024.0 * 1024.0, "{grown} bytes more than before");
    // One after the other they are served, do not read, and are cut off; the last ones may still be open.
    const LAST: usize = 2;
    let cut_off = async { while measured(&server, "process_open_fds").await > open + LAST as f64 {} };
    tokio::time::timeout(STUCK, cut_off).await.expect("all are cut off");
    let mut whole = 0;
    for stream in &mut unread {
        let mut answer = 0;
        let mut buffer = vec![0; 1 << 16];
        // Only bytes that the system had already buffered can be read.
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            answer += read;
        }
        whole += usize::from(answer >= body.len());
    }
    assert!(whole <= LAST, "{whole} were answered whole");
}

/// *Units:* bytes.
async fn memory(server: &Server) -> f64 {
    measured(server, "process_resident_memory_bytes").await
}

async fn measured(server: &Server, name: &str) -> f64 {
    let text = server.get("/metrics").await.text().await.expect("text");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|number| number.parse().ok()).expect("a number")
}

pub(super) async fn say(server: &Server, token: Option<&str>, session: Option<&str>, body: String) -> Response {
    let request = server.request(Method::POST, "/mcp").header("accept", "application/json, text/event-stream");
    let request = session.into_iter().fold(request, |request, session| request.header("mcp-session-id", session));
    let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
    request.header("content-type", "application/json").body(body).send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_many_values_costs_little() {
    let server = Server::start(&[]);
    let zeros = "0,".repeat(1 << 20);
    let message = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\
         \"params\":{{\"name\":\"read_article\",\"arguments\":{{\"slug\":[{zeros}0]}}}}}}"
    );
    let before = memory(&server).await;
    for _ in 0..4 {
        let refused = say(&server, None, None, message.clone()).await;
        assert_eq!(refused.status(), 400);
        let refused: Value = refused.json().await.expect("JSON");
        assert_eq!(refused["error"]["code"], -32600, "{refused}");
    }
    let grown = memory(&server).await - before;
    assert!(grown < 128.0 * 1024.0 * 1024.0, "{grown} bytes more than before");
    let reader = server.command(&["token", "create", "reader", "--scope", "read"]);
    let refused = say(&server, Some(&reader), None, message).await;
    assert_eq!(refused.status(), 413, "who may not save has no use for a large message");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_is_answered_as_such() {
    let server = Server::start(&[]);
    for (broken, id) in [
        ("{\"jsonrpc\":", Value::Null),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"x\":\"\\ud83d\"}", json!(1)),
    ] {
        let refused = say(&server, None, None, broken.to_owned()).await;
        assert_eq!(refused.status(), 400);
        let refused: Value = refused.json().await.expect("JSON");
        assert_eq!((&refused["error"]["code"], &refused["id"]), (&json!(-32700), &id), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quotations_within_quotations_cost_a_few_times_their_length_and_hold_nobody_up() {
    const SIZE: usize = 12 << 20;
    let server = Server::start(&["embedding.max_chunks=10"]);
    server.create("Small", "text").await;
    let before = memory(&server).await;
    let session = begin(&server, None).await;
    let work = async {
        server.create("Deep", &">".repeat(SIZE)).await;
        server.until_embedding("deep", "failed").await;
        let read = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "read_article", "arguments": { "slug": "deep", "section": "none" } } });
        say(&server, None, Some(&session), read.to_string()).await.text().await.expect("an answer");
    };
    tokio::pin!(work);
    let mut beside = 0;
    loop {
        tokio::select! {
            biased;
            () = &mut work => break,
            small = server.get("/api/articles/small") => assert_eq!(small.status(), 200),
        }
        beside += 1;
    }
    assert!(beside > 0, "nobody else was answered meanwhile");
    let grown = most_memory(&server) - before;
    assert!(grown < (36 * SIZE) as f64, "{grown} bytes more than before");
}

/// The most that the server has held so far. *Units:* bytes.
fn most_memory(server: &Server) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("a process");
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    most.and_then(|kib| kib.parse::<f64>().ok()).expect("a number") * 1024.0
}

/// Begins a session and returns its name.
pub(crate) async fn begin(server: &Server, token: Option<&str>) -> String {
    let client = json!({ "name": "raw", "version": "1" });
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
    let begun = say(server, token, None, message.to_string()).await;
    assert_eq!(begun.status(), 200);
    let session = begun.headers()["mcp-session-id"].to_str().expect("a name").to_owned();
    let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(say(server, token, Some(&session), told.to_string()).await.status(), 202);
    session
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_its_owners_alone() {
    let server = Server::start(&[]);
    let one = server.command(&["token", "create", "one", "--scope", "admin"]);
    let other = server.command(&["token", "create", "other", "--scope", "admin"]);
    let session = begin(&server, Some(&one)).await;
    let ping = json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" }).to_string();
    assert_eq!(say(&server, Some(&other), Some(&session), ping.clone()).await.status(), 404);
    let delete = |token: &str| {
        let request = server.request(Method::DELETE, "/mcp").bearer_auth(token).header("mcp-session-id", &session);
        request.send()
    };
    assert_eq!(delete(&other).await.expect("an answer").status(), 404);
    assert_eq!(say(&server, Some(&one), Some(&session), ping.clone()).await.status(), 200, "it goes on");
    assert!(delete(&one).await.expect("an answer").status().is_success());
    assert_eq!(say(&server, Some(&one), Some(&session), ping).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_a_session_are_bounded_and_end_when_their_client_has_hung_up() {
    // As many streams as calls.
    let server = Server::start(&["server.max_connections=4096"]);
    assert_eq!(server.post("/api/queue/pause", &json!({})).await.status(), 200);
    server.create("Waits", "text").await;
    assert_eq!(server.post("/api/bulk", &json!({ "scope": "all" })).await.status(), 202);
    let session = begin(&server, None).await;
    let call = |id: usize, name: &str, arguments: Value| {
        let params = json!({ "name": name, "arguments": arguments });
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
        say(&server, None, Some(&session), message.to_string())
    };
    let mut held = Vec::new();
    for id in 10..310 {
        held.push(call(id, "get_bulk_embedding_progress", json!({ "wait_seconds": 50 })).await);
    }
    let mut last = held.pop().expect("a call");
    let mut refused = String::new();
    while let Ok(Some(piece)) = last.chunk().await
        && !refused.contains("too many calls")
    {
        refused.push_str(&String::from_utf8_lossy(&piece));
    }
    assert!(refused.contains("too many calls"), "{refused}");
    drop((held, last));
    let found = async {
        loop {
            let answer = call(400, "list_articles", json!({})).await.text().await.expect("an answer");
            if answer.contains("waits") {
                break;
            }
        }
    };
    tokio::time::timeout(STUCK, found).await.expect("calls that nobody waits for make room");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_follows_a_share_of_all_streams() {
    let server = Server::start(&["server.max_connections=32"]);
    let one = server.command(&["token", "create", "one"]);
    let other = server.command(&["token", "create", "other"]);
    let follow = |token: &str| server.request(Method::GET, "/api/events").bearer_auth(token).send();
    let mut held = Vec::new();
    let refused = loop {
        let stream = follow(&one).await.expect("an answer");
        if stream.status() != 200 {
            break stream;
        }
        held.push(stream);
        assert!(held.len() < 16, "there is no end to it");
    };
    let (status, problem) = refusal(refused).await;
    assert_eq!((status, &problem["code"]), (429, &json!("too_many_streams")));
    assert_eq!(follow(&other).await.expect("an answer").status(), 200, "others follow all the same");
    held.pop();
    let again = async { while follow(&one).await.expect("an answer").status() != 200 {} };
    tokio::time::timeout(STUCK, again).await.expect("room again");
}

#[tokio::test(flavor = "multi_thread")]
async fn echoes_are_cut_and_no_page_is_framed() {
    let server = Server::start(&[]);
    let long = "x".repeat(1 << 20);
    let unknown = server.request(Method::POST, "/api/articles").header("content-type", "application/json");
    let refused = unknown.body(format!("{{\"{long}\": 1}}")).send().await.expect("an answer");
    assert_eq!(refused.status(), 422);
    assert!(refused.bytes().await.expect("a body").len() < 8 << 10);
    let refused = server.get(&format!("/api/articles/{}", &long[..20_000])).await;
    assert_eq!(refused.status(), 404);
    assert!(refused.bytes().await.expect("a body").len() < 8 << 10);
    for path in ["/health", "/api/articles", "/api/docs/", "/api/nothing", "/mcp"] {
        let response = server.get(path).await;
        let header =
            |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert!(header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
    }
    let mut twice = connect(&server);
    let request = b"GET /api/articles HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    twice.write_all(request).expect("sent");
    assert!(end_of(&mut twice).starts_with("HTTP/1.1 400"));
}

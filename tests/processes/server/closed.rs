//! A server that needed a token once always needs one, also for open connections.

use reqwest::{Method, Response};
use serde_json::json;

use crate::{
    server::limits::{begin, say},
    support::process::{STUCK, Server, program},
};

async fn with(server: &Server, header: &'static str, value: &str) -> u16 {
    let request = server.request(Method::GET, "/api/articles").header(header, value);
    request.send().await.expect("an answer").status().as_u16()
}

async fn open(server: &Server) -> bool {
    server.get("/api/articles").await.status() == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_token_that_goes_opens_nothing_and_a_command_does() {
    let server = Server::start(&[]);
    assert!(open(&server).await);
    server.command(&["token", "create", "one"]);
    server.command(&["token", "create", "short", "--expires-in", "1s"]);
    assert!(!open(&server).await);
    let mut early = program(server.folder());
    let refused = early.args(["token", "open"]).output().expect("a program");
    assert!(!refused.status.success(), "one still holds");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("\"one\""));
    server.command(&["token", "revoke", "one"]);
    assert!(!open(&server).await, "revoked is not opened");
    // As soon as the other one has run out.
    let run_out = async {
        while !program(server.folder()).args(["token", "open"]).output().expect("a program").status.success() {
            assert!(!open(&server).await, "nor what has run out");
        }
    };
    tokio::time::timeout(STUCK, run_out).await.expect("it runs out");
    assert!(open(&server).await);
    server.command(&["token", "create", "one"]);
    assert!(!open(&server).await);
    assert!(server.command(&["queue", "events", "--json"]).contains("door opened"), "it is in the audit trail");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_through_a_proxy_does_not_come_from_this_machine() {
    let server = Server::start(&[]);
    for (header, value) in [
        ("x-forwarded-for", "203.0.113.7"),
        ("forwarded", "for=203.0.113.7"),
        ("x-real-ip", "127.0.0.1"),
        ("via", "1.1 proxy"),
    ] {
        assert_eq!(with(&server, header, value).await, 401, "{header}");
    }
    assert!(open(&server).await);
}

async fn follow(server: &Server, token: Option<&str>) -> Response {
    let request = server.request(Method::GET, "/api/events");
    let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
    let stream = request.send().await.expect("an answer");
    assert_eq!(stream.status(), 200);
    stream
}

async fn ends(mut stream: Response) {
    let ended = async { while stream.chunk().await.is_ok_and(|chunk| chunk.is_some()) {} };
    tokio::time::timeout(STUCK, ended).await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_with_the_right_to_follow_them() {
    let server = Server::start(&[]);
    let open = follow(&server, None).await;
    let token = server.command(&["token", "create", "one"]);
    ends(open).await;
    let short = server.command(&["token", "create", "short", "--expires-in", "3s"]);
    let (held, expiring) = (follow(&server, Some(&token)).await, follow(&server, Some(&short)).await);
    ends(expiring).await;
    let session = begin(&server, Some(&token)).await;
    let listening = server.request(Method::GET, "/mcp").header("accept", "text/event-stream").bearer_auth(&token);
    let told = listening.header("mcp-session-id", session).send().await.expect("an answer");
    assert_eq!(told.status(), 200);
    server.command(&["token", "revoke", "one"]);
    ends(held).await;
    ends(told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_not_let_in_is_counted_and_who_saves_is_named() {
    let server = Server::start(&[]);
    let token = server.command(&["token", "create", "scribe", "--scope", "admin"]);
    for _ in 0..20 {
        assert_eq!(with(&server, "authorization", "Bearer aw_1_wrong").await, 401);
    }
    let request = server.request(Method::POST, "/api/articles").bearer_auth(&token);
    let saved = request.json(&json!({ "title": "Named", "body": "text" })).send().await.expect("an answer");
    assert_eq!(saved.status(), 201);
    let request = server.request(Method::PATCH, "/api/articles/named").bearer_auth(&token);
    let saved = request.json(&json!({ "skip_embedding": true })).send().await.expect("an answer");
    assert_eq!(saved.status(), 200, "a save that queues nothing");
    let pause = server.request(Method::POST, "/api/queue/pause").bearer_auth(&token).send().await.expect("an answer");
    assert_eq!(pause.status(), 200);
    let delete = server.request(Method::DELETE, "/api/articles/named").bearer_auth(&token).send().await;
    assert_eq!(delete.expect("an answer").status(), 200);
    let session = begin(&server, Some(&token)).await;
    let arguments = json!({ "title": "Told", "body": "text" });
    let params = json!({ "name": "create_article", "arguments": arguments });
    let call = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params }).to_string();
    let told = say(&server, Some(&token), Some(&session), call).await.text().await.expect("an answer");
    assert!(told.contains("\"slug\":\"told\""), "{told}");
    server.command(&["article", "create", "Typed", "--body", "text"]);
    server.command(&["article", "delete", "typed"]);
    let trail = server.command(&["queue", "events", "--json"]);
    for act in [
        "told, revision 1 (by scribe)",
        "typed, revision 1 (by the command line)",
        "typed (by the command line)",
        "named, revision 1 (by scribe)",
        "named, revision 2 (by scribe)",
        "by scribe",
        "named (by scribe)",
    ] {
        assert!(trail.contains(act), "{act}: {trail}");
    }
    let metrics = server.request(Method::GET, "/metrics").bearer_auth(&token).send().await.expect("an answer");
    let metrics = metrics.text().await.expect("text");
    assert!(metrics.contains("afterword_http_unauthorized_total 20"), "{metrics}");
    server.signal("TERM");
    let log = server.rest_of_the_log();
    assert_eq!(log.iter().filter(|line| line.contains("refused: no valid token")).count(), 1, "once, not for each");
    assert!(log.iter().any(|line| line.contains("scribe") && line.contains("/api/articles")), "{log:#?}");
}

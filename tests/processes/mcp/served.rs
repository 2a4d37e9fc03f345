//! Behind the server's guards: the real program over real sockets.

use rmcp::{model::SubscriptionFilter, transport::streamable_http_client::StreamableHttpClientTransportConfig};
use serde_json::json;

use crate::{
    mcp::http::{transport, transport_with},
    mcp::visit::visit,
    support::TOKIO,
    support::agent::{Agent, ERAS, Era},
    support::process::Server,
};

#[test]
fn an_agent_visits_the_server_in_both_eras() {
    TOKIO.block_on(async {
        for era in ERAS {
            let server = Server::start(&["embedding.scripted.latency=300ms"]);
            let agent = Agent::over(transport(&server.url("/mcp")), era).await;
            visit(&agent, || {}).await;
            agent.leave().await;
        }
    });
}

#[test]
fn agents_come_in_with_their_token_and_do_what_it_allows() {
    TOKIO.block_on(async {
        let server = Server::start(&[]);
        let token = server.command(&["token", "create", "reader", "--scope", "read"]);
        let refused = server.post("/mcp", &json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })).await;
        assert_eq!(refused.status(), 401);
        assert!(refused.headers().contains_key("www-authenticate"));
        for era in ERAS {
            let config = StreamableHttpClientTransportConfig::with_uri(server.url("/mcp")).auth_header(token.clone());
            let agent = Agent::over(transport_with(config), era).await;
            agent.answer("list_articles", json!({})).await;
            let refusal = agent.refusal("create_article", json!({ "title": "T", "body": "b" })).await;
            assert!(refusal.contains("scope \"write\""), "{refusal}");
            agent.leave().await;
        }
    });
}

#[test]
fn the_server_stops_although_agents_listen() {
    TOKIO.block_on(async {
        let server = Server::start(&["server.shutdown_timeout=1h"]);
        let url = server.url("/mcp");
        let with_session = Agent::over(transport(&url), Era::Handshake).await;
        let without = Agent::over(transport(&url), Era::Discover).await;
        let filter = SubscriptionFilter::builder().resources_list_changed().build();
        let mut listening = without.peer().listen(filter).await.expect("a subscription");
        server.signal("TERM");
        let ended = tokio::task::spawn_blocking(move || server.ended().0.code());
        while let Ok(Some(_)) = listening.next().await {}
        assert_eq!(ended.await.expect("a thread"), Some(0));
        drop((with_session, without));
    });
}

/// Begins a session as clients of the older era do; returns its name.
async fn initialize(server: &Server) -> String {
    let client = json!({ "name": "raw", "version": "1" });
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    let begun =
        say(server, None, &json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params })).await;
    let session = begun.headers()["mcp-session-id"].to_str().expect("a name").to_owned();
    let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(say(server, Some(&session), &told).await.status(), 202);
    session
}

async fn say(server: &Server, session: Option<&str>, message: &serde_json::Value) -> reqwest::Response {
    let request = server.request(reqwest::Method::POST, "/mcp").header("accept", "application/json, text/event-stream");
    let request = session.into_iter().fold(request, |request, session| request.header("mcp-session-id", session));
    let answer = request.json(message).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{message}: {}", answer.status());
    answer
}

#[test]
fn a_session_whose_client_has_vanished_ends_however_much_there_is_to_tell() {
    TOKIO.block_on(async {
        let server = Server::start(&["server.mcp_session_idle=1500ms"]);
        let session = initialize(&server).await;
        let listening = server.request(reqwest::Method::GET, "/mcp").header("accept", "text/event-stream");
        let mut told = listening.header("mcp-session-id", session).send().await.expect("a stream");
        assert_eq!(told.status(), 200);
        let mut changes = 0;
        while told.chunk().await.is_ok_and(|chunk| chunk.is_some()) {
            server.create(&format!("Change {changes}"), "text").await;
            changes += 1;
            assert!(changes < 100, "it is told for ever");
        }
        assert!(changes > 0, "it was told of something");
    });
}

#[test]
fn requests_that_are_no_messages_are_refused_with_problems() {
    TOKIO.block_on(async {
        use reqwest::Method;
        let server = Server::start(&[]);
        let session = initialize(&server).await;
        let ping = json!({ "jsonrpc": "2.0", "id": 3, "method": "ping" }).to_string();
        for (method, session, header, expected) in [
            (Method::PUT, None, None, 405),
            (Method::GET, None, None, 400),
            (Method::GET, Some("nothing"), None, 404),
            (Method::DELETE, Some("nothing"), None, 404),
            (Method::GET, Some(session.as_str()), Some(("last-event-id", "garbage")), 400),
            (Method::POST, Some(session.as_str()), Some(("accept", "text/html")), 406),
            (Method::POST, Some("nothing"), None, 404),
        ] {
            let request = server.request(method.clone(), "/mcp").header("content-type", "application/json");
            let request =
                session.into_iter().fold(request, |request, session| request.header("mcp-session-id", session));
            let request = header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
            let request = if method == Method::POST { request.body(ping.clone()) } else { request };
            let answer = request.send().await.expect("an answer");
            let (status, kind) = (answer.status().as_u16(), answer.headers().get("content-type").cloned());
            let problem: serde_json::Value = answer.json().await.unwrap_or_default();
            assert_eq!((status, &problem["status"]), (expected, &json!(expected)), "{method} {session:?} {problem}");
            assert!(kind.is_some_and(|kind| kind == "application/problem+json"), "{method} {problem}");
            assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
        }
        for accept in [Some("*/*"), None] {
            let request = server.request(Method::POST, "/mcp").header("mcp-session-id", &session);
            let request = accept.into_iter().fold(request, |request, accept| request.header("accept", accept));
            let answer = request.header("content-type", "application/json").body(ping.clone()).send().await;
            assert_eq!(answer.expect("an answer").status(), 200, "{accept:?}");
        }
        for (message, part) in [("[]", "batches"), ("123", "one JSON object"), ("null", "one JSON object")] {
            let request = server.request(Method::POST, "/mcp").header("content-type", "application/json");
            let refused: serde_json::Value =
                request.body(message).send().await.expect("an answer").json().await.expect("JSON");
            let words = refused["error"]["message"].as_str().expect("words");
            assert!(words.contains(part) && (message == "[]" || !words.contains("batches")), "{message} {words}");
        }
        let half =
            r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"x","arguments":{"body":"\ud83d"}}}"#;
        let request = server.request(Method::POST, "/mcp").header("content-type", "application/json").body(half);
        let refused: serde_json::Value = request.send().await.expect("an answer").json().await.expect("JSON");
        assert_eq!(refused["id"], 9, "{refused}");
        assert!(refused["error"]["message"].as_str().is_some_and(|words| words.starts_with("params.arguments.body: ")));
        let gone = server.request(Method::DELETE, "/mcp").header("mcp-session-id", &session).send().await;
        assert!(gone.expect("an answer").status().is_success());
    });
}

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

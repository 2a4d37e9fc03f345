//! Behind the server's guards: the real program over real sockets.

use rmcp::{model::SubscriptionFilter, transport::streamable_http_client::StreamableHttpClientTransportConfig};
use serde_json::json;

use crate::{
    agent::{Agent, ERAS, Era},
    http::{transport, transport_with},
    process::Server,
    support::TOKIO,
    visit::visit,
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

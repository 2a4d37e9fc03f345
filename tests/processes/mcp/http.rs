//! Over streamable HTTP, without the server around it: whole visits, and who may do what.

use afterword::auth::{Caller, Permission};
use axum::{Router, extract::Request};
use rmcp::{
    model::ReadResourceRequestParams,
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    mcp::visit::visit,
    support::agent::{Agent, ERAS, Era, host, worker},
    support::{SqliteTestHost as TestHost, TOKIO},
};

/// MCP behind a guard that makes every request one of `caller`, or of no caller.
pub(crate) async fn serve(host: afterword::host::Host, caller: Option<Caller>) -> (String, CancellationToken) {
    let stop = CancellationToken::new();
    let door = afterword::mcp::http_service(host, stop.clone());
    let guard = move |mut request: Request| {
        if let Some(caller) = caller.clone() {
            request.extensions_mut().insert(caller);
        }
        request
    };
    let router = Router::new().nest_service("/mcp", door).layer(tower::util::MapRequestLayer::new(guard));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let until = stop.clone().cancelled_owned();
    tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(until).await });
    (format!("http://{address}/mcp"), stop)
}

pub(crate) fn transport(url: &str) -> StreamableHttpClientTransport<reqwest::Client> {
    transport_with(StreamableHttpClientTransportConfig::with_uri(url.to_owned()))
}

pub(crate) fn transport_with(
    config: StreamableHttpClientTransportConfig,
) -> StreamableHttpClientTransport<reqwest::Client> {
    // The client needs a provider even without encryption.
    let _ = rustls::crypto::ring::default_provider().install_default();
    StreamableHttpClientTransport::with_client(reqwest::Client::new(), config)
}

#[test]
fn an_agent_visits_over_http_in_both_eras() {
    TOKIO.block_on(async {
        for era in ERAS {
            let world = TestHost::new().await;
            world.embedder.hold();
            let worker = worker(&world).await;
            let (url, stop) = serve(worker.host.clone(), Some(Caller::local())).await;
            let agent = Agent::over(transport(&url), era).await;
            visit(&agent, || world.embedder.release()).await;
            agent.leave().await;
            stop.cancel();
            worker.stop().await;
        }
    });
}

/// A call of each tool that would work, with the scope it needs.
fn calls() -> [(&'static str, Value, Permission); 19] {
    [
        ("create_article", json!({ "title": "New", "body": "x" }), Permission::Write),
        ("update_article", json!({ "slug": "there", "body": "x" }), Permission::Write),
        ("edit_article", json!({ "slug": "there", "edits": [{ "action": "append", "text": "y" }] }), Permission::Write),
        ("rename_article", json!({ "slug": "there", "to": "elsewhere" }), Permission::Write),
        ("restore_article", json!({ "slug": "there", "revision": 1 }), Permission::Write),
        ("delete_article", json!({ "slug": "there" }), Permission::Write),
        ("read_articles", json!({ "slugs": ["there"] }), Permission::Read),
        ("article_context", json!({ "slug": "there" }), Permission::Read),
        ("article_history", json!({ "slug": "there" }), Permission::Read),
        ("read_article", json!({ "slug": "there" }), Permission::Read),
        ("list_articles", json!({}), Permission::Read),
        ("list_folders", json!({}), Permission::Read),
        ("search_articles", json!({ "query": "x" }), Permission::Read),
        ("related_articles", json!({ "slug": "there" }), Permission::Read),
        ("get_embedding_queue_status", json!({}), Permission::Read),
        ("get_article_embedding_status", json!({ "slug": "there" }), Permission::Read),
        ("get_bulk_embedding_progress", json!({}), Permission::Read),
        ("start_bulk_embedding", json!({}), Permission::Admin),
        ("retry_failed_embeddings", json!({}), Permission::Admin),
    ]
}

#[test]
fn nobody_does_more_than_their_scope_allows() {
    TOKIO.block_on(async {
        for era in ERAS {
            for scope in [None, Some(Permission::Read), Some(Permission::Write), Some(Permission::Admin)] {
                let world = TestHost::new().await;
                let host = host(&world);
                host.articles.create(crate::support::article("there", "x")).await.expect("a save");
                host.bulk
                    .start(afterword_actors::store::backlog::Backlog::Needed, &Default::default())
                    .await
                    .expect("a run");
                let caller = scope.map(|scope| Caller::token(1, "somebody".to_owned(), scope));
                let (url, stop) = serve(host, caller.clone()).await;
                let agent = Agent::over(transport(&url), era).await;
                // Deletions come last, so that the others find what they ask for.
                let mut calls = calls();
                calls.sort_by_key(|(tool, _, _)| *tool == "delete_article");
                for (tool, arguments, needed) in calls {
                    let result = agent.call(tool, arguments.clone()).await.expect("a result");
                    let allowed = caller.as_ref().is_some_and(|caller| caller.may(needed));
                    assert_eq!(result.is_error != Some(true), allowed, "{tool} as {scope:?}: {result:?}");
                    if !allowed {
                        let refusal = agent.refusal(tool, arguments).await;
                        assert!(refusal.contains(&format!("scope \"{needed}\"")), "{refusal}");
                    }
                }
                // What was deleted is listed for those who may restore it.
                let deleted = agent.call("list_articles", json!({ "deleted": true })).await.expect("a result");
                let may_restore = caller.as_ref().is_some_and(|caller| caller.may(Permission::Write));
                assert_eq!(deleted.is_error != Some(true), may_restore, "as {scope:?}");
                let listed = agent.peer().list_resources(None).await;
                let read = agent.peer().read_resource(ReadResourceRequestParams::new("article://there")).await;
                if scope.is_none() {
                    assert!(Agent::error(listed).message.contains("scope \"read\""));
                    assert!(Agent::error(read).message.contains("scope \"read\""));
                } else {
                    listed.expect("a list");
                }
                agent.leave().await;
                stop.cancel();
            }
        }
    });
}

#[test]
fn of_two_edits_of_one_revision_one_is_refused() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let (url, stop) = serve(host(&world), Some(Caller::local())).await;
        let one = Agent::over(transport(&url), Era::Handshake).await;
        let two = Agent::over(transport(&url), Era::Discover).await;
        one.answer("create_article", json!({ "title": "Shared", "body": "first" })).await;
        let edit = |body| json!({ "slug": "shared", "body": body, "expected_revision": 1 });
        let (mine, yours) =
            tokio::join!(one.call("update_article", edit("mine")), two.call("update_article", edit("yours")));
        let is_refused = [mine, yours].map(|result| result.expect("a result").is_error == Some(true));
        assert_eq!(is_refused.iter().filter(|refused| **refused).count(), 1);
        let read = two.text("read_article", json!({ "slug": "shared" })).await;
        let kept = if is_refused[0] { "yours" } else { "mine" };
        assert!(read.contains("revision: 2") && read.ends_with(kept), "{read}");
        one.leave().await;
        two.leave().await;
        stop.cancel();
    });
}

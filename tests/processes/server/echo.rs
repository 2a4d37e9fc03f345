//! An embedding server that repeats the key it was sent: the key appears nowhere else.

use reqwest::Method;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use crate::support::process::Server;

const KEY: &str = "sk-live-0123456789abcdef";

/// Answers with this status, and repeats everything it was sent.
async fn echoing(status: u16) -> MockServer {
    let provider = MockServer::start().await;
    let echo = move |request: &Request| {
        let sent = request.headers.get("authorization").map(|value| value.to_str().unwrap_or_default().to_owned());
        let message = format!("you sent {} to {}", sent.unwrap_or_default(), request.url);
        ResponseTemplate::new(status).set_body_json(serde_json::json!({ "error": { "message": message } }))
    };
    Mock::given(any()).respond_with(echo).mount(&provider).await;
    provider
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_provider_repeats_is_told_to_nobody() {
    for status in [400, 401, 403, 404, 429, 500] {
        let provider = echoing(status).await;
        let server = Server::start(&[
            "embedding.provider=openai",
            "embedding.model=m",
            &format!("embedding.openai.base_url={}/v1", provider.uri()),
            &format!("embedding.openai.api_key={KEY}"),
            "log.level=debug",
        ]);
        server.create("Tides", "The moon pulls.").await;
        let mut events = server.get("/api/events").await;
        // Readiness names the provider's error once a request has failed.
        let ready = loop {
            let ready = server.get("/ready").await.text().await.expect("text");
            if ready.contains("you sent") {
                break ready;
            }
            let more = tokio::time::timeout(std::time::Duration::from_millis(200), events.chunk()).await;
            drop(more);
        };
        let mut told = vec![ready];
        for path in ["/api/articles/tides", "/api/status", "/api/queue/tasks", "/api/queue/tasks/1", "/metrics"] {
            told.push(server.get(path).await.text().await.expect("text"));
        }
        let search = server.request(Method::GET, "/api/search?q=moon").send().await.expect("an answer");
        told.push(search.text().await.expect("text"));
        for command in [&["status"][..], &["queue", "show", "1"], &["queue", "events"], &["config", "show"]] {
            told.push(server.command(command));
        }
        server.signal("TERM");
        told.extend(server.rest_of_the_log());
        for told in told {
            assert!(!told.contains(KEY), "{status}: {told}");
        }
    }
}

//! A scripted server with a /rerank endpoint.

use std::time::Duration;

use afterword::config::Rerank;
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::method};

/// A server that finds a document worth as much as it says of itself: `worth 7`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Judge {
    /// Cohere, Jina, vLLM, llama.cpp.
    OfDocuments,
    /// text-embeddings-inference.
    OfTexts,
}

impl Respond for Judge {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let (field, path, score) = match self {
            Self::OfDocuments => ("documents", "/v1/rerank", "relevance_score"),
            Self::OfTexts => ("texts", "/v1/rerank", "score"),
        };
        if request.url.path() != path {
            return ResponseTemplate::new(404);
        }
        let Some(documents) = body[field].as_array() else {
            let said = "Failed to deserialize the JSON body into the target type: missing field";
            return ResponseTemplate::new(422).set_body_string(format!("{said} `{field}` at line 1 column 70"));
        };
        let documents = documents.iter().map(|document| document.as_str().expect("a text"));
        let mut results: Vec<_> = documents.map(worth).enumerate().collect();
        // The best first, as real ones do.
        results.sort_by(|a, b| b.1.total_cmp(&a.1));
        let results: Vec<_> = results.iter().map(|(index, worth)| json!({ "index": index, score: worth })).collect();
        let answer = match self {
            Self::OfDocuments => json!({ "id": "x", "results": results, "meta": {} }),
            Self::OfTexts => json!(results),
        };
        ResponseTemplate::new(200).set_body_json(answer)
    }
}

/// What a document says that it is worth.
fn worth(document: &str) -> f64 {
    let digits = document.split("worth ").nth(1).unwrap_or_default().chars().take_while(char::is_ascii_digit);
    digits.collect::<String>().parse().unwrap_or_default()
}

pub(crate) async fn reranker(answers: impl Respond + 'static) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(answers).mount(&server).await;
    server
}

/// Settings that name this server, with enough patience for a test.
pub(crate) fn named(server: &MockServer) -> Rerank {
    Rerank { base_url: format!("{}/v1", server.uri()), deadline: Duration::from_secs(30), ..Rerank::default() }
}

/// The requests that it got.
pub(crate) async fn asked(server: &MockServer) -> Vec<Value> {
    let requests = server.received_requests().await.expect("a record");
    requests.iter().map(|request| serde_json::from_slice(&request.body).expect("JSON")).collect()
}

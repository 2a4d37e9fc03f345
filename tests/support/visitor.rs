//! A client of any door.

use std::sync::atomic::{AtomicUsize, Ordering};

use afterword::{
    health::Health,
    host::{Host, RunningHost},
    http::{self, HttpParts, HttpState},
    telemetry::Telemetry,
};
use afterword_actors::RuntimeHandle;
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::support::agent::{Agent, ERAS};

/// What a visitor can do. `None`: it was refused.
pub(crate) trait Visitor: Sized {
    /// Connects to `host`, beside which `runtime` works.
    async fn enter(host: Host, runtime: RuntimeHandle) -> Self;
    async fn create(&self, slug: &str, body: &str) -> Option<Value>;
    async fn update(&self, slug: &str, changes: Value, expected_revision: Option<i64>) -> Option<Value>;
    async fn delete(&self, slug: &str) -> bool;
    /// Everything that the door shows of an article, as text.
    async fn read(&self, slug: &str) -> String;
    /// The state of an article's embedding.
    async fn embedding(&self, slug: &str) -> Value;
    async fn hits(&self, query: &str, mode: &str) -> Vec<Value>;
    async fn leave(self);

    async fn found(&self, query: &str, mode: &str) -> Vec<String> {
        let slug = |hit: Value| hit["slug"].as_str().expect("a slug").to_owned();
        self.hits(query, mode).await.into_iter().map(slug).collect()
    }

    async fn beside(worker: &RunningHost) -> Self {
        Self::enter(worker.host.clone(), worker.runtime.handle()).await
    }
}

/// An agent; every other session is of the other era.
pub(crate) struct AgentGuest(Agent);

impl AgentGuest {
    async fn accepted(&self, tool: &str, arguments: Value) -> Option<Value> {
        let result = self.0.call(tool, arguments).await.expect("a result");
        if result.is_error == Some(true) { None } else { Some(result.structured_content.unwrap_or_default()) }
    }
}

impl Visitor for AgentGuest {
    async fn enter(host: Host, _: RuntimeHandle) -> Self {
        static SESSIONS: AtomicUsize = AtomicUsize::new(0);
        let era = ERAS[SESSIONS.fetch_add(1, Ordering::Relaxed) % ERAS.len()];
        Self(Agent::beside(host, era).await)
    }

    async fn create(&self, slug: &str, body: &str) -> Option<Value> {
        self.accepted("create_article", json!({ "title": slug, "slug": slug, "body": body })).await
    }

    async fn update(&self, slug: &str, mut changes: Value, expected_revision: Option<i64>) -> Option<Value> {
        changes["slug"] = json!(slug);
        if let Some(revision) = expected_revision {
            changes["expected_revision"] = json!(revision);
        }
        self.accepted("update_article", changes).await
    }

    async fn delete(&self, slug: &str) -> bool {
        self.accepted("delete_article", json!({ "slug": slug })).await.is_some()
    }

    async fn read(&self, slug: &str) -> String {
        self.0.text("read_article", json!({ "slug": slug })).await
    }

    async fn embedding(&self, slug: &str) -> Value {
        self.0.answer("get_article_embedding_status", json!({ "slug": slug })).await["embedding"].clone()
    }

    async fn hits(&self, query: &str, mode: &str) -> Vec<Value> {
        let answer = self.0.answer("search_articles", json!({ "query": query, "mode": mode })).await;
        answer["hits"].as_array().expect("hits").clone()
    }

    async fn leave(self) {
        self.0.leave().await;
    }
}

/// A program that speaks HTTP; here without a socket.
pub(crate) struct RestGuest {
    router: Router,
    stopping: CancellationToken,
}

impl RestGuest {
    async fn send(&self, method: &str, path: &str, if_match: Option<i64>, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        if let Some(revision) = if_match {
            request = request.header("if-match", format!("\"{revision}\""));
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = request.header("content-type", "application/json").body(body).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let status = response.status();
        assert!(!status.is_server_error(), "{method} {path}: {status}");
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, value) = self.send("GET", path, None, None).await;
        assert!(status.is_success(), "{path}: {status} {value}");
        value
    }
}

impl Visitor for RestGuest {
    async fn enter(host: Host, runtime: RuntimeHandle) -> Self {
        let stopping = CancellationToken::new();
        let router = http::router(HttpState::new(HttpParts {
            host,
            runtime,
            health: Health::default(),
            telemetry: Telemetry::default(),
            address: ([127, 0, 0, 1], 0).into(),
            mcp: Router::new(),
            page: None,
            stopping: stopping.clone(),
        }));
        Self { router, stopping }
    }

    async fn create(&self, slug: &str, body: &str) -> Option<Value> {
        let article = json!({ "title": slug, "slug": slug, "body": body });
        let (status, saved) = self.send("POST", "/api/articles", None, Some(article)).await;
        (status == StatusCode::CREATED).then_some(saved)
    }

    async fn update(&self, slug: &str, changes: Value, expected_revision: Option<i64>) -> Option<Value> {
        let path = format!("/api/articles/{slug}");
        let (status, saved) = self.send("PATCH", &path, expected_revision, Some(changes)).await;
        status.is_success().then_some(saved)
    }

    async fn delete(&self, slug: &str) -> bool {
        self.send("DELETE", &format!("/api/articles/{slug}"), None, None).await.0.is_success()
    }

    async fn read(&self, slug: &str) -> String {
        let article = self.get(&format!("/api/articles/{slug}")).await;
        format!("title: {}\n{}", article["title"].as_str().expect("text"), article["body"].as_str().expect("text"))
    }

    async fn embedding(&self, slug: &str) -> Value {
        self.get(&format!("/api/articles/{slug}")).await["embedding"].clone()
    }

    async fn hits(&self, query: &str, mode: &str) -> Vec<Value> {
        let answer = self.get(&format!("/api/search?q={query}&mode={mode}")).await;
        answer["hits"].as_array().expect("hits").clone()
    }

    async fn leave(self) {
        self.stopping.cancel();
    }
}

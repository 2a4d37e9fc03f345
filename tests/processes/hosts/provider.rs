//! An embedding server with latency and failures, which counts what it has embedded.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

/// One request in this many fails.
const FAILS: u64 = 40;

#[derive(Default)]
struct SeenRequests {
    requests: AtomicU64,
    /// Texts answered, with how often.
    texts: Mutex<HashMap<String, usize>>,
}

/// The server.
pub(crate) struct CountingProvider {
    pub(crate) url: String,
    seen: Arc<SeenRequests>,
}

impl CountingProvider {
    pub(crate) async fn start() -> Self {
        let seen = Arc::<SeenRequests>::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let routes = Router::new().route("/v1/embeddings", post(embed)).with_state(Arc::clone(&seen));
        tokio::spawn(async move { axum::serve(listener, routes).await.expect("a server") });
        Self { url, seen }
    }

    /// Embeddings made beyond the first of a text.
    pub(crate) fn twice(&self) -> usize {
        // The probe's text is not an article's.
        let texts = self.seen.texts.lock().expect("the lock");
        texts.iter().filter(|(text, _)| text.contains("Fleet")).map(|(_, times)| times - 1).sum()
    }

    pub(crate) fn requests(&self) -> u64 {
        self.seen.requests.load(Ordering::Relaxed)
    }
}

async fn embed(State(seen): State<Arc<SeenRequests>>, Json(body): Json<Value>) -> Response {
    let number = seen.requests.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(5 + number * 7 % 30)).await;
    if number % FAILS == FAILS - 1 {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let texts: Vec<String> = serde_json::from_value(body["input"].clone()).expect("texts");
    let data: Vec<_> =
        texts.iter().enumerate().map(|(index, text)| json!({ "index": index, "embedding": vector(text) })).collect();
    let mut seen = seen.texts.lock().expect("the lock");
    texts.into_iter().for_each(|text| *seen.entry(text).or_default() += 1);
    Json(json!({ "data": data })).into_response()
}

fn vector(text: &str) -> [f32; 8] {
    let mut numbers = [0.1; 8];
    text.bytes().enumerate().for_each(|(position, byte)| numbers[position % 8] += f32::from(byte));
    numbers
}

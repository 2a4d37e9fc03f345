//! An embedding server with changing faults.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

use crate::random;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Good,
    Slow,
    Away,
    Limited,
    Failing,
    Garbled,
}

#[derive(Clone)]
struct Server(Arc<Parts>);

struct Parts {
    mood: Mutex<(Mood, Instant)>,
    calls: AtomicU64,
    refused: AtomicU64,
}

/// The server and what it has seen.
pub(super) struct Provider {
    pub(super) url: String,
    server: Server,
}

impl Provider {
    pub(super) async fn start() -> Self {
        let until = Instant::now() + Duration::from_secs(10);
        let parts =
            Parts { mood: Mutex::new((Mood::Good, until)), calls: AtomicU64::new(0), refused: AtomicU64::new(0) };
        let server = Server(Arc::new(parts));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let routes = Router::new().route("/v1/embeddings", post(embed)).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.expect("a server") });
        Self { url, server }
    }

    /// Works for a while, fails for a while.
    pub(super) fn change_mood_if_due(&self) {
        let mut mood = self.server.0.mood.lock().expect("a mood");
        if Instant::now() < mood.1 {
            return;
        }
        *mood = match mood.0 {
            Mood::Good => {
                let moods = [Mood::Slow, Mood::Away, Mood::Limited, Mood::Failing, Mood::Garbled];
                let next = moods[usize::try_from(random(5)).unwrap_or_default()];
                (next, Instant::now() + Duration::from_secs(1 + random(8)))
            }
            _ => (Mood::Good, Instant::now() + Duration::from_secs(5 + random(20))),
        };
    }

    pub(super) fn be_good(&self) {
        *self.server.0.mood.lock().expect("a mood") = (Mood::Good, Instant::now() + Duration::from_secs(86_400));
    }

    pub(super) fn calls(&self) -> u64 {
        self.server.0.calls.load(Ordering::Relaxed)
    }

    pub(super) fn refused(&self) -> u64 {
        self.server.0.refused.load(Ordering::Relaxed)
    }

    /// The unit-length vector that `model` returns for `text`.
    pub(super) fn vector_of(&self, model: &str, text: &str) -> Vec<f32> {
        let numbers = vector(model, text);
        let length = numbers.iter().map(|number| number * number).sum::<f32>().sqrt();
        numbers.iter().map(|number| number / length).collect()
    }
}

/// Different for different models and texts.
fn vector(model: &str, text: &str) -> Vec<f32> {
    let mut numbers = vec![0.01_f32; 32];
    for (position, byte) in model.bytes().rev().chain(text.bytes()).enumerate() {
        numbers[(position * 7 + usize::from(byte)) % 32] += f32::from(byte) / 64.0 + position as f32 / 1000.0;
    }
    numbers
}

async fn embed(State(server): State<Server>, Json(body): Json<Value>) -> Response {
    server.0.calls.fetch_add(1, Ordering::Relaxed);
    let mood = server.0.mood.lock().expect("a mood").0;
    let texts: Vec<String> = serde_json::from_value(body["input"].clone()).expect("texts");
    let model = body["model"].as_str().expect("a model");
    let item = |(index, text): (usize, &String)| json!({ "index": index, "embedding": vector(model, text) });
    let mut data: Vec<_> = texts.iter().enumerate().map(item).collect();
    tokio::time::sleep(Duration::from_millis(if mood == Mood::Slow { 500 + random(3_000) } else { 5 })).await;
    if !matches!(mood, Mood::Good | Mood::Slow) {
        server.0.refused.fetch_add(1, Ordering::Relaxed);
    }
    match mood {
        Mood::Good | Mood::Slow => {}
        Mood::Away => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Mood::Limited => return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")]).into_response(),
        Mood::Failing => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Mood::Garbled => drop(data.pop()),
    }
    Json(json!({ "data": data })).into_response()
}

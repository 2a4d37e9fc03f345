//! An embedding server that takes a given time for each request, however many texts it carries.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, extract::State, routing::post};
use serde::{Deserialize, Serialize};

const DIMENSION: usize = 32;

#[derive(Clone)]
struct Parts {
    latency: Duration,
    requests: Arc<AtomicUsize>,
    texts: Arc<AtomicUsize>,
}

/// The server and what it has seen.
pub(crate) struct Provider {
    pub(crate) url: String,
    parts: Parts,
}

impl Provider {
    pub(crate) async fn start(latency: Duration) -> Self {
        let parts = Parts { latency, requests: Arc::default(), texts: Arc::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let routes = Router::new().route("/v1/embeddings", post(embed)).with_state(parts.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.expect("a server") });
        Self { url, parts }
    }

    pub(crate) fn forget(&self) {
        self.parts.requests.store(0, Ordering::SeqCst);
        self.parts.texts.store(0, Ordering::SeqCst);
    }

    pub(crate) fn requests(&self) -> usize {
        self.parts.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn texts(&self) -> usize {
        self.parts.texts.load(Ordering::SeqCst)
    }
}

#[derive(Deserialize)]
struct Request {
    input: Vec<String>,
}

#[derive(Serialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Serialize)]
struct Item {
    index: usize,
    embedding: Vec<f32>,
}

async fn embed(State(parts): State<Parts>, Json(Request { input }): Json<Request>) -> Json<Answer> {
    parts.requests.fetch_add(1, Ordering::SeqCst);
    parts.texts.fetch_add(input.len(), Ordering::SeqCst);
    tokio::time::sleep(parts.latency).await;
    let item = |(index, text): (usize, &String)| Item { index, embedding: vector(text) };
    Json(Answer { data: input.iter().enumerate().map(item).collect() })
}

/// Different for different texts.
fn vector(text: &str) -> Vec<f32> {
    let mut numbers = vec![0.5_f32; DIMENSION];
    for (position, byte) in text.bytes().take(64).enumerate() {
        numbers[(position * 7 + usize::from(byte)) % DIMENSION] += f32::from(byte) / 64.0;
    }
    numbers
}

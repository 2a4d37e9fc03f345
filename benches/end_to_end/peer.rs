//! The ideal: a straightforward loop over all texts, `BATCH` in a request, `CONCURRENCY` at once. It stores nothing.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::json;

use crate::{BATCH, CONCURRENCY, provider::Provider};

pub(crate) async fn fill_all_requests(provider: &Provider, texts: &[String]) -> Duration {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let url = format!("{}/embeddings", provider.url);
    let begun = Instant::now();
    let request = |batch: &[String]| {
        let request = client.post(&url).json(&json!({ "model": "m", "input": batch, "encoding_format": "float" }));
        async move {
            let answer: serde_json::Value =
                request.send().await.expect("an answer").json().await.expect("an answer in JSON");
            assert!(answer["data"].is_array());
        }
    };
    let requests: Vec<_> = texts.chunks(BATCH).map(request).collect();
    futures_util::stream::iter(requests).buffer_unordered(CONCURRENCY).collect::<Vec<()>>().await;
    begun.elapsed()
}

//! How near the local model comes to what the machine can do, and what the runtime costs on top. A plain program:
//! `cargo bench --bench local_model`. It needs the model (`afterword model fetch`).

use std::{sync::Arc, time::Instant};

use afterword::{
    config::Embedding,
    embedding::{
        Backends,
        local::{LocalEmbedder, peak_gflops},
    },
    model,
};
use afterword_actors::embedder::{Embedder, Purpose};

/// all-MiniLM-L6-v2.
const LAYERS: f64 = 6.0;
const HIDDEN: f64 = 384.0;
const INTERMEDIATE: f64 = 1536.0;

/// Floating-point operations for one text.
fn operations(tokens: usize) -> f64 {
    let tokens = tokens as f64;
    let dense = 2.0 * tokens * (4.0 * HIDDEN * HIDDEN + 2.0 * HIDDEN * INTERMEDIATE);
    let attention = 4.0 * tokens * tokens * HIDDEN;
    LAYERS * (dense + attention)
}

fn embedder(threads: usize) -> Arc<LocalEmbedder> {
    let mut settings = Embedding::default();
    settings.local.threads = threads;
    let backends = Backends::new(&settings).expect("a back end");
    let embedder = Arc::clone(&backends.provisioning().expect("a local model").embedder);
    let known = model::known(&settings.model).expect("a known model");
    embedder.load(&model::directory(known.name)).expect("the model; `afterword model fetch` brings it");
    embedder
}

/// Seconds for one text of `tokens`, the best of several rounds.
async fn seconds_each(embedder: &LocalEmbedder, tokens: usize, batch: usize) -> f64 {
    // "word" is one token; two more begin and end each text.
    let texts: Vec<_> = (0..batch).map(|_| "word ".repeat(tokens - 2)).collect();
    let rounds = (4096 / (tokens * batch)).clamp(8, 200);
    let mut best = f64::INFINITY;
    for _ in 0..rounds {
        let begun = Instant::now();
        embedder.embed(&texts, Purpose::Document).await.expect("vectors");
        best = best.min(begun.elapsed().as_secs_f64());
    }
    best / batch as f64
}

#[tokio::main]
async fn main() {
    let peak = peak_gflops();
    println!("largest products, one core: {peak:.0} GFLOP/s");
    for threads in [1, 2] {
        let embedder = embedder(threads);
        for (tokens, batch) in [(16, 1), (16, 32), (64, 32), (256, 1), (256, 32)] {
            let seconds = seconds_each(&embedder, tokens, batch).await;
            let share = operations(tokens) / seconds / 1e9 / peak / threads as f64;
            println!(
                "{threads} threads, {tokens:>3} tokens, batch {batch:>2}: {:>7.1} texts/s, {:>3.0} % of the peak",
                1.0 / seconds,
                100.0 * share
            );
        }
    }
}

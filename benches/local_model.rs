//! How close the local model comes to the machine's limit, and what the runtime adds. A plain program: `cargo bench
//! --bench local_model`. It needs the model (`afterword model fetch`).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use afterword::{
    articles::{AfterSave, Articles, Limits, NewArticle},
    config::Embedding,
    database::migrate,
    embedding::{Backends, local::peak_gflops},
};
use afterword_actors::{
    Runtime, RuntimeSettings,
    embedder::{Embedder, Model, Purpose, Source},
    store::{Database, OpenOptions, stats},
};
use futures_util::{StreamExt, stream};

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

fn backends(threads: usize, bf16: bool) -> Arc<Backends> {
    let mut settings = Embedding::default();
    (settings.local.threads, settings.local.bf16) = (threads, bf16);
    let backends = Backends::new(&settings).expect("a back end");
    backends.preparation().expect("a local model").load().expect("the model; `afterword model fetch` brings it");
    backends
}

fn embedder(threads: usize, bf16: bool) -> Arc<dyn Embedder> {
    backends(threads, bf16).model().embedder
}

/// Seconds for one text of `tokens`, the best of several rounds.
async fn seconds_each(embedder: &dyn Embedder, tokens: usize, batch: usize) -> f64 {
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

/// Articles embedded at the same time, with the runtime and without.
const SLOTS: usize = 2;

fn bodies() -> Vec<String> {
    let paragraph = |n: usize| format!("Paragraph {n} says something about the number {} at some length. ", n * 7919);
    let body = |article: usize| (0..60).map(|n| paragraph(article * 100 + n)).collect::<String>();
    (0..60).map(body).collect()
}

/// Only the model: the same chunks, in the same calls.
async fn alone(model: &Model, bodies: &[String]) -> Duration {
    let cut = |body: &String| model.chunker.chunk(Source { title: "Title", body }).expect("chunks");
    let articles: Vec<Vec<String>> =
        bodies.iter().map(|body| cut(body).into_iter().map(|chunk| chunk.input).collect()).collect();
    let begun = Instant::now();
    stream::iter(articles)
        .for_each_concurrent(SLOTS, |texts| async move {
            model.embedder.embed(&texts, Purpose::Document).await.expect("vectors");
        })
        .await;
    begun.elapsed()
}

/// Everything: claims, chunking, the model, vectors stored, audit trail.
async fn with_runtime(model: &Model, bodies: &[String]) -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("bench.db").display());
    let database = Database::open(&OpenOptions::new(url)).await.expect("a database");
    migrate(&database).await.expect("a schema");
    let articles = Articles::new(database.clone(), Limits::default(), 3, AfterSave::Poll);
    for (n, body) in bodies.iter().enumerate() {
        let new = NewArticle { title: format!("Title {n}"), body: body.clone(), ..NewArticle::default() };
        articles.create(new).await.expect("a save");
    }
    let slots = u32::try_from(SLOTS).unwrap_or(1);
    let settings = RuntimeSettings { slots, ..RuntimeSettings::default() };
    let begun = Instant::now();
    let runtime = Runtime::start(database.clone(), model.clone(), settings).await.expect("a runtime");
    let mut told = runtime.subscribe();
    while stats::queue(database.reader()).await.expect("numbers").completed < bodies.len() as i64 {
        let _ = tokio::time::timeout(Duration::from_millis(20), told.recv()).await;
    }
    let elapsed = begun.elapsed();
    runtime.stop(Duration::from_secs(5)).await;
    elapsed
}

#[tokio::main]
async fn main() {
    println!("largest products of 32-bit numbers, one core: {:.0} GFLOP/s", peak_gflops());
    for (bf16, numbers) in [(false, "32 bits"), (true, "16 bits where the processor has units for them")] {
        println!("{numbers}:");
        shares_of_the_peak(bf16).await;
        cost_of_the_runtime(bf16).await;
    }
}

async fn cost_of_the_runtime(bf16: bool) {
    let (model, bodies) = (backends(0, bf16).model(), bodies());
    for round in 1..=3 {
        let (alone, whole) = (alone(&model, &bodies).await, with_runtime(&model, &bodies).await);
        println!(
            "{round}: {} articles by the model alone in {:.2} s, by the runtime in {:.2} s: {:+.1} %",
            bodies.len(),
            alone.as_secs_f64(),
            whole.as_secs_f64(),
            100.0 * (whole.as_secs_f64() / alone.as_secs_f64() - 1.0)
        );
    }
}

async fn shares_of_the_peak(bf16: bool) {
    let peak = peak_gflops();
    for threads in [1, 2] {
        let embedder = embedder(threads, bf16);
        for (tokens, batch) in [(16, 1), (16, 32), (64, 32), (256, 1), (256, 32)] {
            let seconds = seconds_each(embedder.as_ref(), tokens, batch).await;
            let share = operations(tokens) / seconds / 1e9 / peak / threads as f64;
            println!(
                "{threads} threads, {tokens:>3} tokens, batch {batch:>2}: {:>7.1} texts/s, {:>3.0} % of the peak",
                1.0 / seconds,
                100.0 * share
            );
        }
    }
}

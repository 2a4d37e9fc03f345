//! Searching 100,000 chunks of 384 numbers. A plain program: `cargo bench --bench search`.
//!
//! The collection is made by one process and searched by another, so that memory is that of a server that searches.

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use afterword::{
    embedding::scripted::{Script, ScriptedEmbedder},
    search::{Mode, Query, Search, SearchSettings},
};
use afterword_actors::{
    embedder::Embedder,
    store::{Database, OpenOptions, StoreError, models, sql::Sql},
};
use support::OneModel;

const ARTICLES: usize = 25_000;
const CHUNKS: usize = 4;
const DIMENSION: usize = 384;
const ROUNDS: usize = 200;
const WORDS_EACH: usize = 300;
const VOCABULARY: f64 = 30_000.0;

/// Repeatable numbers in `0..1`. *Source:* Vigna, "splitmix64".
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The n-th most frequent word, each as often as in real texts (Zipf).
    fn word(&mut self) -> f64 {
        VOCABULARY.powf(self.next()).round()
    }

    fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| format!("w{}", self.word())).collect::<Vec<_>>().join(" ")
    }

    /// Words people search for: not the hundred most frequent, which stand for "the" and "of".
    fn question(&mut self, count: usize) -> String {
        let words = std::iter::repeat_with(|| self.word()).filter(|word| *word > 100.0).take(count);
        words.map(|word| format!("w{word}")).collect::<Vec<_>>().join(" ")
    }

    fn vector(&mut self) -> Vec<u8> {
        let numbers: Vec<f32> = (0..DIMENSION).map(|_| (self.next() - 0.5) as f32).collect();
        let length = numbers.iter().map(|number| number * number).sum::<f32>().sqrt();
        numbers.iter().flat_map(|number| (number / length).to_le_bytes()).collect()
    }
}

fn embedder() -> Arc<ScriptedEmbedder> {
    ScriptedEmbedder::new(Script { dimension: DIMENSION, ..Script::default() })
}

async fn open(path: &Path) -> Database {
    Database::open(&OpenOptions::new(format!("sqlite://{}", path.display()))).await.expect("a database")
}

async fn fill(path: &Path) {
    let database = open(path).await;
    afterword::database::migrate(&database).await.expect("a schema");
    let identity = embedder().identity().clone();
    let write = |page: std::ops::Range<usize>| {
        let identity = identity.clone();
        database.write::<_, StoreError, _>(move |transaction| {
            Box::pin(async move {
                let model = models::offer(transaction, &identity, None).await?;
                let mut random = Random(page.start as u64);
                for article in page {
                    let id = i64::try_from(article + 1).unwrap_or(i64::MAX);
                    let body = random.words(WORDS_EACH);
                    transaction
                        .run(
                            "INSERT INTO articles (id, slug, title, body, content_hash, created_at, updated_at)
                             VALUES ($1, 'article-' || $1, $2, $3, 'h', {now}, {now})",
                            [id.into(), random.words(3).into(), body.clone().into()],
                        )
                        .await?;
                    transaction
                        .run(
                            "INSERT INTO article_terms (rowid, title, body) VALUES ($1, '', $2)",
                            [id.into(), body.clone().into()],
                        )
                        .await?;
                    let chunks = i64::try_from(CHUNKS).unwrap_or_default();
                    transaction
                        .run(
                            "INSERT INTO article_embeddings VALUES ($1, $2, 1, 'h', $3, {now})",
                            [id.into(), model.id.into(), chunks.into()],
                        )
                        .await?;
                    for position in 0..chunks {
                        transaction
                            .run(
                                "INSERT INTO article_chunks (article_id, model_id, position, heading_path, text, hash,
                                     tokens, vector)
                                 VALUES ($1, $2, $3, '', $4, $1 || '/' || $3, 200, $5)",
                                [
                                    id.into(),
                                    model.id.into(),
                                    position.into(),
                                    body[..400].into(),
                                    random.vector().into(),
                                ],
                            )
                            .await?;
                    }
                }
                models::activate_if_whole(transaction, model.id).await.map(drop)
            })
        })
    };
    for start in (0..ARTICLES).step_by(500) {
        write(start..start + 500).await.expect("articles");
    }
    database.close().await;
}

fn memory_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap_or_default() / 1024.0
}

async fn search(path: &Path) {
    let before = memory_mib();
    let database = open(path).await;
    let search = Search::new(database, Arc::new(OneModel(embedder())), SearchSettings::default());
    let begun = Instant::now();
    search.warm_up().await.expect("an index");
    println!("reading the index: {:.1} s", begun.elapsed().as_secs_f64());
    for mode in [Mode::Keyword, Mode::Semantic, Mode::Hybrid] {
        let mut random = Random(7);
        let mut times: Vec<Duration> = Vec::new();
        for _ in 0..ROUNDS {
            let query = Query::new(random.question(4), mode, 10);
            let begun = Instant::now();
            let answer = search.search(&query).await.expect("an answer");
            times.push(begun.elapsed());
            assert!(answer.degraded.is_none() && !answer.hits.is_empty());
        }
        times.sort_unstable();
        let ms = |share: f64| times[((ROUNDS - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        println!("{:<10} p50 {:>6.2} ms   p99 {:>6.2} ms", format!("{mode:?}"), ms(0.5), ms(0.99));
    }
    println!("resident memory: {:.0} MiB (at start {before:.0} MiB)", memory_mib());
}

#[tokio::main]
async fn main() {
    if let Some(path) = std::env::var_os("BENCH_SEARCH_FILE") {
        return search(&PathBuf::from(path)).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bench.db");
    println!("making {ARTICLES} articles with {} chunks of {DIMENSION} numbers", ARTICLES * CHUNKS);
    fill(&path).await;
    let own = std::env::current_exe().expect("this program");
    let status = std::process::Command::new(own).env("BENCH_SEARCH_FILE", &path).status().expect("a run");
    assert!(status.success());
}

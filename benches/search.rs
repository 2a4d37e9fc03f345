//! Searching chunks of 384 numbers, four of each article. A plain program: `cargo bench --bench search`; `BENCH_SEARCH_ARTICLES`
//! says how many (25,000), and `BENCH_SEARCH_FOLDER` where the collection is kept for another time.
//!
//! The collection is made by one process and searched by others, so that memory is that of a server that only searches,
//! and a first search is one after a start.

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
/// Vectors are scattered around this many centres, like those of texts about some thousand subjects.
const SUBJECTS: u64 = 3_000;
/// The hundred most frequent words stand for "the", "of" and the like, which searches leave out.
const FREQUENT: f64 = 100.0;
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

    /// Words that people search for, some of which are in very many articles.
    fn question(&mut self, frequent: usize, others: usize) -> String {
        let mut words: Vec<f64> = Vec::new();
        while words.len() < frequent + others {
            let word = self.word();
            let is_wanted = if words.len() < frequent { word <= FREQUENT } else { word > FREQUENT };
            words.extend(is_wanted.then_some(word));
        }
        words.into_iter().map(|word| format!("w{word}")).collect::<Vec<_>>().join(" ")
    }

    fn numbers(&mut self) -> Vec<f32> {
        (0..DIMENSION).map(|_| (self.next() - 0.5) as f32).collect()
    }

    fn vector(&mut self) -> Vec<u8> {
        let subject = (self.next() * SUBJECTS as f64) as u64;
        let mut numbers = Random(u64::MAX / 2 + subject * 1_000_003).numbers();
        numbers.iter_mut().zip(self.numbers()).for_each(|(middle, own)| *middle += own);
        let length = numbers.iter().map(|number| number * number).sum::<f32>().sqrt();
        numbers.iter().flat_map(|number| (number / length).to_le_bytes()).collect()
    }
}

fn articles() -> usize {
    std::env::var("BENCH_SEARCH_ARTICLES").ok().and_then(|count| count.parse().ok()).unwrap_or(ARTICLES)
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
        database.write::<_, StoreError, _>(async move |transaction| {
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
                            [id.into(), model.id.into(), position.into(), body[..400].into(), random.vector().into()],
                        )
                        .await?;
                }
            }
            models::activate_if_whole(transaction, model.id).await.map(drop)
        })
    };
    for start in (0..articles()).step_by(500) {
        write(start..start + 500).await.expect("articles");
    }
    database.close().await;
}

fn memory_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap_or_default() / 1024.0
}

/// How long one question takes, with everything that it returns.
async fn ask(search: &Search, text: String, mode: Mode) -> Duration {
    let begun = Instant::now();
    let answer = search.search(&Query::new(text, mode, 10)).await.expect("an answer");
    let took = begun.elapsed();
    assert!(!answer.hits.is_empty());
    assert!(answer.degraded.is_none(), "{:?}", answer.degraded);
    took
}

fn service(database: Database) -> Search {
    Search::new(database, Arc::new(OneModel(embedder())), SearchSettings::default())
}

/// A process that answers one question and ends.
async fn search_once(path: &Path) {
    let database = open(path).await;
    let search = service(database);
    search.warm_up().await.expect("an index");
    ask(&search, Random(3).question(0, 4), Mode::Hybrid).await;
}

async fn search(path: &Path) {
    let before = memory_mib();
    let begun = Instant::now();
    let search = service(open(path).await);
    search.warm_up().await.expect("an index");
    ask(&search, Random(5).question(0, 4), Mode::Hybrid).await;
    println!("from the start to the first answer: {:.2} s", begun.elapsed().as_secs_f64());
    let kinds = [
        ("words", Mode::Keyword, 0, 4),
        ("words, two frequent", Mode::Keyword, 2, 2),
        ("words, frequent", Mode::Keyword, 2, 0),
        ("meaning", Mode::Semantic, 0, 4),
        ("hybrid", Mode::Hybrid, 0, 4),
    ];
    for (name, mode, frequent, others) in kinds {
        let mut random = Random(7);
        let mut times: Vec<Duration> = Vec::new();
        for _ in 0..ROUNDS {
            times.push(ask(&search, random.question(frequent, others), mode).await);
        }
        times.sort_unstable();
        let ms = |share: f64| times[((ROUNDS - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        println!("{name:<20} p50 {:>6.2} ms   p99 {:>6.2} ms", ms(0.5), ms(0.99));
    }
    println!("resident memory: {:.0} MiB (at start {before:.0} MiB)", memory_mib());
}

/// Runs this program again, to do `part`.
fn run(part: &str, path: &Path) {
    let own = std::env::current_exe().expect("this program");
    let begun = Instant::now();
    let mut command = std::process::Command::new(own);
    let status = command.env("BENCH_SEARCH_PART", part).env("BENCH_SEARCH_FILE", path).status().expect("a run");
    assert!(status.success());
    println!("{part}: {:.2} s", begun.elapsed().as_secs_f64());
}

#[tokio::main]
async fn main() {
    if let (Ok(part), Some(path)) = (std::env::var("BENCH_SEARCH_PART"), std::env::var_os("BENCH_SEARCH_FILE")) {
        let path = PathBuf::from(path);
        return if part == "one search" { search_once(&path).await } else { search(&path).await };
    }
    let kept = std::env::var_os("BENCH_SEARCH_FOLDER").map(PathBuf::from);
    let folder = tempfile::tempdir().expect("a folder");
    let path = kept.unwrap_or_else(|| folder.path().to_owned()).join("bench.db");
    if !path.exists() {
        println!("making {} articles with {CHUNKS} chunks of {DIMENSION} numbers", articles());
        fill(&path).await;
    }
    run("many searches", &path);
    run("one search", &path);
}

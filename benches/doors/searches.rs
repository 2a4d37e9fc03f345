//! Searches over HTTP, each for something else: how many of each kind the server answers in a second, beside reads of the
//! same articles.

use std::{
    collections::BTreeSet,
    path::Path,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Client, Url};

use super::process::{Server, program};

/// Searches at once.
const AT_ONCE: usize = 8;
/// How long each kind is measured.
const SPAN: Duration = Duration::from_secs(10);
/// Words of a question.
const WORDS: usize = 4;
/// Different questions; after the last comes the first again.
const QUESTIONS: usize = 2_000;

/// Measures on the markdown files in `folder`, with the local model.
pub(crate) async fn measure(folder: &Path) {
    let database = tempfile::tempdir().expect("a folder");
    let mut import = program(database.path());
    import.env("AFTERWORD_EMBEDDING__PROVIDER", "local").stdout(Stdio::null()).arg("import").arg(folder).arg("--wait");
    assert!(import.status().expect("a process").success(), "the files are imported and embedded");
    let server = Server::start_in(database, &["embedding.provider=local", "log.level=warn"]);
    let client = Client::builder().tcp_nodelay(true).build().expect("a client");
    let slugs = slugs(&server).await;
    let reads: Vec<_> = slugs.iter().map(|slug| url(&server, &format!("/api/articles/{slug}"), &[])).collect();
    rate("reads", &client, reads).await;
    let questions = questions(folder);
    for mode in ["keyword", "hybrid"] {
        let asked = |question: &String| url(&server, "/api/search", &[("q", question), ("mode", mode)]);
        let first: Vec<_> = questions.iter().map(asked).collect();
        rate(&format!("searches, {mode}: {QUESTIONS} questions"), &client, first.clone()).await;
        rate(&format!("searches, {mode}: 50 questions"), &client, first[..first.len().min(50)].to_vec()).await;
    }
}

async fn slugs(server: &Server) -> Vec<String> {
    let list = server.json("/api/articles?limit=100").await;
    let articles = list["articles"].as_array().expect("a list");
    articles.iter().map(|article| article["slug"].as_str().expect("a slug").to_owned()).collect()
}

fn url(server: &Server, path: &str, query: &[(&str, &str)]) -> Url {
    Url::parse_with_params(&server.url(path), query).expect("an address")
}

/// Some words that follow each other, from all over the files.
fn questions(folder: &Path) -> Vec<String> {
    let files: BTreeSet<_> = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "md"))
        .map(walkdir::DirEntry::into_path)
        .collect();
    let texts = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
    let words: Vec<_> = texts
        .flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .filter(|word| word.chars().all(char::is_alphabetic))
        .collect();
    let step = (words.len() / QUESTIONS).max(WORDS);
    words.chunks(step).map(|words| words[..words.len().min(WORDS)].join(" ")).take(QUESTIONS).collect()
}

async fn rate(what: &str, client: &Client, urls: Vec<Url>) {
    let (urls, next, ends) = (Arc::new(urls), Arc::new(AtomicUsize::new(0)), Instant::now() + SPAN);
    let askers = (0..AT_ONCE).map(|_| {
        let (urls, next, client) = (Arc::clone(&urls), Arc::clone(&next), client.clone());
        tokio::spawn(async move {
            while Instant::now() < ends {
                let url = urls[next.fetch_add(1, Ordering::Relaxed) % urls.len()].clone();
                let response = client.get(url).send().await.expect("an answer");
                assert!(response.status().is_success(), "{response:?}");
                response.bytes().await.expect("a body");
            }
        })
    });
    for asker in askers.collect::<Vec<_>>() {
        asker.await.expect("an asker");
    }
    println!("{what:<52} {:>7.0}/s", next.load(Ordering::Relaxed) as f64 / SPAN.as_secs_f64());
}

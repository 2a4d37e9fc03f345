//! `demo`: the main job on real input, from nothing.

use std::{path::Path, time::Instant};

use afterword_actors::store::stats;
use anyhow::{Context, anyhow};

use super::{progress, search::text_of, session::Session};
use crate::{
    articles::{
        Articles,
        files::{OnConflict, import_file, markdown_files},
        folder::Folder,
    },
    host::Worker,
    search::{Mode, Query},
    time::duration,
};

/// The bundled sample articles.
const SAMPLES: &[(&str, &str)] = &[
    ("bread.md", include_str!("../../examples/articles/bread.md")),
    ("bees.md", include_str!("../../examples/articles/bees.md")),
    ("lighthouses.md", include_str!("../../examples/articles/lighthouses.md")),
    ("message-queues.md", include_str!("../../examples/articles/message-queues.md")),
    ("supervision-trees.md", include_str!("../../examples/articles/supervision-trees.md")),
    ("tides.md", include_str!("../../examples/articles/tides.md")),
    ("tea.md", include_str!("../../examples/articles/tea.md")),
    ("vector-search.md", include_str!("../../examples/articles/vector-search.md")),
];

/// What is looked for among the sample articles: none of them by its own words.
const QUESTIONS: &[&str] = &[
    "why does dough get bigger overnight",
    "what happens when a worker process crashes",
    "why does the ocean go up and down",
];

pub(super) async fn run(session: &Session, directory: Option<&Path>) -> anyhow::Result<()> {
    let output = session.output;
    let host = session.host().await?;
    output.note(&format!("database {}", host.database.place()));
    let samples = tempfile::tempdir().context("no room for the sample articles")?;
    let directory = match directory {
        Some(directory) => directory.to_path_buf(),
        None => {
            for (name, text) in SAMPLES {
                std::fs::write(samples.path().join(name), text).context("no room for the sample articles")?;
            }
            samples.path().to_path_buf()
        }
    };
    let worker = host.start().await?;
    let shown = show(session, &worker, &directory).await;
    worker.stop().await;
    let report = shown?;
    output.answer(&report, || {
        format!(
            "done: {} articles saved, {} embedded, {} searches answered",
            report.saved, report.embedded, report.searches
        )
    })
}

/// What the demonstration did.
#[derive(serde::Serialize)]
struct Report {
    saved: usize,
    embedded: i64,
    searches: usize,
    save_ms: u128,
    embed_ms: u128,
}

async fn show(session: &Session, worker: &Worker, directory: &Path) -> anyhow::Result<Report> {
    let output = session.output;
    let begun = Instant::now();
    let slugs = save(&worker.host.articles, directory).await?;
    let save_ms = begun.elapsed().as_millis();
    let waiting = stats::queue(worker.host.database.reader()).await?;
    output.note(&format!(
        "{} articles saved in {save_ms} ms; {} wait for their embedding, and are found by their words already",
        slugs.len(),
        waiting.pending + waiting.processing
    ));
    session.provision(&worker.host).await?;
    let begun = Instant::now();
    let ended = progress::wait_for_queue(worker, output).await?;
    let embed_ms = begun.elapsed().as_millis();
    let model_id = worker.runtime.handle().model_id();
    let coverage = stats::coverage(worker.host.database.reader(), model_id).await?;
    output.note(&format!("{} articles embedded in {}", coverage.embedded, duration(i64::try_from(embed_ms)?)));
    if ended.failed > 0 || coverage.missing + coverage.stale > 0 {
        return Err(anyhow!("not all articles could be embedded; `afterword queue list --status failed` says why"));
    }
    let questions = questions(worker, &slugs).await?;
    for question in &questions {
        ask(session, worker, question).await?;
    }
    Ok(Report { saved: slugs.len(), embedded: coverage.embedded, searches: questions.len(), save_ms, embed_ms })
}

async fn save(articles: &Articles, directory: &Path) -> anyhow::Result<Vec<String>> {
    use crate::articles::files::Imported;
    let files = markdown_files(directory).with_context(|| format!("{} cannot be read", directory.display()))?;
    if files.is_empty() {
        return Err(anyhow!("there are no *.md files in {}", directory.display()));
    }
    let mut slugs = Vec::with_capacity(files.len());
    for file in &files {
        let saved = import_file(articles, file, directory, &Folder::default(), OnConflict::Update, false).await;
        let (Imported::Created { slug }
        | Imported::Updated { slug }
        | Imported::Unchanged { slug }
        | Imported::Skipped { slug }) = saved.with_context(|| file.display().to_string())?;
        slugs.push(slug);
    }
    Ok(slugs)
}

/// For the bundled articles the prepared ones; for others, what some of them say of themselves.
async fn questions(worker: &Worker, slugs: &[String]) -> anyhow::Result<Vec<String>> {
    if slugs.iter().any(|slug| slug == "supervision-trees") {
        return Ok(QUESTIONS.iter().map(|question| (*question).to_owned()).collect());
    }
    let step = (slugs.len() / QUESTIONS.len()).max(1);
    let mut titles = Vec::new();
    for slug in slugs.iter().skip(step / 2).step_by(step).take(QUESTIONS.len()) {
        titles.push(worker.host.articles.read(slug).await?.title);
    }
    Ok(titles)
}

async fn ask(session: &Session, worker: &Worker, question: &str) -> anyhow::Result<()> {
    const SHOWN: usize = 3;
    let query = Query { text: question.to_owned(), mode: Mode::Hybrid, limit: SHOWN, folder: Folder::default() };
    let answer = worker.host.search.search(&query).await?;
    if let Some(reason) = &answer.degraded {
        return Err(anyhow!("a search was answered by words only: {reason}"));
    }
    session.output.note(&format!("\n? {question}\n{}", text_of(&answer)));
    Ok(())
}

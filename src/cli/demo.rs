//! `demo`: the main use on real input, from nothing.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, anyhow};

use super::{progress, search::text_of, session::Session};
use crate::{
    articles::{Articles, folder::Folder},
    config::Origin,
    files::{self, Import, OnConflict},
    host::{Host, RunningHost},
    plural::count,
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

/// Questions about the sample articles that do not use their words.
const QUESTIONS: &[&str] = &[
    "why does dough get bigger overnight",
    "what brings a part of a program back after it dies",
    "why does the ocean go up and down",
];

pub(super) async fn run(session: &Session, directory: Option<&Path>, keep: bool) -> anyhow::Result<()> {
    let output = session.output;
    let place = tempfile::Builder::new().prefix("afterword-demo-").tempdir().context("no temporary folder")?;
    let mut settings = session.loaded.settings.clone();
    // A database that was named for this run is used; otherwise the user's own is left alone.
    let is_own = session.loaded.origin("database.url") != Origin::Flag;
    if is_own {
        settings.database.url = format!("sqlite://{}", place.path().join("demo.db").display());
    }
    let host = Host::open(&settings).await?;
    output.note(&format!(
        "database {}{}",
        host.database.place(),
        if is_own { ", for this demonstration alone" } else { "" }
    ));
    let directory = match directory {
        Some(directory) => directory.to_path_buf(),
        None => write_samples(&place.path().join("articles")).context("no room for the sample articles")?,
    };
    let worker = host.join().await?;
    let is_kept = keep && is_own;
    let rest = if is_own && !keep {
        "nothing of the demonstration is kept"
    } else {
        "what is not embedded yet waits in the queue"
    };
    let shown = progress::until_told_to_stop(output, rest, show(session, &worker, &directory)).await;
    worker.stop().await;
    if is_kept {
        let _kept = place.keep();
    }
    let mut report = shown?;
    if is_kept {
        report.database = Some(settings.database.url);
    }
    output.answer(&report, |_| text_of_report(&report))
}

fn write_samples(folder: &Path) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    for (name, text) in SAMPLES {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(folder.to_path_buf())
}

/// What the demonstration did.
#[derive(serde::Serialize)]
struct Report {
    /// Articles that it created or changed.
    saved: usize,
    /// Articles that an earlier run had saved.
    unchanged: usize,
    /// Articles that it embedded.
    embedded: i64,
    searches: usize,
    save_ms: u128,
    embed_ms: u128,
    /// Where its database is kept; `None` if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<String>,
}

fn text_of_report(report: &Report) -> String {
    let Report { saved, unchanged, embedded, searches, database, .. } = report;
    let unchanged = if *unchanged > 0 { format!(" ({unchanged} unchanged)") } else { String::new() };
    let saved = count(*saved, "article");
    let mut text =
        format!("done: {saved} saved{unchanged}, {embedded} embedded, {} answered", count(*searches, "search"));
    if let Some(database) = database {
        text.push_str(&format!("\n\nits database is kept: afterword --database {database} search \"…\""));
    }
    text.push_str(
        "\n\nnext:\n  \
         afterword import FOLDER --wait           bring in your own markdown files\n  \
         afterword search \"what you look for\"     find them by words and by meaning\n  \
         afterword serve                          the page, REST and MCP at http://127.0.0.1:8080\n  \
         afterword --help                         everything else",
    );
    text
}

async fn show(session: &Session, worker: &RunningHost, directory: &Path) -> anyhow::Result<Report> {
    let output = session.output;
    let begun = Instant::now();
    let DemoArticles { slugs, changed } = save(&worker.host.articles, directory).await?;
    let save_ms = begun.elapsed().as_millis();
    output.note(&format!(
        "{} saved in {save_ms} ms, found by words already; embedding goes on in the background",
        count(changed, "article")
    ));
    session.provision(&worker.host).await?;
    let begun = Instant::now();
    let ended = progress::wait_for_queue(worker, output).await?;
    let embed_ms = begun.elapsed().as_millis();
    let coverage = worker.host.queue.numbers().await?.coverage;
    // Some were embedded before the wait began: only articles saved by this run are counted.
    let embedded = i64::try_from(changed)?.min(coverage.embedded);
    let time = duration(i64::try_from(embed_ms)?);
    output.note(&format!("{} embedded, the last after {time}", count(embedded, "article")));
    if ended.failed > 0 || coverage.missing + coverage.stale > 0 {
        return Err(anyhow!("not all articles could be embedded; `afterword queue list --status failed` says why"));
    }
    let questions = questions(worker, &slugs).await?;
    for question in &questions {
        ask(session, worker, question).await?;
    }
    let unchanged = slugs.len() - changed;
    Ok(Report { saved: changed, unchanged, embedded, searches: questions.len(), save_ms, embed_ms, database: None })
}

/// The articles of the demonstration, and how many of them it created or changed.
struct DemoArticles {
    slugs: Vec<String>,
    changed: usize,
}

async fn save(articles: &Articles, directory: &Path) -> anyhow::Result<DemoArticles> {
    let import = Import {
        directory: directory.to_path_buf(),
        folder: Folder::default(),
        source: None,
        on_conflict: OnConflict::Update,
        layout: None,
        dry_run: false,
    };
    let report = files::import(articles, &import, &|_, _| {}).await?;
    if let Some(failed) = report.failed.first() {
        return Err(anyhow!("{}: {}", failed.file, failed.error));
    }
    if report.files.is_empty() {
        return Err(anyhow!("there are no markdown files in {}", directory.display()));
    }
    let changed = report.created + report.updated;
    Ok(DemoArticles { slugs: report.files.into_iter().map(|file| file.slug).collect(), changed })
}

/// Returns the prepared questions for the bundled articles; for others, the titles of some of them.
async fn questions(worker: &RunningHost, slugs: &[String]) -> anyhow::Result<Vec<String>> {
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

async fn ask(session: &Session, worker: &RunningHost, question: &str) -> anyhow::Result<()> {
    const MAX_HITS: usize = 3;
    let query = Query::new(question, Mode::Hybrid, MAX_HITS);
    let answer = worker.host.search.search(&query).await?;
    if let Some(reason) = &answer.degraded {
        return Err(anyhow!("a search was answered in part only: {reason}"));
    }
    session.output.note(&format!("\n? {question}\n{}", text_of(session.output.look(), &answer)));
    Ok(())
}

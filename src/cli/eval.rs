//! `eval`: search quality on a collection with known answers, in a database of its own.

use std::{collections::HashSet, path::Path};

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    progress,
    session::Session,
    table::{name, number, table},
    text_style::TextStyle,
};
use crate::{
    articles::{ArticleError, Articles, NewArticle, folder::Folder, slug::Slug},
    config::Origin,
    database,
    evaluation::{Collection, Quality, measure, ways},
    files::{self, Import, OnConflict},
    host::{Host, RunningHost},
    plural::count,
    printable::line,
};

/// Documents saved at the same time: they share commits.
const AT_ONCE: usize = 64;

/// Most lost queries of a mode that are shown to people.
const MAX_LOST_QUERIES: usize = 5;

pub(super) async fn run(session: &Session, directory: &Path) -> anyhow::Result<()> {
    let questions = directory.join("questions.json");
    let of_files = questions.exists() && !directory.join("corpus.jsonl").exists();
    let collection = if of_files { Collection::of_questions(&questions)? } else { Collection::read(directory)? };
    let folder = tempfile::tempdir().context("no room for a temporary database")?;
    let mut settings = session.loaded.settings.clone();
    // A database that was named for this run is used, also again; otherwise the user's own is left alone.
    if session.loaded.origin("database.url") != Origin::Flag {
        settings.database.url = format!("sqlite://{}", folder.path().join("eval.db").display());
    }
    let worker = session.worker(Host::open(&settings).await?).await?;
    let rest = "what is not embedded yet waits in the queue of the database, if one was named";
    let files = of_files.then_some(Files { directory, questions: &questions });
    let work = run_collection(session, &worker, &collection, files);
    let ended = progress::until_told_to_stop(session.output, rest, work).await;
    worker.stop().await;
    let measured = ended?;
    session.output.list("modes", &measured, |look| text_of(look, &measured))
}

/// Markdown files, and what is asked about them.
struct Files<'a> {
    directory: &'a Path,
    questions: &'a Path,
}

/// Saves the collection, or brings in `files`, embeds them, and asks all questions in all modes.
async fn run_collection(
    session: &Session,
    worker: &RunningHost,
    collection: &Collection,
    files: Option<Files<'_>>,
) -> anyhow::Result<Vec<Quality>> {
    let host = &worker.host;
    database::renew_words(&host.database, &host.settings().search.language).await?;
    if let Some(Files { directory, questions }) = files {
        let import = Import {
            directory: directory.to_path_buf(),
            folder: Folder::default(),
            source: None,
            on_conflict: OnConflict::Skip,
            layout: None,
            dry_run: false,
        };
        let report = files::import(&host.articles, &import, &|_, _| ()).await?;
        session.output.note(&format!("{} brought in", count(report.created, "file")));
        let articles: HashSet<_> = host.articles.slugs("", usize::MAX).await?.into_iter().collect();
        collection.check(questions, &articles)?;
    } else {
        save(&host.articles, collection).await?;
        session.output.note(&format!("{} saved", count(collection.documents.len(), "document")));
    }
    progress::wait_for_queue(worker, session.output).await?;
    let ways = ways(&host.search);
    let queries = (ways.len() * collection.judged_queries().count()) as u64;
    let bar = progress::bar(session.output, queries, "queries");
    let measured = measure(&ways, collection, || bar.inc(1)).await?;
    bar.finish_and_clear();
    Ok(measured)
}

fn text_of(look: TextStyle, measured: &[Quality]) -> String {
    let rows = measured.iter().map(|quality| {
        [
            way(quality),
            format!("{:.4}", quality.ndcg_at_10),
            format!("{:.4}", quality.recall_at_100),
            format!("{:.4}", quality.first),
            format!("{:.4}", quality.in_three),
            quality.degraded.to_string(),
            quality.cut.to_string(),
            quality.lost.len().to_string(),
        ]
    });
    let head = [
        name("mode"),
        number("nDCG@10"),
        number("recall@100"),
        number("first"),
        number("in three"),
        number("degraded"),
        number("cut"),
        number("lost"),
    ];
    let (queries, missing) = measured.first().map_or((0, 0), |quality| (quality.queries, quality.missing));
    let mut text = format!("{} with known answers", count(queries, "question"));
    if missing > 0 {
        let documents = count(missing, "document");
        text.push_str(&format!("; {documents} among these are not in the collection, and count as not found"));
    }
    text.push_str(&format!("\n\n{}", table(look, head, rows)));
    for quality in measured.iter().filter(|quality| !quality.lost.is_empty()) {
        text.push_str(&format!("\n\nlost by {}, found among the first three by another:", way(quality)));
        for query in quality.lost.iter().take(MAX_LOST_QUERIES) {
            text.push_str(&format!("\n  {}", line(query, 120)));
        }
    }
    text
}

/// How it was searched.
fn way(Quality { mode, reranked, .. }: &Quality) -> String {
    if *reranked { format!("{mode}, reranked") } else { mode.to_string() }
}

async fn save(articles: &Articles, collection: &Collection) -> anyhow::Result<()> {
    stream::iter(&collection.documents)
        .map(|document| async move {
            let slug = document.slug();
            let title = if document.title.trim().is_empty() { slug.clone() } else { document.title.clone() };
            // Titles of a collection may have any length.
            let title: String = title.chars().take(300).collect();
            let new = NewArticle {
                title,
                body: document.text.clone(),
                slug: Some(Slug::parse(&slug)?),
                ..NewArticle::default()
            };
            match articles.create(new).await {
                // A reused database has it already.
                Ok(_) | Err(ArticleError::Exists { .. }) => Ok(()),
                Err(error) => Err(error).with_context(|| format!("document {slug}")),
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_for_each(|()| async { Ok(()) })
        .await
}

//! `eval`: search quality on a collection with known answers, in a database of its own.

use std::path::Path;

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{progress, session::Session, table::table};
use crate::{
    articles::{Articles, NewArticle, slug::Slug},
    evaluation::{Collection, Quality, measure},
    host::Host,
    search::Mode,
};

/// Documents saved at the same time: they share commits.
const AT_ONCE: usize = 64;

pub(super) async fn run(session: &Session, directory: &Path) -> anyhow::Result<()> {
    let collection = Collection::read(directory)?;
    let folder = tempfile::tempdir().context("no room for a temporary database")?;
    let mut settings = session.loaded.settings.clone();
    settings.database.url = format!("sqlite://{}", folder.path().join("eval.db").display());
    let worker = session.worker(Host::open(&settings).await?).await?;
    save(&worker.host.articles, &collection).await?;
    session.output.note(&format!("{} documents saved", collection.documents.len()));
    progress::wait_for_queue(&worker, session.output).await?;
    let queries = collection.judged_queries().count() as u64;
    let mut measured: Vec<Quality> = Vec::new();
    for mode in [Mode::Keyword, Mode::Semantic, Mode::Hybrid] {
        let bar = progress::bar(session.output, queries, mode.as_str());
        measured.push(measure(&worker.host.search, &collection, mode, || bar.inc(1)).await?);
        bar.finish_and_clear();
    }
    worker.stop().await;
    session.output.answer(&measured, || {
        let rows = measured.iter().map(|quality| {
            [
                quality.mode.to_string(),
                format!("{:.4}", quality.ndcg_at_10),
                format!("{:.4}", quality.recall_at_100),
                quality.degraded.to_string(),
            ]
        });
        table(["mode", "nDCG@10", "recall@100", "degraded"], rows)
    })
}

async fn save(articles: &Articles, collection: &Collection) -> anyhow::Result<()> {
    stream::iter(&collection.documents)
        .map(|document| async move {
            let slug = document.slug();
            let title = if document.title.trim().is_empty() { slug.clone() } else { document.title.clone() };
            // Titles of a collection may be as long as they like.
            let title: String = title.chars().take(300).collect();
            let new = NewArticle {
                title,
                body: document.text.clone(),
                slug: Some(Slug::parse(&slug)?),
                ..NewArticle::default()
            };
            articles.create(new).await.with_context(|| format!("document {slug}"))
        })
        .buffer_unordered(AT_ONCE)
        .try_for_each(|_| async { Ok(()) })
        .await
}

//! `article …`

use std::{io::Read, path::Path};

use anyhow::Context;

use super::{
    arguments::{ArticleCommand, TextArguments},
    failure::Usage,
    session::{self, Session},
    table::{fields, short, table},
};
use crate::articles::{Article, Changes, EmbeddingStatus, NewArticle, Saved};

pub(super) async fn run(session: &Session, command: ArticleCommand) -> anyhow::Result<()> {
    match command {
        ArticleCommand::Create { title, text, slug, folder, skip_embedding, priority, idempotency_key } => {
            let new = NewArticle {
                title,
                body: text.read()?.unwrap_or_default(),
                slug: slug.map(|slug| session::slug(&slug)).transpose()?,
                folder: session::folder(&folder)?,
                skip_embedding,
                priority,
                idempotency_key,
                ..NewArticle::default()
            };
            create(session, new).await
        }
        ArticleCommand::Show { slug, revision } => show(session, &slug, revision).await,
        ArticleCommand::List { folder, limit, cursor: _, deleted: true } => list_deleted(session, &folder, limit).await,
        ArticleCommand::List { folder, limit, cursor, deleted: false } => {
            list(session, &folder, limit, cursor.as_deref()).await
        }
        ArticleCommand::Update { slug, title, text, folder, skip_embedding, priority, expected_revision } => {
            let changes = Changes {
                title,
                body: text.read()?,
                folder: folder.map(|folder| session::folder(&folder)).transpose()?,
                skip_embedding,
                priority,
                expected_revision,
                ..Changes::default()
            };
            update(session, &slug, changes).await
        }
        ArticleCommand::Delete { slug, expected_revision } => delete(session, &slug, expected_revision).await,
        ArticleCommand::Rename { slug, to, expected_revision } => {
            let saved = session.host().await?.articles.rename(&slug, session::slug(&to)?, expected_revision).await?;
            answer(session, &saved, "renamed").await
        }
        ArticleCommand::History { slug } => history(session, &slug).await,
        ArticleCommand::Restore { slug, revision } => {
            let saved = session.saving_host().await?.articles.restore(&slug, revision).await?;
            answer(session, &saved, "restored").await
        }
    }
}

impl TextArguments {
    fn read(self) -> anyhow::Result<Option<String>> {
        match (self.body, self.file) {
            (Some(body), _) => Ok(Some(body)),
            (None, Some(file)) => read_file(&file).map(Some),
            (None, None) => Ok(None),
        }
    }
}

fn read_file(file: &Path) -> anyhow::Result<String> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("standard input cannot be read")?;
        bytes
    } else {
        std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?
    };
    String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8 text", file.display()))
}

async fn create(session: &Session, new: NewArticle) -> anyhow::Result<()> {
    let saved = session.saving_host().await?.articles.create(new).await?;
    answer(session, &saved, "created").await
}

async fn update(session: &Session, slug: &str, changes: Changes) -> anyhow::Result<()> {
    let nothing = Changes { expected_revision: changes.expected_revision, ..Changes::default() };
    if format!("{changes:?}") == format!("{nothing:?}") {
        let message = "say what to change: --title, --body, --file, --folder, --skip-embedding or --priority";
        return Err(Usage(message.to_owned()).into());
    }
    let saved = session.saving_host().await?.articles.update(slug, changes).await?;
    answer(session, &saved, "updated").await
}

async fn answer(session: &Session, saved: &Saved, done: &str) -> anyhow::Result<()> {
    let article = &saved.article;
    let done = if saved.changed { done } else { "unchanged" };
    session.output.answer(article, || {
        format!("{done} {} (revision {}), embedding: {}", article.slug, article.revision, state(&article.embedding))
    })?;
    if saved.task_id.is_some() && session.loaded.settings.queue.enabled {
        let host = session.host().await?;
        if !crate::hosts::somebody_works(&host.database).await {
            session.output.note("no host is running; `afterword bulk start` embeds what waits");
        }
    }
    Ok(())
}

async fn show(session: &Session, slug: &str, revision: Option<i64>) -> anyhow::Result<()> {
    let articles = session.host().await?.articles;
    let article = match revision {
        Some(revision) => articles.read_revision(slug, revision).await?,
        None => articles.read(slug).await?,
    };
    session.output.answer(&article, || text_of(&article))
}

fn text_of(article: &Article) -> String {
    let mut rows = vec![
        ("title", article.title.clone()),
        ("slug", article.slug.clone()),
        ("folder", if article.folder.is_empty() { "(root)".to_owned() } else { article.folder.clone() }),
        ("revision", article.revision.to_string()),
        ("updated", article.updated_at.to_string()),
        ("embedding", state(&article.embedding)),
    ];
    if let Some(error) = &article.embedding.error {
        rows.push(("last error", error.clone()));
    }
    format!("{}\n\n{}", fields(rows), article.body)
}

async fn list(session: &Session, folder: &str, limit: u32, cursor: Option<&str>) -> anyhow::Result<()> {
    let page = session.host().await?.articles.list(&session::folder(folder)?, cursor, limit).await?;
    session.output.answer(&page, || {
        let rows = page.articles.iter().map(|article| {
            [
                article.slug.clone(),
                short(&article.title, 50),
                article.folder.clone(),
                article.revision.to_string(),
                state(&article.embedding),
            ]
        });
        table(["slug", "title", "folder", "rev", "embedding"], rows)
    })?;
    let shown = page.articles.len();
    match &page.next_cursor {
        Some(cursor) => {
            session.output.note(&format!("{shown} of {} articles; more with --cursor {cursor}", page.total))
        }
        None if page.total == 1 => session.output.note("1 article"),
        None => session.output.note(&format!("{} articles", page.total)),
    }
    Ok(())
}

async fn list_deleted(session: &Session, folder: &str, limit: u32) -> anyhow::Result<()> {
    let deleted = session.host().await?.articles.deleted(&session::folder(folder)?, limit).await?;
    session.output.answer(&deleted, || {
        let rows = deleted.iter().map(|article| {
            [
                article.name.clone(),
                article.slug.clone(),
                short(&article.title, 50),
                article.revision.to_string(),
                article.deleted_at.to_string(),
            ]
        });
        table(["name", "slug", "title", "rev", "deleted"], rows)
    })?;
    session.output.note("`afterword article restore NAME` brings one back, and `article history NAME` shows its past");
    Ok(())
}

async fn delete(session: &Session, slug: &str, expected_revision: Option<i64>) -> anyhow::Result<()> {
    let article = session.host().await?.articles.delete(slug, expected_revision).await?;
    let deleted = serde_json::json!({ "deleted": article.slug, "revision": article.revision });
    session.output.answer(&deleted, || {
        format!(
            "deleted {} (\"{}\"); `afterword article restore {}` brings it back",
            article.slug, article.title, article.slug
        )
    })
}

async fn history(session: &Session, slug: &str) -> anyhow::Result<()> {
    let history = session.host().await?.articles.history(slug).await?;
    session.output.answer(&history, || {
        let rows = history.iter().map(|revision| {
            let note = match (revision.present, revision.deleted) {
                (true, _) => "present",
                (false, true) => "deleted after this",
                (false, false) => "",
            };
            [
                revision.revision.to_string(),
                revision.saved_at.to_string(),
                revision.slug.clone(),
                short(&revision.title, 40),
                revision.size.to_string(),
                note.to_owned(),
            ]
        });
        table(["rev", "saved", "slug", "title", "bytes", ""], rows)
    })
}

/// An embedding's status in a few words.
pub(super) fn state(embedding: &EmbeddingStatus) -> String {
    let state = embedding.status.as_str();
    match (embedding.searchable, embedding.stale) {
        (true, true) => format!("{state} (older vectors serve)"),
        (true, false) | (false, _) => state.to_owned(),
    }
}

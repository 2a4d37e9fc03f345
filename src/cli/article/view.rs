//! Articles as people read them on a terminal.

use super::property::written;
use crate::{
    articles::{Article, ArticleSummary, DeletedArticle, EmbeddingStatus, Revision, SaveResult},
    cli::{
        table::{fields, name, number, of_status, status, table, text, time},
        text_style::{NAME, TextStyle},
    },
};

/// Says in one line what was done.
pub(in crate::cli) fn saved_line(look: TextStyle, saved: &SaveResult, done: &str) -> String {
    let article = &saved.article;
    let done = if saved.changed { done } else { "unchanged" };
    let embedding = state(&article.embedding);
    format!(
        "{done} {} (revision {}), embedding: {}",
        look.paint(NAME, &article.slug),
        article.revision,
        look.paint(of_status(&embedding), &embedding)
    )
}

/// Shows a whole article.
pub(in crate::cli) fn article(look: TextStyle, article: &Article) -> String {
    let embedding = state(&article.embedding);
    let mut rows = vec![
        ("title", article.title.clone()),
        ("slug", look.paint(NAME, &article.slug)),
        ("folder", if article.folder.is_empty() { "(root)".to_owned() } else { article.folder.clone() }),
        ("revision", article.revision.to_string()),
        ("created", look.time_and_age(article.created_at)),
        ("updated", look.time_and_age(article.updated_at)),
        ("embedding", look.paint(of_status(&embedding), &embedding)),
    ];
    if !article.tags.is_empty() {
        rows.push(("tags", article.tags.join(", ")));
    }
    let properties = article.properties.iter().map(|(key, value)| format!("{key}: {}", written(value)));
    let properties: Vec<_> = properties.collect();
    if !properties.is_empty() {
        rows.push(("properties", properties.join("; ")));
    }
    if let Some(error) = &article.embedding.error {
        rows.push(("last error", error.clone()));
    }
    format!("{}\n\n{}", fields(look, rows), article.body)
}

pub(in crate::cli) fn list(look: TextStyle, articles: &[ArticleSummary]) -> String {
    let rows = articles.iter().map(|article| {
        [
            article.slug.clone(),
            article.title.clone(),
            article.folder.clone(),
            article.revision.to_string(),
            look.time(article.updated_at),
            state(&article.embedding),
        ]
    });
    table(
        look,
        [name("slug"), text("title"), name("folder"), number("rev"), time("updated"), status("embedding")],
        rows,
    )
}

pub(in crate::cli) fn deleted(look: TextStyle, articles: &[DeletedArticle]) -> String {
    let rows = articles.iter().map(|article| {
        [
            article.name.clone(),
            article.slug.clone(),
            article.title.clone(),
            article.revision.to_string(),
            look.time(article.deleted_at),
        ]
    });
    table(look, [name("name"), name("slug"), text("title"), number("rev"), time("deleted")], rows)
}

pub(in crate::cli) fn history(look: TextStyle, revisions: &[Revision]) -> String {
    let rows = revisions.iter().map(|revision| {
        let note = match (revision.present, revision.deleted) {
            (true, _) => "present",
            (false, true) => "deleted after this",
            (false, false) => "",
        };
        [
            revision.revision.to_string(),
            look.time(revision.saved_at),
            revision.slug.clone(),
            revision.title.clone(),
            revision.size.to_string(),
            note.to_owned(),
        ]
    });
    table(look, [number("rev"), time("saved"), name("slug"), text("title"), number("bytes"), status("")], rows)
}

/// Describes an embedding's status in a few words.
pub(in crate::cli) fn state(embedding: &EmbeddingStatus) -> String {
    let state = embedding.status.as_str();
    match (embedding.searchable, embedding.stale) {
        (true, true) => format!("{state} (older vectors serve)"),
        (true, false) | (false, _) => state.to_owned(),
    }
}

//! `article diff`: what changed between two revisions.

use std::{path::PathBuf, time::Duration};

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use super::text::read_file;
use crate::{
    articles::{
        Article, ArticleError, Articles,
        compared::{FieldChange, fields},
    },
    cli::{
        failure::Usage,
        session::Session,
        text_style::{BAD, FAINT, GOOD, STRONG, TextStyle},
    },
};

/// Lines shown around a change.
const CONTEXT_LINES: usize = 3;
/// After this time, the difference is correct but not the shortest.
const DIFF_TIMEOUT: Duration = Duration::from_secs(2);

/// The two texts to compare.
pub(super) struct DiffRequest {
    pub(super) from: Option<i64>,
    pub(super) to: Option<i64>,
    pub(super) file: Option<PathBuf>,
}

/// Everything that changed in an article.
#[derive(Debug, Serialize)]
struct Difference {
    slug: String,
    from: String,
    to: String,
    /// Title, slug, folder and whether it is embedded, if they changed.
    fields: Vec<FieldChange>,
    /// The changes of the front matter beside the text, as a unified diff; empty if there are none.
    front_matter: String,
    lines_added: usize,
    lines_removed: usize,
    /// The text's changes, as a unified diff; empty if there are none.
    diff: String,
}

pub(super) async fn run(session: &Session, slug: &str, request: DiffRequest) -> anyhow::Result<()> {
    let articles = session.host().await?.articles;
    let difference = match request.file {
        Some(file) => {
            let before = revision(&articles, slug, request.from).await?;
            let body = read_file(&file, session.loaded.settings.articles.max_size)?;
            let after = Article { body, ..before.clone() };
            Difference::between(&before, &after, file.display().to_string())
        }
        None => {
            let (before, after) = two_revisions(&articles, slug, request.from, request.to).await?;
            let name = name_of(&after);
            Difference::between(&before, &after, name)
        }
    };
    session.output.answer(&difference, |look| text_of(look, &difference))
}

/// Reads a revision; of a deleted article, the last one is the newer.
async fn revision(articles: &Articles, slug: &str, number: Option<i64>) -> Result<Article, ArticleError> {
    match number {
        Some(number) => articles.read_revision(slug, number).await,
        None => match articles.read(slug).await {
            Err(ArticleError::NotFound { .. }) => {
                let newest = articles.history(slug).await?.into_iter().map(|revision| revision.revision).max();
                articles.read_revision(slug, newest.unwrap_or_default()).await
            }
            read => read,
        },
    }
}

async fn two_revisions(
    articles: &Articles,
    slug: &str,
    from: Option<i64>,
    to: Option<i64>,
) -> anyhow::Result<(Article, Article)> {
    let after = revision(articles, slug, to).await?;
    let from = match from {
        Some(from) => from,
        // Revisions may have been trimmed, so the one before is not always one less.
        None => {
            let history = articles.history(slug).await?;
            let before = history.iter().map(|revision| revision.revision).filter(|number| *number < after.revision);
            before.max().ok_or_else(|| Usage(format!("{slug} has one revision only; there is nothing to compare")))?
        }
    };
    Ok((articles.read_revision(slug, from).await?, after))
}

fn name_of(article: &Article) -> String {
    format!("{} (revision {})", article.slug, article.revision)
}

impl Difference {
    fn between(before: &Article, after: &Article, to: String) -> Self {
        let from = name_of(before);
        let text = TextDiff::configure().timeout(DIFF_TIMEOUT).diff_lines(&before.body, &after.body);
        let count = |tag| text.iter_all_changes().filter(|change| change.tag() == tag).count();
        let (lines_added, lines_removed) = (count(ChangeTag::Insert), count(ChangeTag::Delete));
        let diff = text.unified_diff().context_radius(CONTEXT_LINES).header(&from, &to).to_string();
        let heads = TextDiff::configure().timeout(DIFF_TIMEOUT).diff_lines(&before.front_matter, &after.front_matter);
        let names = [&from, &to].map(|name| format!("front matter of {name}"));
        let front_matter = heads.unified_diff().context_radius(CONTEXT_LINES).header(&names[0], &names[1]).to_string();
        let (slug, fields) = (after.slug.clone(), fields(before, after));
        Self { slug, from, to, fields, front_matter, lines_added, lines_removed, diff }
    }
}

fn text_of(look: TextStyle, difference: &Difference) -> String {
    let Difference { fields, front_matter, diff, from, to, .. } = difference;
    let mut lines: Vec<_> = fields
        .iter()
        .flat_map(|change| {
            let FieldChange { field, from, to } = change;
            [look.paint(BAD, &format!("-{field}: {from}")), look.paint(GOOD, &format!("+{field}: {to}"))]
        })
        .collect();
    lines.extend(front_matter.lines().chain(diff.lines()).map(|line| colour_line(look, line)));
    if lines.is_empty() { format!("{from} and {to} are the same") } else { lines.join("\n") }
}

/// A line of a unified diff, in colour.
pub(super) fn colour_line(look: TextStyle, line: &str) -> String {
    look.paint(style_of(line), line)
}

fn style_of(line: &str) -> anstyle::Style {
    match line {
        _ if line.starts_with("--- ") || line.starts_with("+++ ") => STRONG,
        _ if line.starts_with("@@") => FAINT,
        _ if line.starts_with('+') => GOOD,
        _ if line.starts_with('-') => BAD,
        _ => anstyle::Style::new(),
    }
}

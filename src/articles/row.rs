//! Reads articles: by their slug or a former one, with their embedding's status judged from what is stored.

use std::collections::HashMap;

use afterword_actors::store::{
    Engine, StoreError, Transaction,
    sql::{self, FromRow, Row, Sql},
};

use super::{
    Article, ArticleSummary, EmbeddingState, EmbeddingStatus, names,
    properties::{self, Properties, TextReading},
    slug::as_stored,
};
use crate::time::Timestamp;

/// The columns of every reading; `a` is the article, `e` its embedding by the model that searches use, `t` its newest
/// task that was not cancelled. A set that is being built does not change how an article is found.
pub(super) const COLUMNS: &str = "
    a.id, a.slug, a.title, a.folder, a.revision, a.content_hash, a.skip_embedding, a.created_at,
    a.updated_at, e.revision AS embedded_revision, e.content_hash AS embedded_hash,
    t.id AS task_id, t.status AS task_status, t.error_message AS task_error";
pub(super) const JOINS: &str = "
    LEFT JOIN article_embeddings e ON e.article_id = a.id
        AND e.model_id = (SELECT id FROM embedding_models WHERE state = 'active')
    LEFT JOIN embedding_tasks t ON t.id = (
        SELECT n.id FROM embedding_tasks n WHERE n.article_id = a.id AND n.status <> 'cancelled'
          AND (n.model_id IS NULL OR n.model_id NOT IN (SELECT id FROM embedding_models WHERE state = 'building'))
        ORDER BY n.id DESC LIMIT 1)";

/// The front matter of a row of articles or of their versions. What earlier versions stored, and no save has replaced
/// since, is converted to the same form.
pub(crate) const FRONT_MATTER: &str = "CASE WHEN a.front_matter = '' AND a.extra <> ''
    THEN '---\n' || a.extra || '---\n' ELSE a.front_matter END AS front_matter";

/// An article as it is stored.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct ArticleRow {
    pub(super) id: i64,
    pub(crate) slug: String,
    pub(crate) title: String,
    pub(super) folder: String,
    pub(crate) body: String,
    pub(crate) front_matter: String,
    pub(super) revision: i64,
    pub(super) content_hash: String,
    pub(super) skip_embedding: bool,
    pub(super) created_at: i64,
    pub(crate) updated_at: i64,
    pub(super) embedded_revision: Option<i64>,
    pub(super) embedded_hash: Option<String>,
    pub(super) task_id: Option<i64>,
    pub(super) task_status: Option<String>,
    pub(super) task_error: Option<String>,
}

/// An article as it is listed.
#[derive(Debug, Clone, FromRow)]
pub(super) struct SummaryRow {
    pub(super) id: i64,
    slug: String,
    title: String,
    folder: String,
    size: i64,
    revision: i64,
    content_hash: String,
    skip_embedding: bool,
    pub(crate) updated_at: i64,
    embedded_revision: Option<i64>,
    embedded_hash: Option<String>,
    task_id: Option<i64>,
    task_status: Option<String>,
    task_error: Option<String>,
}

/// Finds the article that has this slug, or had it before.
pub(super) async fn by_slug(connection: &impl Sql, slug: &str) -> Result<Option<ArticleRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, {FRONT_MATTER}, a.body FROM articles a {JOINS}
         WHERE a.id = coalesce((SELECT id FROM articles WHERE slug = $1),
                               (SELECT article_id FROM slug_aliases WHERE slug = $1))"
    );
    connection.row(&sql, [as_stored(slug).as_ref().into()]).await
}

/// Finds the article of this slug, a former one, or an alias.
pub(super) async fn by_name(connection: &impl Sql, name: &str) -> Result<Option<ArticleRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, {FRONT_MATTER}, a.body FROM articles a {JOINS} WHERE a.id = {}",
        properties::KNOWN_BY
    );
    connection.row(&sql, [as_stored(name).as_ref().into(), properties::alias_of(name).into()]).await
}

/// As [`by_slug`], locked until the commit, and read after the lock: earlier changes have been committed.
///
/// No article is renamed while this waits. Otherwise the name could lead to another article by then, and two saves that
/// each lock one and wait for the other could deadlock.
///
/// # Errors
/// [`StoreError::Busy`] if the name moves from article to article faster than one of them can be locked.
pub(super) async fn by_slug_held(transaction: &Transaction, slug: &str) -> Result<Option<ArticleRow>, StoreError> {
    /// How often the name may lead to another article after waiting for the lock of the first.
    const MAX_TRIES: usize = 20;
    if transaction.engine() == Engine::Sqlite {
        return by_slug(transaction, slug).await;
    }
    names::share(transaction).await?;
    let hold = "SELECT a.id AS n FROM articles a
                WHERE a.id = coalesce((SELECT id FROM articles WHERE slug = $1),
                                      (SELECT article_id FROM slug_aliases WHERE slug = $1)) {lock a}";
    for _ in 0..MAX_TRIES {
        let held = transaction.row::<i64>(hold, [as_stored(slug).as_ref().into()]).await?;
        let Some(found) = by_slug(transaction, slug).await? else { return Ok(None) };
        // Meanwhile it may have been deleted or renamed, and the name may belong to another article, which is not
        // locked.
        if held.is_some_and(|held| held == found.id) {
            return Ok(Some(found));
        }
    }
    Err(StoreError::Busy)
}

/// Finds the article of this id.
pub(crate) async fn by_id(connection: &impl Sql, id: i64) -> Result<Option<ArticleRow>, StoreError> {
    connection
        .row(&format!("SELECT {COLUMNS}, {FRONT_MATTER}, a.body FROM articles a {JOINS} WHERE a.id = $1"), [id.into()])
        .await
}

/// What is noted of the vectors that an article has by the model which searches use. The same note is the same chunks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct VectorsNote {
    pub(crate) article_id: i64,
    pub(crate) model_id: i64,
    revision: i64,
    embedded_at: i64,
    pub(crate) chunk_count: i32,
}

/// An article without its body.
pub(crate) struct NotedSummary {
    pub(crate) id: i64,
    pub(crate) article: ArticleSummary,
    /// `None` if it has none.
    pub(crate) vectors: Option<VectorsNote>,
}

/// An article as it is listed, and the note of its vectors.
struct SummaryAndNote(SummaryRow, Option<VectorsNote>);

impl FromRow for SummaryAndNote {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        let summary = SummaryRow::from_row(row)?;
        let (model_id, embedded_at): (Option<i64>, Option<i64>) = (row.get("model_id")?, row.get("embedded_at")?);
        let chunk_count: Option<i32> = row.get("chunk_count")?;
        let note = || {
            let (revision, embedded_at) = (summary.embedded_revision?, embedded_at?);
            let (model_id, chunk_count) = (model_id?, chunk_count?);
            Some(VectorsNote { article_id: summary.id, model_id, revision, embedded_at, chunk_count })
        };
        let note = note();
        Ok(Self(summary, note))
    }
}

/// Returns the articles of these ids.
pub(crate) async fn summaries(connection: &impl Sql, ids: &[i64]) -> Result<Vec<NotedSummary>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, CAST(octet_length(a.body) AS BIGINT) AS size, e.model_id, e.embedded_at, e.chunk_count
         FROM {{ids $1}} j JOIN articles a ON a.id = j.id {JOINS}"
    );
    let ids = sql::json(ids)?;
    let summarised = |SummaryAndNote(summary, vectors): SummaryAndNote| NotedSummary {
        id: summary.id,
        vectors,
        article: summary.into(),
    };
    Ok(connection.rows::<SummaryAndNote>(&sql, [ids]).await?.into_iter().map(summarised).collect())
}

/// Adds the article's tags, all of them: where the index may have left some out, they are read from the text.
pub(super) async fn with_tags(connection: &impl Sql, row: ArticleRow) -> Result<Article, StoreError> {
    let indexed = properties::tags(connection, &[row.id]).await?;
    let tags = match indexed.len() {
        0..properties::MAX_TAGS => indexed.into_iter().map(|(_, name)| name).collect(),
        _ => Properties::of_reading(&row.front_matter, &TextReading::of(&row.body).await).names(),
    };
    Ok(Article { tags, ..row.into() })
}

/// Adds the tags of a list's rows.
pub(super) async fn summaries_with_tags(
    connection: &impl Sql,
    rows: Vec<SummaryRow>,
) -> Result<Vec<ArticleSummary>, StoreError> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut tags: HashMap<i64, Vec<String>> = HashMap::new();
    for (id, tag) in properties::tags(connection, &ids).await? {
        tags.entry(id).or_default().push(tag);
    }
    let summary = |row: SummaryRow| ArticleSummary { tags: tags.remove(&row.id).unwrap_or_default(), ..row.into() };
    Ok(rows.into_iter().map(summary).collect())
}

impl From<ArticleRow> for Article {
    fn from(row: ArticleRow) -> Self {
        let embedding = status(&Facts {
            skip: row.skip_embedding,
            content_hash: &row.content_hash,
            embedded_hash: row.embedded_hash.as_deref(),
            embedded_revision: row.embedded_revision,
            task_id: row.task_id,
            task_status: row.task_status.as_deref(),
            task_error: row.task_error.as_deref(),
        });
        let properties = Properties::of_article(&row.front_matter, &row.body).to_json();
        Self {
            slug: row.slug,
            title: row.title,
            folder: row.folder,
            body: row.body,
            revision: row.revision,
            skip_embedding: row.skip_embedding,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
            embedding,
            tags: Vec::new(),
            properties,
            front_matter: row.front_matter,
            id: row.id,
        }
    }
}

impl From<SummaryRow> for ArticleSummary {
    fn from(row: SummaryRow) -> Self {
        let embedding = status(&Facts {
            skip: row.skip_embedding,
            content_hash: &row.content_hash,
            embedded_hash: row.embedded_hash.as_deref(),
            embedded_revision: row.embedded_revision,
            task_id: row.task_id,
            task_status: row.task_status.as_deref(),
            task_error: row.task_error.as_deref(),
        });
        Self {
            slug: row.slug,
            title: row.title,
            folder: row.folder,
            revision: row.revision,
            size: row.size,
            updated_at: Timestamp(row.updated_at),
            embedding,
            tags: Vec::new(),
        }
    }
}

struct Facts<'a> {
    skip: bool,
    content_hash: &'a str,
    embedded_hash: Option<&'a str>,
    embedded_revision: Option<i64>,
    task_id: Option<i64>,
    task_status: Option<&'a str>,
    task_error: Option<&'a str>,
}

/// The stored vectors decide; the task only says what is going on.
fn status(facts: &Facts<'_>) -> EmbeddingStatus {
    let current = facts.embedded_hash == Some(facts.content_hash);
    let state = match facts.task_status {
        _ if facts.skip => EmbeddingState::Skipped,
        Some("pending") => EmbeddingState::Pending,
        Some("processing") => EmbeddingState::Processing,
        _ if current => EmbeddingState::Completed,
        Some("failed") => EmbeddingState::Failed,
        Some(_) | None => EmbeddingState::Missing,
    };
    let open = matches!(state, EmbeddingState::Pending | EmbeddingState::Processing | EmbeddingState::Failed);
    EmbeddingStatus {
        status: state,
        searchable: facts.embedded_hash.is_some() && !facts.skip,
        stale: facts.embedded_hash.is_some() && !current,
        revision: facts.embedded_revision,
        task_id: facts.task_id.filter(|_| open),
        error: facts.task_error.filter(|_| open).map(str::to_owned),
    }
}

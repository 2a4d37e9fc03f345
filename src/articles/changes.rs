//! What has changed since the last look, by any caller in any process.

use std::{collections::HashMap, time::Duration};

use afterword_actors::store::{
    Database, StoreError,
    sql::{self, FromRow, Sql},
};

/// How far each look reaches back before the one before. A save gets its time before it is committed, and may become
/// visible after one with a later time.
const OVERLAP: Duration = Duration::from_secs(2);
/// A save with a long text, or one that waits for others, may take longer: now and then a look reaches back as far as a
/// transaction may last.
const LONG_OVERLAP: Duration = Duration::from_secs(40);
const LONG_OVERLAP_EVERY: Duration = Duration::from_secs(5);

/// An article that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArticleEvent {
    /// Its slug, at present or when it was deleted.
    pub slug: String,
    /// The slugs that it had before, and that lead to it, or did until it was deleted.
    pub former_slugs: Vec<String>,
    /// What happened.
    pub kind: ChangeKind,
}

/// What happened to an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// Created, restored, or renamed to this slug.
    Appeared,
    /// Saved.
    Saved,
    /// Deleted.
    Gone,
}

/// Looks for changes, each time for those since the last look.
pub struct ChangeFeed {
    database: Database,
    /// When it looked last, by the database's clock. *Units:* milliseconds since 1970.
    looked: Option<i64>,
    /// When a look reached back as far as [`LONG_OVERLAP`]. *Units:* milliseconds since 1970.
    looked_far: Option<i64>,
    /// What was returned and may be read again, with its time.
    told: HashMap<ChangeKey, i64>,
}

/// The identity of a change.
#[derive(PartialEq, Eq, Hash)]
enum ChangeKey {
    /// A revision of an article.
    Revision { article: i64, revision: i64 },
    /// An entry of the audit trail.
    Act { id: i64 },
}

#[derive(FromRow)]
struct SavedRow {
    id: i64,
    slug: String,
    revision: i64,
    updated_at: i64,
    renamed: bool,
}

#[derive(FromRow)]
struct ActRow {
    id: i64,
    article_id: i64,
    at: i64,
    event: String,
    slug: String,
}

impl ChangeFeed {
    pub(super) fn new(database: Database) -> Self {
        Self { database, looked: None, looked_far: None, told: HashMap::new() }
    }

    /// Returns the changes since the last look; at the first one those of the last moments.
    ///
    /// # Errors
    /// [`StoreError`]; the next look returns what this one did not.
    pub async fn next(&mut self) -> Result<Vec<ArticleEvent>, StoreError> {
        let now = sql::now(self.database.reader()).await?;
        let is_far = self.looked_far.is_none_or(|at| now - at >= sql::millis(LONG_OVERLAP_EVERY));
        let overlap = sql::millis(if is_far { LONG_OVERLAP } else { OVERLAP });
        let since = self.looked.unwrap_or(now) - overlap;
        let (acts, saved) = (self.acts(since).await?, self.saved(since).await?);
        // What is older than this was there before the first look.
        let news_since = if self.looked.is_none() { now - sql::millis(OVERLAP) } else { i64::MIN };
        let mut changes: Vec<(i64, ArticleEvent)> = Vec::new();
        for act in acts {
            if self.told.insert(ChangeKey::Act { id: act.id }, act.at).is_none() && act.at >= news_since {
                changes.push((act.article_id, act.into()));
            }
        }
        for row in saved {
            let seen = ChangeKey::Revision { article: row.id, revision: row.revision };
            if self.told.insert(seen, row.updated_at).is_none() && row.updated_at >= news_since {
                changes.push((row.id, row.into()));
            }
        }
        let changes = self.with_former_slugs(changes).await?;
        self.looked = Some(now);
        self.looked_far = if is_far { Some(now) } else { self.looked_far };
        self.told.retain(|_, at| *at >= now - sql::millis(LONG_OVERLAP));
        Ok(changes)
    }

    /// A deleted article has no former slugs but those of its revisions.
    async fn with_former_slugs(&self, changes: Vec<(i64, ArticleEvent)>) -> Result<Vec<ArticleEvent>, StoreError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<i64> = changes.iter().map(|(id, _)| *id).collect();
        let sql = "SELECT s.article_id, s.slug FROM {ids $1} j JOIN slug_aliases s ON s.article_id = j.id
                   UNION SELECT v.article_id, v.slug FROM {ids $1} j JOIN article_versions v ON v.article_id = j.id
                   WHERE NOT EXISTS (SELECT 1 FROM articles a WHERE a.id = j.id)";
        let slugs: Vec<(i64, String)> = self.database.reader().rows(sql, [sql::json(&ids)?]).await?;
        let mut former: HashMap<i64, Vec<String>> = HashMap::new();
        for (id, slug) in slugs {
            former.entry(id).or_default().push(slug);
        }
        let with = |(id, mut change): (i64, ArticleEvent)| {
            change.former_slugs = former.get(&id).cloned().unwrap_or_default();
            change.former_slugs.retain(|slug| *slug != change.slug);
            change
        };
        Ok(changes.into_iter().map(with).collect())
    }

    async fn acts(&self, since: i64) -> Result<Vec<ActRow>, StoreError> {
        self.database
            .reader()
            .rows(
                "SELECT id, article_id, at, event, coalesce(detail, '') AS slug FROM embedding_task_events
                 WHERE at >= $1 AND task_id IS NULL AND event IN ('article deleted', 'article restored', 'article imported')
                 ORDER BY at, id",
                [since.into()],
            )
            .await
    }

    async fn saved(&self, since: i64) -> Result<Vec<SavedRow>, StoreError> {
        self.database
            .reader()
            .rows(
                "SELECT a.id, a.slug, a.revision, a.updated_at, EXISTS (
                     SELECT 1 FROM slug_aliases s WHERE s.article_id = a.id AND s.created_at >= a.updated_at) AS renamed
                 FROM articles a WHERE a.updated_at >= $1 ORDER BY a.updated_at, a.id",
                [since.into()],
            )
            .await
    }
}

impl From<ActRow> for ArticleEvent {
    fn from(row: ActRow) -> Self {
        let kind = if row.event == "article deleted" { ChangeKind::Gone } else { ChangeKind::Appeared };
        Self { slug: row.slug, former_slugs: Vec::new(), kind }
    }
}

impl From<SavedRow> for ArticleEvent {
    fn from(row: SavedRow) -> Self {
        let kind = if row.revision == 1 || row.renamed { ChangeKind::Appeared } else { ChangeKind::Saved };
        Self { slug: row.slug, former_slugs: Vec::new(), kind }
    }
}

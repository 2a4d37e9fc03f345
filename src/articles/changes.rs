//! What has changed since one last looked, whoever changed it and in whatever process.

use std::{collections::HashMap, time::Duration};

use afterword_actors::store::{
    Database, StoreError,
    sql::{self, Number, Sql},
};
use sea_orm::FromQueryResult;

/// How far each look goes back. A save has its time before it is committed, so that it can come after one that is later.
const OVERLAP: Duration = Duration::from_secs(2);

/// An article that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its slug, at present or at its end.
    pub slug: String,
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

/// Looks for changes, each time for those since the time before.
pub struct Feed {
    database: Database,
    /// What was told, so that nothing is told twice: the article's number, its revision, and when it was saved.
    told: HashMap<i64, (i64, i64)>,
    /// Until when the audit trail was read; `None` before the first look.
    event: Option<i64>,
    since: i64,
}

#[derive(FromQueryResult)]
struct SavedRow {
    id: i64,
    slug: String,
    revision: i64,
    updated_at: i64,
    renamed: bool,
}

#[derive(FromQueryResult)]
struct EventRow {
    id: i64,
    event: String,
    slug: String,
}

impl Feed {
    pub(super) fn new(database: Database) -> Self {
        Self { database, told: HashMap::new(), event: None, since: 0 }
    }

    /// Changes since the last look; at the first one those of the last moments.
    ///
    /// # Errors
    /// [`StoreError`]; what it did not tell, the next look tells.
    pub async fn next(&mut self) -> Result<Vec<Change>, StoreError> {
        let overlap = i64::try_from(OVERLAP.as_millis()).unwrap_or_default();
        let event = match self.event {
            Some(event) => event,
            None => self.begin(overlap).await?,
        };
        let acts = self.acts(event).await?;
        let saved = self.saved(self.since - overlap).await?;
        self.event = Some(acts.last().map_or(event, |act| act.id));
        self.since = saved.last().map_or(self.since, |row| row.updated_at.max(self.since));
        self.told.retain(|_, (_, at)| *at >= self.since - overlap);
        let fresh: Vec<_> = saved.into_iter().filter(|row| self.is_fresh(row)).map(Change::from).collect();
        Ok(acts.into_iter().map(Change::from).chain(fresh).collect())
    }

    async fn begin(&mut self, overlap: i64) -> Result<i64, StoreError> {
        let reader = self.database.reader();
        self.since = sql::now(reader).await?;
        let sql = "SELECT coalesce(max(id), 0) AS n FROM embedding_task_events WHERE at < $1";
        let row = reader.row::<Number>(sql, [(self.since - overlap).into()]).await?;
        Ok(row.map_or(0, |row| row.n))
    }

    async fn acts(&self, after: i64) -> Result<Vec<EventRow>, StoreError> {
        self.database
            .reader()
            .rows(
                "SELECT id, event, coalesce(detail, '') AS slug FROM embedding_task_events
                 WHERE id > $1 AND event IN ('article deleted', 'article restored') ORDER BY id",
                [after.into()],
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

    fn is_fresh(&mut self, row: &SavedRow) -> bool {
        self.told.insert(row.id, (row.revision, row.updated_at)).is_none_or(|(told, _)| told != row.revision)
    }
}

impl From<EventRow> for Change {
    fn from(row: EventRow) -> Self {
        let kind = if row.event == "article deleted" { ChangeKind::Gone } else { ChangeKind::Appeared };
        Self { slug: row.slug, kind }
    }
}

impl From<SavedRow> for Change {
    fn from(row: SavedRow) -> Self {
        let kind = if row.revision == 1 || row.renamed { ChangeKind::Appeared } else { ChangeKind::Saved };
        Self { slug: row.slug, kind }
    }
}

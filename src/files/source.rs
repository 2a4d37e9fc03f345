//! `sources` and `article_sources`: which folders of files there are, and which article each file is.

mod occupant;
pub(super) mod resting;

use afterword_actors::store::{
    Engine, StoreError,
    sql::{self, FromRow, Sql, Value},
};

pub(super) use self::occupant::{Occupant, alike, deleted_slugs, occupants};
use super::place;
use crate::articles::Article;

/// A folder of files.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Source {
    pub(super) id: i64,
    pub(super) name: Option<String>,
    pub(super) machine: String,
    pub(super) root: String,
    pub(super) folder: String,
    /// Whether any file is known in it.
    pub(super) in_use: bool,
    /// Whether it is kept in step with the articles.
    pub(super) kept: bool,
}

/// A file that is known, with its article as it was when the file was last read or written.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(super) struct FileRecord {
    pub(super) source_id: i64,
    pub(super) path: String,
    pub(super) article_id: i64,
    pub(super) file_hash: String,
    pub(super) revision: i64,
    pub(super) slug: String,
    pub(super) folder: String,
    /// Whether an export wrote the file.
    pub(super) written: bool,
    /// The revision the article is at; `None` if it was deleted.
    pub(super) present: Option<i64>,
    /// Its slug now.
    pub(super) present_slug: Option<String>,
}

impl FileRecord {
    /// A file that its owner made, and that has no article yet.
    pub(super) fn without_article(source_id: i64, path: String, file_hash: String) -> Self {
        Self {
            source_id,
            path,
            article_id: 0,
            file_hash,
            revision: 1,
            slug: String::new(),
            folder: String::new(),
            written: false,
            present: None,
            present_slug: None,
        }
    }

    /// The same file, which is this article.
    pub(super) fn with_article(self, article: &Article) -> Self {
        Self {
            article_id: article.id,
            revision: article.revision,
            slug: article.slug.clone(),
            folder: article.folder.clone(),
            ..self
        }
    }

    /// A file that is as its article, at a place.
    #[cfg(test)]
    pub(super) fn sample(article_id: i64, path: &str) -> Self {
        let (slug, present) = ("slug".to_owned(), Some(1));
        Self { article_id, slug, present, ..Self::without_article(1, path.to_owned(), "hash".to_owned()) }
    }
}

const FILE_RECORD_COLUMNS: &str =
    "s.source_id, s.path, s.article_id, s.file_hash, s.revision, s.slug, s.folder, s.written,
    a.revision AS present, a.slug AS present_slug";

/// All folders.
pub(super) async fn all(connection: &impl Sql) -> Result<Vec<Source>, StoreError> {
    connection
        .rows(
            "SELECT id, name, machine, root, folder, kept,
                    EXISTS (SELECT 1 FROM article_sources s WHERE s.source_id = sources.id) AS in_use
             FROM sources ORDER BY id",
            [],
        )
        .await
}

/// The files of a folder; only those at places that begin with `prefix`.
pub(super) async fn files(connection: &impl Sql, source: i64, prefix: &str) -> Result<Vec<FileRecord>, StoreError> {
    let sql = format!(
        "SELECT {FILE_RECORD_COLUMNS} FROM article_sources s LEFT JOIN articles a ON a.id = s.article_id
         WHERE s.source_id = $1 AND substr(s.path, 1, length($2)) = $2"
    );
    connection.rows(&sql, [source.into(), prefix.into()]).await
}

/// The files of all folders.
pub(super) async fn all_files(connection: &impl Sql) -> Result<Vec<FileRecord>, StoreError> {
    let sql = format!(
        "SELECT {FILE_RECORD_COLUMNS} FROM article_sources s LEFT JOIN articles a ON a.id = s.article_id ORDER BY s.source_id, s.path"
    );
    connection.rows(&sql, []).await
}

/// The folder that most of `files` (place and hash) are in, byte for byte, and how many.
pub(super) async fn most_alike(
    connection: &impl Sql,
    folder: &str,
    files: &[(&str, &str)],
) -> Result<Option<(i64, usize)>, StoreError> {
    let alike = connection
        .row::<(i64, i64)>(
            "SELECT o.id, count(*) AS files FROM sources o
             CROSS JOIN {rows $1: path TEXT, hash TEXT} j
             JOIN article_sources s ON s.source_id = o.id AND s.path = j.path AND s.file_hash = j.hash
             WHERE o.folder = $2 AND o.name IS NULL GROUP BY o.id ORDER BY 2 DESC, 1 LIMIT 1",
            [sql::json(files)?, folder.into()],
        )
        .await?;
    Ok(alike.map(|(id, files)| (id, usize::try_from(files).unwrap_or_default())))
}

/// Adds a folder, or finds the one that another process has just added.
pub(super) async fn add(
    connection: &impl Sql,
    name: Option<&str>,
    machine: &str,
    root: &str,
    folder: &str,
) -> Result<i64, StoreError> {
    connection
        .run(
            "INSERT INTO sources (name, machine, root, folder, created_at) VALUES ($1, $2, $3, $4, {now})
             ON CONFLICT DO NOTHING",
            [name.into(), machine.into(), root.into(), folder.into()],
        )
        .await?;
    let found = all(connection).await?.into_iter().find(|source| match name {
        Some(name) => source.name.as_deref() == Some(name),
        None => source.name.is_none() && source.machine == machine && source.root == root && source.folder == folder,
    });
    found.map(|source| source.id).ok_or_else(|| StoreError::Unexpected("a source is gone that was just added".into()))
}

/// Notes of a copy of a folder that is kept in step which article each of its `files` (place and hash) is. What differs
/// from the folder's own file is noted as unknown.
pub(super) async fn copy(
    connection: &impl Sql,
    kept: i64,
    copy: i64,
    files: &[(String, String)],
) -> Result<(), StoreError> {
    connection
        .run(
            "INSERT INTO article_sources
                 (source_id, path, article_id, file_hash, revision, slug, folder, written, is_copy)
             SELECT $2, s.path, s.article_id, CASE WHEN s.file_hash = j.hash THEN s.file_hash ELSE '' END, s.revision,
                    s.slug, s.folder, s.written, s.is_copy
             FROM {rows $3: path TEXT, hash TEXT} j CROSS JOIN article_sources s
             WHERE s.source_id = $1 AND s.path = j.path
             ON CONFLICT (source_id, path) DO NOTHING",
            [kept.into(), copy.into(), sql::json(files)?],
        )
        .await
        .map(drop)
}

/// Notes that a folder is kept in step.
pub(super) async fn keep(connection: &impl Sql, source: i64) -> Result<(), StoreError> {
    connection.run("UPDATE sources SET kept = TRUE WHERE id = $1", [source.into()]).await.map(drop)
}

/// Forgets a folder, and its files.
pub(super) async fn remove(connection: &impl Sql, source: i64) -> Result<(), StoreError> {
    connection.run("DELETE FROM article_sources WHERE source_id = $1", [source.into()]).await?;
    connection.run("DELETE FROM sources WHERE id = $1", [source.into()]).await.map(drop)
}

/// Gives the files of a folder inside another one to that one, so that they are found with it wherever it goes. A
/// folder that is exported to, or kept in step, keeps its own. Answers how many files.
pub(super) async fn take_over(
    connection: &impl Sql,
    inside: i64,
    offset: &str,
    source: i64,
) -> Result<u64, StoreError> {
    connection
        .run(
            "UPDATE article_sources SET source_id = $3, path = $2 || path
             WHERE source_id = $1
               AND NOT EXISTS (SELECT 1 FROM sources k WHERE k.id = $1 AND k.kept)
               AND NOT EXISTS (SELECT 1 FROM article_sources w WHERE w.source_id = $1 AND w.written)
               AND NOT EXISTS (SELECT 1 FROM article_sources o
                               WHERE o.source_id = $3 AND o.path = $2 || article_sources.path)",
            [inside.into(), format!("{offset}/").into(), source.into()],
        )
        .await
}

/// Notes that a folder is somewhere else now. One that is kept in step is where it is.
pub(super) async fn move_source(
    connection: &impl Sql,
    source: i64,
    machine: &str,
    root: &str,
) -> Result<(), StoreError> {
    connection
        .run(
            "UPDATE sources SET machine = $2, root = $3 WHERE id = $1 AND NOT kept AND NOT EXISTS (
                 SELECT 1 FROM sources o WHERE o.id <> $1 AND o.name IS NULL AND o.machine = $2 AND o.root = $3
                     AND o.folder = sources.folder)",
            [source.into(), machine.into(), root.into()],
        )
        .await
        .map(drop)
}

/// Notes which article a file is, in place of what was noted of it before.
pub(super) async fn record(connection: &impl Sql, row: &FileRecord) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO article_sources (source_id, path, article_id, file_hash, revision, slug, folder, written, is_copy)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (source_id, path) DO UPDATE SET article_id = excluded.article_id, file_hash = excluded.file_hash,
             revision = excluded.revision, slug = excluded.slug, folder = excluded.folder, written = excluded.written,
             stamp = ''";
    connection.run(sql, values(row)).await.map(drop)
}

/// Notes which article a file is. Answers whether it did: not if something is noted of its place already.
pub(super) async fn record_new(connection: &impl Sql, row: &FileRecord) -> Result<bool, StoreError> {
    let sql =
        "INSERT INTO article_sources (source_id, path, article_id, file_hash, revision, slug, folder, written, is_copy)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (source_id, path) DO NOTHING";
    Ok(connection.run(sql, values(row)).await? > 0)
}

/// The columns of a new row.
fn values(row: &FileRecord) -> [Value; 9] {
    [
        row.source_id.into(),
        row.path.clone().into(),
        row.article_id.into(),
        row.file_hash.clone().into(),
        row.revision.into(),
        row.slug.clone().into(),
        row.folder.clone().into(),
        row.written.into(),
        place::is_copy(&row.path).into(),
    ]
}

/// The marks by which another program knows what it has at the places of a source, by these places.
pub(super) async fn marks(connection: &impl Sql, source: i64) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT path, stamp FROM article_sources WHERE source_id = $1 AND stamp <> ''";
    connection.rows(sql, [source.into()]).await
}

/// Notes such a mark. No file of a disk is at a place that has one.
pub(super) async fn mark(connection: &impl Sql, source: i64, path: &str, mark: &str) -> Result<(), StoreError> {
    let sql = "UPDATE article_sources SET stamp = $3 WHERE source_id = $1 AND path = $2";
    connection.run(sql, [source.into(), path.into(), mark.into()]).await.map(drop)
}

/// Forgets a file.
pub(super) async fn forget(connection: &impl Sql, source: i64, path: &str) -> Result<(), StoreError> {
    connection
        .later("DELETE FROM article_sources WHERE source_id = $1 AND path = $2", [source.into(), path.into()])
        .await
}

/// Holds what is known of two places until the transaction ends. Of files that take each other's places at the same
/// time, PostgreSQL would refuse one: all hold them in one order.
pub(super) async fn hold(connection: &impl Sql, one: &FileRecord, other: &FileRecord) -> Result<(), StoreError> {
    let sql = "SELECT s.path FROM article_sources s
               WHERE s.source_id = $1 AND s.path = $2 OR s.source_id = $3 AND s.path = $4
               ORDER BY s.source_id, s.path FOR UPDATE OF s";
    match connection.engine() {
        // One writes at a time.
        Engine::Sqlite => Ok(()),
        Engine::Postgres => {
            let places =
                [one.source_id.into(), one.path.clone().into(), other.source_id.into(), other.path.clone().into()];
            connection.rows::<String>(sql, places).await.map(drop)
        }
    }
}

/// Forgets where a file was that is at the place of `to` now, unless another file is there by now. What is known of
/// another file that was at that place is put aside: until that one is found as well, by this run or a later one, it is
/// a file that is gone, and whose text is at a place that nothing is known of.
pub(super) async fn relocate(connection: &impl Sql, record: &FileRecord, to: &FileRecord) -> Result<(), StoreError> {
    let sql = "DELETE FROM article_sources WHERE source_id = $1 AND path IN ($2, $4) AND article_id = $3";
    let aside = place::aside(&record.path, record.article_id);
    let left = [record.source_id.into(), record.path.clone().into(), record.article_id.into(), aside.into()];
    connection.later(sql, left).await?;
    let sql = "SELECT article_id FROM article_sources WHERE source_id = $1 AND path = $2 AND article_id <> $3";
    let there = [to.source_id.into(), to.path.clone().into(), record.article_id.into()];
    let Some(other) = connection.row::<i64>(sql, there).await? else { return Ok(()) };
    let sql = "UPDATE article_sources SET path = $3, stamp = '' WHERE source_id = $1 AND path = $2
                   AND NOT EXISTS (SELECT 1 FROM article_sources o WHERE o.source_id = $1 AND o.path = $3)";
    let aside = place::aside(&to.path, other);
    connection.later(sql, [to.source_id.into(), to.path.clone().into(), aside.into()]).await
}

/// Which of these articles (ids, with the revision they were at) say still what they said then, renamed or not.
pub(super) async fn unedited_articles(connection: &impl Sql, articles: &[(i64, i64)]) -> Result<Vec<i64>, StoreError> {
    connection
        .rows(
            "SELECT a.id FROM {rows $1: id BIGINT, revision BIGINT} j
             JOIN articles a ON a.id = j.id
             JOIN article_versions v ON v.article_id = j.id AND v.revision = j.revision
             WHERE a.title = v.title AND a.content_hash = v.content_hash AND a.folder = v.folder
               AND a.front_matter = v.front_matter AND a.skip_embedding = v.skip_embedding",
            [sql::json(articles)?],
        )
        .await
}

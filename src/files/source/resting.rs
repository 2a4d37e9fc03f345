//! Finds the known files that have not changed, by what the file system says of them: they need not be read.

use afterword_actors::store::{
    StoreError,
    sql::{self, FromRow, Sql},
};

use super::{FILE_RECORD_COLUMNS, FileRecord};
use crate::articles::folder;

/// A file that is known, as far as it tells whether it has to be looked at.
#[derive(Debug, FromRow)]
pub(in crate::files) struct Brief {
    pub(in crate::files) path: String,
    pub(in crate::files) article_id: i64,
    /// What the file was like when it held what is known of it; empty if that is not known.
    pub(in crate::files) stamp: String,
    /// Whether its article is as it was then, and below the folder that was asked for.
    pub(in crate::files) is_same: bool,
}

/// Files of a folder in the order of their paths, some at a time: those after `last`.
pub(in crate::files) async fn briefly(
    connection: &impl Sql,
    source: i64,
    above: &str,
    last: &str,
    most: i64,
) -> Result<Vec<Brief>, StoreError> {
    let sql = format!(
        "SELECT s.path, s.article_id, s.stamp,
                coalesce(a.revision = s.revision AND a.slug = s.slug AND a.folder = s.folder AND {}, FALSE) AS is_same
         FROM article_sources s LEFT JOIN articles a ON a.id = s.article_id
         WHERE s.source_id = $1 AND s.path > $3 ORDER BY s.path LIMIT $4",
        folder::within("a.folder", "$2")
    );
    connection.rows(&sql, [source.into(), above.into(), last.into(), most.into()]).await
}

/// Articles that are several files of a folder.
pub(in crate::files) async fn of_several_files(connection: &impl Sql, source: i64) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT article_id FROM article_sources WHERE source_id = $1 GROUP BY article_id HAVING count(*) > 1";
    connection.rows(sql, [source.into()]).await
}

/// The files at these places of a folder.
pub(in crate::files) async fn at(
    connection: &impl Sql,
    source: i64,
    places: &[String],
) -> Result<Vec<FileRecord>, StoreError> {
    let sql = format!(
        "SELECT {FILE_RECORD_COLUMNS} FROM {{texts $2}} j CROSS JOIN article_sources s LEFT JOIN articles a ON a.id = s.article_id
         WHERE s.source_id = $1 AND s.path = j.text"
    );
    connection.rows(&sql, [source.into(), sql::json(places)?]).await
}

/// Files that these articles are in other folders.
pub(in crate::files) async fn elsewhere(
    connection: &impl Sql,
    source: i64,
    articles: &[i64],
) -> Result<Vec<FileRecord>, StoreError> {
    let sql = format!(
        "SELECT {FILE_RECORD_COLUMNS} FROM {{ids $2}} j CROSS JOIN article_sources s LEFT JOIN articles a ON a.id = s.article_id
         WHERE s.article_id = j.id AND s.source_id <> $1 ORDER BY s.source_id, s.path"
    );
    connection.rows(&sql, [source.into(), sql::json(articles)?]).await
}

/// Notes what files are like (place, hash, stamp) that hold what is known of them.
pub(in crate::files) async fn stamp(
    connection: &impl Sql,
    source: i64,
    files: &[(String, String, String)],
) -> Result<(), StoreError> {
    // Not an UPDATE with FROM: SQLite would go through the whole list for each file.
    let sql = "INSERT INTO article_sources
                   (source_id, path, article_id, file_hash, revision, slug, folder, written, is_copy, stamp)
               SELECT s.source_id, s.path, s.article_id, s.file_hash, s.revision, s.slug, s.folder, s.written, s.is_copy, j.stamp
               FROM {rows $2: path TEXT, hash TEXT, stamp TEXT} j CROSS JOIN article_sources s
               WHERE s.source_id = $1 AND s.path = j.path AND s.file_hash = j.hash
               ON CONFLICT (source_id, path) DO UPDATE SET stamp = excluded.stamp";
    let files = sql::json(files)?;
    connection.run(sql, [source.into(), files]).await.map(drop)
}

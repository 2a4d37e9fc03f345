//! An article's past revisions: listing them, and restoring one, also of a deleted article.

use afterword_actors::{
    store::{
        StoreError, Transaction, events, locks,
        sql::{FromRow, Sql},
    },
    task::Operation,
};
use afterword_entities::article_version;

use super::names::NUMBERED;
use super::{
    Article, ArticleError, ArticlePatch, DeletedArticle, Revision, SaveResult,
    create::{self, Settings},
    cursor::Cursor,
    folder::{Folder, within},
    front_matter::Document,
    links, names,
    properties::{self, Properties, TextReading},
    reading::BodyReading,
    row::{self, ArticleRow},
    slug::{Slug, as_stored},
    update,
};
use crate::{
    fulltext::{self, Texts},
    time::Timestamp,
};

#[derive(FromRow)]
struct RevisionRow {
    revision: i64,
    slug: String,
    title: String,
    folder: String,
    size: i64,
    updated_at: i64,
    present: bool,
    deleted: bool,
}

/// Returns all revisions of an article, the newest first; also of a deleted one.
pub(super) async fn history(connection: &impl Sql, slug: &str) -> Result<Vec<Revision>, ArticleError> {
    let Some(id) = number_of(connection, slug).await? else { return Err(ArticleError::not_found(slug)) };
    let rows = connection
        .rows::<RevisionRow>(
            "SELECT revision, slug, title, folder, CAST(octet_length(body) AS BIGINT) AS size, updated_at,
                    TRUE AS present, FALSE AS deleted
             FROM articles WHERE id = $1
             UNION ALL
             SELECT revision, slug, title, folder, CAST(octet_length(body) AS BIGINT), updated_at, FALSE, deleted
             FROM article_versions WHERE article_id = $1
             ORDER BY 1 DESC",
            [id.into()],
        )
        .await?;
    Ok(rows.into_iter().map(Revision::from).collect())
}

/// Whether the article of this name exists, and was not deleted.
pub(super) async fn exists(connection: &impl Sql, slug: &str) -> Result<bool, StoreError> {
    let Some(id) = number_of(connection, slug).await? else { return Ok(false) };
    Ok(connection.row::<()>("SELECT 1 AS n FROM articles WHERE id = $1", [id.into()]).await?.is_some())
}

/// Returns one revision with its body.
pub(crate) async fn revision(connection: &impl Sql, slug: &str, revision: i64) -> Result<Article, ArticleError> {
    let Some(id) = number_of(connection, slug).await? else { return Err(ArticleError::not_found(slug)) };
    if let Some(present) = row::by_id(connection, id).await?
        && present.revision == revision
    {
        return Ok(row::with_tags(connection, present).await?);
    }
    let version = version(connection, id, Some(revision)).await?;
    let version = version.ok_or_else(|| ArticleError::NoRevision { slug: slug.to_owned(), revision })?;
    Ok(past_article(version))
}

/// Returns the body that [`restore`] would bring back now.
pub(super) async fn body(connection: &impl Sql, slug: &str, number: Option<i64>) -> Result<Option<String>, StoreError> {
    let Some(id) = number_of(connection, slug).await? else { return Ok(None) };
    Ok(version(connection, id, number).await?.map(|version| version.body))
}

/// What has to be there now for a restoration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Present {
    /// The article, or none.
    Any,
    /// The article, at this revision.
    At(i64),
    /// None: it is deleted.
    Deleted,
}

/// Makes a past revision the present one, as a new revision. Without a number: of a deleted article its last, of an
/// existing one the one before.
pub(crate) async fn restore(
    transaction: &Transaction,
    slug: &str,
    (number, expected): (Option<i64>, Present),
    read: Option<BodyReading>,
    settings: Settings,
) -> Result<SaveResult, ArticleError> {
    names::alone(transaction).await?;
    let Some(id) = number_of(transaction, slug).await? else { return Err(ArticleError::not_found(slug)) };
    // Which revision is the one before is known only when no other save can come in between.
    locks::hold_articles(transaction, &[id]).await?;
    let present = row::by_id(transaction, id).await?;
    match (expected, &present) {
        (Present::Any, _) | (Present::Deleted, None) => {}
        (Present::Deleted, Some(present)) => return Err(ArticleError::NotDeleted { slug: present.slug.clone() }),
        (Present::At(_), None) => return Err(ArticleError::not_found(slug)),
        (Present::At(expected), Some(ArticleRow { revision: present, .. })) => {
            if *present != expected {
                let (slug, present) = (slug.to_owned(), *present);
                return Err(ArticleError::Conflict { slug, expected, present, changed: None });
            }
        }
    }
    let Some(version) = version(transaction, id, number).await? else {
        return Err(match number {
            Some(revision) => ArticleError::NoRevision { slug: slug.to_owned(), revision },
            None => ArticleError::NoPast { slug: slug.to_owned(), deleted: deleted_name(transaction, slug).await? },
        });
    };
    let Some(present) = present else {
        return undelete(transaction, version, read, settings).await;
    };
    let front_matter = front_matter(&version);
    let changes = ArticlePatch {
        title: Some(version.title),
        body: Some(version.body),
        folder: Some(Folder::parse(&version.folder).unwrap_or_default()),
        front_matter: Some(front_matter),
        ..ArticlePatch::default()
    };
    update::update(transaction, &present.slug, changes, read, settings).await
}

/// Lets the slugs of its kept revisions lead to an article again, unless they lead elsewhere by now.
const FORMER_SLUGS: &str = "
    INSERT INTO slug_aliases (slug, article_id, created_at)
    SELECT v.slug, v.article_id, {now} FROM article_versions v
    WHERE v.article_id = $1 AND v.slug <> $2 AND NOT EXISTS (SELECT 1 FROM articles a WHERE a.slug = v.slug)
    GROUP BY v.slug, v.article_id ON CONFLICT (slug) DO NOTHING";

async fn undelete(
    transaction: &Transaction,
    version: article_version::Model,
    read: Option<BodyReading>,
    settings: Settings,
) -> Result<SaveResult, ArticleError> {
    let id = version.article_id;
    let slug = free_slug(transaction, &version).await?;
    transaction
        .run(
            "INSERT INTO articles (id, slug, title, folder, body, extra, front_matter, content_hash, skip_embedding,
                                   created_at, updated_at, revision)
             SELECT article_id, $3, title, folder, body, extra, front_matter, content_hash, skip_embedding,
                    created_at, {now}, (SELECT max(revision) + 1 FROM article_versions WHERE article_id = $1)
             FROM article_versions WHERE article_id = $1 AND revision = $2",
            [id.into(), version.revision.into(), slug.as_ref().into()],
        )
        .await?;
    transaction.later("UPDATE article_versions SET deleted = FALSE WHERE article_id = $1", [id.into()]).await?;
    transaction.later(FORMER_SLUGS, [id.into(), slug.as_ref().into()]).await?;
    let BodyReading { text, terms, .. } = BodyReading::ahead_or_now(read, &version.body);
    let head = front_matter(&version);
    names::lead_to(transaction, id, &named_by_file(&head)).await?;
    let said = Properties::of_reading(&head, &text);
    let texts = Texts { title: &version.title, about: &said.about(), body: &version.body };
    fulltext::replace(transaction, id, texts, terms).await?;
    properties::write(transaction, id, properties::ExistingRows::Possible, &said).await?;
    links::write(transaction, id, properties::ExistingRows::Possible, &text.links(&head)).await?;
    events::record_article_act(transaction, id, "article restored", slug.as_ref()).await?;
    let article = create::read(transaction, id).await?;
    let mut task_id = None;
    if !version.skip_embedding {
        let written = (id, slug.as_ref(), article.revision);
        task_id = Some(settings.queue(transaction, Operation::Create, written, None).await?);
    }
    Ok(SaveResult { article: create::read(transaction, id).await?, task_id, changed: true })
}

/// The former slugs that the article's file named.
fn named_by_file(head: &str) -> Vec<Slug> {
    let (fields, _) = Document::split(head).fields();
    fields.former_slugs.iter().filter_map(|slug| Slug::parse(slug).ok()).collect()
}

/// Returns the slug it had, or that one with a suffix if another article has it now.
async fn free_slug(transaction: &Transaction, version: &article_version::Model) -> Result<Slug, ArticleError> {
    let slug = Slug::parse(&version.slug)?;
    let text = format!("{NUMBERED}{}", version.article_id);
    for candidate in std::iter::once(slug.clone()).chain(names::distinguished(&slug, &text)) {
        if row::by_slug(transaction, candidate.as_ref()).await?.is_none() {
            return Ok(candidate);
        }
    }
    Err(StoreError::Busy.into())
}

/// Finds the number of the article that has this slug, had it, or had it when it was deleted; or of a [`NUMBERED`]
/// name.
async fn number_of(connection: &impl Sql, name: &str) -> Result<Option<i64>, StoreError> {
    let row = match name.strip_prefix(NUMBERED).map(str::parse::<i64>) {
        Some(Err(_)) => return Ok(None),
        Some(Ok(number)) => {
            let sql = "SELECT coalesce((SELECT id FROM articles WHERE id = $1),
                                       (SELECT max(article_id) FROM article_versions WHERE article_id = $1)) AS id";
            connection.row::<Option<i64>>(sql, [number.into()]).await?
        }
        None => {
            let sql = "SELECT coalesce(
                 (SELECT id FROM articles WHERE slug = $1),
                 (SELECT article_id FROM slug_aliases WHERE slug = $1),
                 (SELECT article_id FROM article_versions WHERE slug = $1 AND deleted
                  ORDER BY superseded_at DESC, article_id DESC LIMIT 1)) AS id";
            connection.row::<Option<i64>>(sql, [as_stored(name).as_ref().into()]).await?
        }
    };
    Ok(row.flatten())
}

/// Returns a name that reaches the last deleted article which had this slug.
pub(super) async fn deleted_name(connection: &impl Sql, slug: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT article_id AS n FROM article_versions WHERE slug = $1 AND deleted
               ORDER BY superseded_at DESC, article_id DESC LIMIT 1";
    let number = connection.row::<i64>(sql, [slug.into()]).await?;
    Ok(number.map(|number| format!("{NUMBERED}{number}")))
}

#[derive(FromRow)]
struct DeletedRow {
    id: i64,
    slug: String,
    title: String,
    folder: String,
    revision: i64,
    size: i64,
    deleted_at: i64,
}

/// Returns deleted articles, the last deleted first.
pub(super) async fn deleted(
    connection: &impl Sql,
    folder: &Folder,
    since: Option<Timestamp>,
    after: Option<Cursor>,
    limit: u32,
) -> Result<Vec<(Cursor, DeletedArticle)>, StoreError> {
    let (at, id) = after.map_or((i64::MAX, i64::MAX), |Cursor { at, id, began: _ }| (at, id));
    let rows = connection
        .rows::<DeletedRow>(
            &format!(
                "SELECT article_id AS id, slug, title, folder, revision, CAST(octet_length(body) AS BIGINT) AS size,
                        superseded_at AS deleted_at
                 FROM article_versions
                 WHERE deleted AND {} AND superseded_at >= $3 AND (superseded_at, article_id) < ($4, $5)
                 ORDER BY superseded_at DESC, article_id DESC LIMIT $2",
                within("folder", "$1")
            ),
            [
                folder.as_ref().into(),
                i64::from(limit).into(),
                since.map_or(i64::MIN, |since| since.0).into(),
                at.into(),
                id.into(),
            ],
        )
        .await?;
    let placed = |row: DeletedRow| (Cursor { at: row.deleted_at, id: row.id, began: None }, row.into());
    Ok(rows.into_iter().map(placed).collect())
}

/// Counts deleted articles.
pub(super) async fn count_deleted(
    connection: &impl Sql,
    folder: &Folder,
    since: Option<Timestamp>,
) -> Result<i64, StoreError> {
    let within = within("folder", "$1");
    let sql = format!("SELECT count(*) AS n FROM article_versions WHERE deleted AND {within} AND superseded_at >= $2");
    let since = since.map_or(i64::MIN, |since| since.0);
    let counted = connection.row::<i64>(&sql, [folder.as_ref().into(), since.into()]).await?;
    Ok(counted.unwrap_or(0))
}

/// A past revision; without a number the newest one with another text than the present one, if there is one: a rename is no change that
/// it could undo.
async fn version(
    connection: &impl Sql,
    id: i64,
    revision: Option<i64>,
) -> Result<Option<article_version::Model>, StoreError> {
    const NEWEST: &str = "SELECT * FROM article_versions WHERE article_id = $1 AND ($2 IS NULL OR revision = $2)
                          ORDER BY revision DESC LIMIT 1";
    const NEWEST_OTHER: &str = "
        SELECT v.* FROM article_versions v WHERE v.article_id = $1 AND NOT EXISTS (
            SELECT 1 FROM articles a WHERE a.id = v.article_id AND a.title = v.title AND a.folder = v.folder
                AND a.front_matter = v.front_matter AND a.body = v.body)
        ORDER BY v.revision DESC LIMIT 1";
    if revision.is_none()
        && let Some(other) = connection.row(NEWEST_OTHER, [id.into()]).await?
    {
        return Ok(Some(other));
    }
    connection.row(NEWEST, [id.into(), revision.into()]).await
}

/// Its front matter as it was written; what earlier versions of the program kept of it is converted to this form.
fn front_matter(version: &article_version::Model) -> String {
    match version {
        version if version.front_matter.is_empty() && !version.extra.is_empty() => {
            format!("---\n{}---\n", version.extra)
        }
        version => version.front_matter.clone(),
    }
}

fn past_article(version: article_version::Model) -> Article {
    let front_matter = front_matter(&version);
    let said = Properties::of_reading(&front_matter, &TextReading::now(&version.body));
    Article {
        slug: version.slug,
        title: version.title,
        folder: version.folder,
        body: version.body,
        revision: version.revision,
        skip_embedding: version.skip_embedding,
        created_at: Timestamp(version.created_at),
        updated_at: Timestamp(version.updated_at),
        embedding: super::EmbeddingStatus {
            status: super::EmbeddingState::Missing,
            searchable: false,
            stale: false,
            revision: None,
            task_id: None,
            error: None,
        },
        tags: said.names(),
        properties: said.to_json(),
        id: version.article_id,
        front_matter,
    }
}

impl From<DeletedRow> for DeletedArticle {
    fn from(row: DeletedRow) -> Self {
        Self {
            name: format!("{NUMBERED}{}", row.id),
            slug: row.slug,
            title: row.title,
            folder: row.folder,
            revision: row.revision,
            size: row.size,
            deleted_at: Timestamp(row.deleted_at),
        }
    }
}

impl From<RevisionRow> for Revision {
    fn from(row: RevisionRow) -> Self {
        Self {
            revision: row.revision,
            slug: row.slug,
            title: row.title,
            folder: row.folder,
            size: row.size,
            saved_at: Timestamp(row.updated_at),
            present: row.present,
            deleted: row.deleted,
        }
    }
}

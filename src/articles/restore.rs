//! Restoring a past revision, also of a deleted article.

use afterword_actors::{
    store::{StoreError, Transaction, events, locks, sql::Sql},
    task::Operation,
};
use afterword_entities::article_version;

use super::{
    ArticleError, ArticlePatch, SaveResult,
    create::{self, Settings},
    deleted::deleted_name,
    folder::Folder,
    front_matter::Document,
    history::{front_matter, number_of, version},
    links, names,
    names::NUMBERED,
    properties::{self, Properties},
    reading::BodyReading,
    row::{self, ArticleRow},
    slug::Slug,
    update,
};
use crate::fulltext::{self, Texts};

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

//! `article …`: reads what was typed, calls the article service, and shows its answer.

mod answer;
mod diff;
mod edit;
mod editor;
mod property;
mod text;
mod unused;
pub(super) mod view;

use super::{
    arguments::ArticleCommand,
    failure::Usage,
    output::print,
    session::{self, Session},
    text_style::NAME,
};
use crate::{
    api::{Gone, Mended, Renamed, Unmended},
    articles::{
        ArticlePatch, NewArticle,
        linking::RelinkReport,
        properties::{Filter, FilterError, Term},
    },
    plural::count,
};

use answer::{answer, answer_with};
use property::properties;
pub(super) use view::state;

pub(super) async fn run(session: &Session, command: ArticleCommand) -> anyhow::Result<()> {
    let largest = session.loaded.settings.articles.max_size;
    match command {
        ArticleCommand::Create { title, text, slug, folder, skip_embedding, property, priority, idempotency_key } => {
            let new = NewArticle {
                title,
                body: text.read(largest)?.unwrap_or_default(),
                slug: slug.map(|slug| session::slug(&slug)).transpose()?,
                folder: session::folder(&folder)?,
                skip_embedding,
                properties: properties(&property)?,
                priority,
                idempotency_key,
                ..NewArticle::default()
            };
            create(session, new).await
        }
        ArticleCommand::Show { slug, revision, body } => show(session, &slug, revision, body).await,
        ArticleCommand::List { folder, limit, cursor, deleted: true, since, .. } => {
            let page = ListedPage { folder: &folder, since: since.as_deref(), limit, cursor: cursor.as_deref() };
            list_deleted(session, page).await
        }
        ArticleCommand::List { folder, limit, filter, tag, cursor, deleted: false, since } => {
            let page = ListedPage { folder: &folder, since: since.as_deref(), limit, cursor: cursor.as_deref() };
            list(session, combine_filters(&filter, &tag)?, page).await
        }
        ArticleCommand::Edit(arguments) => edit::run(session, arguments).await,
        ArticleCommand::Diff { slug, from, to, file } => {
            diff::run(session, &slug, diff::DiffRequest { from, to, file }).await
        }
        ArticleCommand::Update { slug, title, text, folder, skip_embedding, property, priority, expected_revision } => {
            let changes = ArticlePatch {
                title,
                body: text.read(largest)?,
                folder: folder.map(|folder| session::folder(&folder)).transpose()?,
                skip_embedding,
                properties: properties(&property)?,
                priority,
                expected_revision,
                ..ArticlePatch::default()
            };
            update(session, &slug, changes).await
        }
        ArticleCommand::Delete { slug, expected_revision } => delete(session, &slug, expected_revision).await,
        ArticleCommand::Rename { slug, to, update_links: false, expected_revision } => {
            let saved = session.host().await?.articles.rename(&slug, session::slug(&to)?, expected_revision).await?;
            answer(session, &saved, "renamed").await
        }
        ArticleCommand::Rename { slug, to, update_links: true, expected_revision } => {
            rename_with_links(session, &slug, &to, expected_revision).await
        }
        ArticleCommand::History { slug } => history(session, &slug).await,
        ArticleCommand::Restore { slug, revision } => {
            let saved = session.saving_host().await?.articles.restore(&slug, revision).await?;
            answer(session, &saved, "restored").await
        }
    }
}

async fn rename_with_links(
    session: &Session,
    slug: &str,
    to: &str,
    expected_revision: Option<i64>,
) -> anyhow::Result<()> {
    let articles = session.saving_host().await?.articles;
    let to = session::slug(to)?;
    let (saved, RelinkReport { mended, unmended }) = articles.rename_with_links(slug, to, expected_revision).await?;
    for Mended { slug, revision, links } in &mended {
        session.output.note(&format!("mended {} in {slug} (revision {revision})", count(*links as u64, "link")));
    }
    for Unmended { slug, reason } in &unmended {
        session.output.note(&format!("the links in {slug} still name the former slug: {reason}"));
    }
    let renamed = Renamed { article: saved.article.clone(), mended, unmended };
    answer_with(session, &renamed, &saved, "renamed").await
}

async fn create(session: &Session, new: NewArticle) -> anyhow::Result<()> {
    let saved = session.saving_host().await?.articles.create(new).await?;
    unused::mention(session, &saved.article);
    answer(session, &saved, "created").await
}

async fn update(session: &Session, slug: &str, changes: ArticlePatch) -> anyhow::Result<()> {
    if changes.is_empty() {
        let message =
            "say what to change: --title, --body, --file, --folder, --property, --skip-embedding or --priority";
        return Err(Usage(message.to_owned()).into());
    }
    let has_text = changes.body.is_some();
    let saved = session.saving_host().await?.articles.update(slug, changes).await?;
    if has_text {
        unused::mention(session, &saved.article);
    }
    answer(session, &saved, "updated").await
}

async fn show(session: &Session, slug: &str, revision: Option<i64>, body: bool) -> anyhow::Result<()> {
    let articles = session.host().await?.articles;
    let article = match revision {
        Some(revision) => articles.read_revision(slug, revision).await?,
        None => articles.read(slug).await?,
    };
    match body {
        true if session.output.is_json() => session.output.answer(&article.body, |_| String::new()),
        true => print(&article.body),
        false => session.output.answer(&article, |look| view::article(look, &article)),
    }
}

/// Combines `--filter` and `--tag`.
pub(super) fn combine_filters(filter: &str, tags: &[String]) -> anyhow::Result<Filter> {
    let usage = |error: FilterError| anyhow::Error::from(Usage(error.to_string()));
    let mut all = Filter::parse(filter).map_err(usage)?;
    for tag in tags {
        all = all.and(Term::parse(&format!("tag:{tag}")).map_err(usage)?);
    }
    Ok(all)
}

/// Which part of a list to show.
struct ListedPage<'a> {
    folder: &'a str,
    since: Option<&'a str>,
    limit: u32,
    cursor: Option<&'a str>,
}

async fn list(session: &Session, filter: Filter, page: ListedPage<'_>) -> anyhow::Result<()> {
    let ListedPage { folder, since, limit, cursor } = page;
    let host = session.reading_host().await?;
    let filter = filter.saved_since(session::since(&host, since).await?);
    let folder = session::folder(folder)?;
    let page = host.articles.list_where(&folder, &filter, cursor, limit).await?;
    if page.articles.is_empty() && cursor.is_none() {
        host.articles.must_be_known(&folder, &filter).await?;
    }
    session.output.answer(&page, |look| view::list(look, &page.articles))?;
    let shown = page.articles.len();
    let all = page.total.map_or_else(|| "many articles".to_owned(), |total| count(total, "article"));
    match &page.next_cursor {
        Some(cursor) => session.output.note(&format!("{shown} of {all}; more with --cursor {cursor}")),
        None => session.output.note(&all),
    }
    Ok(())
}

async fn list_deleted(session: &Session, page: ListedPage<'_>) -> anyhow::Result<()> {
    let ListedPage { folder, since, limit, cursor } = page;
    let host = session.host().await?;
    let since = session::since(&host, since).await?;
    let folder = session::folder(folder)?;
    let deleted = host.articles.deleted_after(&folder, since, (cursor, limit), <[_]>::len).await?;
    session.output.answer(&deleted, |look| view::deleted(look, &deleted.articles))?;
    if let Some(cursor) = &deleted.next_cursor {
        let (shown, total) = (deleted.articles.len(), deleted.total);
        session.output.note(&format!("{shown} of {total}; more with --cursor {cursor}"));
    }
    session.output.note("`afterword article restore NAME` brings one back, and `article history NAME` shows its past");
    Ok(())
}

async fn delete(session: &Session, slug: &str, expected_revision: Option<i64>) -> anyhow::Result<()> {
    let article = session.host().await?.articles.delete(slug, expected_revision).await?;
    session.output.answer(&Gone::from(article.clone()), |look| {
        let (slug, title) = (&article.slug, &article.title);
        let name = look.paint(NAME, slug);
        format!("deleted {name} (\"{title}\"); `afterword article restore {slug}` brings it back")
    })
}

async fn history(session: &Session, slug: &str) -> anyhow::Result<()> {
    let history = session.host().await?.articles.history(slug).await?;
    session.output.list("versions", &history, |look| view::history(look, &history))
}

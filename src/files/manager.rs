//! Coming over from mcp-markdown-manager: its articles with their history, read from its PostgreSQL database.
//!
//! Each article is saved again revision by revision. Which of them are here is noted with each save (`article_sources`,
//! as of files), so a run that was interrupted is gone on with by the next one, and a repeated one brings what is new
//! there. What was edited or deleted here stays so. The other database is only read.

mod place;
mod report;
mod save;
mod theirs;

use afterword_actors::store::StoreError;

use super::source;
use crate::articles::{ArticleError, Articles};
use place::{ArticlePlace, Places};
use save::{ArticleOutcome, NotSaved};
use theirs::{State, TheirArticle, Theirs};

pub use report::{ManagerError, ManagerReport, NotBroughtIn};

/// The name of the source: articles of another program, by their slugs there.
const SOURCE_NAME: &str = "mcp-markdown-manager";

/// Brings all articles in. `progress` hears how many are done, and of how many.
///
/// # Errors
/// [`ManagerError`]; what was brought in stays, and the next run goes on.
pub async fn import_manager(
    articles: &Articles,
    url: &str,
    dry_run: bool,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<ManagerReport, ManagerError> {
    let theirs = Theirs::open(url).await?;
    let mut report = ManagerReport { articles: theirs.count().await?, dry_run, ..ManagerReport::default() };
    let source = source_of(articles, dry_run).await?;
    let places = Places::of(articles.database.reader(), source).await?;
    let (mut after, mut done) = (None, 0);
    while let Some(page) = theirs.page(after.as_deref()).await? {
        for article in &page {
            let states = theirs.states(article, articles.limits).await?;
            report.revisions += states.len();
            let place = places.place(article);
            bring_in(articles, article, states, place, &mut report).await?;
            done += 1;
            progress(done, report.articles);
        }
        after = page.last().map(|article| article.id.clone());
    }
    Ok(report)
}

async fn bring_in(
    articles: &Articles,
    article: &TheirArticle,
    states: Vec<State>,
    place: ArticlePlace,
    report: &mut ManagerReport,
) -> Result<(), StoreError> {
    let unmarked = Some(place.clone()).filter(|place| !place.is_marked && place.record.is_some() && !report.dry_run);
    if let Some(place) = unmarked {
        // Of an earlier version, which knew it by its slug alone.
        let marked = articles.database.write(async move |to| place.mark(to).await);
        marked.await?;
    }
    match brought_in(articles, article, &states, place, report.dry_run).await {
        Ok(ArticleOutcome::Created) => report.created += 1,
        Ok(ArticleOutcome::Continued) => report.continued += 1,
        Ok(ArticleOutcome::Unchanged) => report.unchanged += 1,
        Ok(ArticleOutcome::Edited) => report.edited.push(article.slug.clone()),
        Ok(ArticleOutcome::Deleted) => report.deleted.push(article.slug.clone()),
        Err(NotSaved::Article(ArticleError::Store(error))) => return Err(error),
        Err(error) => report.failed.push(NotBroughtIn { slug: article.slug.clone(), error: error.to_string() }),
    }
    Ok(())
}

/// Looks again whenever another run was faster, which is at most twice for each revision.
async fn brought_in(
    articles: &Articles,
    article: &TheirArticle,
    states: &[State],
    mut place: ArticlePlace,
    dry_run: bool,
) -> Result<ArticleOutcome, NotSaved> {
    for _ in 0..=2 * states.len() {
        let planned = save::plan(articles, article, &place, states).await?;
        if dry_run {
            return Ok(planned.outcome);
        }
        if planned.outcome == ArticleOutcome::Edited {
            // By another run, perhaps.
            let now = place.clone().anew(articles).await?;
            if now.is_known_as(&place) {
                return Ok(ArticleOutcome::Edited);
            }
            place = now;
            continue;
        }
        match planned.carry_out(articles, article, &place).await {
            Err(NotSaved::Overtaken) => place = place.anew(articles).await?,
            done => return done,
        }
    }
    Err(NotSaved::Overtaken)
}

/// The source, made if there is none; 0 in a dry run without one.
async fn source_of(articles: &Articles, dry_run: bool) -> Result<i64, StoreError> {
    let all = source::all(articles.database.reader()).await?;
    if let Some(found) = all.iter().find(|source| source.name.as_deref() == Some(SOURCE_NAME)) {
        return Ok(found.id);
    }
    if dry_run {
        return Ok(0);
    }
    let database = &articles.database;
    database
        .write(async move |transaction| source::add(transaction, Some(SOURCE_NAME), "", SOURCE_NAME, "").await)
        .await
}

//! Deleting an article, and bringing it back.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::html;
use serde::Deserialize;

use super::read;
use crate::{
    articles::folder::Folder,
    auth::Permission,
    page::{
        app::PageState,
        given::{Form, Path, Query},
        layout::{self, Here},
        pieces::{empty, moment, percent_encode, query, size},
        refusal::Refusal,
        visit::Visit,
    },
    time::duration,
};

/// Deleted articles of a page.
const PAGE_SIZE: u32 = 100;

/// The article to delete, or the revision to restore.
#[derive(Deserialize)]
pub(super) struct RevisionForm {
    revision: Option<i64>,
}

pub(super) async fn ask(
    State(app): State<PageState>,
    visit: Visit,
    Path(slug): Path<String>,
) -> Result<Response, Refusal> {
    visit.needs(Permission::Write)?;
    let _room = read::room(&app, &visit, &slug).await?;
    let article = app.host.articles.read(&slug).await?;
    let kept = app.host.settings().retention.deleted_articles;
    let main = html! {
        div.narrow {
            h1 { "Delete this article?" }
            p { strong dir="auto" { (article.title) } }
            p {
                "It is no longer found, and its vectors are removed. You can bring it back "
                @if kept.is_zero() { "at any time." }
                @else { "for " (duration(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX))) "." }
            }
            form.actions method="post" action={ "/articles/" (article.slug) "/delete" } {
                input type="hidden" name="revision" value=(article.revision);
                button.danger type="submit" { "Delete" }
                a.button href={ "/articles/" (article.slug) } { "Keep it" }
            }
        }
    };
    Ok(layout::view(&visit, Here::Articles, "Delete", main))
}

pub(super) async fn carry_out(
    State(app): State<PageState>,
    visit: Visit,
    Path(slug): Path<String>,
    Form(which): Form<RevisionForm>,
) -> Result<Response, Refusal> {
    visit.needs(Permission::Write)?;
    let _room = read::room(&app, &visit, &slug).await?;
    let deleted = app.host.articles.delete(&slug, which.revision).await?;
    Ok(Redirect::to(&format!("/?{}", query(&[("deleted", &deleted.slug)]))).into_response())
}

/// Makes a past revision of an article the present one; without one, brings a deleted article back.
pub(super) async fn restore(
    State(app): State<PageState>,
    visit: Visit,
    Path(name): Path<String>,
    Form(which): Form<RevisionForm>,
) -> Result<Response, Refusal> {
    visit.needs(Permission::Write)?;
    let _room = read::room_for_past(&app, &visit, &name).await?;
    let articles = &app.host.articles;
    let restored = match which.revision {
        Some(revision) => articles.restore(&name, Some(revision)).await?,
        None => articles.undelete(&name).await?,
    };
    Ok(Redirect::to(&format!("/articles/{}", restored.article.slug)).into_response())
}

/// Where a page of the list begins.
#[derive(Deserialize)]
pub(super) struct CursorQuery {
    cursor: Option<String>,
}

pub(super) async fn list(
    State(app): State<PageState>,
    visit: Visit,
    Query(begin): Query<CursorQuery>,
) -> Result<Response, Refusal> {
    visit.needs(Permission::Write)?;
    let page = (begin.cursor.as_deref(), PAGE_SIZE);
    let page = app.host.articles.deleted_after(&Folder::default(), None, page, <[_]>::len).await?;
    let (deleted, next) = (page.articles, page.next_cursor);
    let main = html! {
        h1 { "Deleted articles" }
        @if deleted.is_empty() { (empty("Nothing was deleted.")) }
        ul.articles {
            @for article in &deleted {
                li {
                    span.title dir="auto" { (article.title) }
                    p.quiet {
                        @if !article.folder.is_empty() { span dir="auto" { (article.folder) } " · " }
                        "deleted " (moment(article.deleted_at)) " · " (size(article.size))
                    }
                    form method="post" action={ "/articles/" (percent_encode(&article.name)) "/restore" } {
                        button type="submit" aria-label={ "Bring “" (article.title) "” back" } { "Bring it back" }
                    }
                }
            }
        }
        @if let Some(next) = &next {
            nav.pager aria-label="Pages" { a rel="next" href={ "/deleted?" (query(&[("cursor", next)])) } { "Deleted before" } }
        }
    };
    Ok(layout::view(&visit, Here::Articles, "Deleted articles", main))
}

//! `/articles/{slug}`: reading one.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};

use super::{links, properties, results};
use crate::{
    api::{Article, Backlink, EmbeddingState, EmbeddingStatus},
    articles::linking::LinkTarget,
    page::{
        app::PageState,
        given::Path,
        layout::{self, Here},
        markdown::{self, Rendered},
        pieces::{crumbs, embedding, moment, percent_encode, query},
        refusal::Refusal,
        visit::Visit,
    },
    share::{SharePermit, UntilSent},
};

/// At most this many linking articles are shown.
const MAX_BACKLINKS: u32 = 20;
/// A table of contents is shown from this many headings on.
const CONTENTS_FROM: usize = 3;

pub(super) async fn show(
    State(app): State<PageState>,
    visit: Visit,
    Path(slug): Path<String>,
) -> Result<Response, Refusal> {
    let room = room(&app, &visit, &slug).await?;
    let article = app.host.articles.read(&slug).await?;
    if article.slug != slug {
        return Ok(Redirect::to(&format!("/articles/{}", article.slug)).into_response());
    }
    let linked = LinkTarget::from(&article);
    let backlinks = app.host.articles.backlinks(&linked, MAX_BACKLINKS).await?;
    let text = markdown::after_front_matter(&article.body);
    let text = markdown::after_title(text, &article.title);
    let destinations = links::of(&app, Some(&linked), text).await?;
    let rendered = markdown::render(text, destinations).await;
    let main = html! {
        div data-fragment="newer" role="status" {}
        div.reading data-live={ "/live/articles/" (percent_encode(&article.slug)) "?revision=" (article.revision) } {
            (head(&visit, &article))
            @if rendered.headings.len() >= CONTENTS_FROM { (contents(&rendered)) }
            article.prose dir="auto" {
                (rendered.html)
                @if article.body.trim().is_empty() { p.empty { "This article has no text yet." } }
                @if rendered.is_cut {
                    p.notice { "This is the beginning of a long text. " a href={ "/articles/" (article.slug) "/text" } { "All of it, as it is written" } }
                }
            }
            aside.related aria-label="Around this article" {
                (linked_from(&backlinks))
                h2 #related { "Related articles" }
                div data-part={ "/articles/" (article.slug) "/related" } {
                    a href={ "/articles/" (article.slug) "/related" } { "Show articles like this one" }
                }
            }
        }
    };
    Ok(keep(layout::view(&visit, Here::Articles, &article.title, main), room))
}

/// Articles that link to it.
fn linked_from(backlinks: &[Backlink]) -> Markup {
    html! {
        @if !backlinks.is_empty() {
            h2 { "Linked from" }
            ul.articles {
                @for link in backlinks {
                    li { a.title dir="auto" href={ "/articles/" (percent_encode(&link.slug)) } { (link.title) } }
                }
            }
        }
    }
}

/// Articles like it.
pub(super) async fn related(
    State(app): State<PageState>,
    visit: Visit,
    headers: HeaderMap,
    Path(slug): Path<String>,
) -> Result<Response, Refusal> {
    let like = results::like(&app, &visit, &slug).await?;
    if headers.contains_key(layout::PART) {
        return Ok(layout::html(like));
    }
    let main = html! {
        p { a href={ "/articles/" (percent_encode(&slug)) } { "Back to the article" } }
        h1 { "Related articles" }
        (like)
    };
    Ok(layout::view(&visit, Here::Articles, "Related articles", main))
}

/// The whole text as it was written.
pub(super) async fn text(
    State(app): State<PageState>,
    visit: Visit,
    Path(slug): Path<String>,
) -> Result<Response, Refusal> {
    let room = room(&app, &visit, &slug).await?;
    let article = app.host.articles.read(&slug).await?;
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))];
    Ok(keep((kind, article.body).into_response(), room))
}

/// Takes room for the article, if it is large.
pub(in crate::page) async fn room(app: &PageState, visit: &Visit, slug: &str) -> Result<Option<SharePermit>, Refusal> {
    let size = app.host.articles.weight(slug).await?;
    Ok(app.host.large_texts.room(&visit.caller.who, size).await)
}

/// The same for a revision of it, also of a deleted one: it may be the largest.
pub(super) async fn room_for_past(app: &PageState, visit: &Visit, name: &str) -> Result<Option<SharePermit>, Refusal> {
    let size = app.host.articles.weight_of_past(name).await?;
    Ok(app.host.large_texts.room(&visit.caller.who, size).await)
}

/// Keeps the room until the answer has been sent.
pub(in crate::page) fn keep(mut response: Response, room: Option<SharePermit>) -> Response {
    if let Some(room) = room {
        response.extensions_mut().insert(UntilSent::from(room));
    }
    response
}

fn head(visit: &Visit, article: &Article) -> Markup {
    let slug = &article.slug;
    html! {
        header.title {
            (crumbs(&article.folder))
            h1 dir="auto" { (article.title) }
            p.quiet {
                "Saved " (moment(article.updated_at)) " · "
                a href={ "/articles/" (slug) "/history" } { "revision " (article.revision) } " · "
                span #status data-fragment="status" role="status" { (status(&article.embedding)) }
            }
            @if !article.tags.is_empty() { (tags(&article.tags)) }
            (properties::list_properties(article))
            @if visit.may_write() {
                p.actions {
                    a.button href={ "/articles/" (slug) "/edit" } { "Edit" }
                    a.button href={ "/articles/" (slug) "/rename" } { "Rename" }
                    a.button href={ "/articles/" (slug) "/delete" } { "Delete" }
                }
            }
        }
    }
}

/// Its tags, each with the articles that have it.
fn tags(tags: &[String]) -> Markup {
    html! {
        p.tags aria-label="Tags" {
            @for tag in tags { (with_tag(tag)) " " }
        }
    }
}

/// A tag, and where the articles are that have it.
pub(super) fn with_tag(tag: &str) -> Markup {
    match properties::condition("tag", tag) {
        Some(condition) => html! { a dir="auto" href={ "/?" (query(&[("filter", &condition)])) } { "#" (tag) } },
        None => html! { bdi { "#" (tag) } },
    }
}

/// The state of its embedding, in words for a person.
pub(in crate::page) fn status(stands: &EmbeddingStatus) -> Markup {
    html! {
        (embedding(stands))
        @if stands.status == EmbeddingState::Failed {
            @if let Some(error) = &stands.error { " " span.problem dir="auto" { (error) } }
        }
        @if let Some(task) = stands.task_id { " " a href={ "/runtime/tasks/" (task) } { "task " (task) } }
    }
}

fn contents(rendered: &Rendered) -> Markup {
    html! {
        nav.contents aria-labelledby="contents" {
            h2 #contents { "Contents" }
            ol {
                @for heading in &rendered.headings {
                    li class={ "level" (heading.level) } { a dir="auto" href={ "#" (heading.anchor) } { (heading.text) } }
                }
            }
        }
    }
}

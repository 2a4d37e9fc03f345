//! `/articles/{slug}/rename`: another slug, and whether the links to it are changed.

use afterword_actors::store::StoreError;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::read;
use crate::{
    articles::{
        Article, ArticleError, SaveResult,
        linking::{LinkTarget, RelinkReport},
        slug::Slug,
    },
    auth::Permission,
    page::{
        app::PageState,
        given::{Form, Path},
        layout::{self, Here},
        pieces::count,
        refusal::Refusal,
        visit::Visit,
    },
};

/// At most this many linking articles are counted.
const MAX_COUNTED_LINKS: u32 = 100;
/// At most this many articles whose links were not changed are named.
const MAX_NAMED_ARTICLES: usize = 100;

/// The fields of the form.
#[derive(Deserialize)]
pub(super) struct RenameForm {
    to: String,
    /// Whether links to it are changed.
    links: Option<String>,
    /// The revision that was shown.
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
    let wanted = RenameForm { to: article.slug.clone(), links: Some(String::new()), revision: None };
    form(&app, &visit, &article, &wanted, None).await
}

pub(super) async fn carry_out(
    State(app): State<PageState>,
    visit: Visit,
    Path(slug): Path<String>,
    Form(wanted): Form<RenameForm>,
) -> Result<Response, Refusal> {
    visit.needs(Permission::Write)?;
    let _room = read::room(&app, &visit, &slug).await?;
    match rename(&app, &slug, &wanted).await {
        Ok((saved, relinked)) if relinked.unmended.is_empty() => {
            Ok(Redirect::to(&format!("/articles/{}", saved.article.slug)).into_response())
        }
        Ok((saved, relinked)) => Ok(links_left(&visit, &saved.article, &relinked)),
        Err(error) => {
            // Without the article there is nothing to ask about.
            let article = app.host.articles.read(&slug).await?;
            let is_renamed = article.slug != slug && article.slug == wanted.to.trim();
            let why = match &error {
                ArticleError::Store(_) if is_renamed => format!("Renamed, but not every link was changed: {error}"),
                ArticleError::Store(StoreError::InDoubt(_)) => error.to_string(),
                _ => format!("Not renamed: {error}"),
            };
            let status = Refusal::from(error).into_response().status();
            let mut response = form(&app, &visit, &article, &wanted, Some(&why)).await?;
            *response.status_mut() = if status == StatusCode::NOT_FOUND { StatusCode::CONFLICT } else { status };
            Ok(response)
        }
    }
}

async fn rename(app: &PageState, slug: &str, wanted: &RenameForm) -> Result<(SaveResult, RelinkReport), ArticleError> {
    let to = Slug::parse(wanted.to.trim())?;
    match wanted.links {
        Some(_) => app.host.articles.rename_with_links(slug, to, wanted.revision).await,
        None => Ok((app.host.articles.rename(slug, to, wanted.revision).await?, RelinkReport::default())),
    }
}

async fn form(
    app: &PageState,
    visit: &Visit,
    article: &Article,
    wanted: &RenameForm,
    why: Option<&str>,
) -> Result<Response, Refusal> {
    let linking = app.host.articles.backlinks(&LinkTarget::from(article), MAX_COUNTED_LINKS).await?.len();
    let main = html! {
        div.narrow {
            h1 { "Rename this article" }
            p { strong dir="auto" { (article.title) } }
            p { "Its name in addresses changes, and its title stays. The present name keeps working." }
            @if let Some(why) = why { p.problem role="alert" dir="auto" { (why) } }
            form method="post" action={ "/articles/" (article.slug) "/rename" } {
                input type="hidden" name="revision" value=(article.revision);
                label for="to" { "Name in addresses" }
                input #to type="text" name="to" value=(wanted.to) required autocomplete="off" spellcheck="false" maxlength="200";
                (question(linking, wanted))
                div.actions {
                    button.primary type="submit" { "Rename" }
                    a.button href={ "/articles/" (article.slug) } { "Keep the name" }
                }
            }
        }
    };
    Ok(layout::view(visit, Here::Articles, "Rename", main))
}

/// Whether the links to it are changed, and how many articles have some.
fn question(linking: usize, wanted: &RenameForm) -> Markup {
    let number = i64::try_from(linking).unwrap_or(i64::MAX);
    let more = if linking >= MAX_COUNTED_LINKS as usize { " or more" } else { "" };
    html! {
        // Links that are written meanwhile are changed as well.
        @if linking == 0 { input type="hidden" name="links" value="on"; }
        @else { label.check {
            input type="checkbox" name="links" checked[wanted.links.is_some()];
            " Change the links by the present name, too (" (count(number, "article links", "articles link")) (more)
            " to it; each that names it so gets a new revision)"
        } }
    }
}

/// The articles whose links could not be changed.
fn links_left(visit: &Visit, article: &Article, relinked: &RelinkReport) -> Response {
    let mended = i64::try_from(relinked.mended.len()).unwrap_or(i64::MAX);
    let main = html! {
        h1 { "Renamed, but not every link" }
        p { "The article is " a href={ "/articles/" (article.slug) } { (article.slug) } " now. Links were changed in "
            (count(mended, "article", "articles")) ". These still name it as before, which keeps working:" }
        ul.articles {
            @for left in relinked.unmended.iter().take(MAX_NAMED_ARTICLES) {
                li { a.title href={ "/articles/" (left.slug) } { (left.slug) } p.quiet dir="auto" { (left.reason) } }
            }
        }
    };
    layout::view(visit, Here::Articles, "Renamed", main)
}

//! `/`: the articles saved last, the folders, and searching.

use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::Response,
};
use maud::{Markup, html};

use super::{asked::Asked, results};
use crate::{
    articles::{ArticleSummary, folder::Folder},
    page::{
        app::PageState,
        layout::{self, Here, PART},
        pieces::{crumbs, empty, encoded, moment, query, size, unless_searchable},
        refusal::Refusal,
        visit::Visit,
    },
    search::Mode,
};

/// Articles of a page.
const PAGE: u32 = 30;
/// At most this many folders are shown.
const FOLDERS: usize = 100;

pub(super) async fn show(
    State(app): State<PageState>,
    visit: Visit,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let folder = Folder::parse(&asked.folder).map_err(|error| Refusal::invalid(error.to_string()))?;
    let is_search = !asked.q.trim().is_empty();
    if headers.contains_key(PART) {
        return Ok(layout::html(results::of(&app, &visit, &asked, &folder).await?));
    }
    let main = html! {
        (deleted(&asked))
        (search_form(&asked, &folder))
        div #results aria-live="polite" {
            @if is_search { (results::of(&app, &visit, &asked, &folder).await?) }
        }
        div #browse hidden[is_search] { (browse(&app, &visit, &asked, &folder).await?) }
    };
    let title = if is_search { format!("{} · Search", asked.q) } else { "Articles".to_owned() };
    Ok(layout::view(&visit, Here::Articles, &title, main))
}

fn search_form(asked: &Asked, folder: &Folder) -> Markup {
    let modes = [(Mode::Hybrid, "words and meaning"), (Mode::Keyword, "words"), (Mode::Semantic, "meaning")];
    html! {
        h1.unseen { "Articles" }
        form #search.search role="search" method="get" action="/" {
            label.unseen for="q" { "Search articles" }
            input #q type="search" name="q" value=(asked.q) dir="auto" maxlength="2000" autocomplete="off"
                placeholder="Ask a question, or look for a word";
            label.unseen for="mode" { "Search by" }
            select #mode name="mode" {
                @for (mode, name) in modes {
                    option value=(mode.as_str()) selected[mode == asked.mode] { "by " (name) }
                }
            }
            @if !folder.as_ref().is_empty() { input type="hidden" name="folder" value=(folder.as_ref()); }
            button type="submit" { "Search" }
        }
    }
}

fn deleted(asked: &Asked) -> Markup {
    html! {
        @if !asked.deleted.is_empty() {
            div.notice role="status" {
                span dir="auto" { "“" (asked.deleted) "” was deleted." }
                form method="post" action={ "/articles/" (encoded(&asked.deleted)) "/restore" } {
                    button type="submit" { "Undo" }
                }
            }
        }
    }
}

async fn browse(app: &PageState, visit: &Visit, asked: &Asked, folder: &Folder) -> Result<Markup, Refusal> {
    let cursor = Some(asked.cursor.as_str()).filter(|cursor| !cursor.is_empty());
    let (articles, next) = app.host.articles.newest(folder, cursor, PAGE).await?;
    let below = app.host.articles.subfolders(folder, FOLDERS).await?;
    Ok(html! {
        @if !folder.as_ref().is_empty() { (crumbs(folder.as_ref())) }
        @if !below.is_empty() {
            nav.folders aria-label="Folders" {
                ul {
                    @for below in &below {
                        li {
                            a dir="auto" href={ "/?" (query(&[("folder", below.as_ref())])) } { (below.parts().last().unwrap_or_default()) }
                        }
                    }
                }
            }
        }
        @if articles.is_empty() && cursor.is_none() {
            (nothing_yet(visit))
        } @else {
            h2 { @if cursor.is_some() { "Saved before" } @else { "Last saved" } }
            (listed(&articles))
        }
        nav.pager aria-label="Pages" {
            @if cursor.is_some() { a href={ "/?" (query(&[("folder", folder.as_ref())])) } { "To the newest" } }
            @if let Some(next) = &next {
                a rel="next" href={ "/?" (query(&[("folder", folder.as_ref()), ("cursor", next)])) } { "Older articles" }
            }
            @if visit.may_write() { a href="/deleted" { "Deleted articles" } }
        }
    })
}

fn nothing_yet(visit: &Visit) -> Markup {
    html! {
        div.welcome {
            h2 { "Nothing is written here yet" }
            @if visit.may_write() {
                p { "Write the first article: it is saved at once, and found by its meaning a moment later." }
                p { a.button.primary href="/new" { "Write an article" } }
                p.quiet { "Or bring a folder of notes along: " code { "afterword import FOLDER" } }
            } @else {
                (empty("There are no articles yet, and this token may not write any."))
            }
        }
    }
}

fn listed(articles: &[ArticleSummary]) -> Markup {
    html! {
        ul.articles {
            @for article in articles {
                li {
                    a.title dir="auto" href={ "/articles/" (article.slug) } { (article.title) }
                    p.quiet {
                        @if !article.folder.is_empty() { span dir="auto" { (article.folder) } " · " }
                        (moment(article.updated_at)) " · " (size(article.size)) (unless_searchable(&article.embedding))
                    }
                }
            }
        }
    }
}

//! `/`: the articles saved last, the folders, the tags, lists by filter, and searching.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use maud::{Markup, html};

use super::{home_query::HomeQuery, results};
use crate::{
    api::MAX_COUNTED,
    articles::{
        ArticleError, ArticleSummary,
        folder::Folder,
        properties::{Filter, FilterError},
    },
    page::{
        app::PageState,
        given::Query,
        layout::{self, Here, PART},
        pieces::{count, crumbs, empty, moment, percent_encode, query, size, unless_searchable, with_separators},
        refusal::Refusal,
        visit::Visit,
    },
    search::Mode,
    time::Timestamp,
};

/// Articles of a page.
const PAGE_SIZE: u32 = 30;
/// How long "Undo" is offered. *Units:* milliseconds.
const JUST_NOW: i64 = 10 * 60_000;
/// The article is looked for among so many that were deleted last.
const LATELY_DELETED: u32 = 100;
/// At most this many folders are shown.
const MAX_SHOWN_FOLDERS: usize = 100;

pub(super) async fn show(
    State(app): State<PageState>,
    visit: Visit,
    headers: HeaderMap,
    Query(parameters): Query<HomeQuery>,
) -> Result<Response, Refusal> {
    let folder = Folder::parse(&parameters.folder).map_err(|error| Refusal::invalid(error.to_string()))?;
    let filter = parameters.filter();
    let is_search = !parameters.q.trim().is_empty() && filter.is_ok();
    if headers.contains_key(PART) {
        return Ok(layout::html(results::of(&app, &visit, &parameters, &folder).await?));
    }
    let main = html! {
        (deletion_notice(&app, &visit, &parameters).await?)
        (search_form(&parameters, &folder))
        // How many were found is said, and not all of it.
        p #found.unseen role="status" {}
        div #results {
            @if is_search { (results::of(&app, &visit, &parameters, &folder).await?) }
        }
        div #browse hidden[is_search] {
            (filter_form(&parameters, &folder, filter.as_ref().err()))
            @if let Ok(filter) = &filter { (browse(&app, &visit, &parameters, &folder, filter).await?) }
        }
    };
    let title = if is_search { format!("{} · Search", parameters.q) } else { "Articles".to_owned() };
    let mut response = layout::view(&visit, Here::Articles, &title, main);
    if filter.is_err() {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

fn search_form(parameters: &HomeQuery, folder: &Folder) -> Markup {
    let modes = [(Mode::Hybrid, "words and meaning"), (Mode::Keyword, "words"), (Mode::Semantic, "meaning")];
    html! {
        h1.unseen { "Articles" }
        form #search.search role="search" method="get" action="/" {
            label.unseen for="q" { "Search articles" }
            input #q type="search" name="q" value=(parameters.q) dir="auto" maxlength="2000" autocomplete="off"
                placeholder="Ask a question, or look for a word";
            label.unseen for="mode" { "Search by" }
            select #mode name="mode" {
                @for (mode, name) in modes {
                    option value=(mode.as_str()) selected[mode == parameters.mode] { "by " (name) }
                }
            }
            @if !folder.as_ref().is_empty() { input type="hidden" name="folder" value=(folder.as_ref()); }
            @if !parameters.filter.is_empty() { input type="hidden" name="filter" value=(parameters.filter); }
            button type="submit" { "Search" }
        }
    }
}

/// The filter of the list, and what is wrong with it.
fn filter_form(parameters: &HomeQuery, folder: &Folder, error: Option<&FilterError>) -> Markup {
    html! {
        form.filter role="search" aria-label="Filter" method="get" action="/" {
            label for="filter" { "Only" }
            input #filter type="text" name="filter" value=(parameters.filter) dir="auto" maxlength="2000" autocomplete="off"
                spellcheck="false" placeholder="tag:rust status:draft updated:<7d" aria-invalid=[error.map(|_| "true")]
                aria-describedby=[error.map(|_| "filter-problem")];
            @if !folder.as_ref().is_empty() { input type="hidden" name="folder" value=(folder.as_ref()); }
            button type="submit" { "Show" }
            @if !parameters.filter.is_empty() { a href={ "/?" (query(&[("folder", folder.as_ref())])) } { "All" } }
        }
        @if let Some(error) = error { p #filter-problem.problem role="alert" dir="auto" { (error) } }
    }
}

/// Says that an article was deleted just now, as long as that is so, whatever the address says.
async fn deletion_notice(app: &PageState, visit: &Visit, parameters: &HomeQuery) -> Result<Markup, Refusal> {
    if parameters.deleted.is_empty() || !visit.may_write() {
        return Ok(Markup::default());
    }
    let since = Timestamp(app.host.queue.now().await?.saturating_sub(JUST_NOW));
    let page = app.host.articles.deleted(&Folder::default(), Some(since), LATELY_DELETED).await?;
    let of_address = page.articles.into_iter().find(|article| article.slug == parameters.deleted);
    Ok(html! {
        @if let Some(article) = of_address {
            div.notice role="status" {
                span { "“" bdi { (article.title) } "” was deleted " (moment(article.deleted_at)) "." }
                form method="post" action={ "/articles/" (percent_encode(&article.name)) "/restore" } {
                    button type="submit" { "Undo" }
                }
            }
        }
    })
}

async fn browse(
    app: &PageState,
    visit: &Visit,
    parameters: &HomeQuery,
    folder: &Folder,
    filter: &Filter,
) -> Result<Markup, Refusal> {
    let cursor = Some(parameters.cursor.as_str()).filter(|cursor| !cursor.is_empty());
    let ListPage { articles, heading, next } = ListPage::of(app, folder, filter, cursor).await?;
    // Folders and tags lead on from what is not filtered.
    let below =
        if filter.is_empty() { app.host.articles.subfolders(folder, MAX_SHOWN_FOLDERS).await? } else { Vec::new() };
    let place = [("folder", folder.as_ref()), ("filter", parameters.filter.as_str())];
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
        @if filter.is_empty() && folder.as_ref().is_empty() && cursor.is_none() { div data-part="/tags" {} }
        @if articles.is_empty() && cursor.is_none() && filter.is_empty() {
            (nothing_yet(visit))
        } @else {
            h2 { (heading) }
            @if articles.is_empty() { (empty("No article is like this.")) }
            (article_list(&articles))
        }
        nav.pager aria-label="Pages" {
            @if cursor.is_some() { a href={ "/?" (query(&place)) } { "To the newest" } }
            @if let Some(next) = &next {
                a rel="next" href={ "/?" (query(&[place[0], place[1], ("cursor", next)])) } { "Older articles" }
            }
            a href="/tags" { "Tags" }
            @if visit.may_write() { a href="/deleted" { "Deleted articles" } }
        }
    })
}

/// A page of a list.
struct ListPage {
    articles: Vec<ArticleSummary>,
    heading: String,
    next: Option<String>,
}

impl ListPage {
    /// A list by filter says how many there are; that of all articles counts none.
    async fn of(app: &PageState, folder: &Folder, filter: &Filter, cursor: Option<&str>) -> Result<Self, ArticleError> {
        if filter.is_empty() {
            let (articles, next) = app.host.articles.newest(folder, cursor, PAGE_SIZE).await?;
            let heading = if cursor.is_some() { "Saved before" } else { "Last saved" };
            return Ok(Self { articles, heading: heading.to_owned(), next });
        }
        let page = app.host.articles.list_where(folder, filter, cursor, PAGE_SIZE).await?;
        let heading = match page.total {
            Some(total) => count(total, "article", "articles"),
            None => format!("More than {} articles", with_separators(MAX_COUNTED)),
        };
        Ok(Self { articles: page.articles, heading, next: page.next_cursor })
    }
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

fn article_list(articles: &[ArticleSummary]) -> Markup {
    html! {
        ul.articles {
            @for article in articles {
                li dir="auto" {
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

//! `/tags`: the tags that articles have, the most used first.

use axum::{extract::State, http::HeaderMap, response::Response};
use maud::{Markup, html};

use super::read::with_tag;
use crate::{
    api::TagCount,
    page::{
        app::PageState,
        layout::{self, Here, PART},
        pieces::{count, empty, with_separators},
        refusal::Refusal,
        visit::Visit,
    },
};

/// Tags of the page.
const MAX_TAGS: u32 = 500;
/// Tags beside the folders of the first view.
const BESIDE_FOLDERS: u32 = 30;

/// A page of them, or, as a part of the first view, the first few.
pub(super) async fn show(State(app): State<PageState>, visit: Visit, headers: HeaderMap) -> Result<Response, Refusal> {
    if headers.contains_key(PART) {
        let tags = app.host.articles.tags("", BESIDE_FOLDERS).await?;
        let has_more = tags.total.is_none_or(|total| total > i64::from(BESIDE_FOLDERS));
        return Ok(layout::html(html! {
            @if !tags.rows.is_empty() { (tag_list(&tags.rows, has_more)) }
        }));
    }
    let tags = app.host.articles.tags("", MAX_TAGS).await?;
    let main = html! {
        p { a href="/" { "Back to the articles" } }
        h1 { "Tags" }
        @if tags.rows.is_empty() { (empty("No article has a tag yet. Write #one in a text, or tags: [one] in its properties.")) }
        @else { (tag_list(&tags.rows, false)) }
        @if let Some(total) = tags.total.filter(|total| *total > i64::from(MAX_TAGS)) {
            p.quiet { "Of " (count(total, "tag", "tags")) ", the most used." }
        }
    };
    Ok(layout::view(&visit, Here::Articles, "Tags", main))
}

fn tag_list(tags: &[TagCount], has_more: bool) -> Markup {
    html! {
        nav.folders aria-label="Tags" {
            ul {
                @for tag in tags { li { (with_tag(&tag.tag)) " " span.quiet { (with_separators(tag.articles)) } } }
                @if has_more { li { a href="/tags" { "All tags" } } }
            }
        }
    }
}

//! `/articles/{slug}/history`: the revisions of an article, and what each save changed.

use std::borrow::Cow;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::read;
use crate::{
    articles::{
        Article, Revision,
        compared::{FieldChange, fields},
    },
    page::{
        app::PageState,
        differences,
        given::{Path, Query},
        layout::{self, Here},
        pieces::{moment, percent_encode, size},
        refusal::Refusal,
        visit::Visit,
    },
};

/// At most this many revisions are listed; older ones are reached by their number.
const MAX_LISTED_REVISIONS: usize = 200;

/// Which change to show.
#[derive(Deserialize)]
pub(super) struct RevisionQuery {
    revision: Option<i64>,
}

pub(super) async fn show(
    State(app): State<PageState>,
    visit: Visit,
    Path(slug): Path<String>,
    Query(parameters): Query<RevisionQuery>,
) -> Result<Response, Refusal> {
    if !visit.may_write() {
        app.host.articles.must_exist(&slug).await?;
    }
    let revisions = app.host.articles.history(&slug).await?;
    let chosen = parameters.revision.or_else(|| revisions.first().map(|newest| newest.revision)).unwrap_or(1);
    let largest = revisions.iter().map(|revision| revision.size).max().unwrap_or_default();
    let room = app.host.large_texts.room(&visit.caller.who, u64::try_from(largest).unwrap_or_default()).await;
    let after = app.host.articles.read_revision(&slug, chosen).await?;
    let before = revisions.iter().find(|revision| revision.revision < chosen).map(|before| before.revision);
    let before = match before {
        Some(number) => app.host.articles.read_revision(&slug, number).await.map(Some)?,
        None => None,
    };
    let old = before.as_ref().map(whole).unwrap_or_default();
    let changed = differences::differences("Differences", &old, &whole(&after)).await;
    let fields = before.as_ref().map(|before| fields(before, &after)).unwrap_or_default();
    let main = html! {
        p { a href={ "/articles/" (percent_encode(&slug)) } { "Back to the article" } }
        h1 dir="auto" { "History of “" (after.title) "”" }
        div.split {
            (list(&revisions, chosen))
            section aria-label={ "Revision " (chosen) } {
                h2 { "Revision " (chosen) @if let Some(before) = &before { ", against " (before.revision) } }
                @for FieldChange { field, from, to } in &fields {
                    p { (label(field)) ": " del dir="auto" { (from) } " " ins dir="auto" { (to) } }
                }
                (changed)
                @if visit.may_write() && revisions.iter().any(|one| one.revision == chosen && !one.present) {
                    form method="post" action={ "/articles/" (percent_encode(&slug)) "/restore" } {
                        input type="hidden" name="revision" value=(chosen);
                        button type="submit" { "Make revision " (chosen) " the present one" }
                    }
                }
            }
        }
    };
    Ok(read::keep(layout::view(&visit, Here::Articles, "History", main), room))
}

/// Its text behind its front matter.
fn whole(article: &Article) -> Cow<'_, str> {
    match article.front_matter.as_str() {
        "" => Cow::Borrowed(&article.body),
        head => Cow::Owned([head, &article.body].concat()),
    }
}

fn label(field: &str) -> &str {
    match field {
        "title" => "Title",
        "slug" => "Name in addresses",
        "folder" => "Folder",
        "skip_embedding" => "Found by its words only",
        other => other,
    }
}

fn list(revisions: &[Revision], chosen: i64) -> Markup {
    html! {
        nav.revisions aria-label="Revisions" {
            ol {
                @for revision in revisions.iter().take(MAX_LISTED_REVISIONS) {
                    li {
                        a href={ "?revision=" (revision.revision) } aria-current=[(revision.revision == chosen).then_some("true")] {
                            "Revision " (revision.revision)
                            @if revision.present { " · present" } @else if revision.deleted { " · deleted after it" }
                        }
                        p.quiet { (moment(revision.saved_at)) " · " (size(revision.size)) }
                    }
                }
            }
        }
    }
}

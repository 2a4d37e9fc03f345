//! The audit trail: what happened, and who did it.

use afterword_actors::store::events::Filter;
use axum::{extract::State, response::Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::{changing::LIVE, links, tabs::tabs};
use crate::{
    page::{
        app::PageState,
        given::Query,
        layout::{self, Here},
        pieces::{empty, moment},
        refusal::Refusal,
        visit::Visit,
    },
    queue::Event,
};

/// Entries of a page.
const PAGE_SIZE: u32 = 100;

/// Which entries to show.
#[derive(Deserialize)]
pub(super) struct TrailQuery {
    /// Entries older than this one.
    before: Option<i64>,
}

pub(super) async fn show(
    State(app): State<PageState>,
    visit: Visit,
    Query(parameters): Query<TrailQuery>,
) -> Result<Response, Refusal> {
    let queue = app.host.queue.seen_by(visit.caller.scope);
    let entries = match parameters.before {
        Some(before) => queue.events_before(before, PAGE_SIZE).await?,
        None => queue.events(&Filter { task_id: None, limit: PAGE_SIZE }).await?,
    };
    let manages = visit.may_manage();
    let is_full = entries.len() >= PAGE_SIZE as usize;
    let oldest = entries.first().map(|oldest| oldest.id).filter(|_| is_full);
    let entries: Vec<_> = entries.into_iter().filter(|entry| manages || !entry.is_of_tokens()).collect();
    let main = html! {
        h1 { "Audit trail" }
        (tabs("/runtime/trail"))
        div data-live=[parameters.before.is_none().then_some(LIVE)] data-fragment="trail" { (table(&entries)) }
        nav.pager aria-label="Pages" {
            @if parameters.before.is_some() { a href="/runtime/trail" { "To the newest" } }
            @if let Some(oldest) = oldest { a rel="next" href={ "?before=" (oldest) } { "Older entries" } }
        }
    };
    Ok(layout::view(&visit, Here::Runtime, "Audit trail", main))
}

/// Entries as a table, the newest first.
pub(super) fn table(entries: &[Event]) -> Markup {
    html! {
        @if entries.is_empty() { (empty("Nothing has happened yet.")) } @else {
            div.scroll tabindex="0" role="region" aria-label="Entries" {
                table.list {
                    thead { tr { th scope="col" { "when" } th scope="col" { "what" } th scope="col" { "article" } th scope="col" { "task" } th scope="col" { "detail" } } }
                    tbody { @for entry in entries.iter().rev() { (row(entry)) } }
                }
            }
        }
    }
}

fn row(entry: &Event) -> Markup {
    html! {
        tr {
            td.narrow-cell { (moment(entry.at)) }
            td {
                (entry.event)
                @if let (Some(from), Some(to)) = (&entry.from_status, &entry.to_status) { span.quiet { " " (from) " → " (to) } }
            }
            td { @if let Some(slug) = &entry.slug { (links::article(slug)) } @else { "—" } }
            td { @if let Some(task) = entry.task_id { a href={ "/runtime/tasks/" (task) } { (task) } } @else { "—" } }
            td dir="auto" {
                @if let Some(kind) = &entry.error_kind { strong { (kind) } " " }
                (entry.detail.as_deref().unwrap_or_default())
            }
        }
    }
}

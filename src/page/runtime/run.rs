//! `/runtime/runs/{id}`: the state of a run, or how it ended.

use axum::{extract::State, response::Response};
use maud::html;

use super::{changing::LIVE, links, runs, tabs::tabs};
use crate::{
    page::{
        app::PageState,
        given::Path,
        layout::{self, Here},
        pieces::{count, moment, with_separators},
        refusal::Refusal,
        visit::Visit,
    },
    time::duration,
};

pub(super) async fn show(State(app): State<PageState>, visit: Visit, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let run = app.host.bulk.seen_by(visit.caller.scope).run(id).await?;
    let main = html! {
        h1 { "Run " (id) }
        (tabs("/runtime/runs"))
        div data-live=[(!run.has_ended()).then_some(LIVE)] data-fragment="run" {
        (runs::progress(&run, visit.may_manage()))
        dl.facts {
            div { dt { "requested" } dd { (moment(run.summary.requested_at)) } }
            @if let Some(at) = run.summary.finished_at { div { dt { "ended" } dd { (moment(at)) } } }
            div { dt { "took" } dd { (duration(run.duration_ms)) } }
            div { dt { "open" } dd { (with_separators(run.open)) } }
            @if let Some(skipped) = run.skipped { div { dt { "never embedded" } dd { (with_separators(skipped)) } } }
        }
        @if !run.failures.is_empty() {
            h2 { "What failed" }
            p.quiet { "The first of " (count(run.failed, "article", "articles")) "." }
            ul.groups role="list" {
                @for failure in &run.failures {
                    li {
                        p { (links::article(&failure.slug)) " · " a href={ "/runtime/tasks/" (failure.task_id) } { "task " (failure.task_id) } @if let Some(kind) = &failure.error_kind { " · " strong { (kind) } } }
                        @if let Some(message) = &failure.error_message { p.problem dir="auto" { (message) } }
                    }
                }
            }
        }
        }
    };
    Ok(layout::view(&visit, Here::Runtime, &format!("Run {id}"), main))
}

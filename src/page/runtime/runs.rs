//! Bulk runs, and a change of the model.

use axum::{extract::State, response::Response};
use maud::{Markup, html};

use super::{changing::LIVE, links, snapshot::Snapshot, tabs::tabs};
use crate::{
    bulk::BulkRun,
    page::{
        app::PageState,
        layout::{self, Here},
        pieces::{count, empty, moment, status, with_separators},
        refusal::Refusal,
        visit::Visit,
    },
    sets::{Build, SetsStatus},
    time::duration,
};

/// At most this many runs are listed.
const MAX_LISTED_RUNS: u32 = 50;

pub(super) async fn show(State(app): State<PageState>, visit: Visit) -> Result<Response, Refusal> {
    let (runs, sets) = (app.host.bulk.list(MAX_LISTED_RUNS).await?, app.model.status(&app.host.sets()).await?);
    let main = html! {
        h1 { "Runs and model" }
        (tabs("/runtime/runs"))
        div data-live=(LIVE) {
        section aria-labelledby="model" {
            h2 #model { "Model" }
            div data-fragment="model" {
            @match &sets.in_use {
                Some(set) => { p { "Searches use " strong dir="auto" { (set.model) } " (" (set.provider) "): " (with_separators(set.embedded)) " of " (count(set.articles, "article", "articles")) "." } }
                None => { p { "Nothing has been embedded yet. The settings name " strong { (sets.configured) } "." } }
            }
            @if let Some(build) = &sets.building { (building(build, visit.may_manage())) }
            @if visit.may_manage() && sets.building.is_none() && is_other(&sets) {
                p.actions { (links::link("switch-model", "", &format!("Change to {}", sets.configured))) }
            }
            }
        }
        section aria-labelledby="runs" {
            h2 #runs { "Bulk runs" }
            @if visit.may_manage() { (start()) }
            div data-fragment="runs" {
            @if runs.is_empty() { (empty("No run yet. A run embeds many articles, after what is saved meanwhile.")) } @else {
                div.scroll tabindex="0" role="region" aria-label="Runs" {
                    table.list {
                        thead { tr { th scope="col" { "run" } th scope="col" { "articles" } th scope="col" { "state" } th scope="col" { "requested" } th scope="col" { "ended" } } }
                        tbody {
                            @for run in &runs {
                                tr {
                                    td { a href={ "/runtime/runs/" (run.id) } { "run " (run.id) } }
                                    td dir="auto" { (in_words(&run.scope)) @if !run.folder.is_empty() { " in " (run.folder) } }
                                    td { (status(&run.state)) }
                                    td.narrow-cell { (moment(run.requested_at)) }
                                    td.narrow-cell { @if let Some(at) = run.finished_at { (moment(at)) } @else { "—" } }
                                }
                            }
                        }
                    }
                }
            }
            }
        }
        }
    };
    Ok(layout::view(&visit, Here::Runtime, "Runs and model", main))
}

fn is_other(sets: &SetsStatus) -> bool {
    sets.in_use.is_some() && !sets.not_in_effect.is_empty()
}

/// Which articles a run embeds.
const SCOPES: [(&str, &str); 5] = [
    ("needed", "all that need it"),
    ("missing", "those without vectors"),
    ("failed", "those that failed"),
    ("stale", "those of an older text"),
    ("all", "every article"),
];

fn in_words(scope: &str) -> &str {
    SCOPES.iter().find(|(name, _)| *name == scope).map_or(scope, |(_, words)| *words)
}

fn start() -> Markup {
    html! {
        form.filter method="get" action="/runtime/acts" {
            input type="hidden" name="act" value="start-run";
            label for="which" { "Embed" }
            select #which name="which" { @for (scope, name) in SCOPES { option value=(scope) { (name) } } }
            label for="folder" { "in folder" }
            input #folder type="text" name="folder" dir="auto" placeholder="all" autocomplete="off";
            button type="submit" { "Start a run…" }
        }
    }
}

/// Open runs, and the one that ended last.
pub(super) fn going(seen: &Snapshot, may_manage: bool) -> Markup {
    html! {
        @if let Some(build) = seen.change.as_ref().and_then(|change| change.building.as_ref()) { (building(build, may_manage)) }
        @for run in &seen.runs { (progress(run, may_manage)) }
        @if seen.runs.is_empty() && seen.change.is_none() { p.empty { "Nothing is running." } }
        p { a href="/runtime/runs" { "All runs, and the model" } }
    }
}

/// The state of a run.
pub(super) fn progress(run: &BulkRun, may_manage: bool) -> Markup {
    let ended = run.succeeded + run.failed + run.cancelled;
    let all = run.total.unwrap_or_default().max(ended + run.left());
    html! {
        div.progress {
            p {
                a href={ "/runtime/runs/" (run.summary.id) } { "Run " (run.summary.id) } " "
                span dir="auto" { (run.summary.scope) @if !run.summary.folder.is_empty() { " in " (run.summary.folder) } } " " (status(&run.summary.state))
            }
            (meter(&format!("run {}", run.summary.id), ended, all))
            p.quiet {
                (with_separators(run.succeeded)) " embedded, " (with_separators(run.failed)) " failed"
                @if run.cancelled > 0 { ", " (with_separators(run.cancelled)) " cancelled" }
                ", of " (with_separators(all)) "."
                @if !run.has_ended() {
                    @if let Some(rate) = run.per_second { " " (format!("{rate:.1}")) " a second." }
                    @if let Some(left) = run.remaining_ms { " About " (duration(left)) " left." }
                }
            }
            @if may_manage && !run.has_ended() { p.actions { (links::link("cancel-run", &run.summary.id.to_string(), "Cancel this run")) } }
        }
    }
}

fn building(build: &Build, may_manage: bool) -> Markup {
    html! {
        div.progress {
            p { "Changing to " strong dir="auto" { (build.set.model) } ": searches use the present model until all are embedded." }
            (meter("change of model", build.set.embedded, build.set.articles))
            p.quiet {
                (with_separators(build.set.embedded)) " of " (count(build.set.articles, "article", "articles")) ", " (format!("{:.1}", build.per_second)) " a second."
                @if let Some(left) = build.remaining_ms { " About " (duration(left)) " left." }
                @if build.failed > 0 { " " (with_separators(build.failed)) " could not be embedded by it: the change waits for them." }
            }
            @if let Some(reason) = &build.waits_because { p.problem dir="auto" { (reason) } }
            @if may_manage {
                p.actions {
                    @if build.failed > 0 { (links::link("accept-failed", "", "Change without those that failed")) }
                    (links::link("cancel-change", "", "Cancel the change"))
                }
            }
        }
    }
}

fn meter(name: &str, done: i64, all: i64) -> Markup {
    html! { progress aria-label=(name) max=(all.max(1)) value=(done.clamp(0, all.max(1))) {} }
}

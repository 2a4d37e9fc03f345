//! The parts of the view of the runtime, rendered once for all open views.

use std::{collections::BTreeMap, sync::Arc};

use maud::{Markup, html};

use super::{
    charts, coverage, failures, hosts, links, provider, runs,
    snapshot::{self, Snapshot},
    trail,
};
use crate::{
    health::{Part, Report, State as Health},
    page::{
        app::PageState,
        memory::Memory,
        pieces::{count, moment, with_separators},
        refusal::Refusal,
        view::{Fragments, View},
    },
    time::{Timestamp, duration},
};

/// One snapshot, rendered.
pub(in crate::page) async fn look(app: &PageState, memory: &mut Memory) -> Result<View, Refusal> {
    let seen = snapshot::take(app, memory).await?;
    Ok(View { managing: render(&seen, true), watching: render(&seen, false) })
}

/// The view while the database cannot be read.
pub(in crate::page) fn unknown(app: &PageState, why: &str) -> View {
    let said = html! {
        (sentence(&app.health.report(), None))
        p.problem dir="auto" { "The database cannot be read: " (why) ". What is shown below is older." }
    };
    let parts = Fragments::from([("sentence", Arc::from(said.into_string()))]);
    View { managing: parts.clone(), watching: parts }
}

fn render(seen: &Snapshot, may_manage: bool) -> Fragments {
    let parts: BTreeMap<&'static str, Markup> = BTreeMap::from([
        ("sentence", sentence(&seen.report, Some(seen))),
        ("figures", figures(seen, may_manage)),
        ("coverage", coverage::show(seen)),
        ("charts", charts::show(seen)),
        ("provider", provider::show(seen)),
        ("runs", runs::going(seen, may_manage)),
        ("failures", failures::show(seen, may_manage)),
        ("hosts", hosts::show(seen)),
        ("trail", trail::table(&seen.trail)),
    ]);
    parts.into_iter().map(|(name, html)| (name, Arc::from(html.into_string()))).collect()
}

/// The health of everything in one sentence; below it the parts that need attention.
fn sentence(report: &Report, seen: Option<&Snapshot>) -> Markup {
    let bad: Vec<(&&str, &Part)> = report.parts.iter().filter(|(_, part)| part.state != Health::Ready).collect();
    // Copies that are left in folders concern their owner, and not the server's health.
    let folders = report.parts.iter().filter(|(name, part)| **name == "folders" && part.state == Health::Ready);
    let left: Vec<&str> = folders.filter_map(|(_, part)| part.detail.as_deref()).collect();
    let failed = seen.map_or(0, |seen| i64::try_from(seen.failed.len()).unwrap_or(i64::MAX));
    let paused = seen.is_some_and(|seen| seen.numbers.queue.paused);
    let (kind, said) = match report.state {
        Health::Ready if paused => {
            ("waiting", "Paused: articles are saved and found by their words; nothing is embedded.".to_owned())
        }
        Health::Ready if failed > 0 => {
            let failed = count(failed, "article has failed and is", "articles have failed and are");
            ("waiting", format!("It works, but {failed} not found by meaning as it is now; see the failures below."))
        }
        Health::Ready => ("good", all_is_well(seen)),
        Health::Degraded => ("waiting", format!("It works, but not all of it: {}.", names(&bad))),
        Health::Unready => ("bad", format!("It does not work: {}.", names(&bad))),
    };
    html! {
        p.sentence.(kind) { (said) }
        @if !bad.is_empty() {
            ul.findings {
                @for (name, part) in bad {
                    li { strong { (name) } " " span dir="auto" { (part.detail.as_deref().unwrap_or("not well")) } span.quiet { " · since " (moment(part.since)) } }
                }
            }
        }
        @for left in left { p.quiet dir="auto" { "Folders: " (left) "." } }
    }
}

fn all_is_well(seen: Option<&Snapshot>) -> String {
    let Some(seen) = seen else { return "Everything works.".to_owned() };
    let (waiting, coverage) = (seen.numbers.queue.pending + seen.numbers.queue.processing, &seen.numbers.coverage);
    match (waiting, coverage.articles) {
        (0, 0) => "Everything works, and waits for the first article.".to_owned(),
        (0, _) => "Everything works, and nothing waits.".to_owned(),
        (waiting, _) => format!("Everything works; {} on the way.", count(waiting, "article is", "articles are")),
    }
}

fn names(bad: &[(&&str, &Part)]) -> String {
    bad.iter().map(|(name, _)| **name).collect::<Vec<_>>().join(", ")
}

fn figures(seen: &Snapshot, may_manage: bool) -> Markup {
    let queue = &seen.numbers.queue;
    let per_minute = seen.numbers.throughput_per_second.get("5m").copied().unwrap_or_default() * 60.0;
    // A point in time stays the same, while an age would change.
    let oldest = queue.oldest_due_ms.map(|age| Timestamp((seen.now - age) / 1000 * 1000));
    html! {
        dl.figures {
            (figure("pending", &with_separators(queue.pending), "/runtime/tasks?status=pending"))
            (figure("processing", &with_separators(queue.processing), "/runtime/tasks?status=processing"))
            (figure("failed tasks", &with_separators(queue.failed), "/runtime/tasks?status=failed"))
            div { dt { "a minute" } dd { (format!("{per_minute:.0}")) } }
            @if let Some(rate) = seen.numbers.success_rate { div { dt { "succeed" } dd { (format!("{:.1} %", rate * 100.0)) } } }
            div { dt { "oldest due" } dd { @if let Some(at) = oldest { span data-since=(at.0) { (duration(seen.now - at.0)) } } @else { "none" } } }
            @if queue.delayed > 0 { div { dt { "for a later attempt" } dd { (with_separators(queue.delayed)) } } }
        }
        @if may_manage { p.actions { (links::switch(queue.paused)) } }
    }
}

fn figure(name: &str, number: &str, place: &str) -> Markup {
    html! { div { dt { (name) } dd { a href=(place) { (number) } } } }
}

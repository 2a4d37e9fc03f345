//! Measurements as figures; `/metrics` has the same for programs.

use axum::{extract::State, response::Response};
use maud::{Markup, html};

use super::tabs::tabs;
use crate::{
    page::{
        app::PageState,
        layout::{self, Here},
        pieces::with_separators,
        refusal::Refusal,
        visit::Visit,
    },
    queue::{Numbers, WorkerNumbers},
    time::duration,
};

pub(super) async fn show(State(app): State<PageState>, visit: Visit) -> Result<Response, Refusal> {
    let numbers = app.host.queue.gauges().await?;
    let main = html! {
        h1 { "Figures" }
        (tabs(&visit, "/settings/figures"))
        (queue(&numbers))
        section aria-labelledby="workers" {
            h2 #workers { "Workers in the last hour" }
            @if numbers.workers.is_empty() { p.empty { "No worker has finished a task within the hour." } } @else { (workers(&numbers.workers)) }
        }
        p.quiet { "For programs, in the format of Prometheus: " code { "/metrics" } }
    };
    Ok(layout::view(&visit, Here::Settings, "Figures", main))
}

fn queue(numbers: &Numbers) -> Markup {
    let (queue, coverage) = (&numbers.queue, &numbers.coverage);
    let figures = [
        ("articles", coverage.articles),
        ("searchable", coverage.embedded),
        ("at an older text", coverage.stale),
        ("not embedded", coverage.missing),
        ("by words only", coverage.skipped),
        ("tasks waiting", queue.pending),
        ("for a later attempt", queue.delayed),
        ("processing", queue.processing),
        ("completed and kept", queue.completed),
        ("failed and kept", queue.failed),
        ("cancelled and kept", queue.cancelled),
    ];
    html! {
        section aria-labelledby="queue" {
            h2 #queue { "Queue and collection" }
            dl.figures {
                @for (name, number) in figures { div { dt { (name) } dd { (with_separators(number)) } } }
                @for (span, rate) in &numbers.throughput_per_second { div { dt { "a second, over " (span) } dd { (format!("{rate:.2}")) } } }
            }
        }
    }
}

fn workers(workers: &[WorkerNumbers]) -> Markup {
    let time = |us: i64| if us < 1_000 { format!("{us} µs") } else { duration(us / 1_000) };
    html! {
        div.scroll tabindex="0" role="region" aria-label="Workers" {
            table.list {
                thead { tr {
                    th scope="col" { "host" } th scope="col" { "slot" } th scope="col" { "completed" } th scope="col" { "failed" }
                    th scope="col" { "tried again" } th scope="col" { "half within" } th scope="col" { "95 % within" } th scope="col" { "99 % within" }
                } }
                tbody {
                    @for worker in workers {
                        tr {
                            td { code { (worker.incarnation) } }
                            td { (worker.slot) } td { (with_separators(worker.completed)) } td { (with_separators(worker.failed)) }
                            td { (with_separators(worker.retried)) } td { (time(worker.p50_us)) } td { (time(worker.p95_us)) } td { (time(worker.p99_us)) }
                        }
                    }
                }
            }
        }
    }
}

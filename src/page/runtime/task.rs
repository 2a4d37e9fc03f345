//! `/runtime/tasks/{id}`: a task and its history, as time waiting and time processing.

use axum::{extract::State, response::Response};
use maud::{Markup, html};

use super::{changing::LIVE, links, tabs::tabs, trail};
use crate::{
    page::{
        app::PageState,
        given::Path,
        layout::{self, Here},
        pieces::{moment, status},
        refusal::Refusal,
        visit::Visit,
    },
    queue::{Event, Task, TaskDetail},
    time::duration,
};

/// A span of a task's history.
struct Span {
    from: i64,
    until: i64,
    is_work: bool,
}

pub(super) async fn show(State(app): State<PageState>, visit: Visit, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let TaskDetail { task, explanation, events } = app.host.queue.seen_by(visit.caller.scope).task(id).await?;
    let now = app.host.queue.now().await?;
    let spans = spans(&events, task.completed_at.map_or(now, |at| at.0));
    let main = html! {
        h1 { "Task " (task.id) " " span data-fragment="state" { (status(&task.status)) } }
        (tabs("/runtime/tasks"))
        div data-live=(LIVE) data-fragment="task" {
        p { (links::article(&task.slug)) ", revision " (task.revision) ": " (task.operation) ", priority " (task.priority) }
        p.sentence.(mood(&task.status)) dir="auto" { (explanation_of(&task, explanation)) }
        @if let (false, Some(error)) = (task.status == "failed", &task.error_message) {
            p.problem dir="auto" { @if let Some(kind) = &task.error_kind { strong { (kind) } ": " } (error) }
        }
        h2 { "Its history" }
        (timeline(&spans))
        dl.facts {
            div { dt { "queued" } dd { (moment(task.created_at)) } }
            div { dt { "not before" } dd { (moment(task.scheduled_at)) } }
            @if let Some(at) = task.started_at { div { dt { "last claimed" } dd { (moment(at)) } } }
            @if let Some(at) = task.completed_at { div { dt { "ended" } dd { (moment(at)) } } }
            div { dt { "attempts" } dd { (task.attempts) " of " (task.max_attempts) } }
            @if let (Some(host), Some(slot)) = (&task.incarnation, task.slot) { div { dt { "worker" } dd { "slot " (slot) " of " code { (host) } } } }
            @if let Some(trace) = &task.trace_id { div { dt { "trace" } dd { code { (trace) } } } }
        }
        @if visit.may_manage() {
            p.actions {
                @if task.status != "completed" && task.status != "processing" { (links::link("retry-task", &task.id.to_string(), "Try it now")) }
                @if task.status == "pending" { (links::link("cancel-task", &task.id.to_string(), "Cancel it")) }
            }
        }
        h2 { "What happened" }
        (trail::table(&events))
        }
    };
    Ok(layout::view(&visit, Here::Runtime, &format!("Task {id}"), main))
}

/// Why the task is in its state. What to do is a button here, and no command.
fn explanation_of(task: &Task, explanation: String) -> String {
    match (task.status.as_str(), &task.error_message, &task.error_kind) {
        ("failed", Some(error), Some(kind)) => format!("Failed ({kind}): {error}"),
        ("failed", Some(error), None) => format!("Failed: {error}"),
        _ => match explanation.split_once("; `afterword queue ") {
            Some((why, _)) => why.to_owned(),
            None => explanation,
        },
    }
}

/// How the explanation of a task's state looks.
fn mood(status: &str) -> &'static str {
    match status {
        "completed" => "good",
        "failed" => "bad",
        "cancelled" => "over",
        _ => "waiting",
    }
}

/// The spans between entries: after `processing` it is processed, else it waits; there is none after its end.
fn spans(events: &[Event], until: i64) -> Vec<Span> {
    let states: Vec<_> = events.iter().filter_map(|event| Some((event.at.0, event.to_status.as_deref()?))).collect();
    let ends = states.iter().skip(1).map(|(at, _)| *at).chain([until]);
    let spans = states.iter().zip(ends).filter(|((_, status), _)| matches!(*status, "pending" | "processing"));
    spans
        .map(|(&(from, status), until)| Span { from, until: until.max(from), is_work: status == "processing" })
        .collect()
}

fn timeline(spans: &[Span]) -> Markup {
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
        return html! { p.empty { "Its audit trail is empty." } };
    };
    let whole = (last.until - first.from).max(1) as f64;
    let total =
        |is_work: bool| spans.iter().filter(|span| span.is_work == is_work).map(|span| span.until - span.from).sum();
    let said = format!("waited {}, worked {}", duration(total(false)), duration(total(true)));
    html! {
        svg.bar viewBox="0 0 1000 28" preserveAspectRatio="none" role="img" aria-label=(said) {
            @for span in spans {
                @let x = (span.from - first.from) as f64 / whole * 1000.0;
                @let width = ((span.until - span.from) as f64 / whole * 1000.0).max(2.0);
                rect class=(if span.is_work { "working" } else { "waiting" }) x=(format!("{x:.1}")) y="0" width=(format!("{width:.1}")) height="28" {
                    title { (if span.is_work { "worked " } else { "waited " }) (duration(span.until - span.from)) }
                }
            }
        }
        ul.legend { li.waiting { "waited " (duration(total(false))) } li.working { "worked " (duration(total(true))) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn event(at: i64, to: &str) -> Event {
        Event {
            id: at,
            at: Timestamp(at),
            task_id: Some(1),
            article_id: None,
            slug: None,
            event: "x".to_owned(),
            from_status: None,
            to_status: Some(to.to_owned()),
            attempt: None,
            incarnation: None,
            slot: None,
            error_kind: None,
            detail: None,
        }
    }

    #[test]
    fn waiting_is_told_from_working() {
        let events = [
            event(0, "pending"),
            event(10, "processing"),
            event(30, "pending"),
            event(100, "processing"),
            event(150, "completed"),
        ];
        let spans = spans(&events, 150);
        let lengths: Vec<_> = spans.iter().map(|span| (span.is_work, span.until - span.from)).collect();
        assert_eq!(lengths, [(false, 10), (true, 20), (false, 70), (true, 50)]);
    }
}

//! The last hour, minute by minute: drawn by the server, without a script.

use maud::{Markup, html};

use super::snapshot::Snapshot;
use crate::{page::pieces::with_separators, queue::Minute, time::duration};

/// *Units:* milliseconds.
const MINUTE: i64 = 60_000;
const MINUTES: i64 = 60;
/// The size of a chart, in the units of its drawing.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 120.0;

/// A host that started within the hour: when, and its name.
struct Mark {
    x: f64,
    said: String,
}

pub(super) fn show(seen: &Snapshot) -> Markup {
    let first = (seen.now / MINUTE - MINUTES + 1) * MINUTE;
    let minutes: Vec<_> = seen.minutes.iter().filter(|minute| minute.at.0 >= first).copied().collect();
    let marks = marks(seen, first);
    html! {
        @if minutes.is_empty() {
            p.empty { "Nothing was embedded in the last hour. Each minute is drawn when it is over." }
        } @else {
            div.charts { (rates(&minutes, first, &marks)) (waits(&minutes, first, &marks)) }
        }
        @if !marks.is_empty() {
            p.quiet { "Started: " @for (at, mark) in marks.iter().enumerate() { @if at > 0 { ", " } (mark.said) } "." }
        }
    }
}

fn marks(seen: &Snapshot, first: i64) -> Vec<Mark> {
    let hosts = seen.hosts.iter().filter(|seen| seen.host.started_at.0 >= first);
    let restarts = |seen: &super::snapshot::HostView| seen.workers.iter().map(|worker| worker.restarts).sum::<i64>();
    hosts
        .map(|seen| Mark {
            x: x(seen.host.started_at.0, first),
            said: match restarts(seen) {
                0 => format!("{} ({})", seen.host.hostname, seen.host.version),
                times => format!("{} ({}, {times} restarts of workers since)", seen.host.hostname, seen.host.version),
            },
        })
        .collect()
}

fn x(at: i64, first: i64) -> f64 {
    (at - first) as f64 / (MINUTES * MINUTE) as f64 * WIDTH
}

/// Tasks of each minute: those completed, and on top of them those that failed.
fn rates(minutes: &[Minute], first: i64, marks: &[Mark]) -> Markup {
    let most = minutes.iter().map(|minute| minute.completed + minute.failed).max().unwrap_or_default().max(1);
    let height = |tasks: i64| tasks as f64 / most as f64 * HEIGHT;
    let all: i64 = minutes.iter().map(|minute| minute.completed).sum();
    let failed: i64 = minutes.iter().map(|minute| minute.failed).sum();
    let wide = WIDTH / MINUTES as f64 - 1.5;
    let bars = html! {
        @for minute in minutes {
            @let (done, given_up) = (height(minute.completed), height(minute.failed));
            rect.good x=(number(x(minute.at.0, first))) y=(number(HEIGHT - done)) width=(number(wide)) height=(number(done)) {
                title { (minute.at) ": " (minute.completed) " completed, " (minute.failed) " failed" }
            }
            @if minute.failed > 0 {
                rect.bad x=(number(x(minute.at.0, first))) y=(number(HEIGHT - done - given_up)) width=(number(wide)) height=(number(given_up)) {}
            }
        }
    };
    chart(
        "Tasks a minute",
        &format!(
            "{} completed, {} failed; at most {} in a minute",
            with_separators(all),
            with_separators(failed),
            with_separators(most)
        ),
        marks,
        bars,
    )
}

/// Time from due to completed: of half of the attempts, and of 95 %.
fn waits(minutes: &[Minute], first: i64, marks: &[Mark]) -> Markup {
    let most = minutes.iter().map(|minute| minute.p95_us).max().unwrap_or_default().max(1);
    let y = |us: i64| HEIGHT - us as f64 / most as f64 * HEIGHT;
    let line = |value: fn(&Minute) -> i64| {
        let point = |minute: &Minute| format!("{:.1},{:.1}", x(minute.at.0 + MINUTE / 2, first), y(value(minute)));
        minutes.iter().map(point).collect::<Vec<_>>().join(" ")
    };
    let last = minutes.last().map(|minute| (minute.p50_us, minute.p95_us)).unwrap_or_default();
    let said = format!(
        "half within {}, 95 % within {} in the last minute; at most {}",
        time(last.0),
        time(last.1),
        time(most)
    );
    let lines = html! {
        @for minute in minutes {
            circle.point cx=(number(x(minute.at.0 + MINUTE / 2, first))) cy=(number(y(minute.p95_us))) r="2.2" {
                title { (minute.at) ": half within " (time(minute.p50_us)) ", 95 % within " (time(minute.p95_us)) }
            }
        }
        polyline.line points=(line(|minute| minute.p50_us)) {}
        polyline.line.far points=(line(|minute| minute.p95_us)) {}
    };
    chart("From save to searchable", &said, marks, lines)
}

fn chart(name: &str, said: &str, marks: &[Mark], drawn: Markup) -> Markup {
    html! {
        figure {
            figcaption { strong { (name) } " " span.quiet { (said) } }
            svg.chart viewBox={ "0 -4 " (WIDTH) " " (HEIGHT + 8.0) } preserveAspectRatio="none" role="img" aria-label={ (name) ": " (said) } {
                line.ground x1="0" x2=(WIDTH) y1=(HEIGHT) y2=(HEIGHT) {}
                @for mark in marks { line.mark x1=(number(mark.x)) x2=(number(mark.x)) y1="0" y2=(HEIGHT) { title { "started: " (mark.said) } } }
                (drawn)
            }
            p.axis aria-hidden="true" { span { "an hour ago" } span { "now" } }
        }
    }
}

fn number(value: f64) -> String {
    format!("{value:.1}")
}

fn time(us: i64) -> String {
    if us < 1_000 { format!("{us} µs") } else { duration(us / 1_000) }
}

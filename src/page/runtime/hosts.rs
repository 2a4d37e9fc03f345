//! Hosts, their actors, and what each slot does.

use maud::{Markup, html};

use super::snapshot::{ActorView, HostView, Snapshot};
use crate::{
    hosts::Worker,
    page::pieces::{moment, status, with_separators},
    time::Timestamp,
};

/// This actor reports how long ago the last beat was, which would change the view each time.
const HEARTBEAT_ACTOR: &str = "HeartbeatActor";

pub(super) fn show(seen: &Snapshot) -> Markup {
    html! {
        @if seen.hosts.is_empty() { p.empty { "No host is running. Waiting tasks are processed when one starts." } }
        @for host in &seen.hosts { (one(host)) }
    }
}

fn one(seen: &HostView) -> Markup {
    let host = &seen.host;
    html! {
        div.host {
            h3 { span dir="auto" { (host.hostname) } " " (status(&host.state)) }
            p.quiet { "process " (host.pid) " · version " (host.version) " · started " (moment(host.started_at)) }
            @match &seen.tree {
                Some(tree) => { ul.tree role="list" { (actor(tree, &seen.workers)) } }
                None => { p.empty { "It has not reported its actors yet." } }
            }
        }
    }
}

fn actor(seen: &ActorView, workers: &[Worker]) -> Markup {
    let actor = &seen.actor;
    let slot = actor.name.strip_prefix("WorkerActor ").and_then(|slot| slot.parse::<i32>().ok());
    let worker = slot.and_then(|slot| workers.iter().find(|worker| worker.slot == slot));
    html! {
        li {
            div.actor {
                strong { (actor.name) } " " (status(actor.state)) " "
                span.quiet {
                    "for " span data-since=(seen.since) { (moment(Timestamp(seen.since))) }
                    @if actor.restarts > 0 { " · " span.restarts { "restarted " (actor.restarts) "×" } }
                    @if actor.mailbox > 0 { " · " (actor.mailbox) " in its mailbox" }
                }
                @if let Some(worker) = worker { (doing(worker)) }
                @else if let Some(doing) = actor.doing.as_ref().filter(|_| actor.name != HEARTBEAT_ACTOR) { p.doing dir="auto" { (doing) } }
                @if let Some(error) = &actor.last_error { p.problem dir="auto" { (error) } }
            }
            @if !seen.children.is_empty() {
                ul role="list" { @for child in &seen.children { (self::actor(child, workers)) } }
            }
        }
    }
}

fn doing(worker: &Worker) -> Markup {
    html! {
        p.doing {
            @match worker.task_id {
                Some(task) => { "works on " a href={ "/runtime/tasks/" (task) } { "task " (task) } " since " (moment(worker.since)) }
                None => { (worker.state) }
            }
            " · " (with_separators(worker.completed)) " completed"
            @if worker.failed > 0 { ", " (with_separators(worker.failed)) " failed" }
        }
        @if let Some(error) = &worker.last_error { p.quiet dir="auto" { "last: " (error) } }
    }
}

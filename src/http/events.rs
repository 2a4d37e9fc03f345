//! `/api/events`: changes of tasks and workers as they happen, as server-sent events.
//!
//! It follows the audit trail, so that nothing is missed: a client that returns with `Last-Event-ID` continues where it
//! was. One look at the database serves all clients; each then reads what is new to it.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    Extension,
    extract::State,
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, stream};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{app::HttpState, feed::FeedState, problem::Problem, responses::ProblemResponses};
use crate::{
    auth::{Caller, Permission},
    hosts::Worker,
    queue::Follower as Trail,
};

/// Entries read at once.
const ENTRIES_PER_READ: u32 = 500;
/// How often late entries are looked for.
const LATE_ENTRIES_INTERVAL: Duration = Duration::from_millis(500);
/// Keeps proxies from taking silence for an end.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// One client, and what it has been told.
struct Follower {
    app: HttpState,
    seen: tokio::sync::watch::Receiver<FeedState>,
    trail: Trail,
    workers: Vec<Worker>,
    waiting: VecDeque<Event>,
    /// Whether what is new could not be read.
    has_missed: bool,
    /// Whether it may know of tokens.
    manages: bool,
}

pub(super) fn reading() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(follow))
}

/// Follow the changes of tasks and workers as they happen.
///
/// Events are `task` (an entry of a task's audit trail), `act` (an administrative act) and `worker`.
#[utoipa::path(get, path = "/events", operation_id = "follow_events", tag = "server",
    params(("Last-Event-ID" = Option<i64>, Header, description = "Go on after this event; what was missed comes first")),
    responses((status = OK, description = "Server-sent events without end", content_type = "text/event-stream",
               body = String), ProblemResponses))]
async fn follow(
    State(app): State<HttpState>,
    caller: Extension<Caller>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let last_entry = match headers.get("last-event-id").map(|id| id.to_str().ok().and_then(|id| id.parse::<i64>().ok()))
    {
        Some(None) => return Err(Problem::malformed("Last-Event-ID must be the id of an event of this server")),
        Some(id) => id,
        None => None,
    };
    let trail = app.host.queue.seen_by(caller.scope).follow(last_entry).await?;
    let seen = app.feed.follow();
    let follower = Follower {
        app,
        seen,
        trail,
        workers: Vec::new(),
        waiting: VecDeque::new(),
        has_missed: false,
        manages: caller.may(Permission::Admin),
    };
    let events = stream::unfold(follower, |mut follower| async {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

impl Follower {
    /// Returns the next event; `None` when the server stops.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            self.look().await;
            if self.waiting.is_empty() {
                let late = self.trail.waits() || self.has_missed;
                tokio::select! {
                    changed = self.seen.changed() => changed.ok()?,
                    // A late entry is not newer than the last one, so nothing announces it; nor what could not be read.
                    () = tokio::time::sleep(LATE_ENTRIES_INTERVAL), if late => {}
                    () = self.app.stopping.cancelled() => return None,
                }
            }
        }
    }

    /// Gathers what is new.
    async fn look(&mut self) {
        let seen = self.seen.borrow_and_update().clone();
        for worker in seen.workers.iter().filter(|worker| !self.workers.contains(worker)) {
            self.waiting.extend(Event::default().event("worker").json_data(worker));
        }
        self.workers.clone_from(&seen.workers);
        if seen.event > self.trail.last() || self.trail.waits() {
            let entries = self.trail.next(ENTRIES_PER_READ).await;
            self.has_missed = entries.is_err();
            for entry in entries.unwrap_or_default() {
                if entry.is_of_tokens() && !self.manages {
                    continue;
                }
                let name = if entry.task_id.is_some() { "task" } else { "act" };
                self.waiting.extend(Event::default().id(entry.id.to_string()).event(name).json_data(&entry));
            }
        }
    }
}

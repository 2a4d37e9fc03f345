//! `/runtime`: the state of the runtime, as it changes. One task reads and renders it for all open views, and each view
//! is sent the parts that have changed. Without an open view, nothing is read.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    response::{Response, sse::Event},
};
use futures_util::stream;
use maud::{PreEscaped, html};
use tokio::sync::broadcast::error::RecvError;

use super::{overview, tabs::tabs};
use crate::page::{
    app::PageState,
    layout::{self, Here},
    refusal::Refusal,
    stream::{Events, event_stream, fragment},
    view::{Fragments, View},
    visit::Visit,
};

/// How often changes of other hosts are polled; those of this host are announced.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Changes of this host within this time are read together.
const GATHER_INTERVAL: Duration = Duration::from_millis(200);
/// The rest after each reading, in times of what that took: a reading that takes long is done less often.
const REST_FACTOR: u32 = 40;
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(10);
/// The age up to which a rendered view is shown to those who open it.
const FRESH_FOR: Duration = Duration::from_millis(900);

/// The parts in the order of the page: name, heading, and whether it takes the whole width.
const PARTS: [(&str, &str, &str); 7] = [
    ("coverage", "What is searchable", "wide"),
    ("charts", "The last hour", "wide"),
    ("provider", "Embedding provider", ""),
    ("runs", "Bulk runs and the model", ""),
    ("failures", "Failures", "wide"),
    ("hosts", "Hosts and their actors", "wide"),
    ("trail", "Last entries of the audit trail", "wide"),
];

pub(super) async fn show(State(app): State<PageState>, visit: Visit) -> Result<Response, Refusal> {
    let parts = now(&app, visit.may_manage()).await;
    let part = |name: &str| PreEscaped(parts.get(name).map(|html| html.to_string()).unwrap_or_default());
    let main = html! {
        div.runtime data-live="/live/runtime" {
            h1.unseen { "Runtime" }
            div #sentence data-fragment="sentence" role="status" aria-live="polite" { (part("sentence")) }
            div #figures data-fragment="figures" { (part("figures")) }
            (tabs("/runtime"))
            div.parts {
                @for (name, heading, width) in PARTS {
                    section class=(width) aria-labelledby={ "h-" (name) } {
                        h2 id={ "h-" (name) } { (heading) }
                        div data-fragment=(name) { (part(name)) }
                    }
                }
            }
        }
    };
    Ok(layout::view(&visit, Here::Runtime, "Runtime", main))
}

/// Reads and renders for the open views, until the server stops.
pub(in crate::page) fn start(app: &PageState) {
    let app = app.clone();
    tokio::spawn(async move {
        let stopping = app.stopping.clone();
        tokio::select! {
            () = stopping.cancelled() => {}
            () = watch(&app) => {}
        }
    });
}

async fn watch(app: &PageState) {
    let mut local = app.runtime.subscribe();
    loop {
        if app.followed.view.receiver_count() > 0 {
            let began = Instant::now();
            look(app).await;
            tokio::time::sleep((REST_FACTOR * began.elapsed()).min(LONGEST_REST)).await;
        }
        tokio::select! {
            () = app.followed.arrived.notified() => {}
            () = tokio::time::sleep(CHECK_INTERVAL) => {}
            hint = local.recv() => match hint {
                Ok(_) | Err(RecvError::Lagged(_)) => tokio::time::sleep(GATHER_INTERVAL).await,
                Err(RecvError::Closed) => tokio::time::sleep(CHECK_INTERVAL).await,
            },
        }
        local = local.resubscribe();
    }
}

/// Reads the runtime, and returns it rendered.
async fn look(app: &PageState) -> Arc<View> {
    let mut looked = app.followed.looked.lock().await;
    let (at, memory) = &mut *looked;
    let now = Instant::now();
    match overview::look(app, memory).await {
        Ok(view) => {
            let view = Arc::new(view);
            app.followed.view.send_replace(Arc::clone(&view));
            *at = Some(now);
            view
        }
        Err(error) => {
            tracing::debug!(%error, "the runtime cannot be read now");
            let view = Arc::new(overview::unknown(app, &error.to_string()));
            app.followed.view.send_replace(Arc::clone(&view));
            view
        }
    }
}

/// The rendered runtime, for a view that is opened.
async fn now(app: &PageState, may_manage: bool) -> Fragments {
    let fresh = {
        let looked = app.followed.looked.lock().await;
        looked.0.is_some_and(|at| at.elapsed() < FRESH_FOR)
    };
    let view = if fresh { Arc::clone(&app.followed.view.borrow()) } else { look(app).await };
    view.of(may_manage).clone()
}

/// `/live/runtime`: the parts of the view as they change.
pub(in crate::page) async fn follow(State(app): State<PageState>, visit: Visit) -> Events {
    let (view, may_manage) = (app.followed.view.subscribe(), visit.may_manage());
    app.followed.arrived.notify_one();
    let follower = (app, view, Fragments::new(), VecDeque::<Event>::new());
    event_stream(stream::unfold(follower, move |(app, mut view, mut known, mut waiting)| async move {
        loop {
            if let Some(event) = waiting.pop_front() {
                return Some((Ok(event), (app, view, known, waiting)));
            }
            let seen = Arc::clone(&view.borrow_and_update());
            for (name, html) in seen.of(may_manage) {
                if known.insert(*name, Arc::clone(html)).as_ref() != Some(html) {
                    waiting.push_back(fragment(name, html));
                }
            }
            if waiting.is_empty() {
                tokio::select! {
                    changed = view.changed() => changed.ok()?,
                    () = app.stopping.cancelled() => return None,
                }
            }
        }
    }))
}

//! `/live/changes`: says that something has happened to tasks, runs or the queue. A view with [`LIVE`] then reads
//! itself again, and replaces its parts that are marked.

use axum::{extract::State, response::sse::Event};
use futures_util::stream;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use crate::page::{
    app::PageState,
    stream::{Events, event_stream},
    visit::Visit,
};

/// The address of the stream, for the views that follow it.
pub(super) const LIVE: &str = "/live/changes";

pub(in crate::page) async fn follow(State(app): State<PageState>, _visit: Visit) -> Events {
    let changes = app.changes.follow();
    event_stream(stream::unfold((app, changes), |(app, mut changes)| async move {
        tokio::select! {
            changed = changes.recv() => if changed == Err(RecvError::Closed) { return None },
            () = app.stopping.cancelled() => return None,
        }
        // A view that reads itself again sees all that has happened until then.
        while matches!(changes.try_recv(), Ok(_) | Err(TryRecvError::Lagged(_))) {}
        Some((Ok(Event::default().event("changed").data("1")), (app, changes)))
    }))
}

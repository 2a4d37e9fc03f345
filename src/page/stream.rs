//! Server-sent events of the views.

use std::{convert::Infallible, pin::Pin, time::Duration};

use axum::response::sse::{Event, KeepAlive, KeepAliveStream, Sse};
use futures_util::Stream;
use serde_json::json;

/// How often a client is sent a sign of life: without one, it takes the connection for lost.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);

type Boxed = Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>;
/// An answer without end.
pub(super) type Events = Sse<KeepAliveStream<Boxed>>;

pub(super) fn event_stream(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Events {
    let alive = KeepAlive::new().interval(KEEP_ALIVE_INTERVAL).event(Event::default().event("alive").data("1"));
    let events: Boxed = Box::pin(events);
    Sse::new(events).keep_alive(alive)
}

/// A part of a view that replaces the old one.
pub(super) fn fragment(name: &str, html: &str) -> Event {
    Event::default().event("fragment").data(json!({ "name": name, "html": html }).to_string())
}

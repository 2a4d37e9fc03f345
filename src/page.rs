//! The page for people, at `/`: reading, searching and writing articles, watching the runtime, and what an operator
//! sets.
//!
//! A door like the others: it calls the same services, is behind the same guards, and knows no other door. The server
//! renders what it shows, with every text escaped; a small script adds conveniences, and nothing that is needed to
//! read, search or write. `server.page = false` turns it off.

mod app;
mod articles;
mod assets;
mod changes;
mod differences;
mod front;
mod given;
mod layout;
mod markdown;
mod memory;
mod model;
mod pieces;
mod refusal;
mod runtime;
mod session;
mod settings;
mod stream;
mod view;
mod visit;

use axum::{Router, middleware, routing::get};

pub use app::PageParts;

use app::PageState;

/// The door, ready to be mounted behind the guards.
pub struct Page {
    /// Views and forms, for callers that were let in.
    pub routes: Router,
    /// Streams, for callers that were let in.
    pub streams: Router,
    /// Open to every caller: signing in, style and script.
    pub entrance: Router,
    /// Put in front of all of these, outside the guards.
    pub front: Box<dyn Fn(Router) -> Router + Send + Sync>,
}

/// Puts the door together. Must be called within an asynchronous runtime.
pub fn open(parts: PageParts) -> Page {
    let app = PageState::new(parts);
    runtime::live::start(&app);
    let routes = articles::routes().merge(runtime::routes()).merge(settings::routes());
    let routes = routes.layer(middleware::from_fn(visit::before_the_form));
    let streams = Router::new()
        .route("/live/runtime", get(runtime::live::follow))
        .route("/live/changes", get(runtime::changing::follow))
        .route("/live/articles/{slug}", get(articles::live::article));
    let state = app.clone();
    Page {
        routes: routes.with_state(app.clone()),
        streams: streams.with_state(app.clone()),
        entrance: session::routes().merge(assets::routes()).with_state(app),
        front: Box::new(move |routes| routes.layer(middleware::from_fn_with_state(state.clone(), front::receive))),
    }
}

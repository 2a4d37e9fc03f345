//! The HTTP door: REST under `/api`, MCP at `/mcp`, metrics, and the guards in front of all of them.
//!
//! Handlers are thin: they read a request, call a service, and write its answer. Every refusal is a `problem`. The
//! order of the guards is the order of [`router`]'s layers, the outermost last.

mod app;
mod articles;
pub(crate) mod body;
mod bulk;
mod docs;
mod events;
mod extract;
mod feed;
mod folders;
mod guard;
mod links;
mod metadata;
mod mounted;
mod problem;
mod properties;
mod queue;
mod rejection;
mod responses;
mod search;
mod status;
mod versions;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware::{from_fn, from_fn_with_state},
    routing::get,
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    timeout::RequestBodyTimeoutLayer,
};
use utoipa_axum::router::OpenApiRouter;

pub use app::{HttpParts, HttpState};
pub use feed::EventFeed;
pub(crate) use guard::{
    access::{Arrival, may_read},
    hosts::is_of_this_machine,
};
pub use mounted::Mounted;

use crate::auth::Permission;
use guard::{
    access, coding, hosts, load, observe,
    parameters::{self, KnownParameters},
    rate, streams,
};
use problem::Problem;

/// The layer that lets only callers with this scope pass.
macro_rules! needs {
    ($app:expr, $scope:expr) => {
        from_fn_with_state(($app.entrance.clone(), $scope), access::needs)
    };
}

/// Returns everything that this server answers, once it is open.
pub fn router(app: HttpState) -> Router {
    let settings = &app.host.settings().server;
    let (body_timeout, max_body) = (settings.body_timeout, settings.max_body.as_u64());
    let deadline = settings.request_timeout;
    let max_body = usize::try_from(max_body).unwrap_or(usize::MAX);
    let (api, mut description) = rest(&app).split_for_parts();
    let (events, of_events) = OpenApiRouter::new().nest("/api", events::reading()).split_for_parts();
    description.merge(of_events);
    let known = KnownParameters::of(&description);
    let parameters = || from_fn_with_state(known.clone(), parameters::check);
    let watched = Router::new()
        .route("/metrics", get(status::metrics))
        .layer(needs!(app, Permission::Read))
        .merge(api.layer(parameters()))
        .layer(from_fn_with_state(deadline, guard::deadline::hold));
    let lost = app.page.as_ref().map(mounted::lost);
    let agents = app.mcp().layer(from_fn_with_state(deadline, guard::deadline::hold));
    let streams = events
        .layer(parameters())
        .layer(needs!(app, Permission::Read))
        .merge(agents)
        .layer(from_fn_with_state(app.streams.clone(), streams::attend));
    watched
        .merge(streams)
        .layer(from_fn_with_state(app.budget.clone(), load::admit))
        .layer(from_fn_with_state(app.requests.clone(), load::take_turns))
        .layer(from_fn_with_state(app.entrance.clone(), access::identify))
        .merge(metadata::routes())
        .merge(behind_the_guards(&app))
        .merge(docs::routes(description).layer(from_fn_with_state(app.pages.clone(), load::turn_pages)))
        .layer(DefaultBodyLimit::max(max_body))
        .layer(RequestBodyTimeoutLayer::new(body_timeout))
        .layer(from_fn(coding::check))
        .layer(from_fn_with_state(app.limiter.clone(), rate::limit))
        .fallback(move |request: Request| mounted::no_route(lost.clone(), request))
        .method_not_allowed_fallback(|| async { Problem::no_method() })
        .layer(hosts::cors(&app.policy))
        .layer(from_fn_with_state(Arc::clone(&app.policy), hosts::check))
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(from_fn_with_state(Arc::clone(&app.telemetry), observe::request))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .with_state(app)
}

/// The routes of the mounted door, if there is one.
fn behind_the_guards(app: &HttpState) -> Router<HttpState> {
    let Some(door) = &app.page else { return Router::new() };
    let deadline = app.host.settings().server.request_timeout;
    let answered =
        door.routes.clone().layer(from_fn(mounted::keep)).layer(from_fn_with_state(deadline, guard::deadline::hold));
    let followed = door.streams.clone().layer(from_fn_with_state(app.streams.clone(), streams::attend));
    let entrance = door
        .entrance
        .clone()
        .layer(from_fn_with_state(app.entrance.clone(), access::watch))
        .layer(from_fn_with_state(app.strangers.clone(), load::turn_strangers))
        // Before it takes a place: whoever sends slowly keeps nobody out.
        .layer(from_fn(load::read_form));
    let guarded = answered
        .merge(followed)
        .layer(from_fn_with_state(app.budget.clone(), load::admit))
        .layer(from_fn_with_state(app.requests.clone(), load::take_turns))
        .layer(from_fn_with_state(app.entrance.clone(), access::identify))
        .merge(entrance);
    (door.front)(guarded).layer(from_fn(mounted::for_browsers)).with_state(())
}

/// The routes under `/api` that answer at once, each with the scope it needs, and their description.
fn rest(app: &HttpState) -> OpenApiRouter<HttpState> {
    let reading = OpenApiRouter::new()
        .merge(articles::reading())
        .merge(versions::reading())
        .merge(folders::reading())
        .merge(properties::reading())
        .merge(links::reading())
        .merge(search::reading())
        .merge(queue::reading())
        .merge(bulk::reading())
        .merge(status::reading())
        .layer(from_fn_with_state(app.clone(), articles::unless_matched))
        .layer(needs!(app, Permission::Read));
    let writing = OpenApiRouter::new()
        .merge(articles::writing())
        .merge(versions::writing())
        .layer(from_fn_with_state(app.clone(), articles::unless_matched))
        .layer(needs!(app, Permission::Write));
    let managing =
        OpenApiRouter::new().merge(queue::managing()).merge(bulk::managing()).layer(needs!(app, Permission::Admin));
    OpenApiRouter::with_openapi(docs::head())
        .nest("/api", OpenApiRouter::new().merge(reading).merge(writing).merge(managing))
}

#[cfg(test)]
mod tests;

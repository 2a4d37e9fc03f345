//! Another door behind this one's guards: it brings its routes and their front layers, and knows nothing of the rest.

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, Method, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower::ServiceExt;

use super::{body::keeping, problem::Problem};
use crate::share::UntilSent;

/// What a door brings.
pub struct Mounted {
    /// Answered at once, to authenticated callers.
    pub routes: Router,
    /// Endless answers, to authenticated callers.
    pub streams: Router,
    /// Answered to every client: how to authenticate.
    pub entrance: Router,
    /// Put in front of all of these: changes requests before the guards see them, and their refusals.
    pub front: Box<dyn Fn(Router) -> Router + Send + Sync>,
}

/// Keeps what an answer takes until it has been sent.
pub(super) async fn keep(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<UntilSent>() {
        Some(kept) => response.map(|body| keeping(body, kept)),
        None => response,
    }
}

/// Answers `/` with a page for a browser, and as always for other clients.
pub(super) async fn for_browsers(request: Request, next: Next) -> Result<Response, Problem> {
    let may = matches!(*request.method(), Method::GET | Method::HEAD) && wants_page(request.headers());
    if request.uri().path() == "/" && !may { Err(Problem::no_route("/")) } else { Ok(next.run(request).await) }
}

/// Answers what leads nowhere: a browser with the door's own words, if there is such a door.
pub(super) async fn no_route(door: Option<Router>, request: Request) -> Response {
    match door {
        Some(door) if wants_page(request.headers()) => match door.oneshot(request).await {
            Ok(response) => response,
        },
        _ => Problem::no_route(request.uri().path()).into_response(),
    }
}

/// What the door says where nothing is.
pub(super) fn lost(door: &Mounted) -> Router {
    (door.front)(Router::new().fallback(|uri: Uri| async move { Problem::no_route(uri.path()) }))
}

fn wants_page(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|accepted| accepted.to_str().ok());
    accepts.flat_map(|accepted| accepted.split(',')).any(|kind| kind.trim().starts_with("text/html"))
}

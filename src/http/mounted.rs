//! Another door behind this one's guards: it brings its routes and their front layers, and knows nothing of the rest.

use axum::{
    Router,
    extract::Request,
    http::{Method, header},
    middleware::Next,
    response::Response,
};

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
    let accepts = request.headers().get_all(header::ACCEPT).iter().filter_map(|accepted| accepted.to_str().ok());
    let is_browser = accepts.flat_map(|accepted| accepted.split(',')).any(|kind| kind.trim().starts_with("text/html"));
    let may = matches!(*request.method(), Method::GET | Method::HEAD) && is_browser;
    if request.uri().path() == "/" && !may { Err(Problem::no_route("/")) } else { Ok(next.run(request).await) }
}

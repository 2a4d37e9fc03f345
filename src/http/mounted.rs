//! Another door behind this one's guards: it brings its routes and what stands in front of them, and knows nothing of the
//! rest.

use axum::{
    Router,
    extract::Request,
    http::{Method, header},
    middleware::Next,
    response::Response,
};

use super::problem::Problem;

/// What a door brings along.
pub struct Mounted {
    /// Answered at once, to callers that were let in.
    pub routes: Router,
    /// Answers without end, to callers that were let in.
    pub streams: Router,
    /// Answered to anybody: how to get in.
    pub entrance: Router,
    /// Put in front of all of these: what it makes of a request before the guards see it, and of their refusals.
    pub front: Box<dyn Fn(Router) -> Router + Send + Sync>,
}

/// At `/` a browser finds a page, and every other client what it has always found there.
pub(super) async fn for_browsers(request: Request, next: Next) -> Result<Response, Problem> {
    let accepts = request.headers().get_all(header::ACCEPT).iter().filter_map(|accepted| accepted.to_str().ok());
    let is_browser = accepts.flat_map(|accepted| accepted.split(',')).any(|kind| kind.trim().starts_with("text/html"));
    let may = matches!(*request.method(), Method::GET | Method::HEAD) && is_browser;
    if request.uri().path() == "/" && !may { Err(Problem::no_route("/")) } else { Ok(next.run(request).await) }
}

//! The guards in front of every handler, from the outside in: an id for the request, its measurement, panics, hosts and
//! origins, rates, how a body is coded, authentication, room for large bodies, streams, permission, the deadline, and
//! the parameters of the query.

pub(super) mod access;
pub(super) mod coding;
pub(super) mod deadline;
pub(super) mod hosts;
pub(super) mod load;
pub(super) mod observe;
pub(super) mod parameters;
pub(super) mod rate;
pub(super) mod streams;

use std::any::Any;

use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// A handler panicked: the caller gets an internal error, and the server continues.
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let what = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message");
    Problem::internal(what).into_response()
}

//! The parameters behind the `?`: only those that a route describes. Another one would be ignored, and something else
//! done than was asked for.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use percent_encoding::percent_decode_str;
use utoipa::openapi::{
    OpenApi, RefOr,
    path::{Operation, ParameterIn},
};

use crate::{http::problem::Problem, printable};

/// Longest name that a refusal shows. *Units:* characters.
const MAX_SHOWN_CHARS: usize = 60;

/// The parameters of each route. Cheap to clone.
#[derive(Clone)]
pub(in crate::http) struct KnownParameters(Arc<HashMap<(Method, String), Vec<String>>>);

impl KnownParameters {
    /// Reads them from the description of the routes.
    pub(in crate::http) fn of(description: &OpenApi) -> Self {
        let mut known = HashMap::new();
        for (path, item) in &description.paths.paths {
            let operations = [
                (Method::GET, &item.get),
                (Method::HEAD, &item.get),
                (Method::PUT, &item.put),
                (Method::POST, &item.post),
                (Method::DELETE, &item.delete),
                (Method::PATCH, &item.patch),
            ];
            for (method, operation) in operations {
                let Some(operation) = operation else { continue };
                known.insert((method, path.clone()), behind_the_path(operation));
            }
        }
        Self(Arc::new(known))
    }
}

fn behind_the_path(operation: &Operation) -> Vec<String> {
    let all = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    });
    all.filter(|parameter| parameter.parameter_in == ParameterIn::Query).map(|known| known.name.clone()).collect()
}

/// Refuses a parameter that the route does not describe, and a text that is no UTF-8.
pub(in crate::http) async fn check(
    State(known): State<KnownParameters>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let query = request.uri().query().unwrap_or_default();
    let route = (request.method().clone(), path.as_str().to_owned());
    if let Some(known) = known.0.get(&route).filter(|_| !query.is_empty()) {
        for name in query.split('&').filter_map(|part| part.split('=').next()).filter(|name| !name.is_empty()) {
            let name = percent_decode_str(name).decode_utf8_lossy();
            if !known.iter().any(|known| *known == name) {
                return Err(unknown(&name, known));
            }
        }
        if percent_decode_str(query).decode_utf8().is_err() {
            return Err(Problem::malformed("the query: is not UTF-8; encode each character as its bytes in UTF-8"));
        }
    }
    Ok(next.run(request).await)
}

fn unknown(name: &str, known: &[String]) -> Problem {
    let name = printable::line(name, MAX_SHOWN_CHARS);
    let known: Vec<_> = known.iter().map(|known| format!("\"{known}\"")).collect();
    Problem::malformed(match known.as_slice() {
        [] => format!("the query: unknown field \"{name}\", there are none here"),
        [one] => format!("the query: unknown field \"{name}\", expected {one}"),
        several => format!("the query: unknown field \"{name}\", expected one of {}", several.join(", ")),
    })
}

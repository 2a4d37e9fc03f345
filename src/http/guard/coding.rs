//! How a body may be coded: as it is, and text in UTF-8.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::http::problem::Problem;

/// Refuses a body that would be read as something else than it is.
pub(in crate::http) async fn check(request: Request, next: Next) -> Response {
    match fault(request.headers()) {
        None => next.run(request).await,
        Some(detail) => {
            let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail);
            let mut refused = problem.with_the_rest_unread().into_response();
            refused.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            refused
        }
    }
}

fn fault(headers: &HeaderMap) -> Option<&'static str> {
    let codings = headers.get_all(header::CONTENT_ENCODING).iter();
    let is_plain =
        |value: &HeaderValue| value.to_str().is_ok_and(|coding| coding.trim().eq_ignore_ascii_case("identity"));
    if !codings.into_iter().all(is_plain) {
        return Some("a body with a Content-Encoding is not read here; send it uncompressed");
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let charset = kind.split(';').skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    let is_utf8 = |charset: &str| ["utf-8", "utf8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known));
    charset.is_some_and(|charset| !is_utf8(charset)).then_some("the charset of a body must be utf-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_read_as_it_is_meant_passes() {
        for (name, value, passes) in [
            ("content-encoding", "identity", true),
            ("content-encoding", "gzip", false),
            ("content-encoding", "identity, br", false),
            ("content-type", "application/json", true),
            ("content-type", "application/json; charset=UTF-8", true),
            ("content-type", "application/json;charset=\"utf-8\"", true),
            ("content-type", "application/json; charset=utf-16", false),
            ("content-type", "multipart/form-data; boundary=x", true),
        ] {
            let headers =
                HeaderMap::from_iter([(name.parse().expect("a name"), HeaderValue::from_str(value).expect("a value"))]);
            assert_eq!(fault(&headers).is_none(), passes, "{name}: {value}");
        }
    }
}

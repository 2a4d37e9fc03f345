//! What every request of a view passes before the guards: its origin and its token are checked, and the answer gets its
//! headers. Refusals of the guards are shown here as pages.

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use maud::html;
use serde::Deserialize;

use super::{
    app::PageState,
    layout::{self, RefusedRequest},
    pieces::query,
    refusal::Refusal,
    session,
    visit::Nonce,
};
use crate::auth::PresentedToken;

/// Longest explanation of a refusal. *Units:* bytes.
const LONGEST_REFUSAL: usize = 64 << 10;

pub(super) async fn receive(State(app): State<PageState>, mut request: Request, next: Next) -> Response {
    let nonce = Nonce::fresh();
    let changes_something = !request.method().is_safe();
    let is_part = request.headers().contains_key(layout::PART);
    // A form is sent to where it may not be shown, and a part is shown on another page.
    let place = if changes_something || is_part { sent_from(request.headers()) } else { request.uri().clone() };
    let token = session::token_of(request.headers());
    let response = if changes_something && !is_of_this_page(request.headers()) {
        let detail = "this came from another web page, and nothing was done; do it here";
        Refusal::new(StatusCode::FORBIDDEN, detail).into_response()
    } else {
        if let Some(token) = &token {
            request.extensions_mut().insert(PresentedToken(token.clone()));
        }
        request.extensions_mut().insert(nonce.clone());
        next.run(request).await
    };
    let asked = FrontRequest { place: &place, nonce: &nonce, is_part, changes_something, has_token: token.is_some() };
    let mut response = if is_refusal(&response) { shown(&app, response, &asked).await } else { response };
    if token.is_some() && response.status() == StatusCode::UNAUTHORIZED {
        // It is good for nothing any more, and would be sent with each request.
        response.headers_mut().insert(header::SET_COOKIE, session::forgotten(&app));
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy(&nonce));
    // Without it, browsers do not send the origin of a form; other sites learn nothing.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    // A page that needed a token must not stay in the browser's cache for the next user.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Whether a request that changes something was sent by this page, or by a client that is not a browser.
fn is_of_this_page(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("none"));
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    match (text("origin"), text("host")) {
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, authority)| authority == host),
        (Some(_), None) => false,
        (None, _) => true,
    }
}

/// The page from which a request was sent.
fn sent_from(headers: &HeaderMap) -> Uri {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let page = text("referer").and_then(|page| page.parse::<Uri>().ok());
    let page = page.filter(|page| page.authority().map(|authority| authority.as_str()) == text("host"));
    let place = page.and_then(|page| page.path_and_query().cloned());
    place.map(Uri::from).unwrap_or_default()
}

/// Allows only our own script and style, by this answer's nonce; nothing from elsewhere, and no framing.
fn policy(nonce: &Nonce) -> HeaderValue {
    let Nonce(nonce) = nonce;
    let text = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self' data:; connect-src \
         'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn is_refusal(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_page = kind.is_some_and(|kind| kind.starts_with("text/html"));
    !is_page && (response.status().is_client_error() || response.status().is_server_error())
}

/// The request: where to go on, and its caller.
struct FrontRequest<'a> {
    place: &'a Uri,
    nonce: &'a Nonce,
    /// Whether only the part of a page is wanted.
    is_part: bool,
    changes_something: bool,
    has_token: bool,
}

impl FrontRequest<'_> {
    fn next(&self) -> &str {
        self.place.path_and_query().map_or("/", |place| place.as_str())
    }

    /// Why one has to sign in, unless that is how one begins. Who asks for a part was shown a page: without a token, another answer
    /// has just removed it, or another window signed out.
    fn why_to_sign_in(&self) -> Option<&'static str> {
        match (self.has_token || self.is_part, self.changes_something) {
            (true, true) => Some("Your session has ended, and nothing was saved"),
            (true, false) => Some("Your session has ended"),
            (false, true) => Some("Nobody is signed in here, and nothing was saved"),
            (false, false) => None,
        }
    }
}

/// The guards' answer to a refused request, for programs.
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

async fn shown(app: &PageState, response: Response, asked: &FrontRequest<'_>) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, LONGEST_REFUSAL).await.unwrap_or_default();
    let said = serde_json::from_slice::<Problem>(&bytes).map(|problem| problem.detail);
    let said = said.unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned());
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let page = match parts.status {
        StatusCode::UNAUTHORIZED if asked.is_part => html! {
            p.problem role="alert" {
                (asked.why_to_sign_in().unwrap_or_default()) ". "
                a href={ "/login?" (query(&[("next", asked.next())])) } { "Sign in" }
            }
        },
        _ if asked.is_part => html! { p.problem role="alert" dir="auto" { (said) } },
        StatusCode::UNAUTHORIZED => session::login_page(app, asked.nonce, asked.place, asked.why_to_sign_in()),
        status => {
            let is_forbidden = status == StatusCode::FORBIDDEN;
            let said =
                if is_forbidden && asked.changes_something { format!("{said}. Nothing was saved.") } else { said };
            let sign_in_for = asked.has_token.then(|| asked.next());
            layout::refused(asked.nonce, &RefusedRequest { status, said: &said, sign_in_for })
        }
    };
    Response::from_parts(parts, Body::from(page.into_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_where_a_form_was_sent_from_if_that_is_of_this_page() {
        let from = |page: &str| {
            let headers = [("referer", page), ("host", "a:1")].map(|(name, value)| {
                (header::HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"))
            });
            sent_from(&headers.into_iter().collect()).to_string()
        };
        assert_eq!(from("http://a:1/articles/x/edit?y=1"), "/articles/x/edit?y=1");
        for other in ["http://a:2/x", "https://evil.example/x", "/x", "\u{e9}"] {
            assert_eq!(from(other), "/", "{other}");
        }
    }

    #[test]
    fn what_changes_something_must_come_from_this_page() {
        let asked = |pairs: &[(&'static str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| {
                (header::HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"))
            });
            is_of_this_page(&pairs.collect())
        };
        assert!(asked(&[("sec-fetch-site", "same-origin"), ("origin", "http://a:1"), ("host", "a:1")]));
        assert!(asked(&[("origin", "http://a:1"), ("host", "a:1")]), "an old browser");
        assert!(asked(&[("host", "a:1")]), "no browser");
        for site in ["cross-site", "same-site", "none", "\u{ff}"] {
            assert!(!asked(&[("sec-fetch-site", site), ("origin", "http://a:1"), ("host", "a:1")]), "{site}");
        }
        for origin in ["http://a:2", "http://b:1", "null", "http://a:1.evil"] {
            assert!(!asked(&[("origin", origin), ("host", "a:1")]), "{origin}");
        }
    }
}

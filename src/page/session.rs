//! Signing in and out. The browser keeps the token where no script sees it, and sends it to this page alone; it is
//! valid as long as the token is.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    app::PageState,
    given::{Form, Query},
    layout::{self, Inside, page},
    refusal::Refusal,
    visit::Nonce,
};
use crate::auth::AuthError;

/// The name of the cookie.
const COOKIE: &str = "afterword";
/// Browsers keep no more than 4 KiB of a cookie. *Units:* bytes.
const MAX_COOKIE_BYTES: usize = 3_800;
/// How long the browser keeps the token. *Units:* seconds.
const COOKIE_MAX_AGE: u32 = 30 * 24 * 3600;

pub(super) fn routes() -> Router<PageState> {
    Router::new().route("/login", get(show).post(log_in)).route("/logout", post(log_out))
}

/// The token that a request brings in its cookie.
pub(super) fn token_of(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, token)| token.to_owned()).filter(|token| !token.is_empty())
}

/// A token, and the place to go to after signing in.
#[derive(Deserialize)]
struct LoginForm {
    token: String,
    #[serde(default)]
    next: String,
}

/// The place to go to after signing in.
#[derive(Deserialize)]
struct NextQuery {
    #[serde(default)]
    next: String,
}

async fn show(
    State(app): State<PageState>,
    nonce: Nonce,
    Query(parameters): Query<NextQuery>,
) -> Result<Response, Refusal> {
    let needs_token = app.host.tokens.closed().await?;
    let place = local(&parameters.next).parse().unwrap_or_default();
    Ok(layout::html(if needs_token { login_page(&app, &nonce, &place, None) } else { open_page(&nonce) }))
}

/// Said while there never was a token.
fn open_page(nonce: &Nonce) -> Markup {
    page(
        nonce,
        "Sign in",
        Inside::Nothing,
        html! {
            div.narrow {
                h1 { "Nobody has to sign in" }
                p { "There is no token: whoever uses this machine may do everything here." }
                p.actions { a.button.primary href="/" { "To the articles" } }
                p.quiet { "From the first token on, everyone needs one: " code { "afterword token create NAME --scope admin" } }
            }
        },
    )
}

async fn log_in(State(app): State<PageState>, nonce: Nonce, Form(given): Form<LoginForm>) -> Result<Response, Refusal> {
    let token = given.token.trim();
    let next = local(&given.next);
    let is_sendable = token.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b';' | b',' | b'"' | b'\\'));
    let checked = if is_sendable { app.host.tokens.check(token).await } else { Err(AuthError::Invalid) };
    let why = match checked {
        Ok(_) if token.len() <= MAX_COOKIE_BYTES => {
            let cookie = cookie(&app, token, COOKIE_MAX_AGE);
            return Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&next)).into_response());
        }
        Ok(_) => {
            format!(
                "this token has {} characters, and a browser keeps {MAX_COOKIE_BYTES}; make a shorter one",
                token.len()
            )
        }
        Err(AuthError::Store(error)) => return Err(error.into()),
        Err(error @ (AuthError::Invalid | AuthError::NoScope | AuthError::Issuer)) => error.to_string(),
    };
    let place = next.parse().unwrap_or_default();
    Ok((StatusCode::UNAUTHORIZED, layout::html(login_page(&app, &nonce, &place, Some(&why)))).into_response())
}

async fn log_out(State(app): State<PageState>) -> Response {
    ([(header::SET_COOKIE, forgotten(&app))], Redirect::to("/login")).into_response()
}

/// A cookie that removes the one with the token.
pub(super) fn forgotten(app: &PageState) -> HeaderValue {
    cookie(app, "", 0)
}

fn cookie(app: &PageState, token: &str, seconds: u32) -> HeaderValue {
    let secure = secure(app);
    let text = format!("{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

/// The attribute of cookies that are sent over encrypted connections only, if this page is.
pub(super) fn secure(app: &PageState) -> &'static str {
    if app.host.settings().server.public_url.starts_with("https:") { "; Secure" } else { "" }
}

/// Returns `next` if it is a place of this site, else `/`.
fn local(next: &str) -> String {
    let is_local = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    // No header has a control character.
    if is_local && next.is_ascii() && !next.contains(|c: char| c.is_ascii_control()) {
        next.to_owned()
    } else {
        "/".to_owned()
    }
}

pub(super) fn login_page(app: &PageState, nonce: &Nonce, place: &Uri, why: Option<&str>) -> Markup {
    let next = place.path_and_query().map_or("/", |place| place.as_str());
    let next = if next.starts_with("/login") { "/" } else { next };
    let issuer = &app.host.settings().auth.issuer;
    page(
        nonce,
        "Sign in",
        Inside::Nothing,
        html! {
            div.narrow {
                h1 { "Sign in" }
                p { "This server asks who you are. Enter a token; it decides what you see and what you may do." }
                @if let Some(why) = why { p.problem role="alert" { (why) "." } }
                (layout::drafts_are_kept())
                form method="post" action="/login" {
                    input type="hidden" name="next" value=(next);
                    label for="token" { "Token" }
                    input #token type="password" name="token" required autocomplete="current-password" spellcheck="false"
                        autofocus placeholder="aw_…";
                    button.primary type="submit" { "Sign in" }
                }
                p.quiet {
                    "The operator of this server makes one with " code { "afterword token create NAME --scope read|write|admin" } "."
                    @if !issuer.is_empty() { " Tokens of " (issuer) " are accepted, too." }
                }
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_within_this_page_alone() {
        assert_eq!(local("/runtime?x=1"), "/runtime?x=1");
        for elsewhere in
            ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nset-cookie: b", "/\t/e"]
        {
            assert_eq!(local(elsewhere), "/", "{elsewhere:?}");
        }
        for control in (0..32).chain([127]).map(char::from) {
            assert_eq!(local(&format!("/a{control}b")), "/", "{control:?}");
        }
    }

    #[test]
    fn the_token_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=1; afterword=aw_1_x; b=2"));
        assert_eq!(token_of(&headers).as_deref(), Some("aw_1_x"));
        headers.insert(header::COOKIE, HeaderValue::from_static("afterwords=aw_1_x; afterword="));
        assert_eq!(token_of(&headers), None);
    }
}

//! Tells the browser which of the drafts that it keeps has been saved: what follows a save may as well be a refusal,
//! and nothing but the server knows.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};

use super::draft::Draft;
use crate::page::{app::PageState, session};

/// The cookie that names the draft and its article. The script reads and removes it.
const COOKIE: &str = "afterword-saved";
/// How long the script may take to read it. *Units:* seconds.
const READ_WITHIN: u32 = 600;
/// A longer name is none that the script has given. *Units:* bytes.
const MAX_NAME_BYTES: usize = 64;

/// Leads to the article that `draft` has become.
pub(super) fn saved_as(app: &PageState, slug: &str, draft: &Draft) -> Response {
    let mut response = Redirect::to(&format!("/articles/{slug}")).into_response();
    if let Some(confirmation) = confirmation(app, slug, &draft.draft) {
        response.headers_mut().insert(header::SET_COOKIE, confirmation);
    }
    response
}

fn confirmation(app: &PageState, slug: &str, draft: &str) -> Option<HeaderValue> {
    let is_name = (1..=MAX_NAME_BYTES).contains(&draft.len()) && draft.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_name {
        return None;
    }
    let text =
        format!("{COOKIE}={draft}.{slug}; Path=/; Max-Age={READ_WITHIN}; SameSite=Strict{}", session::secure(app));
    HeaderValue::try_from(text).ok()
}

//! Where a page ended, as a text that clients return unread.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::problem::Problem;
use crate::api::NOT_A_CURSOR;

pub(super) fn encode(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

pub(super) fn decode(cursor: &str) -> Result<String, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(invalid)
}

pub(super) fn invalid() -> Problem {
    Problem::new(format!("cursor: {NOT_A_CURSOR}"))
}

//! The style and the script, compiled in. Their addresses change with their contents, so browsers may keep them.

use std::sync::LazyLock;

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    routing::get,
};
use sha2::{Digest, Sha256};

use super::app::PageState;

const STYLE: &str = include_str!("assets/style.css");
/// One script of several files.
const SCRIPT: &str = concat!(
    include_str!("assets/script/basics.js"),
    include_str!("assets/script/live.js"),
    include_str!("assets/script/search.js"),
    include_str!("assets/script/reading.js"),
    include_str!("assets/script/drafts.js"),
    include_str!("assets/script/editor.js"),
    include_str!("assets/script/keys.js"),
);
const ICON: &str = include_str!("assets/icon.svg");
const CACHED_FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for content in [STYLE, SCRIPT, ICON] {
        hash.update(content.as_bytes());
    }
    hex::encode(&hash.finalize()[..6])
});

pub(super) fn style() -> String {
    format!("/page/style.css?{}", *VERSION)
}

pub(super) fn script() -> String {
    format!("/page/script.js?{}", *VERSION)
}

pub(super) fn icon() -> String {
    format!("/page/icon.svg?{}", *VERSION)
}

pub(super) fn routes() -> Router<PageState> {
    Router::new()
        .route("/page/style.css", get(|| async { asset("text/css; charset=utf-8", STYLE) }))
        .route("/page/script.js", get(|| async { asset("text/javascript; charset=utf-8", SCRIPT) }))
        .route("/page/icon.svg", get(|| async { asset("image/svg+xml", ICON) }))
}

fn asset(kind: &'static str, content: &'static str) -> ([(HeaderName, HeaderValue); 2], &'static str) {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CACHE_CONTROL, CACHED_FOR_EVER)], content)
}

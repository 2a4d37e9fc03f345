//! Reading, searching and writing articles.

mod asked;
mod conflict;
mod delete;
mod draft;
mod edit;
mod history;
mod home;
pub(super) mod live;
mod read;
mod results;

use axum::{
    Router,
    routing::{get, post},
};

pub(super) use read::room;

use super::app::PageState;

pub(super) fn routes() -> Router<PageState> {
    Router::new()
        .route("/", get(home::show))
        .route("/new", get(edit::blank).post(edit::create))
        .route("/preview", post(edit::preview))
        .route("/deleted", get(delete::list))
        .route("/articles/{slug}", get(read::show))
        .route("/articles/{slug}/text", get(read::text))
        .route("/articles/{slug}/related", get(read::related))
        .route("/articles/{slug}/edit", get(edit::show).post(edit::save))
        .route("/articles/{slug}/delete", get(delete::ask).post(delete::carry_out))
        .route("/articles/{slug}/restore", post(delete::restore))
        .route("/articles/{slug}/history", get(history::show))
}

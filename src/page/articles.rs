//! The views of articles: reading, searching and writing them. They know the article service and searches, and nothing
//! of the runtime but the state of an embedding.

mod confirmed;
mod conflict;
mod delete;
mod draft;
mod edit;
mod history;
mod home;
mod home_query;
mod joined;
mod links;
pub(super) mod live;
mod notices;
mod preview;
mod properties;
mod read;
mod rename;
mod results;
mod tags;

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
        .route("/preview", post(preview::show))
        .route("/title", post(preview::title_of_file))
        .route("/deleted", get(delete::list))
        .route("/tags", get(tags::show))
        .route("/articles/{slug}", get(read::show))
        .route("/articles/{slug}/text", get(read::text))
        .route("/articles/{slug}/related", get(read::related))
        .route("/articles/{slug}/edit", get(edit::show).post(edit::save))
        .route("/articles/{slug}/rename", get(rename::ask).post(rename::carry_out))
        .route("/articles/{slug}/delete", get(delete::ask).post(delete::carry_out))
        .route("/articles/{slug}/restore", post(delete::restore))
        .route("/articles/{slug}/history", get(history::show))
}

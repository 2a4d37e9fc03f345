//! Views for the operator: tokens, the settings in force, the health of each part, and measurements.

mod doctor;
mod effective;
mod figures;
mod tabs;
mod tokens;

use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use maud::html;

use super::{
    app::PageState,
    layout::{self, Here},
    refusal::Refusal,
    visit::Visit,
};

use tabs::tabs;

pub(super) fn routes() -> Router<PageState> {
    Router::new()
        .route("/settings", get(show))
        .route("/settings/examination", post(doctor::examine))
        .route("/settings/effective", get(effective::show))
        .route("/settings/figures", get(figures::show))
        .route("/settings/tokens", get(tokens::show).post(tokens::create))
        .route("/settings/tokens/{id}/revoke", get(tokens::ask).post(tokens::revoke))
}

async fn show(State(app): State<PageState>, visit: Visit) -> Result<Response, Refusal> {
    let main = html! {
        h1 { "Settings" }
        (tabs(&visit, "/settings"))
        (doctor::findings(&app, &visit).await)
        section aria-labelledby="you" {
            h2 #you { "You" }
            @if visit.has_token() {
                p { "Signed in as " strong dir="auto" { (visit.caller.name) } ", scope " strong { (visit.caller.scope) } "." }
            } @else {
                p { "There is no token, so everyone on this machine may do everything. With the first token, everyone needs one." }
            }
        }
    };
    Ok(layout::view(&visit, Here::Settings, "Settings", main))
}

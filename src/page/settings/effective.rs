//! The settings in force, with the source of each; secrets are hidden.

use axum::{extract::State, response::Response};
use maud::html;

use super::tabs::tabs;
use crate::{
    auth::Permission,
    page::{
        app::PageState,
        layout::{self, Here},
        refusal::Refusal,
        visit::Visit,
    },
};

pub(super) async fn show(State(app): State<PageState>, visit: Visit) -> Result<Response, Refusal> {
    visit.needs(Permission::Admin)?;
    let main = html! {
        h1 { "Settings in force" }
        (tabs(&visit, "/settings/effective"))
        p.quiet { "They were read when this server started; a change is used after its next start." }
        div.scroll tabindex="0" role="region" aria-label="Settings" {
            table.list {
                thead { tr { th scope="col" { "setting" } th scope="col" { "value" } th scope="col" { "from" } } }
                tbody {
                    @for row in &app.settings {
                        tr class=(if row.origin == "default" { "usual" } else { "set" }) {
                            th scope="row" { code { (row.key) } }
                            td { code { (row.value) } }
                            td { (row.origin) }
                        }
                    }
                }
            }
        }
    };
    Ok(layout::view(&visit, Here::Settings, "Settings in force", main))
}

//! The views of the runtime.

use maud::{Markup, html};

/// The views of the runtime.
pub(super) fn tabs(here: &str) -> Markup {
    let places = [
        ("/runtime", "Overview"),
        ("/runtime/tasks", "Tasks"),
        ("/runtime/runs", "Runs and model"),
        ("/runtime/trail", "Audit trail"),
    ];
    html! {
        nav.tabs aria-label="Runtime" {
            @for (address, name) in places { a href=(address) aria-current=[(address == here).then_some("page")] { (name) } }
        }
    }
}

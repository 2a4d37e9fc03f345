//! The views of the settings.

use maud::{Markup, html};

use crate::page::visit::Visit;

/// The views of the settings that this visit may see.
pub(super) fn tabs(visit: &Visit, here: &str) -> Markup {
    let places = [
        ("/settings", "How it is", true),
        ("/settings/figures", "Figures", true),
        ("/settings/tokens", "Tokens", visit.may_manage()),
        ("/settings/effective", "Settings in force", visit.may_manage()),
    ];
    html! {
        nav.tabs aria-label="Settings" {
            @for (address, name, _) in places.iter().filter(|(.., may)| *may) {
                a href=(address) aria-current=[(*address == here).then_some("page")] { (name) }
            }
        }
    }
}

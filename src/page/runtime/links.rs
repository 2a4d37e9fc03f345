//! Links to acts.

use maud::{Markup, html};

use crate::page::pieces::query;

/// A link to an act.
pub(super) fn link(act: &str, which: &str, name: &str) -> Markup {
    html! { a.button href={ "/runtime/acts?" (query(&[("act", act), ("which", which)])) } { (name) } }
}

pub(super) fn switch(paused: bool) -> Markup {
    if paused { link("resume", "", "Resume the queue…") } else { link("pause", "", "Pause the queue…") }
}

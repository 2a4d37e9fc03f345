//! Links to acts and to articles.

use maud::{Markup, html};

use crate::page::pieces::{percent_encode, query};

/// An article by its slug; of a deleted one its number, for those who may not know it.
pub(super) fn article(slug: &str) -> Markup {
    html! {
        @if slug.starts_with("id:") { bdi { (slug) } } @else { a dir="auto" href={ "/articles/" (percent_encode(slug)) } { (slug) } }
    }
}

/// A link to an act.
pub(super) fn link(act: &str, which: &str, name: &str) -> Markup {
    html! { a.button href={ "/runtime/acts?" (query(&[("act", act), ("which", which)])) } { (name) } }
}

pub(super) fn switch(paused: bool) -> Markup {
    if paused { link("resume", "", "Resume the queue…") } else { link("pause", "", "Pause the queue…") }
}

//! What the script says in a form.

use maud::{Markup, html};

/// Hidden until the script has them to say: what it could not do, and that it cannot keep what is written.
pub(super) fn of_the_script() -> Markup {
    html! {
        p #editor-problem.problem role="alert" dir="auto" hidden {}
        p #unkept.problem role="alert" hidden {
            "This browser has no room for what you write, so it is not kept here. Save it before you leave this page."
        }
    }
}

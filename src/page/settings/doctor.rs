//! The health of each part of this deployment, and what to do: the one diagnosis that `/ready` and `afterword doctor`
//! use.

use maud::{Markup, html};

use crate::{
    health::State,
    page::{app::PageState, pieces::moment, visit::Visit},
};

pub(super) async fn findings(app: &PageState, visit: &Visit) -> Markup {
    let report = app.health.report();
    html! {
        section aria-labelledby="parts" {
            h2 #parts { "How it is" }
            div.scroll tabindex="0" role="region" aria-label="Parts" {
                table.list {
                    thead { tr { th scope="col" { "part" } th scope="col" { "state" } th scope="col" { "since" } th scope="col" { "finding" } } }
                    tbody {
                        @for (name, part) in &report.parts {
                            tr {
                                th scope="row" { (name) }
                                td { (state(part.state)) }
                                td.narrow-cell { (moment(part.since)) }
                                td dir="auto" { (part.detail.as_deref().unwrap_or("nothing to be done")) }
                            }
                        }
                    }
                }
            }
            @if visit.may_manage() { p.quiet { "Database: " code { (app.host.database.place()) } ". " code { "afterword doctor" } " looks at the disk and the model's files, too." } }
        }
    }
}

fn state(state: State) -> Markup {
    let (kind, said) = match state {
        State::Ready => ("good", "well"),
        State::Degraded => ("waiting", "not all of it"),
        State::Unready => ("bad", "does not work"),
    };
    html! { span.badge.(kind) { (said) } }
}

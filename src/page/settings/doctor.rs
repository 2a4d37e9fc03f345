//! The health of each part of this deployment, and what to do: the one diagnosis that `/ready` and `afterword doctor`
//! use.

use axum::{extract::State as Shared, http::StatusCode, response::Response};
use maud::{Markup, html};
use tokio::sync::Semaphore;

use super::tabs::tabs;
use crate::{
    auth::Permission,
    health::{Finding, State, examination},
    host::open_options,
    model,
    page::{
        app::PageState,
        layout::{self, Here},
        pieces::moment,
        refusal::Refusal,
        visit::Visit,
    },
};

/// One examination at a time: each reads the whole database.
static EXAMINING: Semaphore = Semaphore::const_new(1);

/// What takes longer than `/ready` may: the disk, the data, the words, the files of the model.
pub(super) async fn examine(Shared(app): Shared<PageState>, visit: Visit) -> Result<Response, Refusal> {
    visit.needs(Permission::Admin)?;
    let busy =
        |_| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "It is being examined already; try again in a moment.");
    let turn = EXAMINING.try_acquire().map_err(busy)?;
    // To its end, also if nobody waits for it any more: the database carries out the statement that it was given.
    let examining = tokio::spawn(async move {
        let _turn = turn;
        look(&app).await
    });
    let findings =
        examining.await.map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let main = html! {
        h1 { "Examined" }
        (tabs(&visit, "/settings"))
        p { "As " code { "afterword doctor" } " examines them; the parts that are watched all the time are " a href="/settings" { "among the settings" } "." }
        div.scroll tabindex="0" role="region" aria-label="Findings" {
            table.list {
                thead { tr { th scope="col" { "part" } th scope="col" { "state" } th scope="col" { "finding" } } }
                tbody {
                    @for finding in &findings {
                        tr {
                            th scope="row" { (finding.part) }
                            td { (state(finding.state)) }
                            td dir="auto" { (finding.detail.as_deref().unwrap_or("nothing to be done")) }
                        }
                    }
                }
            }
        }
    };
    Ok(layout::view(&visit, Here::Settings, "Examined", main))
}

async fn look(app: &PageState) -> Vec<Finding> {
    let (host, settings) = (&app.host, app.host.settings());
    let file = open_options(settings).sqlite_file().ok().flatten();
    let mut findings = vec![examination::writable(&host.database, file.as_deref()).await];
    if let Some(local) = host.backends.preparation() {
        let (folder, is_named) = (local.directory(), settings.embedding.model_dir.is_some());
        findings.push(match is_named && !model::is_complete(folder) {
            // It cannot be fetched.
            true => Finding::unready(
                "model",
                format!("there is no complete model in {} (embedding.model_dir)", folder.display()),
            ),
            false => examination::model_files(&host.identity().model, folder),
        });
    }
    findings.push(examination::coverage(&host.database).await);
    findings.push(examination::soundness(&host.database).await);
    findings.push(examination::words(&host.database, &settings.search.language).await);
    findings.extend(examination::copies(&host.database).await);
    findings
}

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
            @if visit.may_manage() { p.quiet { "Database: " code { (app.host.database.place()) } "." } }
            @if visit.may_manage() {
                form.actions method="post" action="/settings/examination" {
                    button type="submit" { "Examine the disk, the data and the model's files" }
                    span.quiet { "It may take a while." }
                }
            }
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

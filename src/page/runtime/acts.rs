//! Acts on the runtime. Each asks for confirmation first, and says what it will do to how many.

mod question;
mod request;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::html;

use self::{
    question::Question,
    request::{Act, ActRequest},
};
use crate::{
    auth::Permission,
    page::{
        app::PageState,
        given::{Form, Query},
        layout::{self, Here},
        refusal::Refusal,
        visit::Visit,
    },
    queue::QueueError,
};

pub(super) async fn ask(
    State(app): State<PageState>,
    visit: Visit,
    Query(request): Query<ActRequest>,
) -> Result<Response, Refusal> {
    visit.needs(Permission::Admin)?;
    let Question { title, text } = Question::before(&app, &request).await?;
    let main = html! {
        div.narrow {
            h1 { (title) }
            p dir="auto" { (text) }
            form.actions method="post" action="/runtime/acts" {
                input type="hidden" name="act" value=(request.act);
                input type="hidden" name="which" value=(request.which);
                input type="hidden" name="folder" value=(request.folder);
                button.primary type="submit" { "Yes, do it" }
                a.button href="/runtime" { "No" }
            }
        }
    };
    Ok(layout::view(&visit, Here::Runtime, title, main))
}

pub(super) async fn carry_out(
    State(app): State<PageState>,
    visit: Visit,
    Form(request): Form<ActRequest>,
) -> Result<Response, Refusal> {
    visit.needs(Permission::Admin)?;
    let queue = &app.host.queue;
    let mut next = "/runtime".to_owned();
    match request.act {
        Act::Pause => drop(queue.pause().await?),
        Act::Resume => drop(queue.resume().await?),
        Act::RetryTask => {
            queue.retry(request.number()?).await?;
            next = format!("/runtime/tasks/{}", request.which);
        }
        Act::CancelTask => {
            queue.cancel(request.number()?).await?;
            next = format!("/runtime/tasks/{}", request.which);
        }
        Act::RetryGroup => retry(&app, &request).await?,
        Act::RetryFailed => drop(queue.retry_failed().await?),
        Act::StartRun => {
            let id = app.host.bulk.start(request.backlog()?, &request.folder()?).await?;
            next = format!("/runtime/runs/{id}");
        }
        Act::CancelRun => drop(app.host.bulk.cancel(request.number()?).await?),
        Act::SwitchModel => {
            app.host.sets().switch().await?;
        }
        Act::AcceptFailed => drop(app.host.sets().accept_failed().await?),
        Act::CancelChange => drop(app.host.sets().cancel().await?),
    }
    Ok(Redirect::to(&next).into_response())
}

/// The tasks of a group that can be retried now; another task of the article may wait already.
async fn retry(app: &PageState, request: &ActRequest) -> Result<(), Refusal> {
    for id in request.tasks_of_group(app).await? {
        match app.host.queue.retry(id).await {
            Ok(())
            | Err(QueueError::AlreadyWaiting { .. } | QueueError::NotAllowed { .. } | QueueError::NotFound(_)) => {}
            Err(error @ QueueError::Store(_)) => return Err(error.into()),
        }
    }
    Ok(())
}

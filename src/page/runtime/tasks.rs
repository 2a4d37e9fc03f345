//! `/runtime/tasks`: the tasks of the queue, page by page.

use afterword_actors::task::TaskStatus;
use axum::{extract::State, response::Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::{changing::LIVE, links, tabs::tabs};
use crate::{
    page::{
        app::PageState,
        articles::room,
        given::Query,
        layout::{self, Here},
        pieces::{empty, moment, query, status},
        refusal::Refusal,
        visit::Visit,
    },
    queue::{Task, TaskFilter},
};

/// Tasks of a page.
const PAGE_SIZE: u32 = 50;

/// Which tasks to show.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct TasksQuery {
    status: String,
    article: String,
    before: Option<i64>,
}

pub(super) async fn show(
    State(app): State<PageState>,
    visit: Visit,
    Query(parameters): Query<TasksQuery>,
) -> Result<Response, Refusal> {
    let wanted = Some(parameters.status.as_str()).filter(|status| !status.is_empty());
    let wanted =
        wanted.map(str::parse::<TaskStatus>).transpose().map_err(|error| Refusal::invalid(error.to_string()))?;
    let article_id = match parameters.article.trim() {
        "" => None,
        slug => {
            let _room = room(&app, &visit, slug).await?;
            Some(app.host.articles.read(slug).await?.id)
        }
    };
    let page = app
        .host
        .queue
        .seen_by(visit.caller.scope)
        .tasks(&TaskFilter { status: wanted, article_id, before: parameters.before, limit: PAGE_SIZE })
        .await?;
    let main = html! {
        h1 { "Tasks" }
        (tabs("/runtime/tasks"))
        (filter(&parameters))
        // What is older does not change.
        div data-live=[parameters.before.is_none().then_some(LIVE)] data-fragment="tasks" {
            @if page.tasks.is_empty() { (empty("There is no such task.")) } @else { (table(&page.tasks)) }
        }
        nav.pager aria-label="Pages" {
            @let pairs = [("status", parameters.status.as_str()), ("article", parameters.article.as_str())];
            @if parameters.before.is_some() { a href={ "?" (query(&pairs)) } { "To the newest" } }
            @if let Some(before) = page.next_before {
                a rel="next" href={ "?" (query(&[pairs[0], pairs[1], ("before", &before.to_string())])) } { "Older tasks" }
            }
        }
    };
    Ok(layout::view(&visit, Here::Runtime, "Tasks", main))
}

/// Details beside the status.
fn why(task: &Task) -> &str {
    let cause = Some(task.cause.as_str()).filter(|cause| *cause != task.status);
    task.error_message.as_deref().or(cause).unwrap_or_default()
}

fn filter(parameters: &TasksQuery) -> Markup {
    html! {
        form.filter method="get" action="/runtime/tasks" {
            label for="status" { "Status" }
            select #status name="status" {
                option value="" { "all" }
                @for status in TaskStatus::ALL { option value=(status.as_str()) selected[status.as_str() == parameters.status] { (status.as_str()) } }
            }
            label for="article" { "Article" }
            input #article type="text" name="article" value=(parameters.article) placeholder="its slug" autocomplete="off";
            button type="submit" { "Show" }
        }
    }
}

pub(super) fn table(tasks: &[Task]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Tasks" {
            table.list {
                thead { tr {
                    th scope="col" { "task" } th scope="col" { "article" } th scope="col" { "status" }
                    th scope="col" { "attempts" } th scope="col" { "priority" } th scope="col" { "changed" } th scope="col" { "why" }
                } }
                tbody {
                    @for task in tasks {
                        tr {
                            td { a href={ "/runtime/tasks/" (task.id) } { (task.id) } }
                            td { (links::article(&task.slug)) }
                            td { (status(&task.status)) }
                            td.narrow-cell { (task.attempts) " of " (task.max_attempts) }
                            td { (task.priority) }
                            td.narrow-cell { (moment(task.updated_at)) }
                            td.why dir="auto" { (why(task)) }
                        }
                    }
                }
            }
        }
    }
}

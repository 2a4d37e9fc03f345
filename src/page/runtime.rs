//! Watching and managing the runtime: its state, its tasks, and the acts on it.

mod acts;
pub(super) mod changing;
mod charts;
mod coverage;
mod failures;
mod hosts;
mod links;
pub(super) mod live;
mod overview;
mod provider;
mod run;
mod runs;
mod snapshot;
mod tabs;
mod task;
mod tasks;
mod trail;

use axum::{Router, routing::get};

use super::app::PageState;

pub(super) fn routes() -> Router<PageState> {
    Router::new()
        .route("/runtime", get(live::show))
        .route("/runtime/failures", get(failures::all_of_group))
        .route("/runtime/tasks", get(tasks::show))
        .route("/runtime/tasks/{id}", get(task::show))
        .route("/runtime/runs", get(runs::show))
        .route("/runtime/runs/{id}", get(run::show))
        .route("/runtime/trail", get(trail::show))
        .route("/runtime/acts", get(acts::ask).post(acts::carry_out))
}

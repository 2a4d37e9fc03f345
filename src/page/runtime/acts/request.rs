//! Which act is wanted, and what it is to be done to.

use std::fmt;

use afterword_actors::store::backlog::Backlog as BacklogKind;
use serde::Deserialize;

use super::super::{failures, snapshot};
use crate::{
    articles::folder::Folder,
    page::{app::PageState, refusal::Refusal},
};

/// An act, and what it is done to.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::page::runtime) struct ActRequest {
    pub(super) act: Act,
    #[serde(default)]
    pub(super) which: String,
    #[serde(default)]
    pub(super) folder: String,
}

/// All acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Act {
    Pause,
    Resume,
    RetryTask,
    CancelTask,
    RetryGroup,
    RetryFailed,
    StartRun,
    CancelRun,
    SwitchModel,
    AcceptFailed,
    CancelChange,
}

impl fmt::Display for Act {
    /// The name in addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::RetryTask => "retry-task",
            Self::CancelTask => "cancel-task",
            Self::RetryGroup => "retry-group",
            Self::RetryFailed => "retry-failed",
            Self::StartRun => "start-run",
            Self::CancelRun => "cancel-run",
            Self::SwitchModel => "switch-model",
            Self::AcceptFailed => "accept-failed",
            Self::CancelChange => "cancel-change",
        })
    }
}

impl ActRequest {
    /// The number of a task or a run.
    pub(super) fn number(&self) -> Result<i64, Refusal> {
        self.which.parse().map_err(|_| Refusal::invalid("this is not the number of a task or a run"))
    }

    /// Which articles of a folder a run is about.
    pub(super) fn backlog(&self) -> Result<BacklogKind, Refusal> {
        let backlog = BacklogKind::ALL.into_iter().find(|backlog| backlog.as_str() == self.which);
        backlog.ok_or_else(|| Refusal::invalid("which articles? one of: needed, missing, failed, stale, all"))
    }

    pub(super) fn folder(&self) -> Result<Folder, Refusal> {
        Folder::parse(&self.folder).map_err(|error| Refusal::invalid(error.to_string()))
    }

    /// The failed tasks of a group, which are grouped as everybody sees them.
    pub(super) async fn tasks_of_group(&self, app: &PageState) -> Result<Vec<i64>, Refusal> {
        let failed = snapshot::failed_tasks(app).await?;
        Ok(failures::group_named(&failed, &self.which)?.tasks.iter().map(|task| task.id).collect())
    }
}

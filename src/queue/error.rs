//! Why a request about the queue is refused, in words that say what to do next.

use afterword_actors::{store::StoreError, task::TaskStatus};

/// A refused request. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// There is no task with this number.
    #[error("there is no task {0}; list the tasks to see the last ones")]
    NotFound(i64),
    /// The task's status does not allow it.
    #[error(
        "task {id} is {status}: only a pending task can be cancelled, and only a pending, failed or cancelled one tried again"
    )]
    NotAllowed {
        /// The task.
        id: i64,
        /// Its status.
        status: TaskStatus,
    },
    /// Another task of the same article waits.
    #[error("task {other} of the same article waits already, and does what task {id} would do")]
    AlreadyWaiting {
        /// The task.
        id: i64,
        /// The one that waits.
        other: i64,
    },
    /// An error of the database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

//! The owner of a session. The protocol's library does not tell the session manager which client asks, so the client is
//! passed in a task-local as long as the request runs.

use crate::auth::Who;

tokio::task_local! {
    static ASKING: Option<Who>;
}

/// Does `work` for `who`; `None` if the door is mounted without a guard.
pub(super) async fn while_asking<T>(who: Option<Who>, work: impl Future<Output = T>) -> T {
    ASKING.scope(who, work).await
}

/// The client that asks now.
pub(super) fn asking() -> Option<Who> {
    ASKING.try_with(Clone::clone).ok().flatten()
}

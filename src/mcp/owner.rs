//! Whose a session is. The protocol's library does not tell its keeper of sessions who asks, so that is kept beside the
//! request as long as it runs.

use crate::auth::Who;

tokio::task_local! {
    static ASKING: Option<Who>;
}

/// Does `work` for `who`; for nobody in particular if the door stands by itself, without a guard.
pub(super) async fn while_asking<T>(who: Option<Who>, work: impl Future<Output = T>) -> T {
    ASKING.scope(who, work).await
}

/// Who asks now.
pub(super) fn asking() -> Option<Who> {
    ASKING.try_with(Clone::clone).ok().flatten()
}

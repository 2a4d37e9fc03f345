//! The acting caller: carried beside the work from the door to the audit trail.

use futures_util::future::BoxFuture;

tokio::task_local! {
    static ACTING: String;
}

/// Does `work` for `who`: its entries in the audit trail then contain that name.
pub async fn acting_as<T>(who: String, work: impl Future<Output = T>) -> T {
    ACTING.scope(who, work).await
}

/// The name for which the running work is done, if a door gave one.
pub fn acting() -> Option<String> {
    ACTING.try_with(Clone::clone).ok()
}

/// Keeps the acting name for a write that runs on another task.
pub(super) fn carried<'w, T>(who: Option<String>, work: impl Future<Output = T> + Send + 'w) -> BoxFuture<'w, T> {
    match who {
        Some(who) => Box::pin(ACTING.scope(who, work)),
        None => Box::pin(work),
    }
}

//! Who does what: carried beside the work from the door to the audit trail.

use super::transaction::WriteFuture;

tokio::task_local! {
    static ACTING: String;
}

/// Does `work` for `who`: what it records in the audit trail says so.
pub async fn acting_as<T>(who: String, work: impl Future<Output = T>) -> T {
    ACTING.scope(who, work).await
}

/// For whom the work that runs now is done, if a door said so.
pub fn acting() -> Option<String> {
    ACTING.try_with(Clone::clone).ok()
}

/// The same write for the same one, wherever it is carried out.
pub(super) fn carried<T: Send + 'static, E: Send + 'static>(
    who: Option<String>,
    work: WriteFuture<'_, T, E>,
) -> WriteFuture<'_, T, E> {
    match who {
        Some(who) => Box::pin(ACTING.scope(who, work)),
        None => work,
    }
}

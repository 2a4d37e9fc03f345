//! How long PostgreSQL is waited for.

use std::time::Duration;

use super::StoreError;

/// A server that does not answer for so long is gone, whatever the network says. Maintenance by the operator is not
/// bound by it.
pub(super) const ANSWER: Duration = Duration::from_secs(30);

/// The answer to a request, or that there is none.
pub(super) async fn answered<T>(
    request: impl Future<Output = Result<T, sea_orm::DbErr>> + Send,
) -> Result<T, StoreError> {
    match tokio::time::timeout(ANSWER, request).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(StoreError::Unreachable(format!("no answer within {ANSWER:?}"))),
    }
}

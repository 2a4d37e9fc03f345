//! How long an answer of PostgreSQL is awaited.

use std::time::Duration;

use super::StoreError;

/// A PostgreSQL that has not answered for this long is gone, whatever the network says. Maintenance by the operator is
/// not bound by it.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Returns the answer to a request, or an error if none comes in time.
pub(super) async fn answered<T>(request: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError> {
    match tokio::time::timeout(REQUEST_TIMEOUT, request).await {
        Ok(answer) => answer,
        Err(_) => Err(StoreError::Unreachable(format!("no answer within {REQUEST_TIMEOUT:?}"))),
    }
}

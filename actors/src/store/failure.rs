//! A failure of the database inside a piece of work, whatever the work makes of it.
//!
//! The body of a write returns an error of its caller's kind, or none. But a failed statement may have ended the
//! transaction: SQLite rolls all of it back when the disk is full; PostgreSQL commits nothing of it after any error,
//! and answers `COMMIT` as if it did. Everything that shared the transaction is then told the reason, which is known
//! where the statement failed.

use std::cell::RefCell;

use super::StoreError;

tokio::task_local! {
    static NOTED: RefCell<Option<StoreError>>;
}

/// Runs `work`; returns its result, and the first failure of a statement meanwhile: an outage, or else a refused row.
pub(super) async fn observed<T>(work: impl Future<Output = T>) -> (T, Option<StoreError>) {
    NOTED
        .scope(RefCell::new(None), async {
            let value = work.await;
            (value, NOTED.with(RefCell::take))
        })
        .await
}

/// Records a failed statement, if it belongs to observed work.
pub(super) fn note(error: &StoreError) {
    let _ = NOTED.try_with(|noted| {
        let mut noted = noted.borrow_mut();
        if noted.as_ref().is_none_or(|known| !known.is_outage() && error.is_outage()) {
            *noted = Some(error.clone());
        }
    });
}

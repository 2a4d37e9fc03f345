//! What SQLite itself reports about the writer's transaction.
//!
//! SQLite ends a transaction by itself when a statement meets a full disk, a failing disk or a lack of memory. The
//! driver does not notice: it counts savepoints, and what follows would be committed statement by statement, or not at
//! all. Two hooks of the connection tell the truth: a transaction that ends early marks the connection as lost, and on
//! a lost connection, or inside a batch, nothing can be committed.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use sea_orm::sqlx::{self, Connection, SqliteConnection};

/// Outside a batch: statements on the connection may commit.
const OPEN: u8 = 0;
/// A batch is running: only its end opens the gate.
const SHUT: u8 = 1;
/// The connection has lost its transaction, or failed to end it: it is replaced.
const LOST: u8 = 2;

/// Shared by the writer and the hooks of its connection. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct CommitGate(Arc<AtomicU8>);

impl CommitGate {
    /// Records the start of a batch.
    pub(super) fn shut(&self) {
        self.0.store(SHUT, Ordering::SeqCst);
    }

    /// Prepares for the batch's `COMMIT` or `ROLLBACK`, which comes next. Returns false if there is nothing left to
    /// end.
    pub(super) fn open(&self) -> bool {
        self.0.compare_exchange(SHUT, OPEN, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Whether the transaction was lost, or the connection distrusted.
    pub(super) fn is_lost(&self) -> bool {
        self.0.load(Ordering::SeqCst) == LOST
    }

    /// Marks the connection for replacement.
    pub(super) fn distrust(&self) {
        self.0.store(LOST, Ordering::SeqCst);
    }

    /// Installs the hooks on a new connection, and trusts it.
    ///
    /// # Errors
    /// If the connection has broken meanwhile.
    pub(super) async fn watch(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let mut handle = connection.lock_handle().await?;
        let (committing, rolled_back) = (self.clone(), self.clone());
        handle.set_commit_hook(move || committing.0.load(Ordering::SeqCst) == OPEN);
        handle.set_rollback_hook(move || {
            let _ = rolled_back.0.compare_exchange(SHUT, LOST, Ordering::SeqCst, Ordering::SeqCst);
        });
        self.0.store(OPEN, Ordering::SeqCst);
        Ok(())
    }

    /// Whether the driver, too, believes that no transaction is open. (`BEGIN` checks that SQLite does.)
    pub(super) fn is_at_rest(connection: &SqliteConnection) -> bool {
        !connection.is_in_transaction()
    }
}

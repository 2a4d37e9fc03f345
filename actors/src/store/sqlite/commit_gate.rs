//! What SQLite itself says of the writer's transaction.
//!
//! SQLite ends a transaction without being asked when a statement meets a full disk, a failing disk or a lack of memory.
//! The driver does not notice: it counts savepoints, and what follows would be committed statement by statement, or not
//! at all. Two hooks of the connection tell the truth: a transaction that ends before its time marks the connection as
//! lost, and on a lost connection, or inside a batch, nothing can be committed.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use sea_orm::sqlx::{self, Connection, SqliteConnection};

/// Outside a batch: what runs on the connection may commit.
const OPEN: u8 = 0;
/// A batch is running: only its end opens the gate.
const SHUT: u8 = 1;
/// The connection has lost its transaction, or an end of it failed: it is replaced.
const LOST: u8 = 2;

/// Shared by the writer and the hooks of its connection. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct CommitGate(Arc<AtomicU8>);

impl CommitGate {
    /// A batch has begun.
    pub(super) fn shut(&self) {
        self.0.store(SHUT, Ordering::SeqCst);
    }

    /// The batch ends by its `COMMIT` or `ROLLBACK`, which comes next. Returns false if there is nothing left to end.
    pub(super) fn open(&self) -> bool {
        self.0.compare_exchange(SHUT, OPEN, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Whether the transaction has ended without being asked.
    pub(super) fn is_lost(&self) -> bool {
        self.0.load(Ordering::SeqCst) == LOST
    }

    /// Marks the connection for replacement.
    pub(super) fn distrust(&self) {
        self.0.store(LOST, Ordering::SeqCst);
    }

    /// Installs the hooks on a new connection, which is trusted.
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

    /// Whether the driver, too, believes that no transaction is open. (That SQLite does is asserted by `BEGIN`.)
    pub(super) fn is_at_rest(connection: &SqliteConnection) -> bool {
        !connection.is_in_transaction()
    }
}

//! The operator's side of the database: schema, backup, restore, verification.

mod backup;
mod schema;
mod verify;

pub use backup::{BackupError, RestoreError, Restored, backup, restore};
pub use schema::{Migration, SchemaError, migrate, migrations, rollback, size, undone_by_rollback};
pub use verify::{Finding, Verification, verify};

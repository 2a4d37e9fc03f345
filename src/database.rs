//! The operator's side of the database: schema, backup, restore, copy, verification, and the indexes of searches.

mod backup;
mod copy;
mod index;
mod restore;
mod schema;
mod verify;

pub use afterword_actors::schema::{SchemaError, migrate, take_back as rollback};
pub use backup::{BackupError, backup};
pub use copy::{CopiedTable, CopyError, CopyProgress, CopyReport, copy, open_both};
pub use index::{IndexError, RebuildProgress, RebuildReport, begin_empty, language, rebuild, renew_words};
pub use restore::{RestoreError, RestoreReport, restore};
pub use schema::{Migration, copied_in_part, migrations, size, undone_by_rollback};
pub use verify::{Verification, VerifyFinding, verify};

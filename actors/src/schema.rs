//! The tables that a runtime works on, and what brings them up to date.

use afterword_migration::MigrationError;

use crate::store::{Database, StoreError};

/// Why a step of the schema was not applied. The database is as it was before the step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The database belongs to a newer program, or contains something else under a name that the step needs.
    #[error(transparent)]
    Refused(MigrationError),
    /// The database failed.
    #[error("the schema could not be changed: {0}")]
    Failed(#[from] StoreError),
}

impl From<MigrationError> for SchemaError {
    fn from(error: MigrationError) -> Self {
        match error {
            MigrationError::Database(error) => Self::Failed(error.into()),
            MigrationError::Newer(_) | MigrationError::Occupied { .. } => Self::Refused(error),
        }
    }
}

/// Applies the steps that are missing; returns their names. Processes that start together wait for each other. A host's
/// own tables are left alone.
///
/// # Errors
/// [`SchemaError`]
pub async fn migrate(database: &Database) -> Result<Vec<String>, SchemaError> {
    Ok(afterword_migration::apply(database.write_connection(), None).await?)
}

//! The tables that a runtime works on, and what brings them up to date.

use afterword_migration::{MigrationError, Migrator, MigratorTrait};

use crate::store::{Database, StoreError};

/// Why a step of the schema was not applied. The database is as it was before the step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The database belongs to a newer program, or contains something else under a name that the step needs.
    #[error("{0}")]
    Refused(String),
    /// The database failed.
    #[error("the schema could not be changed: {0}")]
    Failed(#[from] StoreError),
}

impl SchemaError {
    fn of(error: MigrationError) -> Self {
        match error {
            MigrationError::Database(error) => Self::Failed(StoreError::of(error)),
            MigrationError::Newer(_) | MigrationError::Foreign(_) | MigrationError::Occupied { .. } => {
                Self::Refused(error.to_string())
            }
        }
    }
}

/// Returns the names of all steps that this program knows, in order.
pub fn steps() -> Vec<String> {
    Migrator::migrations().iter().map(|step| step.name().to_owned()).collect()
}

/// Returns the names of the steps that the database has, in order. Reads only.
///
/// # Errors
/// [`SchemaError`]
pub async fn applied(database: &Database) -> Result<Vec<String>, SchemaError> {
    afterword_migration::applied(database.write_connection().inner()).await.map_err(SchemaError::of)
}

/// Applies the steps that are missing; returns their names. Processes that start together wait for each other. A host's
/// own tables are left alone.
///
/// # Errors
/// [`SchemaError`]
pub async fn migrate(database: &Database) -> Result<Vec<String>, SchemaError> {
    afterword_migration::apply(database.write_connection().inner(), None).await.map_err(SchemaError::of)
}

/// Takes back the last `steps`; data that only they store is lost. Returns their names, the last first.
///
/// # Errors
/// [`SchemaError`]
pub async fn take_back(database: &Database, steps: u32) -> Result<Vec<String>, SchemaError> {
    afterword_migration::take_back(database.write_connection().inner(), Some(steps)).await.map_err(SchemaError::of)
}

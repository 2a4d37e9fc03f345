//! The schema's steps: which are applied, applying them, taking them back.

use afterword_actors::store::{
    Database, StoreError,
    sql::{Number, Sql},
};
use afterword_migration::{Migrator, MigratorTrait};
use serde::Serialize;

/// A step of the schema's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Migration {
    /// Its name, which begins with its date.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The database was made by a newer program.
    #[error(
        "the database was migrated by a newer version of afterword (it has \"{0}\"); use that version, or restore a \
         backup made before"
    )]
    Newer(String),
    /// A step could not be run; the database is as it was before it.
    #[error("the schema could not be changed: {0}")]
    Failed(#[from] StoreError),
}

/// All steps this program knows, in order.
///
/// # Errors
/// [`SchemaError`]
pub async fn migrations(database: &Database) -> Result<Vec<Migration>, SchemaError> {
    let connection = database.write_connection();
    refuse_newer(database).await?;
    let pending = Migrator::get_pending_migrations(connection).await.map_err(StoreError::from)?;
    let pending: Vec<_> = pending.iter().map(|step| step.name().to_owned()).collect();
    Ok(Migrator::migrations()
        .iter()
        .map(|step| Migration {
            applied: !pending.iter().any(|name| name == step.name()),
            name: step.name().to_owned(),
        })
        .collect())
}

/// Applies what is missing; answers the names of the applied steps.
///
/// # Errors
/// [`SchemaError`]
pub async fn migrate(database: &Database) -> Result<Vec<String>, SchemaError> {
    let missing = unapplied(database).await?;
    if !missing.is_empty() {
        let ended = Migrator::up(database.write_connection(), None).await;
        // Two processes that start together: the other one may have been first.
        if let Err(error) = ended
            && !unapplied(database).await?.is_empty()
        {
            return Err(StoreError::from(error).into());
        }
    }
    Ok(missing)
}

/// Takes the last `steps` back; what only they hold is lost. Answers their names.
///
/// # Errors
/// [`SchemaError`]
pub async fn rollback(database: &Database, steps: u32) -> Result<Vec<String>, SchemaError> {
    let names = undone_by_rollback(database, steps).await?;
    Migrator::down(database.write_connection(), Some(steps)).await.map_err(StoreError::from)?;
    Ok(names)
}

/// The steps that [`rollback`] would take back, the last first.
///
/// # Errors
/// [`SchemaError`]
pub async fn undone_by_rollback(database: &Database, steps: u32) -> Result<Vec<String>, SchemaError> {
    let applied = migrations(database).await?.into_iter().filter(|step| step.applied).map(|step| step.name);
    let mut applied: Vec<_> = applied.collect();
    applied.reverse();
    applied.truncate(steps as usize);
    Ok(applied)
}

/// How much room the database takes. *Units:* bytes.
///
/// # Errors
/// [`StoreError`]
pub async fn size(database: &Database) -> Result<u64, StoreError> {
    if let Some(file) = database.file() {
        return Ok(std::fs::metadata(file).map_or(0, |metadata| metadata.len()));
    }
    let row = database.reader().row::<Number>("SELECT pg_database_size(current_database()) AS n", []).await?;
    Ok(row.and_then(|row| u64::try_from(row.n).ok()).unwrap_or_default())
}

async fn unapplied(database: &Database) -> Result<Vec<String>, SchemaError> {
    Ok(migrations(database).await?.into_iter().filter(|step| !step.applied).map(|step| step.name).collect())
}

async fn refuse_newer(database: &Database) -> Result<(), SchemaError> {
    let connection = database.write_connection();
    Migrator::install(connection).await.map_err(StoreError::from)?;
    let known: Vec<_> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    let applied = Migrator::get_migration_models(connection).await.map_err(StoreError::from)?;
    match applied.into_iter().find(|step| !known.contains(&step.version)) {
        Some(unknown) => Err(SchemaError::Newer(unknown.version)),
        None => Ok(()),
    }
}

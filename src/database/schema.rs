//! The schema's steps: listing, applying and taking them back.

use afterword_actors::{
    schema::{self, SchemaError},
    store::{Database, StoreError, control, sql::Sql},
};
use serde::Serialize;

/// A step of the schema's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Migration {
    /// Its name, which begins with its date.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
}

/// Returns all steps that this program knows, in order. Reads only.
///
/// # Errors
/// [`SchemaError`]
pub async fn migrations(database: &Database) -> Result<Vec<Migration>, SchemaError> {
    let applied = schema::applied(database).await?;
    Ok(schema::steps().into_iter().map(|name| Migration { applied: applied.contains(&name), name }).collect())
}

/// Whether a copy into the database was begun and has not ended. Reads only.
///
/// # Errors
/// [`SchemaError`]
pub async fn copied_in_part(database: &Database) -> Result<bool, SchemaError> {
    let has_schema = migrations(database).await?.iter().any(|step| step.applied);
    Ok(has_schema && control::unfinished_copy(database.reader()).await?.is_some())
}

/// Returns the steps that [`schema::take_back`] would take back, the last first.
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

/// Returns the size of the database. *Units:* bytes.
///
/// # Errors
/// [`StoreError`]
pub async fn size(database: &Database) -> Result<u64, StoreError> {
    if let Some(file) = database.file() {
        return Ok(std::fs::metadata(file).map_or(0, |metadata| metadata.len()));
    }
    let row = database.reader().row::<i64>("SELECT pg_database_size(current_database()) AS n", []).await?;
    Ok(row.and_then(|n| u64::try_from(n).ok()).unwrap_or_default())
}

//! Runs a script of SQL statements inside the step's transaction.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// Runs `sqlite`, the script of one step for SQLite.
///
/// # Errors
/// Whatever the database refuses; and any database for which the step has no script.
pub(crate) async fn run(manager: &SchemaManager<'_>, sqlite: &str) -> Result<(), DbErr> {
    match manager.get_database_backend() {
        DbBackend::Sqlite => manager.get_connection().execute_unprepared(sqlite).await.map(drop),
        other => Err(DbErr::Migration(format!("this schema has no script for {other:?}; use a sqlite:// address"))),
    }
}

//! Leftovers of an interrupted step: earlier versions ran steps on SQLite without a transaction.
//!
//! Such a database has some of a step's tables and no entry of the step; no version opens it. The objects are compared
//! with those the step makes in an empty database. If they are the same, and contain no rows but those that the step
//! itself inserts, they are dropped, and the step is run from its beginning. Anything else is left alone and named.

use std::collections::BTreeMap;

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbBackend, QueryResult, Statement},
};

use crate::{MigrationError, Migrator};

/// Objects of a schema by name: their kind, and the statement that made them.
type Objects = BTreeMap<String, (String, String)>;

/// Removes the leftovers of `step`, which is about to run.
///
/// # Errors
/// [`MigrationError::Occupied`] if another object has a name that the step needs.
pub(crate) async fn remove(transaction: &DatabaseTransaction, step: &str) -> Result<(), MigrationError> {
    if transaction.get_database_backend() != DbBackend::Sqlite {
        return Ok(());
    }
    let there = objects(transaction).await?;
    if there.is_empty() {
        return Ok(());
    }
    // A step of an upgrade finds the tables of all steps before it: they are told apart by what the step makes.
    let model = Model::of(step).await?;
    let left: Vec<_> = model.made.iter().filter(|(name, _)| there.contains_key(*name)).collect();
    for (name, made) in &left {
        let occupied = || MigrationError::Occupied { step: step.to_owned(), object: (*name).clone() };
        if there.get(*name) != Some(*made)
            || (made.0 == "table" && model.rows(name).await? < rows(transaction, name).await?)
        {
            return Err(occupied());
        }
    }
    // Triggers first; an index is dropped with its table, the parts of a full-text table with the whole.
    for kind in ["trigger", "index", "table"] {
        for (name, _) in left.iter().filter(|(_, made)| made.0 == kind) {
            transaction.execute_unprepared(&format!("DROP {kind} IF EXISTS \"{name}\"")).await?;
        }
    }
    Ok(())
}

/// An empty database after that step.
struct Model {
    db: DatabaseConnection,
    made: Objects,
}

impl Model {
    async fn of(step: &str) -> Result<Self, DbErr> {
        let mut options = ConnectOptions::new("sqlite::memory:");
        options.max_connections(1).sqlx_logging(false);
        let db = Database::connect(options).await?;
        let manager = SchemaManager::new(&db);
        let mut before = Objects::new();
        for known in Migrator::migrations() {
            if known.name() == step {
                before = objects(&db).await?;
            }
            known.up(&manager).await?;
            if known.name() == step {
                break;
            }
        }
        let mut made = objects(&db).await?;
        made.retain(|name, _| !before.contains_key(name));
        Ok(Self { db, made })
    }

    async fn rows(&self, table: &str) -> Result<i64, DbErr> {
        rows(&self.db, table).await
    }
}

/// All objects except those that belong to another: indexes of constraints, and the parts of full-text tables.
async fn objects(db: &impl ConnectionTrait) -> Result<Objects, DbErr> {
    const ALL: &str = "
        SELECT o.name, o.type, coalesce(o.sql, '') FROM sqlite_schema o
        WHERE o.sql IS NOT NULL AND o.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND o.name <> 'seaql_migrations'
          AND NOT EXISTS (SELECT 1 FROM sqlite_schema v
                          WHERE v.sql LIKE 'CREATE VIRTUAL TABLE%' AND o.name LIKE v.name || '\\_%' ESCAPE '\\'
                            AND o.type = 'table')";
    let rows = db.query_all_raw(Statement::from_string(DbBackend::Sqlite, ALL.to_owned())).await?;
    let object =
        |row: &QueryResult| Ok((row.try_get_by_index(0)?, (row.try_get_by_index(1)?, row.try_get_by_index(2)?)));
    rows.iter().map(object).collect()
}

async fn rows(db: &impl ConnectionTrait, table: &str) -> Result<i64, DbErr> {
    let sql = format!("SELECT count(*) FROM \"{table}\"");
    let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await?;
    row.map_or(Ok(0), |row| row.try_get_by_index(0))
}

//! Applies steps and takes them back: each in one transaction together with its entry in the history.
//!
//! sea-orm's own runner opens a transaction on PostgreSQL only. Here SQLite has one, too: if the process is killed or
//! the disk is full, the step is either undone or done. Processes that start together wait for each other: on SQLite
//! for the writer, on PostgreSQL for an advisory lock. Each reads the history again when its turn has come.

use std::time::{Duration, Instant};

use sea_orm_migration::{
    prelude::*,
    sea_orm::{
        DatabaseTransaction, DbBackend, RuntimeErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
    },
};

use crate::{Migrator, leftovers};

/// How long a start waits for its turn while another one changes the schema; a step may have to rewrite a large table.
const TURN_TIMEOUT: Duration = Duration::from_secs(600);
/// Written to the header of SQLite databases from now on: "Aftw".
const APPLICATION_ID: u32 = 0x4166_7477;

/// Why a step was not run. The database is as it was before the step.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The history contains a step that this program does not know.
    #[error(
        "the database was migrated by a newer version of afterword (it has \"{0}\"); use that version, or restore a \
         backup made before"
    )]
    Newer(String),
    /// The history is another program's.
    #[error(
        "the table seaql_migrations is the history of another program (it has \"{0}\"), which cannot be shared: name \
         another database, or on PostgreSQL a schema of its own"
    )]
    Foreign(String),
    /// A table or an index of that name exists, and is not a leftover of an interrupted step.
    #[error(
        "the database holds \"{object}\", which step {step} would make; it is not afterword's, or it holds data: name \
         another database, or rename \"{object}\""
    )]
    Occupied {
        /// The step.
        step: String,
        /// The object in its way.
        object: String,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl From<MigrationError> for DbErr {
    fn from(error: MigrationError) -> Self {
        match error {
            MigrationError::Database(error) => error,
            other => Self::Migration(other.to_string()),
        }
    }
}

/// Applies the missing steps, at most `limit`. Returns the names of the steps that it applied.
///
/// # Errors
/// [`MigrationError`]; the steps before the one that failed stay applied.
pub async fn apply(db: &(impl Connection + ?Sized), limit: Option<u32>) -> Result<Vec<String>, MigrationError> {
    let mut applied = Vec::new();
    while limit.is_none_or(|limit| applied.len() < limit as usize) {
        // Most starts find nothing to do, and take no lock.
        if missing(&history(db).await?)?.is_empty() {
            break;
        }
        match apply_next(db, &applied).await? {
            Some(name) => applied.push(name),
            None => break,
        }
    }
    Ok(applied)
}

/// Takes back the last `limit` steps, or all. Returns their names, the last first.
///
/// # Errors
/// [`MigrationError`]; the steps after the one that failed stay taken back.
pub async fn take_back(db: &(impl Connection + ?Sized), limit: Option<u32>) -> Result<Vec<String>, MigrationError> {
    let mut taken = Vec::new();
    while limit.is_none_or(|limit| taken.len() < limit as usize) {
        match take_back_last(db).await? {
            Some(name) => taken.push(name),
            None => break,
        }
    }
    Ok(taken)
}

/// Returns the names of the steps that a database has, in their order. Reads only.
///
/// # Errors
/// [`MigrationError::Newer`], [`MigrationError::Foreign`], or an error of the database.
pub async fn applied(db: &(impl Connection + ?Sized)) -> Result<Vec<String>, MigrationError> {
    let history = history(db).await?;
    missing(&history)?;
    Ok(Migrator::migrations().iter().map(|step| step.name().to_owned()).filter(|name| history.contains(name)).collect())
}

/// A connection that steps can run on.
pub trait Connection: ConnectionTrait + TransactionTrait<Transaction = DatabaseTransaction> + Sync {}
impl<C: ConnectionTrait + TransactionTrait<Transaction = DatabaseTransaction> + Sync> Connection for C {}

/// Applies the next step, and returns its name; `earlier` are the steps that this call has applied already.
async fn apply_next(db: &(impl Connection + ?Sized), earlier: &[String]) -> Result<Option<String>, MigrationError> {
    let transaction = begin(db).await?;
    Migrator::install(&transaction).await?;
    // Another process may have applied it while this one waited.
    let history = history(&transaction).await?;
    let Some(step) = missing(&history)?.into_iter().next() else {
        transaction.rollback().await?;
        return Ok(None);
    };
    let name = step.name().to_owned();
    afterword_faults::point!("migration.up.begun", DbErr::Migration);
    if earlier.is_empty() {
        leftovers::remove(&transaction, step.name()).await?;
    }
    step.up(&SchemaManager::new(&transaction)).await?;
    afterword_faults::point!("migration.up.ran", DbErr::Migration);
    enter(&transaction, &name).await?;
    mark(&transaction).await?;
    afterword_faults::point!("migration.up.entered", DbErr::Migration);
    transaction.commit().await?;
    afterword_faults::point!("migration.up.committed", DbErr::Migration);
    Ok(Some(name))
}

async fn take_back_last(db: &(impl Connection + ?Sized)) -> Result<Option<String>, MigrationError> {
    let transaction = begin(db).await?;
    Migrator::install(&transaction).await?;
    let history = history(&transaction).await?;
    missing(&history)?;
    let Some(step) = Migrator::migrations().into_iter().rev().find(|step| history.iter().any(|h| h == step.name()))
    else {
        transaction.rollback().await?;
        return Ok(None);
    };
    let name = step.name().to_owned();
    afterword_faults::point!("migration.down.begun", DbErr::Migration);
    step.down(&SchemaManager::new(&transaction)).await?;
    afterword_faults::point!("migration.down.ran", DbErr::Migration);
    strike(&transaction, &name).await?;
    afterword_faults::point!("migration.down.struck", DbErr::Migration);
    transaction.commit().await?;
    afterword_faults::point!("migration.down.committed", DbErr::Migration);
    Ok(Some(name))
}

/// Begins a transaction in which this process alone changes the schema.
async fn begin(db: &(impl Connection + ?Sized)) -> Result<DatabaseTransaction, DbErr> {
    // The wait may be long; the step itself waits for running hosts no longer than any statement.
    const ALONE: &str = "
        DO $$
        DECLARE patience TEXT := current_setting('lock_timeout');
        BEGIN
            PERFORM set_config('lock_timeout', '600s', true);
            PERFORM pg_advisory_xact_lock(4712345678901234567);
            PERFORM set_config('lock_timeout', patience, true);
        END
        $$";
    let options =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let begun = Instant::now();
    let transaction = loop {
        // The connection itself waits for `busy_timeout`.
        match db.begin_with_options(options).await {
            Err(error) if is_busy(&error) && begun.elapsed() < TURN_TIMEOUT => {}
            other => break other?,
        }
    };
    if db.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(ALONE).await?;
    }
    Ok(transaction)
}

fn is_busy(error: &DbErr) -> bool {
    const BUSY: u32 = 5;
    let (DbErr::Conn(RuntimeErr::SqlxError(cause))
    | DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return false;
    };
    let code = cause.as_database_error().and_then(|refusal| refusal.code());
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == BUSY)
}

/// Returns the entries of the history; none if there is no history.
async fn history(db: &(impl ConnectionTrait + ?Sized)) -> Result<Vec<String>, DbErr> {
    const SQLITE: &str = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'seaql_migrations'";
    const POSTGRES: &str = "SELECT CAST(to_regclass('seaql_migrations') IS NOT NULL AS INTEGER) + CAST(0 AS BIGINT)";
    let backend = db.get_database_backend();
    let is_there = if backend == DbBackend::Postgres { POSTGRES } else { SQLITE };
    let is_there = db.query_one_raw(statement(backend, is_there)).await?;
    if is_there.map_or(Ok(0), |row| row.try_get_by_index::<i64>(0))? == 0 {
        return Ok(Vec::new());
    }
    let rows = db.query_all_raw(statement(backend, "SELECT version FROM seaql_migrations ORDER BY version")).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Returns the steps that are not in `history`, in their order.
fn missing(history: &[String]) -> Result<Vec<Box<dyn MigrationTrait>>, MigrationError> {
    let steps = Migrator::migrations();
    let is_known = |entry: &&String| steps.iter().any(|step| step.name() == entry.as_str());
    match history.iter().find(|entry| !is_known(entry)) {
        Some(unknown) if history.iter().any(|entry| is_known(&entry)) => Err(MigrationError::Newer(unknown.clone())),
        Some(unknown) => Err(MigrationError::Foreign(unknown.clone())),
        None => Ok(steps.into_iter().filter(|step| !history.iter().any(|entry| entry == step.name())).collect()),
    }
}

async fn enter(transaction: &DatabaseTransaction, name: &str) -> Result<(), DbErr> {
    let now = match transaction.get_database_backend() {
        DbBackend::Postgres => "CAST(extract(epoch FROM now()) AS BIGINT)",
        _ => "unixepoch()",
    };
    let sql = format!("INSERT INTO seaql_migrations (version, applied_at) VALUES ('{name}', {now})");
    transaction.execute_unprepared(&sql).await.map(drop)
}

async fn strike(transaction: &DatabaseTransaction, name: &str) -> Result<(), DbErr> {
    let sql = format!("DELETE FROM seaql_migrations WHERE version = '{name}'");
    transaction.execute_unprepared(&sql).await.map(drop)
}

/// Marks an SQLite database as this program's, for itself and for other programs. One that has the mark of its host
/// keeps it.
async fn mark(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    if transaction.get_database_backend() != DbBackend::Sqlite {
        return Ok(());
    }
    let present = transaction.query_one_raw(statement(DbBackend::Sqlite, "PRAGMA application_id")).await?;
    if present.map(|row| row.try_get_by_index::<i64>(0)).transpose()?.is_some_and(|id| id != 0) {
        return Ok(());
    }
    transaction.execute_unprepared(&format!("PRAGMA application_id = {APPLICATION_ID}")).await.map(drop)
}

fn statement(backend: DbBackend, sql: &str) -> sea_orm_migration::sea_orm::Statement {
    sea_orm_migration::sea_orm::Statement::from_string(backend, sql.to_owned())
}

//! Copies from SQLite to PostgreSQL: every row, page by page in the order of its key, so that an interrupted copy
//! continues where it stopped; then all of both is read again and compared.
//!
//! PostgreSQL is asked which tables and columns exist, so that a later step of the schema is copied too.

mod rows;
mod table;

use afterword_actors::{
    schema::{self, SchemaError},
    store::{Database, Engine, OpenError, OpenOptions, StoreError, control, is_there, sql::Sql, stats},
};
use serde::Serialize;

use super::migrations;
use rows::Page;
use table::Table;

/// Why the copy does not exist, or is not complete.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A copy only goes from SQLite to PostgreSQL.
    #[error(
        "a copy goes from SQLite (sqlite://) to PostgreSQL (postgres://); to copy SQLite to SQLite use `afterword db backup`"
    )]
    Direction,
    /// There is no such SQLite database.
    #[error("there is no database at {0}")]
    Missing(String),
    /// One of them cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A host works on one of the databases.
    #[error("process {pid} on {hostname} works on {place}; stop it first")]
    InUse {
        /// Its process id.
        pid: i64,
        /// Its machine.
        hostname: String,
        /// The database.
        place: String,
    },
    /// The source was changed while it was compared.
    #[error(
        "{0} was changed while it was compared with its copy: nothing may use it meanwhile; start again with an empty database"
    )]
    Changed(String),
    /// The source has no schema.
    #[error("{0} is not a database of afterword's: it has no schema; check the address")]
    Nothing(String),
    /// The target has a table of another program.
    #[error("{place} has a table \"{table}\" that is not afterword's; name an empty database")]
    Foreign {
        /// The database.
        place: String,
        /// The table.
        table: String,
    },
    /// The schema cannot be used.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The target contains articles that are not of this copy.
    #[error("{0} has articles that are not from this copy; name an empty database")]
    NotEmpty(String),
    /// Source and copy differ.
    #[error(
        "the copy of {table} in {to} differs from the original in {from} ({copied} rows of {rows}): one of them was changed \
         after the copy was begun; start again with an empty database"
    )]
    Differs {
        /// The database that is copied.
        from: String,
        /// The copy.
        to: String,
        /// The table that differs.
        table: String,
        /// Rows on SQLite.
        rows: u64,
        /// Rows on PostgreSQL.
        copied: u64,
    },
    /// A database failed; running the copy again continues it.
    #[error("the copy stopped and goes on when it is run again: {0}")]
    Store(#[from] StoreError),
}

/// The progress, for people who watch.
#[derive(Debug, Clone)]
pub struct CopyProgress<'a> {
    /// The table that is copied or compared.
    pub table: &'a str,
    /// Whether this is the comparison, the second pass over all rows.
    pub comparing: bool,
    /// Rows done.
    pub done: u64,
    /// All rows.
    pub rows: u64,
}

/// A complete copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CopyReport {
    /// One for each table, in the order in which they were copied.
    pub tables: Vec<CopiedTable>,
}

/// A table that is equal on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CopiedTable {
    /// Its name.
    pub table: String,
    /// Number of its rows.
    pub rows: u64,
    /// Hash of all rows in the order of their keys, equal on both sides.
    pub sha256: String,
}

/// Opens both sides of a copy and brings their schemas up to date. The target is not touched if it is another
/// program's.
///
/// # Errors
/// [`CopyError`]
pub async fn open_both(from: &OpenOptions, to: &OpenOptions) -> Result<(Database, Database), CopyError> {
    if (engine(from), engine(to)) != (Some(Engine::Sqlite), Some(Engine::Postgres)) {
        return Err(CopyError::Direction);
    }
    // Opening one that is missing makes it.
    let file = from.sqlite_file()?.filter(|file| is_there(file));
    let Some(file) = file else { return Err(CopyError::Missing(from.url.clone())) };
    if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
        return Err(CopyError::Nothing(file.display().to_string()));
    }
    let (from, to) = (Database::open(from).await?, Database::open(to).await?);
    if !migrations(&from).await?.iter().any(|step| step.applied) {
        return Err(CopyError::Nothing(from.place()));
    }
    // Only then does it have every table that is this program's.
    schema::migrate(&from).await?;
    if let Some(table) = table::foreign(from.reader(), to.reader()).await? {
        return Err(CopyError::Foreign { place: to.place(), table });
    }
    schema::migrate(&to).await?;
    Ok((from, to))
}

fn engine(options: &OpenOptions) -> Option<Engine> {
    match options.url.split_once("://") {
        Some(("sqlite", _)) => Some(Engine::Sqlite),
        Some(("postgres" | "postgresql", _)) => Some(Engine::Postgres),
        _ => None,
    }
}

/// Copies all of `from` to `to`, which has an up-to-date schema, and compares them.
///
/// # Errors
/// [`CopyError`]; copied rows stay, and the next call continues after them.
pub async fn copy(
    from: &Database,
    to: &Database,
    tell: &(dyn Fn(CopyProgress<'_>) + Sync),
) -> Result<CopyReport, CopyError> {
    if (from.engine(), to.engine()) != (Engine::Sqlite, Engine::Postgres) {
        return Err(CopyError::Direction);
    }
    for database in [from, to] {
        refuse_if_in_use(database).await?;
    }
    if let Some(table) = table::foreign(from.reader(), to.reader()).await? {
        return Err(CopyError::Foreign { place: to.place(), table });
    }
    begin(from, to).await?;
    let tables = table::all(to.reader()).await?;
    for table in &tables {
        copy_table(from, to, table, tell).await?;
    }
    let before = state(from).await?;
    let mut compared = Vec::with_capacity(tables.len());
    for table in &tables {
        compared.push(compare(from, to, table, tell).await?);
    }
    afterword_faults::point!("copy.compared", StoreError::Failed);
    check_unchanged(from, before).await?;
    finish(from, to, &tables).await?;
    afterword_faults::point!("copy.finished", StoreError::Failed);
    // A save that came just then is not in the copy.
    check_unchanged(from, before).await?;
    Ok(CopyReport { tables: compared })
}

/// A number of an SQLite database that changes with each change by another connection.
async fn state(database: &Database) -> Result<i64, StoreError> {
    database.write_connection().one("SELECT data_version AS n FROM pragma_data_version", []).await
}

async fn check_unchanged(database: &Database, before: i64) -> Result<(), CopyError> {
    if state(database).await? == before { Ok(()) } else { Err(CopyError::Changed(database.place())) }
}

async fn refuse_if_in_use(database: &Database) -> Result<(), CopyError> {
    match database.living(1_000).await?.into_iter().next() {
        Some(host) => Err(CopyError::InUse { pid: host.pid, hostname: host.hostname, place: database.place() }),
        None => Ok(()),
    }
}

/// Records on PostgreSQL what is being copied: only a copy of the same database may continue.
async fn begin(from: &Database, to: &Database) -> Result<(), CopyError> {
    let place = from.place();
    let noted = to.write(async move |transaction| control::begin_copy(transaction, &place).await).await?;
    if noted { Ok(()) } else { Err(CopyError::NotEmpty(to.place())) }
}

async fn copy_table(
    from: &Database,
    to: &Database,
    table: &Table,
    tell: &(dyn Fn(CopyProgress<'_>) + Sync),
) -> Result<(), CopyError> {
    let rows = count(from, table).await?;
    let mut done = count(to, table).await?;
    let mut after = rows::last_key(to.reader(), table).await?;
    loop {
        tell(CopyProgress { table: &table.name, comparing: false, done, rows });
        let page = Page::read(from.reader(), table, after.as_ref()).await?;
        let Some(last) = page.last_key(table) else { return Ok(()) };
        done += page.len();
        after = Some(last);
        let table = table.clone();
        to.write(async move |transaction| page.write(transaction, &table).await).await?;
        afterword_faults::point!("copy.page", StoreError::Failed);
    }
}

async fn compare(
    from: &Database,
    to: &Database,
    table: &Table,
    tell: &(dyn Fn(CopyProgress<'_>) + Sync),
) -> Result<CopiedTable, CopyError> {
    let rows = count(from, table).await?;
    let say = |done| tell(CopyProgress { table: &table.name, comparing: true, done, rows });
    let (source, copied) = tokio::try_join!(
        rows::digest(from.reader(), table, &say),
        // One progress report is enough for both sides.
        rows::digest(to.reader(), table, &|_| {}),
    )?;
    if source != copied {
        let (from, to, table) = (from.place(), to.place(), table.name.clone());
        return Err(CopyError::Differs { from, to, table, rows: source.rows, copied: copied.rows });
    }
    Ok(CopiedTable { table: table.name.clone(), rows: source.rows, sha256: source.sha256 })
}

async fn count(database: &Database, table: &Table) -> Result<u64, StoreError> {
    let row = database.reader().row::<i64>(&format!("SELECT count(*) AS n FROM {}", table.name), []).await?;
    Ok(row.and_then(|n| u64::try_from(n).ok()).unwrap_or_default())
}

/// Sets number sequences and counts to those of SQLite, and removes the record of the copy.
async fn finish(from: &Database, to: &Database, tables: &[Table]) -> Result<(), StoreError> {
    let mut numbers = Vec::new();
    for table in tables.iter().filter(|table| table.is_numbered()) {
        let sql = "SELECT coalesce(max(seq), 0) AS n FROM sqlite_sequence WHERE name = $1";
        let last = from.reader().row::<i64>(sql, [table.name.clone().into()]).await?.unwrap_or(0);
        numbers.push((table.name.clone(), last));
    }
    let paused = stats::queue(from.reader()).await?.paused;
    to.write(async move |transaction| {
        for (table, last) in numbers {
            let sql = "SELECT setval(pg_get_serial_sequence($1, 'id'), greatest($2, 1), $2 > 0)";
            transaction.run(sql, [table.into(), last.into()]).await?;
        }
        transaction.run("DELETE FROM embedding_task_deltas", []).await?;
        transaction
            .run(
                "UPDATE embedding_task_totals o SET tasks =
                         (SELECT count(*) FROM embedding_tasks t WHERE t.status = o.status)",
                [],
            )
            .await?;
        if paused {
            control::pause(transaction).await?;
        }
        control::end_copy(transaction).await
    })
    .await
}

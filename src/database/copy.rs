//! Moving from SQLite to PostgreSQL: every row, page by page in the order of its key, so that a copy that was interrupted
//! goes on where it stopped; then all of both is read again and compared.
//!
//! Which tables and columns there are is asked of PostgreSQL, so that a later step of the schema is copied too.

mod rows;
mod table;

use afterword_actors::store::{
    Database, Engine, StoreError, control,
    sql::{Number, Sql},
    stats,
};
use serde::Serialize;

use rows::Page;
use table::Table;

/// Why the copy is not there, or not whole.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Only upwards.
    #[error(
        "a copy goes from SQLite (sqlite://) to PostgreSQL (postgres://); to copy SQLite to SQLite use `afterword db backup`"
    )]
    Direction,
    /// Somebody changes what is copied.
    #[error("process {pid} on {hostname} works on {place}; stop it first")]
    InUse {
        /// Its process.
        pid: i64,
        /// Its machine.
        hostname: String,
        /// The database.
        place: String,
    },
    /// Not the beginning of this copy.
    #[error("{0} holds articles that are not from this file; name an empty database")]
    NotEmpty(String),
    /// Source and copy are not the same.
    #[error(
        "the copy of {table} differs from the original ({copied} rows of {rows}): the original was changed after the copy was \
         begun; start again with an empty database"
    )]
    Differs {
        /// Where they differ.
        table: String,
        /// Rows on SQLite.
        rows: u64,
        /// Rows on PostgreSQL.
        copied: u64,
    },
    /// A database failed; run it again to go on.
    #[error("the copy stopped and goes on when it is run again: {0}")]
    Store(#[from] StoreError),
}

/// How far it is, for people who watch.
#[derive(Debug, Clone)]
pub struct CopyProgress<'a> {
    /// What is copied, or compared.
    pub table: &'a str,
    /// The second time through all rows.
    pub comparing: bool,
    /// Rows done.
    pub done: u64,
    /// Rows there are.
    pub rows: u64,
}

/// A copy that is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// One for each table, in the order in which they were copied.
    pub tables: Vec<CopiedTable>,
}

/// A table that is the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CopiedTable {
    /// Its name.
    pub table: String,
    /// How many.
    pub rows: u64,
    /// Of all rows in the order of their keys, the same on both sides.
    pub sha256: String,
}

/// Copies all of `from` to `to`, whose schema is up to date, and compares them.
///
/// # Errors
/// [`CopyError`]; what was copied stays, and the next call goes on from there.
pub async fn copy(
    from: &Database,
    to: &Database,
    tell: &(dyn Fn(CopyProgress<'_>) + Sync),
) -> Result<Copied, CopyError> {
    if (from.engine(), to.engine()) != (Engine::Sqlite, Engine::Postgres) {
        return Err(CopyError::Direction);
    }
    for database in [from, to] {
        nobody_works_on(database).await?;
    }
    begin(from, to).await?;
    let tables = table::all(to.reader()).await?;
    for table in &tables {
        copy_table(from, to, table, tell).await?;
    }
    let mut compared = Vec::with_capacity(tables.len());
    for table in &tables {
        compared.push(compare(from, to, table, tell).await?);
    }
    afterword_faults::point!("copy.compared", StoreError::Failed);
    finish(from, to, &tables).await?;
    afterword_faults::point!("copy.finished", StoreError::Failed);
    Ok(Copied { tables: compared })
}

async fn nobody_works_on(database: &Database) -> Result<(), CopyError> {
    match database.living(1_000).await?.into_iter().next() {
        Some(host) => Err(CopyError::InUse { pid: host.pid, hostname: host.hostname, place: database.place() }),
        None => Ok(()),
    }
}

/// Notes on PostgreSQL what is copied: only the same may go on.
async fn begin(from: &Database, to: &Database) -> Result<(), CopyError> {
    let place = from.place();
    let noted = to
        .write::<_, StoreError, _>(move |transaction| {
            Box::pin(async move { control::begin_copy(transaction, &place).await })
        })
        .await?;
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
        to.write::<_, StoreError, _>(move |transaction| Box::pin(async move { page.write(transaction, &table).await }))
            .await?;
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
        // One of the two is enough to be told of.
        rows::digest(to.reader(), table, &|_| {}),
    )?;
    if source != copied {
        return Err(CopyError::Differs { table: table.name.clone(), rows: source.rows, copied: copied.rows });
    }
    Ok(CopiedTable { table: table.name.clone(), rows: source.rows, sha256: source.sha256 })
}

async fn count(database: &Database, table: &Table) -> Result<u64, StoreError> {
    let row = database.reader().row::<Number>(&format!("SELECT count(*) AS n FROM {}", table.name), []).await?;
    Ok(row.and_then(|row| u64::try_from(row.n).ok()).unwrap_or_default())
}

/// Numbers go on where SQLite's ended, counts are what was copied, and the note is taken away.
async fn finish(from: &Database, to: &Database, tables: &[Table]) -> Result<(), StoreError> {
    let mut numbers = Vec::new();
    for table in tables.iter().filter(|table| table.is_numbered()) {
        let sql = "SELECT coalesce(max(seq), 0) AS n FROM sqlite_sequence WHERE name = $1";
        let last = from.reader().row::<Number>(sql, [table.name.clone().into()]).await?.map_or(0, |row| row.n);
        numbers.push((table.name.clone(), last));
    }
    let paused = stats::queue(from.reader()).await?.paused;
    to.write(move |transaction| {
        Box::pin(async move {
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
    })
    .await
}

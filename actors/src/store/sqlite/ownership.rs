//! Which program a file belongs to, checked before anything is written to it.
//!
//! This program's files have an application id; those of earlier versions are recognised by their history. A new file
//! is empty.

use std::path::Path;

use sea_orm::sqlx::{
    self, ConnectOptions, Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

use super::{OpenError, OpenOptions};
use crate::store::Tables;

/// In the header of this program's files: "Aftw". The migration writes it.
pub const APPLICATION_ID: i64 = 0x4166_7477;
/// The first entry of every history of this program.
const FIRST_STEP: &str = "m20261124_000001_articles";
/// The table of the history; other programs that use the same library have one, too.
const HISTORY_TABLE: &str = "seaql_migrations";

/// Refuses a file that belongs to another program, or is not a database.
///
/// # Errors
/// [`OpenError::NotOurs`], [`OpenError::NotSqlite`]
pub(super) async fn check(path: &Path, options: &OpenOptions) -> Result<(), OpenError> {
    if std::fs::metadata(path).map_or(0, |metadata| metadata.len()) == 0 {
        return Ok(());
    }
    let log = path.with_file_name({
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push("-wal");
        name
    });
    let read_only = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(options.busy_timeout);
    // Without a log the file is complete; an immutable look then creates no files, as any other reader would.
    let quiet = read_only.clone().immutable(true);
    let seen = match look(&quiet).await {
        Err(Unreadable::Failed) => look(&read_only).await,
        _ if log.exists() => look(&read_only).await,
        seen => seen,
    };
    match seen {
        Ok(Owner::Other(_)) if options.tables == Tables::AmongOthers => Ok(()),
        Ok(Owner::Other(what)) => Err(OpenError::NotOurs { path: path.to_path_buf(), what }),
        Err(Unreadable::NotSqlite) => Err(OpenError::NotSqlite(path.to_path_buf())),
        // Other errors are reported when it is opened.
        Ok(Owner::Afterword) | Err(Unreadable::Failed) => Ok(()),
    }
}

#[derive(PartialEq, Eq)]
enum Owner {
    /// This program, or none yet.
    Afterword,
    /// Another program; the evidence.
    Other(String),
}

#[derive(PartialEq, Eq)]
enum Unreadable {
    NotSqlite,
    Failed,
}

impl From<sqlx::Error> for Unreadable {
    fn from(error: sqlx::Error) -> Self {
        const NOT_A_DATABASE: &str = "26";
        match error.as_database_error().and_then(|refusal| refusal.code()) {
            Some(code) if code == NOT_A_DATABASE => Self::NotSqlite,
            _ => Self::Failed,
        }
    }
}

async fn look(options: &SqliteConnectOptions) -> Result<Owner, Unreadable> {
    let mut connection = options.clone().disable_statement_logging().connect().await?;
    let owner = owner(&mut connection).await;
    let _ = connection.close().await;
    owner
}

async fn owner(connection: &mut SqliteConnection) -> Result<Owner, Unreadable> {
    let id: i64 = sqlx::query("PRAGMA application_id").fetch_one(&mut *connection).await?.try_get(0)?;
    if id == APPLICATION_ID {
        return Ok(Owner::Afterword);
    }
    if id != 0 {
        return Ok(Owner::Other(format!("its application id is {id:#010x}")));
    }
    let tables = texts(
        connection,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )
    .await?;
    let Some(foreign) = tables.iter().find(|table| *table != HISTORY_TABLE) else { return Ok(Owner::Afterword) };
    let has_history = tables.iter().any(|table| table == HISTORY_TABLE);
    let steps = if has_history {
        texts(connection, "SELECT version FROM seaql_migrations ORDER BY version").await?
    } else {
        Vec::new()
    };
    // An earlier version that was killed at its first start has left tables and an empty history.
    let is_ours = if steps.is_empty() {
        has_history && tables.iter().any(|table| table == "articles")
    } else {
        steps[0] == FIRST_STEP
    };
    Ok(if is_ours { Owner::Afterword } else { Owner::Other(format!("it has a table \"{foreign}\"")) })
}

async fn texts(connection: &mut SqliteConnection, sql: &'static str) -> Result<Vec<String>, Unreadable> {
    let rows = sqlx::query(sql).fetch_all(connection).await?;
    Ok(rows.iter().map(|row: &SqliteRow| row.try_get(0)).collect::<Result<_, _>>()?)
}

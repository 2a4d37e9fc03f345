//! Why the database did not do what it was asked to.

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, sqlx::postgres::PgDatabaseError};

/// A failed statement or transaction. Cheap to clone: one failed commit answers every save that was in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process held a lock for too long.
    #[error("the database is locked by another process; try again, or stop the process that locks it")]
    Busy,
    /// The disk is full.
    #[error("the disk of the database is full and nothing was saved; make room and try again")]
    DiskFull,
    /// The file cannot be written.
    #[error("the database cannot be written: {0}; check the permissions of the file and of its folder")]
    ReadOnly(String),
    /// The file is not a database, or damaged.
    #[error("the database file is damaged: {0}; restore a backup")]
    Damaged(String),
    /// The disk, or the memory, fails SQLite.
    #[error("the database cannot be used: {0}; check the disk, the memory and the limit of open files (`ulimit -n`)")]
    System(String),
    /// An open file of SQLite has no longer its name: it was replaced, moved or removed.
    #[error(
        "{0} while this process had it open, and nothing more is written: it might never be found again. Stop this \
         process, see that the right file is there, and start it again"
    )]
    NotInPlace(String),
    /// PostgreSQL ended the transaction, or refuses all of them.
    #[error("PostgreSQL did not carry it out, and nothing was saved: {0}")]
    Aborted(String),
    /// All connections are in use, or the database allows no further one.
    #[error("no connection to the database was free in time: {0}")]
    NoConnection(String),
    /// There is no connection, or it was cut.
    #[error("the database cannot be reached: {0}; check that it runs and that database.url is right")]
    Unreachable(String),
    /// The connection was cut while a change was being committed.
    #[error(
        "the connection to the database was lost while the change was being committed, and it may be stored: {0}; look \
         before you repeat it"
    )]
    InDoubt(String),
    /// A constraint refused the row.
    #[error("the database refused the row: {0}")]
    Constraint(String),
    /// Stored data that the program does not understand.
    #[error("the database has a value that this program does not understand: {0}")]
    Unexpected(String),
    /// Any other error.
    #[error("the database failed: {0}")]
    Failed(String),
}

impl StoreError {
    /// Whether it says nothing about the requested row: every other statement would fail in the same way.
    pub(crate) fn is_of_the_database(&self) -> bool {
        match self {
            Self::Busy
            | Self::DiskFull
            | Self::ReadOnly(_)
            | Self::System(_)
            | Self::NotInPlace(_)
            | Self::Aborted(_)
            | Self::NoConnection(_)
            | Self::Unreachable(_)
            | Self::InDoubt(_) => true,
            Self::Damaged(_) | Self::Constraint(_) | Self::Unexpected(_) | Self::Failed(_) => false,
        }
    }

    /// Whether the same statement may work later, once whatever is wrong with the database is mended.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Busy
            | Self::DiskFull
            | Self::ReadOnly(_)
            | Self::System(_)
            | Self::NotInPlace(_)
            | Self::Aborted(_)
            | Self::NoConnection(_)
            | Self::Unreachable(_)
            | Self::InDoubt(_)
            | Self::Failed(_) => true,
            Self::Damaged(_) | Self::Constraint(_) | Self::Unexpected(_) => false,
        }
    }
}

/// Primary result codes of SQLite, <https://www.sqlite.org/rescode.html>; the low byte of an extended code.
mod sqlite_code {
    pub(super) const BUSY: u32 = 5;
    pub(super) const LOCKED: u32 = 6;
    pub(super) const NOMEM: u32 = 7;
    pub(super) const READONLY: u32 = 8;
    pub(super) const IOERR: u32 = 10;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
    pub(super) const CANTOPEN: u32 = 14;
    pub(super) const CONSTRAINT: u32 = 19;
    pub(super) const NOTADB: u32 = 26;
}

/// SQLSTATE codes and classes of PostgreSQL, <https://www.postgresql.org/docs/16/errcodes-appendix.html>.
mod postgres_code {
    pub(super) const SERIALIZATION_FAILURE: &str = "40001";
    pub(super) const DEADLOCK_DETECTED: &str = "40P01";
    pub(super) const LOCK_NOT_AVAILABLE: &str = "55P03";
    pub(super) const QUERY_CANCELED: &str = "57014";
    pub(super) const DISK_FULL: &str = "53100";
    pub(super) const TOO_MANY_CONNECTIONS: &str = "53300";
    pub(super) const READ_ONLY_TRANSACTION: &str = "25006";
    pub(super) const IDLE_IN_TRANSACTION_TIMEOUT: &str = "25P03";
    /// Broken connections.
    pub(super) const CONNECTION_CLASS: &str = "08";
    pub(super) const CONSTRAINT_CLASS: &str = "23";
    /// Out of memory, among others.
    pub(super) const RESOURCES_CLASS: &str = "53";
    /// Shutdown, crash, still starting.
    pub(super) const INTERVENTION_CLASS: &str = "57";
    pub(super) const CORRUPTION_CLASS: &str = "XX";
    pub(super) const CORRUPTED: [&str; 2] = ["XX001", "XX002"];
}

impl StoreError {
    /// The connections of this process are all in use. It may have fewer than it is allowed: a server that refuses one is
    /// asked again until the time is over, and only its own log tells that.
    fn all_in_use() -> Self {
        Self::NoConnection(
            "all of this process are in use, or the server allows no more (its log says so); try again, or raise \
             database.read_connections and database.write_connections, or the limit of the server"
                .to_owned(),
        )
    }

    /// Returns what an error of the driver means.
    pub(crate) fn of(error: DbErr) -> Self {
        let text = error.to_string();
        match &error {
            DbErr::Conn(RuntimeErr::SqlxError(cause))
            | DbErr::Exec(RuntimeErr::SqlxError(cause))
            | DbErr::Query(RuntimeErr::SqlxError(cause)) => from_sqlx(cause, text),
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => Self::all_in_use(),
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::Unreachable(text),
            _ => Self::Failed(text),
        }
    }
}

fn from_sqlx(cause: &sea_orm::sqlx::Error, text: String) -> StoreError {
    use sea_orm::sqlx::Error;
    match cause {
        Error::Database(database) => {
            let (code, message) = (database.code().unwrap_or_default(), database.message().to_owned());
            if database.try_downcast_ref::<PgDatabaseError>().is_some() {
                from_sqlstate(&code, message)
            } else {
                from_sqlite(code.parse().ok(), message)
            }
        }
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::PoolClosed | Error::WorkerCrashed => {
            StoreError::Unreachable(text)
        }
        Error::PoolTimedOut => StoreError::all_in_use(),
        _ => StoreError::Failed(text),
    }
}

fn from_sqlite(code: Option<u32>, message: String) -> StoreError {
    match code.map(|code| code & 0xff) {
        Some(sqlite_code::BUSY | sqlite_code::LOCKED) => StoreError::Busy,
        Some(sqlite_code::NOMEM | sqlite_code::IOERR) => StoreError::System(message),
        Some(sqlite_code::FULL) => StoreError::DiskFull,
        Some(sqlite_code::READONLY) => StoreError::ReadOnly(message),
        // SQLite says the same of both.
        Some(sqlite_code::CANTOPEN) => {
            StoreError::ReadOnly(format!("{message}, which a lack of file descriptors (`ulimit -n`) causes, too"))
        }
        Some(sqlite_code::CORRUPT | sqlite_code::NOTADB) => StoreError::Damaged(message),
        Some(sqlite_code::CONSTRAINT) => StoreError::Constraint(message),
        _ => StoreError::Failed(message),
    }
}

fn from_sqlstate(code: &str, message: String) -> StoreError {
    use postgres_code::*;
    match code {
        LOCK_NOT_AVAILABLE => return StoreError::Busy,
        SERIALIZATION_FAILURE | DEADLOCK_DETECTED => {
            return StoreError::Aborted(format!("two transactions collided ({message}); try again"));
        }
        DISK_FULL => return StoreError::DiskFull,
        TOO_MANY_CONNECTIONS => {
            return StoreError::NoConnection(format!(
                "{message}; lower database.read_connections and database.write_connections of the hosts, or raise the \
                 limit (max_connections of PostgreSQL, or that of the role or the database)"
            ));
        }
        QUERY_CANCELED => {
            return StoreError::Aborted(format!(
                "{message}; it was cancelled by hand, or by a statement_timeout between this program and PostgreSQL"
            ));
        }
        // After a failover: this PostgreSQL is not, or not yet, the primary.
        READ_ONLY_TRANSACTION => {
            return StoreError::Aborted(format!(
                "{message}; it is a read-only standby, or default_transaction_read_only is set for the role or the \
                 database"
            ));
        }
        IDLE_IN_TRANSACTION_TIMEOUT => return StoreError::Unreachable(message),
        _ => {}
    }
    match code.get(..2).unwrap_or_default() {
        CONSTRAINT_CLASS => StoreError::Constraint(message),
        CONNECTION_CLASS | RESOURCES_CLASS | INTERVENTION_CLASS => StoreError::Unreachable(message),
        CORRUPTION_CLASS if CORRUPTED.contains(&code) => StoreError::Damaged(message),
        _ => StoreError::Failed(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgresql_refuses_is_told_for_what_it_is() {
        use postgres_code::*;
        for (code, advice) in [
            (SERIALIZATION_FAILURE, "two transactions collided"),
            (DEADLOCK_DETECTED, "try again"),
            (QUERY_CANCELED, "statement_timeout"),
            (READ_ONLY_TRANSACTION, "default_transaction_read_only"),
            (TOO_MANY_CONNECTIONS, "lower database.read_connections"),
        ] {
            let error = from_sqlstate(code, "reported".to_owned());
            let said = error.to_string();
            assert!(said.contains("reported") && said.contains(advice), "{code}: {said}");
            assert!(!said.contains("database.url") && !said.contains("locked by another process"), "{code}: {said}");
            assert!(error.is_outage() && error.is_of_the_database(), "no document pays for it: {code}");
        }
    }

    #[test]
    fn what_sqlite_reports_is_told_with_advice_that_helps() {
        for (code, advice, not) in [
            (sqlite_code::IOERR, "check the disk", "database.url"),
            (sqlite_code::NOMEM, "the memory", "database.url"),
            (sqlite_code::CANTOPEN, "ulimit -n", "database.url"),
            (sqlite_code::READONLY, "permissions", "ulimit"),
            (sqlite_code::CORRUPT, "restore a backup", "db verify"),
        ] {
            // With an extended code, as SQLite gives it.
            let error = from_sqlite(Some(code | (3 << 8)), "reported".to_owned());
            let said = error.to_string();
            assert!(said.contains("reported") && said.contains(advice) && !said.contains(not), "{code}: {said}");
            assert_eq!(error.is_of_the_database(), code != sqlite_code::CORRUPT, "{code}");
        }
    }
}

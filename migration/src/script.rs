//! Runs a script of SQL statements inside the step's transaction.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// The scripts of one step for each engine, in one direction.
#[derive(Clone, Copy)]
pub(crate) struct Scripts {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

impl Scripts {
    /// Runs the script of the engine that `manager` is connected to.
    ///
    /// # Errors
    /// Any error of the database, and a database for which there is no script.
    pub(crate) async fn run(self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let script = match manager.get_database_backend() {
            DbBackend::Sqlite => self.sqlite,
            DbBackend::Postgres => self.postgres,
            other => return Err(DbErr::Migration(format!("this schema has no script for {other:?}"))),
        };
        manager.get_connection().execute_unprepared(script).await.map(drop)
    }
}

/// The scripts of a step, in the folder of its name: `up.sqlite.sql`, `up.postgres.sql`, and so on.
macro_rules! scripts {
    ($direction:literal of $step:literal) => {
        $crate::script::Scripts {
            sqlite: include_str!(concat!($step, "/", $direction, ".sqlite.sql")),
            postgres: include_str!(concat!($step, "/", $direction, ".postgres.sql")),
        }
    };
}
pub(crate) use scripts;

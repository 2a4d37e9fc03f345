//! A step of the schema: its name, and its scripts of SQL statements.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// A step, up and down.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// The name by which databases know it.
    pub(crate) name: &'static str,
    pub(crate) up: Scripts,
    pub(crate) down: Scripts,
}

/// The scripts of one step for each engine, in one direction.
#[derive(Clone, Copy)]
pub(crate) struct Scripts {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

impl Scripts {
    /// Runs the script of the engine that `manager` is connected to, inside the step's transaction.
    ///
    /// # Errors
    /// Any error of the database, and a database for which there is no script.
    async fn run(self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let script = match manager.get_database_backend() {
            DbBackend::Sqlite => self.sqlite,
            DbBackend::Postgres => self.postgres,
            other => return Err(DbErr::Migration(format!("this schema has no script for {other:?}"))),
        };
        manager.get_connection().execute_unprepared(script).await.map(drop)
    }
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.up.run(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.down.run(manager).await
    }
}

/// The steps of these names. The folder of a step has its name and contains `up.sqlite.sql`, `up.postgres.sql`,
/// `down.sqlite.sql` and `down.postgres.sql`.
macro_rules! steps {
    ($($name:literal),* $(,)?) => {
        &[$($crate::step::Step {
            name: $name,
            up: $crate::step::Scripts {
                sqlite: include_str!(concat!($name, "/up.sqlite.sql")),
                postgres: include_str!(concat!($name, "/up.postgres.sql")),
            },
            down: $crate::step::Scripts {
                sqlite: include_str!(concat!($name, "/down.sqlite.sql")),
                postgres: include_str!(concat!($name, "/down.postgres.sql")),
            },
        }),*]
    };
}
pub(crate) use steps;

//! Where a world's database is: a file, or a database on a server. Both are copies of one that was migrated once.

use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use afterword_actors::store::{Database, OpenOptions, sql::Sql};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio::sync::OnceCell;

use super::TOKIO;

/// A new database with today's schema, gone when it is dropped.
pub(crate) trait Place: Send + Sync + Sized + 'static {
    fn fresh() -> impl Future<Output = Self> + Send;
    fn url(&self) -> String;
}

pub(super) async fn open(url: String) -> Database {
    let options = OpenOptions { read_connections: 2, write_connections: 4, ..OpenOptions::new(url) };
    Database::open(&options).await.expect("a database")
}

/// A file in a folder of its own.
pub(crate) struct File(tempfile::TempDir);

impl Place for File {
    async fn fresh() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::copy(template_file(), folder.path().join("world.db")).expect("a copy");
        Self(folder)
    }

    fn url(&self) -> String {
        format!("sqlite://{}", self.0.path().join("world.db").display())
    }
}

fn template_file() -> &'static Path {
    static TEMPLATE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = TEMPLATE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("template.db");
        let url = format!("sqlite://{}", path.display());
        // On a thread of its own: the caller may be inside an asynchronous context.
        std::thread::spawn(move || {
            TOKIO.block_on(async {
                let database = open(url).await;
                afterword::database::migrate(&database).await.expect("a schema");
                database.write_connection().run("PRAGMA wal_checkpoint(TRUNCATE)", []).await.expect("a checkpoint");
                database.close().await;
            });
        })
        .join()
        .expect("a template");
        (folder, path)
    });
    path
}

/// A database on the server that `AFTERWORD_TEST_POSTGRES` names.
pub(crate) struct Server {
    name: String,
}

impl Place for Server {
    async fn fresh() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let template = template_database().await;
        let name = format!("world_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        administer(format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        Self { name }
    }

    fn url(&self) -> String {
        url_of(&self.name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let name = self.name.clone();
        // Whoever still uses it is a host that the test has dropped.
        TOKIO.spawn(administer(format!("DROP DATABASE {name} WITH (FORCE)")));
    }
}

/// The address of a server for tests, without a database.
fn server() -> String {
    let url = std::env::var("AFTERWORD_TEST_POSTGRES");
    url.expect("AFTERWORD_TEST_POSTGRES, the address of a PostgreSQL server; scripts/test starts one and sets it")
}

fn url_of(database: &str) -> String {
    format!("{}/{database}", server().trim_end_matches('/'))
}

async fn template_database() -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let name = format!("template_{}", std::process::id());
            administer(format!("CREATE DATABASE {name}")).await;
            let database = open(url_of(&name)).await;
            afterword::database::migrate(&database).await.expect("a schema");
            database.close().await;
            name
        })
        .await
}

/// Runs a statement about databases, on the runtime that outlives every test.
async fn administer(sql: String) {
    static ADMINISTRATOR: OnceCell<DatabaseConnection> = OnceCell::const_new();
    let work = async move {
        let connect = || async { sea_orm::Database::connect(url_of("postgres")).await.expect("a server") };
        let administrator = ADMINISTRATOR.get_or_init(connect).await;
        administrator.execute_unprepared(&sql).await.expect("an administrator");
    };
    TOKIO.spawn(work).await.expect("an end");
}

//! A world's database: on SQLite or on PostgreSQL. Both are copies of one that was migrated once.

use std::{
    collections::VecDeque,
    future::Future,
    path::{Path, PathBuf},
    sync::{
        LazyLock, Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use afterword_actors::{
    schema,
    store::{Connection, Database, OpenOptions, sql::Sql},
};
use tokio::sync::OnceCell;

/// One multi-threaded runtime for all cases of a test binary.
pub(crate) static TOKIO: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
});

/// A new database with today's schema, gone when it is dropped.
pub(crate) trait TestDatabase: Send + Sync + Sized + 'static {
    fn fresh() -> impl Future<Output = Self> + Send;
    fn url(&self) -> String;
}

pub(crate) async fn open(url: String) -> Database {
    let options = OpenOptions { read_connections: 2, write_connections: 4, ..OpenOptions::new(url) };
    Database::open(&options).await.expect("a database")
}

/// A SQLite database in a folder of its own.
pub(crate) struct OnSqlite(tempfile::TempDir);

impl TestDatabase for OnSqlite {
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
                schema::migrate(&database).await.expect("a schema");
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

/// A database on the PostgreSQL server of `TEST_POSTGRES_URL`.
pub(crate) struct OnPostgres {
    name: String,
}

/// Used databases; the one unused for longest is emptied and used again, which takes a tenth of the time of creating
/// one.
static RESTING: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());
/// This many are unused before one is used again: everything that a dropped host had begun has ended by then.
const MIN_UNUSED: usize = 6;

impl TestDatabase for OnPostgres {
    async fn fresh() -> Self {
        let rested = {
            let mut resting = RESTING.lock().expect("the lock");
            if resting.len() < MIN_UNUSED { None } else { resting.pop_front() }
        };
        let rested = match rested {
            Some(name) => emptied(name).await,
            None => None,
        };
        let name = match rested {
            Some(name) => name,
            None => created().await,
        };
        Self { name }
    }

    fn url(&self) -> String {
        url_of(&self.name)
    }
}

impl Drop for OnPostgres {
    fn drop(&mut self) {
        RESTING.lock().expect("the lock").push_back(std::mem::take(&mut self.name));
    }
}

async fn created() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let Template { name: template, .. } = template().await;
    let name = format!("world_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    administer(format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    name
}

/// The database `name` as it was when it was made. `None` if a test has changed more than its rows.
async fn emptied(name: String) -> Option<String> {
    const EMPTY: &str = "
        SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
        DO $$
        BEGIN
            EXECUTE (
                SELECT 'TRUNCATE ' || string_agg(quote_ident(relname), ', ') || ' RESTART IDENTITY'
                FROM pg_class
                WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                  AND relname NOT IN ('seaql_migrations', 'embedding_task_totals', 'fulltext_state'));
            EXECUTE coalesce((
                SELECT string_agg('DROP INDEX ' || quote_ident(indexname), '; ')
                FROM pg_indexes WHERE indexname LIKE 'article_chunks_near_%'), 'SELECT 1');
        END
        $$;
        UPDATE embedding_task_totals SET tasks = 0;
        UPDATE fulltext_state SET language = 'english', version = 1, rebuilt_to = 0";
    administer(format!("ALTER DATABASE {name} RESET ALL")).await;
    let url = url_of(&name);
    let work = async move {
        let connection = Connection::open(&url).await.expect("a database");
        connection.script(EMPTY).await.expect("an empty database");
        let schema = schema_of(&connection).await;
        connection.close().await.expect("an end");
        schema
    };
    let schema = TOKIO.spawn(work).await.expect("an end");
    (schema == template().await.schema).then_some(name)
}

/// Everything about a database but its rows: indexes, constraints, columns, triggers, functions, settings.
async fn schema_of(connection: &Connection) -> String {
    const SCHEMA: &str = "
        SELECT md5(string_agg(part, ';' ORDER BY part)) AS schema FROM (
            SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
            UNION ALL
            SELECT conrelid::regclass || pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace
            UNION ALL
            SELECT concat_ws(' ', table_name, column_name, data_type, column_default, is_nullable)
            FROM information_schema.columns WHERE table_schema = 'public'
            UNION ALL
            SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
            UNION ALL
            SELECT proname || md5(prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            UNION ALL
            SELECT setconfig::text FROM pg_db_role_setting
            WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
            UNION ALL
            SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'
        ) parts (part)";
    connection.row(SCHEMA, []).await.expect("a schema").expect("a row")
}

/// The address of a PostgreSQL server for tests, without a database.
fn server() -> String {
    let url = std::env::var("TEST_POSTGRES_URL");
    url.expect("TEST_POSTGRES_URL, the address of a PostgreSQL server; scripts/test starts one and sets it")
}

fn url_of(database: &str) -> String {
    format!("{}/{database}", server().trim_end_matches('/'))
}

/// A database that others are copies of.
struct Template {
    name: String,
    /// See [`schema_of`].
    schema: String,
}

async fn template() -> &'static Template {
    static TEMPLATE: OnceCell<Template> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let name = format!("template_{}", std::process::id());
            administer(format!("CREATE DATABASE {name}")).await;
            let database = open(url_of(&name)).await;
            schema::migrate(&database).await.expect("a schema");
            let schema = schema_of(database.write_connection()).await;
            database.close().await;
            Template { name, schema }
        })
        .await
}

/// Runs a statement about databases, on the runtime that outlives every test.
async fn administer(sql: String) {
    static ADMINISTRATOR: OnceCell<Connection> = OnceCell::const_new();
    let work = async move {
        let connect = || async { Connection::open(&url_of("postgres")).await.expect("a server") };
        let administrator = ADMINISTRATOR.get_or_init(connect).await;
        administrator.script(&sql).await.expect("an administrator");
    };
    TOKIO.spawn(work).await.expect("an end");
}

//! PostgreSQL: any number of hosts, every write a transaction of its own (READ COMMITTED).
//!
//! Writers run side by side. A decision about an article's tasks first locks the article ([`super::locks`]), and a
//! statement that locks many rows takes them in the order of their ids: so there are no deadlocks.

mod notifier;
mod server;
mod session;

use std::{str::FromStr, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use sea_orm::{
    ConnectOptions,
    sqlx::{
        self, Connection as _,
        postgres::{PgConnectOptions, PgConnection},
    },
};

use tokio_util::task::TaskTracker;

use super::{
    CLOSE_TIMEOUT, OpenError, OpenOptions, StoreError,
    answer::answered,
    failure,
    sql::{Connection, Transaction},
};
use notifier::Notifier;
use server::PostgresServer;
pub(super) use session::Session;

/// A connection that was idle for longer than this is tested before it is used.
const CHECK_IDLE_AFTER: Duration = Duration::from_secs(1);
/// A connection that does not answer in this time, before its use or after, is closed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);
/// An unused connection is closed after this time.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// Statements kept prepared on each connection; above the number of different statements in the program.
const STATEMENT_CACHE: usize = 512;

/// Connections for the runtime's own reads.
const RUNTIME_CONNECTIONS: u32 = 3;

/// Connections to PostgreSQL.
pub(super) struct Postgres {
    pub(super) read: Connection,
    /// For the runtime only: searches cannot keep it waiting.
    pub(super) runtime: Connection,
    pub(super) write: Connection,
    /// The writes that have not ended yet.
    accepted: TaskTracker,
    address: PgConnectOptions,
    notifier: Notifier,
}

impl Postgres {
    pub(super) async fn open(options: &OpenOptions) -> Result<Self, OpenError> {
        let address = address(options)?;
        let fail = |source| OpenError::Store { url: place(&address), source };
        reach(&address, options).await.map_err(fail)?;
        let server = Arc::new(PostgresServer::new(address.clone()));
        let connect =
            async |number| connect(&address, options, number).await.map(|pool| pool.to(Arc::clone(&server) as _));
        let write = connect(options.write_connections).await.map_err(fail)?;
        let read = connect(options.read_connections).await.map_err(fail)?;
        let runtime = connect(RUNTIME_CONNECTIONS).await.map_err(fail)?;
        let (notifier, accepted) = (Notifier::start(write.clone()), TaskTracker::new());
        Ok(Self { read, runtime, notifier, write, accepted, address })
    }

    pub(super) fn place(&self) -> String {
        place(&self.address)
    }

    pub(super) fn announce(&self) {
        self.notifier.notify();
    }

    /// Opens a connection for work that takes minutes: it waits for locks without a limit, and has enough memory to
    /// build an index.
    pub(super) async fn maintenance_connection(&self) -> Result<PgConnection, StoreError> {
        const LONG_TIMEOUTS: &str = "
            SELECT set_config('lock_timeout', '0', false),
                   set_config('maintenance_work_mem', greatest(setting.bytes, 256 << 20) / 1024 || 'kB', false)
            FROM (SELECT pg_size_bytes(current_setting('maintenance_work_mem')) AS bytes) setting";
        let unreachable = |error: sqlx::Error| StoreError::Unreachable(error.to_string());
        let mut connection = PgConnection::connect_with(&self.address).await.map_err(unreachable)?;
        sqlx::raw_sql(LONG_TIMEOUTS).execute(&mut connection).await.map_err(unreachable)?;
        Ok(connection)
    }

    /// Accepts no further writes, finishes the accepted ones, and closes.
    pub(super) async fn close(&self) {
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, self.close_connections()).await;
    }

    async fn close_connections(&self) {
        self.accepted.close();
        self.accepted.wait().await;
        let _ = self.read.clone().close().await;
        let _ = self.runtime.clone().close().await;
        let _ = self.write.clone().close().await;
    }

    /// Runs `body` in a transaction of its own, on a task of its own: it ends even if the caller is dropped.
    pub(super) async fn write<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'c> FnOnce(&'c Transaction) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        if self.accepted.is_closed() {
            return Err(StoreError::Unreachable("the database is closed".to_owned()).into());
        }
        let connection = self.write.clone();
        let work = self.accepted.spawn(async move { in_transaction(&connection, body).await });
        work.await.unwrap_or_else(|_| {
            tracing::error!("a write panicked; it was rolled back");
            Err(StoreError::Unreachable("the write has ended without an answer".to_owned()).into())
        })
    }
}

async fn in_transaction<T, E, F>(connection: &Connection, body: F) -> Result<T, E>
where
    E: From<StoreError>,
    F: for<'c> FnOnce(&'c Transaction) -> BoxFuture<'c, Result<T, E>>,
{
    let transaction = begin(connection).await?;
    let (result, failed) = failure::observed(body(&transaction)).await;
    // After a failed statement PostgreSQL rolls back, and answers COMMIT without an error.
    let result = if let (Ok(_), Some(failure)) = (&result, &failed) { Err(failure.clone().into()) } else { result };
    match result {
        Ok(value) => {
            let committed = answered(transaction.commit()).await.map_err(in_doubt);
            connection.outages().note(committed.as_ref().err());
            committed?;
            Ok(value)
        }
        Err(error) => {
            connection.outages().note(failed.as_ref());
            // If this fails too, the pool closes the connection, and PostgreSQL rolls back when it notices.
            let _ = tokio::time::timeout(CHECK_TIMEOUT, transaction.rollback()).await;
            Err(error)
        }
    }
}

/// A commit whose answer is lost may have been carried out.
fn in_doubt(error: StoreError) -> StoreError {
    match error {
        StoreError::Unreachable(why) => StoreError::InDoubt(why),
        other => other,
    }
}

/// Begins a transaction. A PostgreSQL that was restarted leaves dead connections in the pool; as nothing has been done
/// yet, another one may be tried.
async fn begin(connection: &Connection) -> Result<Transaction, StoreError> {
    match answered(connection.begin()).await {
        Err(StoreError::Unreachable(_)) => answered(connection.begin()).await,
        other => other,
    }
}

fn address(options: &OpenOptions) -> Result<PgConnectOptions, OpenError> {
    // The error repeats no part of the address: it may contain a password.
    let parsed = PgConnectOptions::from_str(&options.url).map_err(|error| OpenError::Address(error.to_string()))?;
    let lock_timeout = options.busy_timeout.as_millis().to_string();
    Ok(parsed.application_name("afterword").statement_cache_capacity(STATEMENT_CACHE).options([
        // A role or a database may have others. Decisions look at rows once more after they have locked them.
        ("default_transaction_isolation", "read committed"),
        // Each answer has a time limit already, which knows what may take longer.
        ("statement_timeout", "0"),
        ("idle_session_timeout", "0"),
        ("lock_timeout", lock_timeout.as_str()),
        // A host that is suspended in the middle of a transaction must not keep its locks without limit.
        ("idle_in_transaction_session_timeout", "15s"),
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
        ("client_connection_check_interval", "10s"),
        // Statements are short: compiling them costs more than it saves.
        ("jit", "off"),
        ("hnsw.ef_search", "200"),
        ("hnsw.iterative_scan", "relaxed_order"),
    ]))
}

fn place(address: &PgConnectOptions) -> String {
    let database = address.get_database().unwrap_or_else(|| address.get_username());
    format!("postgres://{}@{}:{}/{database}", address.get_username(), address.get_host(), address.get_port())
}

/// Waits for a PostgreSQL that is starting. A pool would only report that it waited in vain; this reports for what.
async fn reach(address: &PgConnectOptions, options: &OpenOptions) -> Result<(), StoreError> {
    const RETRY_AFTER: Duration = Duration::from_millis(250);
    let begun = tokio::time::Instant::now();
    let ends = begun + options.busy_timeout;
    loop {
        let error = match tokio::time::timeout_at(ends, PgConnection::connect_with(address)).await {
            Ok(Ok(connection)) => {
                let _ = connection.close().await;
                return Ok(());
            }
            Ok(Err(error)) => error,
            Err(_) => sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()),
        };
        // A refusal with a reason (a password, a name) is final; one by a PostgreSQL that is starting or full is not.
        let code = error.as_database_error().and_then(|refusal| refusal.code());
        let may_pass = code.is_none_or(|code| matches!(&*code, "57P03" | "53300"));
        let ends = if nothing_listens(&error) { begun + options.start_timeout } else { ends };
        if !may_pass || tokio::time::Instant::now() + RETRY_AFTER > ends {
            return Err(server::of_connecting(error));
        }
        tokio::time::sleep(RETRY_AFTER).await;
    }
}

/// Whether the machine answered that nothing listens there, or the socket does not exist: most often PostgreSQL is not
/// running.
fn nothing_listens(error: &sqlx::Error) -> bool {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};
    matches!(error, sqlx::Error::Io(error) if matches!(error.kind(), ConnectionRefused | NotFound))
}

async fn connect(
    address: &PgConnectOptions,
    options: &OpenOptions,
    connections: u32,
) -> Result<Connection, StoreError> {
    let address = address.clone();
    let mut connect = ConnectOptions::new("postgres://address");
    connect
        .min_connections(0)
        .max_connections(connections.max(1))
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .test_before_acquire(false)
        .idle_timeout(Some(IDLE_TIMEOUT))
        .acquire_timeout(options.busy_timeout)
        .map_sqlx_postgres_opts(move |_| {
            use sqlx::ConnectOptions;
            address.clone().disable_statement_logging()
        })
        .map_sqlx_postgres_pool_opts(|pool| {
            pool.before_acquire(|connection, seen| {
                Box::pin(
                    async move { if seen.idle_for < CHECK_IDLE_AFTER { Ok(true) } else { answers(connection).await } },
                )
            })
            .after_release(|connection, _| Box::pin(answers(connection)))
        });
    sea_orm::Database::connect(connect).await.map(Connection::of).map_err(StoreError::of)
}

/// Whether the connection answers; on an error it is closed.
async fn answers(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let answer = tokio::time::timeout(CHECK_TIMEOUT, connection.ping()).await;
    answer.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(|()| true)
}

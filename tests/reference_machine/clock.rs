//! A clock that the test sets. Production code knows nothing of it: in the databases of this test, the functions by
//! which its statements read the time are replaced.

use std::sync::atomic::{AtomicI64, Ordering};

use afterword_actors::store::{Database, Engine, sql::Sql};
use libsqlite3_sys as ffi;

/// When every story begins. *Units:* milliseconds since 1970.
pub(crate) const BEGINNING: i64 = 1_000_000_000;

/// The time of all SQLite databases of this process: their stories run one after the other.
static NOW: AtomicI64 = AtomicI64::new(BEGINNING);

/// SQLite: connections that are opened from now on read the time from [`NOW`].
pub(crate) fn take_over_sqlite() {
    #[expect(unsafe_code, reason = "SQLite offers no other way to replace a function on connections of a pool")]
    // SAFETY: `replace` has the signature SQLite calls it with, and lives as long as the process.
    unsafe {
        ffi::sqlite3_auto_extension(Some(replace));
    }
}

#[expect(unsafe_code, reason = "called by SQLite")]
unsafe extern "C" fn replace(
    connection: *mut ffi::sqlite3,
    _error: *mut *mut std::ffi::c_char,
    _api: *const ffi::sqlite3_api_routines,
) -> std::ffi::c_int {
    // SAFETY: the connection is the one being opened; the name ends with NUL; `unixepoch` lives as long as the process.
    unsafe {
        ffi::sqlite3_create_function_v2(
            connection,
            c"unixepoch".as_ptr(),
            1,
            ffi::SQLITE_UTF8,
            std::ptr::null_mut(),
            Some(unixepoch),
            None,
            None,
            None,
        )
    }
}

#[expect(unsafe_code, reason = "called by SQLite")]
unsafe extern "C" fn unixepoch(
    context: *mut ffi::sqlite3_context,
    _count: std::ffi::c_int,
    _arguments: *mut *mut ffi::sqlite3_value,
) {
    // A little more, because the statement truncates to milliseconds.
    let seconds = NOW.load(Ordering::SeqCst) as f64 / 1000.0 + 1e-6;
    // SAFETY: the context is the one of this call.
    unsafe { ffi::sqlite3_result_double(context, seconds) }
}

/// PostgreSQL: connections that are opened from now on find this function before the server's own.
pub(crate) const TAKE_OVER_POSTGRES: &str = "
    CREATE TABLE story_clock (at BIGINT NOT NULL);
    INSERT INTO story_clock VALUES (0);
    CREATE FUNCTION statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS
        'SELECT timestamptz ''epoch'' + at * interval ''1 millisecond'' FROM public.story_clock';
    DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database());
    END $$";

/// Sets the clock.
pub(crate) async fn turn(database: &Database, now: i64) {
    match database.engine() {
        Engine::Sqlite => NOW.store(now, Ordering::SeqCst),
        Engine::Postgres => {
            let turned = database.write_connection().run("UPDATE story_clock SET at = $1", [now.into()]).await;
            assert_eq!(turned, Ok(1), "the clock");
        }
    }
}

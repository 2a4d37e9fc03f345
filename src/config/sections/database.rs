//! Where articles and tasks are stored.

use std::time::Duration;

use crate::config::{
    rules::Rules,
    section::{section, times::SECOND},
};

const SCHEMES: [&str; 3] = ["sqlite://", "postgres://", "postgresql://"];

section! {
    /// The database.
    Database {
        /// Address, e.g. "sqlite:///var/lib/afterword/afterword.db", or "postgres://user:password@host/database" for many hosts;
        /// empty: SQLite in the user's data directory.
        url: String = String::new(),
        /// Connections that read.
        read_connections: u32 = 4,
        /// Connections that write, on PostgreSQL; SQLite has one.
        write_connections: u32 = 8,
        /// How long to wait for a lock that another process holds.
        #[serde(with = "humantime_serde")]
        busy_timeout: Duration = 10 * SECOND,
    }
}

/// SQLite counts milliseconds in 31 bits: some 24 days.
const LONGEST_WAIT: Duration = Duration::from_millis(0x7fff_ffff);

impl Database {
    pub(in crate::config) fn check(&self, rules: &mut Rules) {
        rules.at_least_one(self.read_connections.into(), "database.read_connections");
        rules.at_least_one(self.write_connections.into(), "database.write_connections");
        rules.check(self.busy_timeout <= LONGEST_WAIT, "database.busy_timeout", "must be at most 24days");
        rules.check(
            self.url.is_empty() || SCHEMES.iter().any(|scheme| self.url.starts_with(scheme)),
            "database.url",
            "must begin with sqlite:// or postgres://, e.g. sqlite:///home/me/notes.db or postgres://me@localhost/notes, \
             or be empty for SQLite in your data folder",
        );
    }
}

//! The few expressions that SQLite and PostgreSQL write differently. Statements name them in braces, so that all else
//! is written once.
//!
//! | in a statement | stands for |
//! |---|---|
//! | `{now}` | the database's clock in milliseconds, constant within a statement |
//! | `{ids $1}` | rows with a column `id`, from a JSON array of numbers |
//! | `{texts $1}` | rows with a column `text`, from a JSON array of strings |
//! | `{rows $1: id BIGINT, token TEXT}` | rows with these columns, from a JSON array of arrays |
//! | `{least}(a, b)`, `{greatest}(a, b)` | the smaller, the larger |
//! | `{lock t}` | rows of `t` are locked until the commit, in the order of their ids |
//!
//! Lists are passed as JSON, because a parameter for each element would make another statement for each length.

use std::{borrow::Cow, fmt::Write};

/// The database behind a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// SQLite: one file, one writer.
    Sqlite,
    /// PostgreSQL: any number of hosts.
    Postgres,
}

impl Engine {
    const fn now(self) -> &'static str {
        match self {
            Self::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            // Not now(), which is the time when the transaction began.
            Self::Postgres => "CAST(extract(epoch FROM statement_timestamp()) * 1000 AS BIGINT)",
        }
    }

    /// Returns the statement as this engine understands it.
    pub(super) fn expand(self, sql: &str) -> Cow<'_, str> {
        if !sql.contains('{') {
            return Cow::Borrowed(sql);
        }
        let mut expanded = String::with_capacity(sql.len() + 256);
        let mut rest = sql;
        while let Some((before, after)) = rest.split_once('{') {
            expanded.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                expanded.push('{');
                rest = after;
                continue;
            };
            self.write(&mut expanded, name);
            rest = behind;
        }
        expanded.push_str(rest);
        Cow::Owned(expanded)
    }

    fn write(self, to: &mut String, name: &str) {
        let (word, argument) = name.split_once(' ').unwrap_or((name, ""));
        match (word, self) {
            ("now", _) => to.push_str(self.now()),
            ("least", Self::Sqlite) => to.push_str("min"),
            ("greatest", Self::Sqlite) => to.push_str("max"),
            ("least" | "greatest", Self::Postgres) => to.push_str(word),
            ("ids", _) => self.write_elements(to, argument, "id BIGINT"),
            ("texts", _) => self.write_elements(to, argument, "text TEXT"),
            ("rows", _) => self.write_rows(to, argument),
            // With a single writer, nothing needs a lock.
            ("lock", Self::Sqlite) => {}
            ("lock", Self::Postgres) => {
                append(to, format_args!("ORDER BY {argument}.id FOR NO KEY UPDATE OF {argument}"))
            }
            // Not a placeholder; keep the brace.
            _ => append(to, format_args!("{{{name}}}")),
        }
    }

    fn write_elements(self, to: &mut String, parameter: &str, column: &str) {
        let (name, kind) = column.split_once(' ').unwrap_or((column, "TEXT"));
        match self {
            Self::Sqlite => append(to, format_args!("(SELECT value AS {name} FROM json_each({parameter}))")),
            Self::Postgres => append(
                to,
                format_args!(
                    "(WITH given AS MATERIALIZED (
                          SELECT CAST(value AS {kind}) AS {name} FROM jsonb_array_elements_text(CAST({parameter} AS jsonb)))
                      SELECT * FROM given)"
                ),
            ),
        }
    }

    fn write_rows(self, to: &mut String, argument: &str) {
        let (parameter, columns) = argument.split_once(": ").unwrap_or((argument, ""));
        to.push_str(match self {
            Self::Sqlite => "(SELECT ",
            // Read once, and not again for each row it is compared with; as jsonb, whose columns are read without
            // parsing the row again.
            Self::Postgres => "(WITH given AS MATERIALIZED (SELECT ",
        });
        for (position, column) in columns.split(", ").enumerate() {
            let (name, kind) = column.split_once(' ').unwrap_or((column, "TEXT"));
            let comma = if position == 0 { "" } else { ", " };
            match self {
                Self::Sqlite => append(to, format_args!("{comma}value ->> {position} AS {name}")),
                Self::Postgres => append(to, format_args!("{comma}CAST(value ->> {position} AS {kind}) AS {name}")),
            }
        }
        match self {
            Self::Sqlite => append(to, format_args!(" FROM json_each({parameter}))")),
            Self::Postgres => {
                append(to, format_args!(" FROM jsonb_array_elements(CAST({parameter} AS jsonb))) SELECT * FROM given)"))
            }
        }
    }
}

fn append(to: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = to.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::Engine;

    #[test]
    fn each_engine_has_its_own_words_for_the_same() {
        let sql = "SELECT {least}(a, {now}) FROM {rows $1: id BIGINT, token TEXT} j, {ids $2} i";
        assert_eq!(
            Engine::Sqlite.expand(sql),
            "SELECT min(a, CAST(unixepoch('subsec') * 1000 AS INTEGER)) FROM (SELECT value ->> 0 AS id, value ->> 1 AS \
             token FROM json_each($1)) j, (SELECT value AS id FROM json_each($2)) i"
        );
        assert!(Engine::Postgres.expand(sql).contains("CAST(value ->> 0 AS BIGINT) AS id, CAST(value ->> 1 AS TEXT)"));
        assert_eq!(Engine::Sqlite.expand("SELECT 1 {lock t}"), "SELECT 1 ");
        assert_eq!(Engine::Postgres.expand("SELECT 1 {lock t}"), "SELECT 1 ORDER BY t.id FOR NO KEY UPDATE OF t");
    }

    #[test]
    fn braces_of_a_statement_itself_stay() {
        for sql in ["SELECT '{}'", "SELECT '{\"a\": 1}'", "SELECT '{'", "SELECT 1"] {
            assert_eq!(Engine::Postgres.expand(sql), sql);
        }
    }
}

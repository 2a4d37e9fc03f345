//! PostgreSQL's tables: columns, keys, and which must be filled before which.

use afterword_actors::store::{
    StoreError,
    sql::{FromRow, Sql},
};

/// Tables that PostgreSQL maintains itself, or derives from the rest.
const OWN: [&str; 8] = [
    "seaql_migrations",
    "article_words",
    "article_terms",
    "article_languages",
    "fulltext_state",
    "embedding_task_totals",
    "embedding_task_deltas",
    "queue_control",
];

/// A table that is copied.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    /// Those that SQLite has too.
    pub(super) columns: Vec<Column>,
    /// Positions in `columns`.
    pub(super) key: Vec<usize>,
}

/// One column.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Flag,
    Bytes,
}

impl Table {
    /// Whether the database numbers its rows.
    pub(super) fn is_numbered(&self) -> bool {
        matches!(self.key.as_slice(), [only] if self.columns[*only].name == "id")
    }
}

#[derive(FromRow)]
struct ColumnRow {
    table_name: String,
    column_name: String,
    kind: String,
    /// Position in the primary key, from 1; 0 if it is not part of it.
    in_key: i32,
}

/// Returns every table to copy; one that another refers to comes before it.
pub(super) async fn all(server: &impl Sql) -> Result<Vec<Table>, StoreError> {
    let rows = server
        .rows::<ColumnRow>(
            "SELECT CAST(c.relname AS TEXT) AS table_name, CAST(a.attname AS TEXT) AS column_name,
                    CAST(t.typname AS TEXT) AS kind,
                    coalesce(array_position(CAST(k.indkey AS SMALLINT[]), a.attnum) + 1, 0) AS in_key
             FROM pg_class c
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             JOIN pg_type t ON t.oid = a.atttypid
             LEFT JOIN pg_index k ON k.indrelid = c.oid AND k.indisprimary
             WHERE c.relkind = 'r' AND c.relnamespace = CAST(current_schema() AS regnamespace)
             ORDER BY c.relname, a.attnum",
            [],
        )
        .await?;
    let mut tables: Vec<Table> = Vec::new();
    for row in rows.into_iter().filter(|row| !OWN.contains(&row.table_name.as_str())) {
        add(&mut tables, row)?;
    }
    in_order(tables, &references(server).await?)
}

/// Returns a table of the target that the source does not have: it is another program's.
pub(super) async fn foreign(source: &impl Sql, target: &impl Sql) -> Result<Option<String>, StoreError> {
    let known: Vec<String> = source.rows("SELECT name FROM sqlite_schema WHERE type = 'table'", []).await?;
    let present: Vec<String> = target
        .rows(
            "SELECT CAST(relname AS TEXT) AS name FROM pg_class
             WHERE relkind IN ('r', 'p') AND relnamespace = CAST(current_schema() AS regnamespace) ORDER BY relname",
            [],
        )
        .await?;
    Ok(present.into_iter().find(|table| !OWN.contains(&table.as_str()) && !known.contains(table)))
}

fn add(tables: &mut Vec<Table>, row: ColumnRow) -> Result<(), StoreError> {
    if tables.last().is_none_or(|table| table.name != row.table_name) {
        tables.push(Table { name: row.table_name.clone(), columns: Vec::new(), key: Vec::new() });
    }
    let Some(table) = tables.last_mut() else { return Ok(()) };
    let kind = match row.kind.as_str() {
        "text" => Kind::Text,
        "int2" | "int4" | "int8" => Kind::Number,
        "bool" => Kind::Flag,
        "bytea" => Kind::Bytes,
        // Derived from another column while it is written.
        "halfvec" => return Ok(()),
        other => return Err(StoreError::Unexpected(format!("a column {} of type {other}", row.column_name))),
    };
    if row.in_key > 0 {
        // The keys of this schema are in the order of their columns.
        table.key.push(table.columns.len());
    }
    table.columns.push(Column { name: row.column_name, kind });
    Ok(())
}

/// A table, and one that it refers to.
type Reference = (String, String);

async fn references(server: &impl Sql) -> Result<Vec<Reference>, StoreError> {
    server
        .rows(
            "SELECT DISTINCT CAST(c.relname AS TEXT) AS child, CAST(p.relname AS TEXT) AS parent
             FROM pg_constraint r JOIN pg_class c ON c.oid = r.conrelid JOIN pg_class p ON p.oid = r.confrelid
             WHERE r.contype = 'f' AND r.connamespace = CAST(current_schema() AS regnamespace)",
            [],
        )
        .await
}

fn in_order(mut left: Vec<Table>, references: &[Reference]) -> Result<Vec<Table>, StoreError> {
    let mut ordered: Vec<Table> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waits = |table: &Table| {
            let mut parents = references.iter().filter(|(child, _)| *child == table.name).map(|(_, parent)| parent);
            parents.any(|parent| left.iter().any(|other| other.name == *parent && other.name != table.name))
        };
        let Some(position) = left.iter().position(|table| !waits(table)) else {
            return Err(StoreError::Unexpected("tables that refer to each other in a circle".to_owned()));
        };
        ordered.push(left.remove(position));
    }
    Ok(ordered)
}

//! Rows as JSON, the same from both engines: numbers, texts, flags as 0 and 1, bytes in hexadecimal.

use afterword_actors::{
    embedder::Vector,
    store::{
        Engine, StoreError,
        sql::{self, Sql},
        vectors,
    },
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::table::{Column, Kind, Table};
use crate::{
    articles::properties::about,
    fulltext::{self, BodyTerms, Texts},
};

/// Rows read at a time.
const ROWS_PER_READ: usize = 250;
/// The same for tables that contain articles, which may be large.
const PAGE_OF_TEXTS: usize = 25;
/// Rows are sent to PostgreSQL in parts of about this size: it takes at most 256 MiB of them at once. *Units:* bytes.
const PART_BYTES: usize = 16 << 20;

/// Some rows in the order of their key.
pub(super) struct Page(Vec<Vec<Value>>);

/// A digest of all rows of a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TableDigest {
    pub(super) rows: u64,
    pub(super) sha256: String,
}

/// Reads a table to its end; calls `say` with the rows so far.
pub(super) async fn digest(
    connection: &impl Sql,
    table: &Table,
    say: &(dyn Fn(u64) + Sync),
) -> Result<TableDigest, StoreError> {
    let (mut hash, mut rows, mut after) = (Sha256::new(), 0, None);
    loop {
        let page = Page::read(connection, table, after.as_ref()).await?;
        let Some(last) = page.last_key(table) else { break };
        after = Some(last);
        rows += page.len();
        for row in page.0 {
            hash.update(Value::Array(row).to_string());
        }
        say(rows);
    }
    Ok(TableDigest { rows, sha256: hex::encode(hash.finalize()) })
}

/// Returns the key of the last row.
pub(super) async fn last_key(connection: &impl Sql, table: &Table) -> Result<Option<Vec<Value>>, StoreError> {
    let last = keys(connection.engine(), table).map(|key| format!("{key} DESC")).collect::<Vec<_>>().join(", ");
    let page = read(connection, table, "TRUE", &format!("{last} LIMIT 1"), "[]".into()).await?;
    Ok(page.last_key(table))
}

impl Page {
    /// Reads the rows behind the key `after`, or the first ones.
    pub(super) async fn read(
        connection: &impl Sql,
        table: &Table,
        after: Option<&Vec<Value>>,
    ) -> Result<Self, StoreError> {
        let keys = keys(connection.engine(), table).collect::<Vec<_>>().join(", ");
        let behind = match after {
            Some(_) => format!("({keys}) > ({})", after_values(connection.engine(), table)),
            None => "TRUE".to_owned(),
        };
        let after = sql::json(&after)?;
        let page = if position(table, "body").is_ok() { PAGE_OF_TEXTS } else { ROWS_PER_READ };
        read(connection, table, &behind, &format!("{keys} LIMIT {page}"), after).await
    }

    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    pub(super) fn last_key(&self, table: &Table) -> Option<Vec<Value>> {
        let last = self.0.last()?;
        Some(table.key.iter().map(|&position| last[position].clone()).collect())
    }

    /// Writes the rows to PostgreSQL. Existing rows are kept.
    pub(super) async fn write(self, transaction: &impl Sql, table: &Table) -> Result<(), StoreError> {
        // The trail and the counts are copied, too: triggers would write them a second time.
        transaction.run(&format!("ALTER TABLE {} DISABLE TRIGGER USER", table.name), []).await?;
        match table.name.as_str() {
            "article_chunks" => self.write_chunks(transaction, table).await?,
            "articles" => {
                self.insert(transaction, table).await?;
                self.index_words(transaction, table).await?;
            }
            _ => self.insert(transaction, table).await?,
        }
        transaction.run(&format!("ALTER TABLE {} ENABLE TRIGGER USER", table.name), []).await.map(drop)
    }

    async fn insert(&self, transaction: &impl Sql, table: &Table) -> Result<(), StoreError> {
        let (names, values) = (names(table), values(table));
        let sql = format!(
            "INSERT INTO {} ({names}) SELECT {values} FROM {{rows $1: {}}} j ON CONFLICT DO NOTHING",
            table.name,
            columns(table)
        );
        self.run_in_parts(transaction, &sql).await
    }

    /// Writes chunks: searches use a second form of the vector, which SQLite does not have.
    async fn write_chunks(mut self, transaction: &impl Sql, table: &Table) -> Result<(), StoreError> {
        let vector = position(table, "vector")?;
        for row in &mut self.0 {
            let bytes = row[vector].as_str().and_then(from_hex);
            let stored = bytes.and_then(|bytes| Vector::from_bytes(&bytes).ok());
            let stored = stored.ok_or_else(|| StoreError::Damaged("a vector is damaged".to_owned()))?;
            row.push(Value::String(vectors::literal(&stored)));
        }
        let (names, values) = (names(table), values(table));
        let sql = format!(
            "INSERT INTO {} ({names}, embedding) SELECT {values}, CAST(embedding AS halfvec)
             FROM {{rows $1: {}, embedding TEXT}} j ON CONFLICT DO NOTHING",
            table.name,
            columns(table)
        );
        self.run_in_parts(transaction, &sql).await
    }

    async fn index_words(&self, transaction: &impl Sql, table: &Table) -> Result<(), StoreError> {
        let (id, title, body) = (position(table, "id")?, position(table, "title")?, position(table, "body")?);
        let front_matter = position(table, "front_matter")?;
        for row in &self.0 {
            let texts = (row[title].as_str(), row[body].as_str(), row[front_matter].as_str());
            let (Some(id), (Some(title), Some(body), Some(front_matter))) = (row[id].as_i64(), texts) else {
                return Err(StoreError::Damaged("an article without number or text".to_owned()));
            };
            let texts = Texts { title, about: &about(front_matter, body), body };
            fulltext::replace(transaction, id, texts, BodyTerms::of(body)).await?;
        }
        Ok(())
    }

    /// Runs `sql` on rows of about [`PART_BYTES`] at a time, or on one that is larger.
    async fn run_in_parts(&self, transaction: &impl Sql, sql: &str) -> Result<(), StoreError> {
        let mut part = String::new();
        for row in &self.0 {
            let row = serde_json::to_string(row).map_err(|error| StoreError::Unexpected(error.to_string()))?;
            if !part.is_empty() && part.len() + row.len() > PART_BYTES {
                let full = format!("[{}]", std::mem::take(&mut part));
                transaction.run(sql, [full.into()]).await?;
            }
            if !part.is_empty() {
                part.push(',');
            }
            part.push_str(&row);
        }
        transaction.run(sql, [format!("[{part}]").into()]).await.map(drop)
    }
}

async fn read(
    connection: &impl Sql,
    table: &Table,
    condition: &str,
    order: &str,
    after: sql::Value,
) -> Result<Page, StoreError> {
    let engine = connection.engine();
    let cells = table.columns.iter().map(|column| cell(engine, column)).collect::<Vec<_>>().join(", ");
    let array = match engine {
        Engine::Sqlite => format!("json_array({cells})"),
        Engine::Postgres => format!("CAST(json_build_array({cells}) AS TEXT)"),
    };
    // The parameter is always used, so that all these statements take one.
    let sql =
        format!("SELECT {array} AS row FROM {} WHERE {condition} AND $1 IS NOT NULL ORDER BY {order}", table.name);
    let rows = connection.rows::<String>(&sql, [after]).await?;
    let parsed = rows.iter().map(|row| {
        let mut cells: Vec<Value> = serde_json::from_str(row)?;
        // PostgreSQL cannot store NUL in text.
        for cell in &mut cells {
            if let Value::String(text) = cell
                && text.contains('\0')
            {
                *text = text.replace('\0', "");
            }
        }
        Ok(cells)
    });
    let rows: Result<Vec<_>, serde_json::Error> = parsed.collect();
    rows.map(Page).map_err(|error| StoreError::Unexpected(format!("a row of {}: {error}", table.name)))
}

fn cell(engine: Engine, column: &Column) -> String {
    let name = &column.name;
    match (column.kind, engine) {
        (Kind::Bytes, Engine::Sqlite) => format!("lower(hex({name}))"),
        (Kind::Bytes, Engine::Postgres) => format!("encode({name}, 'hex')"),
        (Kind::Flag, Engine::Postgres) => format!("CAST({name} AS INTEGER)"),
        (Kind::Text | Kind::Number | Kind::Flag, _) => name.clone(),
    }
}

/// The key's columns, sorted by bytes on both engines.
fn keys(engine: Engine, table: &Table) -> impl Iterator<Item = String> {
    table.key.iter().map(move |&position| {
        let column = &table.columns[position];
        match (column.kind, engine) {
            (Kind::Text, Engine::Postgres) => format!("{} COLLATE \"C\"", column.name),
            _ => column.name.clone(),
        }
    })
}

/// The values of the key in `$1`, a JSON array.
fn after_values(engine: Engine, table: &Table) -> String {
    let value = |(place, &position): (usize, &usize)| match (engine, table.columns[position].kind) {
        (Engine::Sqlite, _) => format!("$1 ->> {place}"),
        (Engine::Postgres, Kind::Text) => format!("CAST($1 AS json) ->> {place}"),
        (Engine::Postgres, _) => format!("CAST(CAST($1 AS json) ->> {place} AS BIGINT)"),
    };
    table.key.iter().enumerate().map(value).collect::<Vec<_>>().join(", ")
}

fn names(table: &Table) -> String {
    table.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn values(table: &Table) -> String {
    let value = |column: &Column| match column.kind {
        Kind::Bytes => format!("decode({}, 'hex')", column.name),
        Kind::Flag => format!("CAST({} AS BOOLEAN)", column.name),
        Kind::Text | Kind::Number => column.name.clone(),
    };
    table.columns.iter().map(value).collect::<Vec<_>>().join(", ")
}

fn columns(table: &Table) -> String {
    let column = |column: &Column| match column.kind {
        Kind::Number => format!("{} BIGINT", column.name),
        // From 0 and 1, which PostgreSQL accepts as flags only in text form.
        Kind::Flag => format!("{} TEXT", column.name),
        Kind::Text | Kind::Bytes => format!("{} TEXT", column.name),
    };
    table.columns.iter().map(column).collect::<Vec<_>>().join(", ")
}

fn position(table: &Table, name: &str) -> Result<usize, StoreError> {
    let found = table.columns.iter().position(|column| column.name == name);
    found.ok_or_else(|| StoreError::Unexpected(format!("{} without a column {name}", table.name)))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

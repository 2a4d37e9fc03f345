//! Chunks are sent to PostgreSQL as one list, so that one prepared statement serves any number of them. Their vectors
//! are stored as bytes, for reuse, and in half precision, for searches.

use std::fmt::Write;

use crate::{
    embedder::Vector,
    store::{StoreError, sql::Sql},
    task::EmbeddedChunk,
};

/// Rows in one insert; keeps a statement below some megabytes.
const ROWS_PER_INSERT: usize = 500;

/// Stores `rows`, each with its position.
pub(super) async fn insert(
    transaction: &impl Sql,
    article_id: i64,
    model_id: i64,
    rows: &[(usize, &EmbeddedChunk)],
) -> Result<(), StoreError> {
    for page in rows.chunks(ROWS_PER_INSERT) {
        let page: Vec<_> = page.iter().map(|(position, chunk)| as_json(*position, chunk)).collect();
        let page = serde_json::Value::Array(page).to_string();
        transaction.run(INSERT, [article_id.into(), model_id.into(), page.into()]).await?;
    }
    Ok(())
}

const INSERT: &str = "
    INSERT INTO article_chunks (article_id, model_id, position, heading_path, text, hash, tokens, vector, embedding)
    SELECT $1, $2, position, heading_path, text, hash, tokens, decode(bytes, 'hex'), CAST(embedding AS halfvec)
    FROM {rows $3: position INTEGER, heading_path TEXT, text TEXT, hash TEXT, tokens INTEGER, bytes TEXT, embedding TEXT} j
    ORDER BY position";

fn as_json(position: usize, chunk: &EmbeddedChunk) -> serde_json::Value {
    let bytes = chunk.vector.to_bytes();
    let mut hex = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    let EmbeddedChunk { heading_path, text, hash, tokens, vector } = chunk;
    serde_json::json!([position, heading_path, text, hash, tokens, hex, literal(vector)])
}

/// Formats a vector as pgvector reads it.
pub fn literal(vector: &Vector) -> String {
    let mut literal = String::with_capacity(12 * vector.as_slice().len() + 2);
    for (position, number) in vector.as_slice().iter().enumerate() {
        let _ = write!(literal, "{}{number}", if position == 0 { '[' } else { ',' });
    }
    literal.push(']');
    literal
}

//! Chunks are sent to PostgreSQL as one list, so that one prepared statement serves any number of them. Their vectors
//! are stored as bytes, for reuse, and in half precision, for searches.

use std::fmt::Write;

use super::new_chunk::NewChunk;
use crate::{
    embedder::Vector,
    store::{
        StoreError,
        sql::{self, Sql},
    },
    task::EmbeddedChunk,
};

/// Rows in one insert; keeps a statement below some megabytes.
const ROWS_PER_INSERT: usize = 500;

/// Stores `rows`.
pub(super) async fn insert(transaction: &impl Sql, rows: &[NewChunk<'_>]) -> Result<(), StoreError> {
    for page in rows.chunks(ROWS_PER_INSERT) {
        let page: Vec<_> = page.iter().map(as_json).collect();
        transaction.run(INSERT, [sql::json(&page)?]).await?;
    }
    Ok(())
}

const INSERT: &str = "
    INSERT INTO article_chunks (article_id, model_id, position, heading_path, text, hash, tokens, vector, embedding)
    SELECT article_id, model_id, position, heading_path, text, hash, tokens, decode(bytes, 'hex'),
           CAST(embedding AS halfvec)
    FROM {rows $1: article_id BIGINT, model_id BIGINT, position INTEGER, heading_path TEXT, text TEXT, hash TEXT, \
              tokens INTEGER, bytes TEXT, embedding TEXT} j
    ORDER BY article_id, position";

fn as_json(new: &NewChunk<'_>) -> serde_json::Value {
    let NewChunk { article_id, model_id, position, chunk } = new;
    let EmbeddedChunk { heading_path, text, hash, tokens, vector } = chunk;
    let bytes = hex::encode(vector.to_bytes());
    serde_json::json!([article_id, model_id, position, heading_path, text, hash, tokens, bytes, literal(vector)])
}

/// Formats a vector as pgvector reads it.
pub fn literal(vector: &Vector) -> String {
    let mut literal = String::with_capacity(12 * vector.as_slice().len() + 2);
    for (position, number) in vector.as_slice().iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(literal, "{}{number}", if position == 0 { '[' } else { ',' });
    }
    literal.push(']');
    literal
}

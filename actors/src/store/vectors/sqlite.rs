//! Chunks are sent to SQLite as one list, so that one prepared statement serves any number of them; their vectors
//! beside it, one behind the other, as bytes.

use super::new_chunk::NewChunk;
use crate::store::{
    StoreError,
    sql::{self, Sql},
};

/// Rows in one insert; keeps a statement below some megabytes.
const ROWS_PER_INSERT: usize = 200;

/// Stores `rows`.
pub(super) async fn insert(transaction: &impl Sql, rows: &[NewChunk<'_>]) -> Result<(), StoreError> {
    for page in rows.chunks(ROWS_PER_INSERT) {
        let mut vectors = Vec::new();
        let page: Vec<_> = page.iter().map(|row| with_vector(row, &mut vectors)).collect();
        transaction.run(INSERT, [sql::json(&page)?, vectors.into()]).await?;
    }
    Ok(())
}

const INSERT: &str = "
    INSERT INTO article_chunks (article_id, model_id, position, heading_path, text, hash, tokens, vector)
    SELECT article_id, model_id, position, heading_path, text, hash, tokens, substr($2, first, size)
    FROM {rows $1: article_id BIGINT, model_id BIGINT, position INTEGER, heading_path TEXT, text TEXT, hash TEXT, \
              tokens INTEGER, first BIGINT, size BIGINT} j";

/// The row, with the place of its vector behind the others in `vectors`.
fn with_vector(new: &NewChunk<'_>, vectors: &mut Vec<u8>) -> serde_json::Value {
    let NewChunk { article_id, model_id, position, chunk } = new;
    let bytes = chunk.vector.to_bytes();
    // SQLite counts from 1.
    let (first, size) = (vectors.len() + 1, bytes.len());
    vectors.extend_from_slice(&bytes);
    serde_json::json!([
        article_id,
        model_id,
        position,
        chunk.heading_path,
        chunk.text,
        chunk.hash,
        chunk.tokens,
        first,
        size
    ])
}

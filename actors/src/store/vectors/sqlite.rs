//! Chunks are sent to SQLite as values of a statement; their vectors as bytes.

use crate::{
    store::{
        StoreError,
        sql::{Sql, Value},
    },
    task::EmbeddedChunk,
};

/// Rows in one insert; nine values each keep it far below SQLite's limit of 32,766.
const ROWS_PER_INSERT: usize = 200;

/// Stores `rows`, each with its position.
pub(super) async fn insert(
    transaction: &impl Sql,
    article_id: i64,
    model_id: i64,
    rows: &[(usize, &EmbeddedChunk)],
) -> Result<(), StoreError> {
    for page in rows.chunks(ROWS_PER_INSERT) {
        insert_page(transaction, article_id, model_id, page).await?;
    }
    Ok(())
}

async fn insert_page(
    transaction: &impl Sql,
    article_id: i64,
    model_id: i64,
    rows: &[(usize, &EmbeddedChunk)],
) -> Result<(), StoreError> {
    const COLUMNS: usize = 6;
    let places: Vec<_> = (0..rows.len())
        .map(|row| {
            let first = row * COLUMNS + 3;
            let numbers: Vec<_> = (first..first + COLUMNS).map(|number| format!("${number}")).collect();
            format!("($1, $2, {})", numbers.join(", "))
        })
        .collect();
    let sql = format!(
        "INSERT INTO article_chunks (article_id, model_id, position, heading_path, text, hash, tokens, vector)
         VALUES {}",
        places.join(", ")
    );
    let mut values: Vec<Value> = vec![article_id.into(), model_id.into()];
    for (position, chunk) in rows {
        values.push(i64::try_from(*position).unwrap_or(i64::MAX).into());
        values.push(chunk.heading_path.clone().into());
        values.push(chunk.text.clone().into());
        values.push(chunk.hash.clone().into());
        values.push(i64::from(chunk.tokens).into());
        values.push(chunk.vector.to_bytes().into());
    }
    transaction.run(&sql, values).await.map(drop)
}

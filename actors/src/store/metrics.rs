//! Minute rows of the results of each worker.

use afterword_entities::embedding_metric;

use super::{StoreError, sql::Sql};

/// Writes the rows of one minute; writing a row again replaces its values.
///
/// # Errors
/// [`StoreError`]
pub async fn write(transaction: &impl Sql, rows: &[embedding_metric::Model]) -> Result<(), StoreError> {
    for row in rows {
        transaction
            .run(
                "INSERT INTO embedding_metrics
                     (minute, incarnation, slot, completed, failed, retried, processing_p50_us, processing_p95_us,
                      processing_p99_us, processing_sum_us, wait_p50_us, wait_p95_us, wait_p99_us)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                 ON CONFLICT (minute, incarnation, slot) DO UPDATE SET
                     completed = excluded.completed, failed = excluded.failed, retried = excluded.retried,
                     processing_p50_us = excluded.processing_p50_us, processing_p95_us = excluded.processing_p95_us,
                     processing_p99_us = excluded.processing_p99_us, processing_sum_us = excluded.processing_sum_us,
                     wait_p50_us = excluded.wait_p50_us, wait_p95_us = excluded.wait_p95_us,
                     wait_p99_us = excluded.wait_p99_us",
                [
                    row.minute.into(),
                    row.incarnation.clone().into(),
                    row.slot.into(),
                    row.completed.into(),
                    row.failed.into(),
                    row.retried.into(),
                    row.processing_p50_us.into(),
                    row.processing_p95_us.into(),
                    row.processing_p99_us.into(),
                    row.processing_sum_us.into(),
                    row.wait_p50_us.into(),
                    row.wait_p95_us.into(),
                    row.wait_p99_us.into(),
                ],
            )
            .await?;
    }
    Ok(())
}

/// Returns the rows since `minute`, the oldest first.
///
/// # Errors
/// [`StoreError`]
pub async fn since(connection: &impl Sql, minute: i64) -> Result<Vec<embedding_metric::Model>, StoreError> {
    connection
        .rows("SELECT * FROM embedding_metrics WHERE minute >= $1 ORDER BY minute, incarnation, slot", [minute.into()])
        .await
}

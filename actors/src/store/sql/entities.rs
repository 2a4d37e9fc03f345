//! The rows of the schema's tables.

use afterword_entities as entities;
use sea_orm::FromQueryResult;

use super::{FromRow, Row};
use crate::store::StoreError;

macro_rules! rows_of_tables {
    ($($entity:ident),*) => {
        $(
            impl FromRow for entities::$entity::Model {
                fn from_row(row: &Row) -> Result<Self, StoreError> {
                    Self::from_query_result(&row.0, "").map_err(StoreError::of)
                }
            }
        )*
    };
}

rows_of_tables!(
    api_token,
    article,
    article_chunk,
    article_embedding,
    article_version,
    bulk_operation,
    embedding_host,
    embedding_metric,
    embedding_model,
    embedding_task,
    embedding_task_event,
    embedding_worker_status,
    slug_alias
);

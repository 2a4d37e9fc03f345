//! `embedding_metrics`: what one worker slot did in one minute; durations in microseconds.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// What one worker slot did in one minute; durations in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "embedding_metrics")]
pub struct Model {
    /// Start of the minute.
    #[sea_orm(primary_key, auto_increment = false)]
    pub minute: i64,
    /// Incarnation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub incarnation: String,
    /// Slot.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slot: i32,
    /// Completed.
    pub completed: i64,
    /// Failed.
    pub failed: i64,
    /// Retried.
    pub retried: i64,
    /// Processing p50 us.
    pub processing_p50_us: i64,
    /// Processing p95 us.
    pub processing_p95_us: i64,
    /// Processing p99 us.
    pub processing_p99_us: i64,
    /// Processing sum us.
    pub processing_sum_us: i64,
    /// Wait p50 us.
    pub wait_p50_us: i64,
    /// Wait p95 us.
    pub wait_p95_us: i64,
    /// Wait p99 us.
    pub wait_p99_us: i64,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! `embedding_metrics`: the results of one worker slot in one minute, written by MetricsActor; durations in
//! microseconds.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// The results of one worker slot in one minute, written by MetricsActor; durations in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "embedding_metrics")]
pub struct Model {
    /// Start of the minute.
    #[sea_orm(primary_key, auto_increment = false)]
    pub minute: i64,
    /// `embedding_hosts.incarnation`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub incarnation: String,
    /// Worker slot of the host, from 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slot: i32,
    /// Tasks completed.
    pub completed: i64,
    /// Tasks given up.
    pub failed: i64,
    /// Attempts that are followed by another one.
    pub retried: i64,
    /// Half of the attempts took at most this long.
    pub processing_p50_us: i64,
    /// 95 % of the attempts took at most this long.
    pub processing_p95_us: i64,
    /// 99 % of the attempts took at most this long.
    pub processing_p99_us: i64,
    /// The time of all attempts together.
    pub processing_sum_us: i64,
    /// Half of the tasks waited at most this long from being due to the claim.
    pub wait_p50_us: i64,
    /// 95 % of the tasks waited at most this long.
    pub wait_p95_us: i64,
    /// 99 % of the tasks waited at most this long.
    pub wait_p99_us: i64,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

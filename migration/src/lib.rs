//! The history of the Afterword schema.
//!
//! Each step is a pair of SQL scripts, up and down, beside its module. Steps import no entities: history must not
//! follow today's model. A step that has been released is never edited; a change is a new step.
//!
//! Times are milliseconds since 1970-01-01T00:00Z by the database's clock.

mod m20261124_000001_articles;
mod m20261124_000002_embeddings;
mod m20261124_000003_queue;
mod m20261124_000004_operations;
mod m20261125_000005_tokens;
mod m20261125_000006_provider_calls;
mod m20261125_000007_word_counts;
mod m20261125_000008_queue_indexes;
mod script;

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

/// Runs the steps in order, up or down.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261124_000001_articles::Migration),
            Box::new(m20261124_000002_embeddings::Migration),
            Box::new(m20261124_000003_queue::Migration),
            Box::new(m20261124_000004_operations::Migration),
            Box::new(m20261125_000005_tokens::Migration),
            Box::new(m20261125_000006_provider_calls::Migration),
            Box::new(m20261125_000007_word_counts::Migration),
            Box::new(m20261125_000008_queue_indexes::Migration),
        ]
    }
}

//! The history of the Afterword schema.
//!
//! Each step is a pair of SQL scripts, up and down, beside its module. Steps import no entities: history must not
//! follow today's model. A step that has been released is never edited; a change is a new step.
//!
//! Times are milliseconds since 1970-01-01T00:00Z by the database's clock.

mod leftovers;
mod m20261124_000001_articles;
mod m20261124_000002_embeddings;
mod m20261124_000003_queue;
mod m20261124_000004_operations;
mod m20261125_000005_tokens;
mod m20261125_000006_provider_calls;
mod m20261125_000007_word_counts;
mod m20261125_000008_queue_indexes;
mod m20261126_000009_task_model;
mod m20261126_000010_bounded_reads;
mod m20261126_000011_sources;
mod m20261126_000012_terms;
mod m20261126_000014_properties;
mod m20261126_000015_links;
mod m20261126_000016_crashes;
mod m20261126_000017_kept_folders;
mod m20261126_000018_languages;
mod m20261126_000019_resting_files;
mod runner;
mod script;

pub use runner::{Connection, MigrationError, applied, apply, take_back};
pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

/// All steps, in order. [`apply`] and [`take_back`] run them; so do `up` and `down` of the trait.
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
            Box::new(m20261126_000009_task_model::Migration),
            Box::new(m20261126_000010_bounded_reads::Migration),
            Box::new(m20261126_000011_sources::Migration),
            Box::new(m20261126_000012_terms::Migration),
            Box::new(m20261126_000014_properties::Migration),
            Box::new(m20261126_000015_links::Migration),
            Box::new(m20261126_000016_crashes::Migration),
            Box::new(m20261126_000017_kept_folders::Migration),
            Box::new(m20261126_000018_languages::Migration),
            Box::new(m20261126_000019_resting_files::Migration),
        ]
    }

    async fn up<'c, C>(db: C, steps: Option<u32>) -> Result<(), DbErr>
    where
        C: IntoSchemaManagerConnection<'c>,
    {
        Ok(apply(&db.into_database_executor(), steps).await.map(drop)?)
    }

    async fn down<'c, C>(db: C, steps: Option<u32>) -> Result<(), DbErr>
    where
        C: IntoSchemaManagerConnection<'c>,
    {
        Ok(take_back(&db.into_database_executor(), steps).await.map(drop)?)
    }
}

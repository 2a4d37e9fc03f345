//! The history of the Afterword schema.
//!
//! Each step is a pair of SQL scripts, up and down, for each engine, in a folder of its name. Steps import no entities:
//! history must not follow today's model. A step that has been released is never edited; a change is a new step.
//!
//! Times are milliseconds since 1970-01-01T00:00Z by the database's clock.

mod leftovers;
mod runner;
mod step;

pub use runner::{Connection, MigrationError, applied, apply, take_back};
pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;
use step::{Step, steps};

/// In their order. Databases store the names.
const STEPS: &[Step] = steps![
    // Articles, their past revisions, their former slugs, and their words.
    "m20261124_000001_articles",
    // Models, and what each model has made of each article.
    "m20261124_000002_embeddings",
    // Tasks, their audit trail, and their exact counts.
    "m20261124_000003_queue",
    // Hosts, workers, bulk runs, metrics and the pause switch.
    "m20261124_000004_operations",
    // Tokens by which programs authenticate.
    "m20261125_000005_tokens",
    // Calls of embedding providers, for the limit that all hosts share.
    "m20261125_000006_provider_calls",
    // How many words an article has, for the ranking by words on PostgreSQL.
    "m20261125_000007_word_counts",
    // Indexes of the queue that the planner uses for one purpose each.
    "m20261125_000008_queue_indexes",
    // A task says which model's vectors it makes; a set of vectors says how its provider is reached.
    "m20261126_000009_task_model",
    // Indexes for every query of a running host, so that none reads through the history.
    "m20261126_000010_bounded_reads",
    // Where articles come from: folders of files, the files in them, and their front matter as it is written.
    "m20261126_000011_sources",
    // The new index of words: terms that the program makes, the same on both engines, and how they were made.
    "m20261126_000012_terms",
    // Tags and properties of articles, from their front matter and their texts.
    "m20261126_000014_properties",
    // Links between articles.
    "m20261126_000015_links",
    // A task counts how many times a host died while processing it.
    "m20261126_000016_crashes",
    // A folder that is kept in step is known to be one.
    "m20261126_000017_kept_folders",
    // The languages of articles, by whose stems their words are indexed.
    "m20261126_000018_languages",
    // A file that is as it was need not be read, and copies are found without looking at all files.
    "m20261126_000019_resting_files",
    // Articles are read again for links that earlier versions did not see.
    "m20261127_000020_read_again",
];

/// All steps, in order. [`apply`] and [`take_back`] run them; so do `up` and `down` of the trait.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        STEPS.iter().map(|step| Box::new(*step) as Box<dyn MigrationTrait>).collect()
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

//! Indexes of the queue that the planner uses for one purpose each.

use sea_orm_migration::prelude::*;

use crate::script::scripts;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        scripts!("up" of "m20261125_000008_queue_indexes").run(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        scripts!("down" of "m20261125_000008_queue_indexes").run(manager).await
    }
}

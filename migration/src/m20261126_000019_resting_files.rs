//! A file that is as it was need not be read, and copies are found without looking at all files.

use sea_orm_migration::prelude::*;

use crate::script::scripts;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        scripts!("up" of "m20261126_000019_resting_files").run(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        scripts!("down" of "m20261126_000019_resting_files").run(manager).await
    }
}

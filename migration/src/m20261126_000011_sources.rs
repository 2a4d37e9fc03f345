//! Where articles come from: folders of files, the files in them, and their front matter as it is written.

use sea_orm_migration::prelude::*;

use crate::script::scripts;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        scripts!("up" of "m20261126_000011_sources").run(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        scripts!("down" of "m20261126_000011_sources").run(manager).await
    }
}

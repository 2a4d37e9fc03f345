//! Articles, their past revisions, their former slugs, and their words.

use sea_orm_migration::prelude::*;

use crate::script::scripts;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        scripts!("up" of "m20261124_000001_articles").run(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        scripts!("down" of "m20261124_000001_articles").run(manager).await
    }
}

//! Creating, changing and deleting articles.

use rmcp::{
    RoleServer,
    handler::server::wrapper::{Json, Parameters},
    schemars::{self, JsonSchema},
    service::RequestContext,
    tool, tool_router,
};
use serde::{Deserialize, Serialize};

use super::{Priority, answers::SavedArticle, folder};
use crate::{
    articles::{ArticleError, Changes, NewArticle, folder::Folder, slug::Slug},
    mcp::{door::Door, problem::Problem, schema},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateArticle {
    title: String,
    /// markdown
    body: String,
    /// its unique name; made from the title if left out
    slug: Option<String>,
    /// path such as guides/rust
    folder: Option<String>,
    /// true: never embed it
    skip_embedding: Option<bool>,
    priority: Option<Priority>,
    /// a repeated call with the same key creates nothing twice
    idempotency_key: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateArticle {
    slug: String,
    title: Option<String>,
    /// replaces the whole text
    body: Option<String>,
    /// "/" for the root
    folder: Option<String>,
    skip_embedding: Option<bool>,
    priority: Option<Priority>,
    /// the revision you read; refused if the article has moved on
    expected_revision: Option<i64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteArticle {
    slug: String,
    /// the revision you read; refused if the article has moved on
    expected_revision: Option<i64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct DeletedArticle {
    slug: String,
    title: String,
    /// the last one
    revision: i64,
    deleted: bool,
}

#[tool_router(router = writing, vis = "pub(in crate::mcp)")]
impl Door {
    #[tool(
        description = "Save a new article. Never overwrites: if the slug is taken, use update_article.",
        input_schema = schema::input::<CreateArticle>(),
        output_schema = schema::output::<SavedArticle>(),
        annotations(
            title = "Create article",
            read_only_hint = false,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn create_article(
        &self,
        Parameters(asked): Parameters<CreateArticle>,
    ) -> Result<Json<SavedArticle>, Problem> {
        let new = NewArticle {
            title: asked.title,
            body: asked.body,
            slug: asked.slug.as_deref().map(Slug::parse).transpose().map_err(ArticleError::from)?,
            folder: folder(asked.folder.as_deref())?,
            skip_embedding: asked.skip_embedding.unwrap_or_default(),
            priority: asked.priority.map(Into::into),
            idempotency_key: asked.idempotency_key,
            ..NewArticle::default()
        };
        Ok(Json(self.host.articles.create(new).await?.into()))
    }

    #[tool(
        description = "Change an article; what you leave out stays. Former revisions are kept.",
        input_schema = schema::input::<UpdateArticle>(),
        output_schema = schema::output::<SavedArticle>(),
        annotations(
            title = "Update article",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn update_article(
        &self,
        Parameters(asked): Parameters<UpdateArticle>,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<SavedArticle>, Problem> {
        let _room = self.room(&context, &asked.slug).await?;
        let changes = Changes {
            title: asked.title,
            body: asked.body,
            folder: asked.folder.as_deref().map(Folder::parse).transpose()?,
            skip_embedding: asked.skip_embedding,
            priority: asked.priority.map(Into::into),
            expected_revision: asked.expected_revision,
            ..Changes::default()
        };
        Ok(Json(self.host.articles.update(&asked.slug, changes).await?.into()))
    }

    #[tool(
        description = "Delete an article. The operator can restore it for some weeks.",
        input_schema = schema::input::<DeleteArticle>(),
        output_schema = schema::output::<DeletedArticle>(),
        annotations(
            title = "Delete article",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn delete_article(
        &self,
        Parameters(asked): Parameters<DeleteArticle>,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<DeletedArticle>, Problem> {
        let _room = self.room(&context, &asked.slug).await?;
        let gone = self.host.articles.delete(&asked.slug, asked.expected_revision).await?;
        Ok(Json(DeletedArticle { slug: gone.slug, title: gone.title, revision: gone.revision, deleted: true }))
    }
}

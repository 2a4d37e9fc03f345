//! Creating, changing and deleting articles.

use rmcp::{
    RoleServer,
    handler::server::wrapper::{Json, Parameters},
    schemars::{self, JsonSchema},
    service::RequestContext,
    tool, tool_router,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    answers::{Embedding, SavedArticle},
    folder,
};
use crate::{
    api::{AskedEdit, ChangedChunks, EditAnswer, OnConflict, Priority},
    articles::{
        Article, ArticleError, ArticlePatch, NewArticle, PartEdits,
        editing::Edit,
        folder::Folder,
        front_matter::{NoSetting, Setting},
        slug::Slug,
    },
    mcp::{budget, problem::Problem, schema, server::McpServer},
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
    /// front matter, e.g. {"tags": ["rust"], "status": "draft"}
    properties: Option<Map<String, Value>>,
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
    /// front matter to set; null removes one, others stay
    properties: Option<Map<String, Value>>,
    priority: Option<Priority>,
    /// the revision you read; refused if there is a newer one
    expected_revision: Option<i64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EditArticle {
    slug: String,
    /// all are saved as one revision, or none is
    #[schemars(with = "Vec<AskedEdit>")]
    edits: Vec<Value>,
    /// the revision you read
    expected_revision: Option<i64>,
    /// true: if there is a newer revision, merge with what others changed
    merge: Option<bool>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct EditedArticle {
    slug: String,
    revision: i64,
    /// false: nothing was different
    changed: bool,
    merged: bool,
    /// changed lines as diff -u shows them
    changes: String,
    embedding: Embedding,
    #[serde(skip_serializing_if = "Option::is_none")]
    chunks: Option<ChangedChunks>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteArticle {
    slug: String,
    /// the revision you read; refused if there is a newer one
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

#[tool_router(router = articles_writing, vis = "pub(in crate::mcp)")]
impl McpServer {
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
        Parameters(arguments): Parameters<CreateArticle>,
    ) -> Result<Json<SavedArticle>, Problem> {
        let new = NewArticle {
            title: arguments.title,
            body: arguments.body,
            slug: arguments.slug.as_deref().map(Slug::parse).transpose().map_err(ArticleError::from)?,
            folder: folder(arguments.folder.as_deref())?,
            skip_embedding: arguments.skip_embedding.unwrap_or_default(),
            properties: properties(arguments.properties)?,
            priority: arguments.priority.map(Into::into),
            idempotency_key: arguments.idempotency_key,
            ..NewArticle::default()
        };
        Ok(Json(self.host.articles.create(new).await?.into()))
    }

    #[tool(
        description = "Change an article; what you leave out stays. For a part of a long text use edit_article.",
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
        Parameters(arguments): Parameters<UpdateArticle>,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<SavedArticle>, Problem> {
        let _room = self.room(&context, &arguments.slug).await?;
        let changes = ArticlePatch {
            title: arguments.title,
            body: arguments.body,
            folder: arguments.folder.as_deref().map(Folder::parse).transpose()?,
            skip_embedding: arguments.skip_embedding,
            properties: properties(arguments.properties)?,
            priority: arguments.priority.map(Into::into),
            expected_revision: arguments.expected_revision,
            ..ArticlePatch::default()
        };
        Ok(Json(self.found(&context, self.host.articles.update(&arguments.slug, changes).await)?.into()))
    }

    #[tool(
        description = "Change a part of an article: add text, change a section, replace a text.",
        input_schema = schema::input::<EditArticle>(),
        output_schema = schema::output::<EditedArticle>(),
        annotations(
            title = "Edit article",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = false,
            open_world_hint = false
        )
    )]
    async fn edit_article(
        &self,
        Parameters(arguments): Parameters<EditArticle>,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<EditedArticle>, Problem> {
        let _room = self.room(&context, &arguments.slug).await?;
        let edits = arguments.edits.into_iter().enumerate().map(edit).collect::<Result<_, _>>()?;
        let on_conflict = if arguments.merge == Some(true) { OnConflict::Merge } else { OnConflict::Refuse };
        let edits = PartEdits { edits, expected_revision: arguments.expected_revision, on_conflict };
        Ok(Json(self.found(&context, self.host.edit(&arguments.slug, edits).await)?.into()))
    }

    #[tool(
        description = "Delete an article; restore_article brings it back for some weeks.",
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
        Parameters(arguments): Parameters<DeleteArticle>,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<DeletedArticle>, Problem> {
        let _room = self.room(&context, &arguments.slug).await?;
        let gone = self.host.articles.delete(&arguments.slug, arguments.expected_revision).await;
        let Article { slug, title, revision, .. } = self.found(&context, gone)?;
        Ok(Json(DeletedArticle { slug, title, revision, deleted: true }))
    }
}

/// Reads one edit, or says what is wrong with it.
fn edit((position, given): (usize, Value)) -> Result<Edit, Problem> {
    let arguments: AskedEdit = serde_json::from_value(given)
        .map_err(|error| Problem::new(format!("edits: number {}: {error}", position + 1)))?;
    Edit::try_from(arguments).map_err(|error| Problem::new(format!("edits: {error}")))
}

impl From<EditAnswer> for EditedArticle {
    fn from(answer: EditAnswer) -> Self {
        let EditAnswer { slug, revision, changed, merged, changes, embedding, chunks } = answer;
        let changes = budget::changes(&changes);
        Self { slug, revision, changed, merged, changes, embedding: embedding.into(), chunks }
    }
}

fn properties(given: Option<Map<String, Value>>) -> Result<Vec<(String, Option<Setting>)>, Problem> {
    let setting = |(key, value): (String, Value)| {
        let setting = Setting::from_json(&key, &value)?;
        Ok((key, setting))
    };
    let settings = given.unwrap_or_default().into_iter().map(setting).collect::<Result<_, NoSetting>>();
    settings.map_err(|error| Problem::new(format!("properties: {error}")))
}

//! Another name for an article, its past, and bringing a revision back.

use rmcp::{
    RoleServer,
    handler::server::wrapper::{Json, Parameters},
    schemars::{self, JsonSchema},
    service::RequestContext,
    tool, tool_router,
};
use serde::{Deserialize, Serialize};

use super::answers::{MAX_TITLE_CHARS, SavedArticle};
use crate::{
    articles::{Article, ArticleError, Revision, linking::RelinkReport, slug::Slug},
    auth::Permission,
    mcp::{budget, cursor, problem::Problem, schema, server::McpServer},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RenameArticle {
    slug: String,
    /// the new slug; the old one keeps working
    to: String,
    /// true: also change links that name the old slug
    update_links: Option<bool>,
    expected_revision: Option<i64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RenamedArticle {
    slug: String,
    revision: i64,
    /// slugs of articles whose links were changed; the first, if the total is larger
    mended: Vec<String>,
    mended_total: usize,
    /// slugs of articles whose links could not be changed; they still work
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unmended: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unmended_total: Option<usize>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ArticleHistory {
    slug: String,
    /// show what has changed in the text since this revision
    since_revision: Option<i64>,
    /// next_cursor of the last page
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct History {
    /// the newest first
    revisions: Vec<ListedRevision>,
    /// in all
    total: usize,
    /// as diff -u shows it
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ListedRevision {
    revision: i64,
    slug: String,
    title: String,
    /// bytes
    size: i64,
    saved_at: String,
    /// the article was deleted after it
    deleted: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RestoreArticle {
    /// also of a deleted article
    slug: String,
    /// default: undo the last change, or the deletion
    revision: Option<i64>,
}

#[tool_router(router = naming_writing, vis = "pub(in crate::mcp)")]
impl McpServer {
    #[tool(
        description = "Give an article another slug.",
        input_schema = schema::input::<RenameArticle>(),
        output_schema = schema::output::<RenamedArticle>(),
        annotations(
            title = "Rename article",
            read_only_hint = false,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn rename_article(
        &self,
        Parameters(arguments): Parameters<RenameArticle>,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<RenamedArticle>, Problem> {
        let _room = self.room(&context, &arguments.slug).await?;
        let to = Slug::parse(&arguments.to).map_err(|error| Problem::new(format!("to: {error}")))?;
        let (articles, revision) = (&self.host.articles, arguments.expected_revision);
        let renamed = match arguments.update_links {
            Some(true) => articles.rename_with_links(&arguments.slug, to, revision).await,
            Some(false) | None => {
                articles.rename(&arguments.slug, to, revision).await.map(|saved| (saved, RelinkReport::default()))
            }
        };
        let renamed = renamed.map_err(|error| self.not_renamed(&context, error));
        let (saved, RelinkReport { mended, unmended }) = renamed?;
        let (mended_total, unmended_total) = (mended.len(), Some(unmended.len()).filter(|total| *total > 0));
        let mended = budget::fitting_half(mended.into_iter().map(|mended| mended.slug).collect());
        let unmended = budget::fitting_half(unmended.into_iter().map(|unmended| unmended.slug).collect());
        let Article { slug, revision, .. } = saved.article;
        Ok(Json(RenamedArticle { slug, revision, mended, mended_total, unmended, unmended_total }))
    }

    #[tool(
        description = "Bring a past revision back, as a new one; also a deleted article.",
        input_schema = schema::input::<RestoreArticle>(),
        output_schema = schema::output::<SavedArticle>(),
        annotations(
            title = "Restore article",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = false,
            open_world_hint = false
        )
    )]
    async fn restore_article(
        &self,
        Parameters(arguments): Parameters<RestoreArticle>,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<SavedArticle>, Problem> {
        let _room = self.room_for(&context, self.host.articles.weight_of_past(&arguments.slug).await?).await;
        Ok(Json(self.host.articles.restore(&arguments.slug, arguments.revision).await?.into()))
    }
}

#[tool_router(router = naming_reading, vis = "pub(in crate::mcp)")]
impl McpServer {
    #[tool(
        description = "Revisions of an article, also of a deleted one, or what has changed since one.",
        input_schema = schema::input::<ArticleHistory>(),
        output_schema = schema::output::<History>(),
        annotations(title = "Article history", read_only_hint = true, open_world_hint = false)
    )]
    async fn article_history(
        &self,
        Parameters(arguments): Parameters<ArticleHistory>,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<History>, Problem> {
        let articles = &self.host.articles;
        if arguments.since_revision.is_some() && arguments.cursor.is_some() {
            return Err(Problem::new(
                "cursor: what has changed since a revision has no further pages; leave out cursor or since_revision",
            ));
        }
        if !self.may(&context, Permission::Write) {
            articles.must_exist(&arguments.slug).await?;
        }
        let all = articles.history(&arguments.slug).await?;
        let list = list_of(&arguments.slug);
        let before = arguments.cursor.map(|cursor| cursor::decode_number::<i64>(&list, &cursor)).transpose()?;
        let Some(since) = arguments.since_revision else { return Ok(Json(revisions(all, &list, before))) };
        let total = all.len();
        let sizes = all.iter().filter(|one| one.present || one.revision == since).map(|one| one.size);
        let largest = sizes.max().unwrap_or_default();
        let _room = self.room_for(&context, u64::try_from(largest).unwrap_or_default()).await;
        let changes = articles.changed_since_revision(&arguments.slug, since).await?;
        let changes = changes.ok_or(ArticleError::NoRevision { slug: arguments.slug, revision: since })?;
        let changes = Some(budget::changes(&changes));
        let newer = all.into_iter().filter(|one| one.revision > since).map(ListedRevision::from).collect();
        Ok(Json(History { revisions: budget::fitting_beside_changes(newer), total, changes, next_cursor: None }))
    }
}

impl McpServer {
    /// Nothing is created here: the taken name is the new one.
    fn not_renamed(&self, context: &RequestContext<RoleServer>, error: ArticleError) -> Problem {
        match error {
            ArticleError::Exists { slug, title, same_title: _ } => Problem::new(format!(
                "to: the slug \"{slug}\" belongs to another article, \"{title}\", and nothing was renamed; choose another slug"
            )),
            ArticleError::FormerName { slug, present } => Problem::new(format!(
                "to: \"{slug}\" is a former name of the article \"{present}\" and still leads to it, and nothing was renamed; \
                 choose another slug"
            )),
            other => self.missing(context, other),
        }
    }
}

/// The name of an article's past in cursors.
fn list_of(slug: &str) -> String {
    format!("history:{}", slug.replace(' ', "_"))
}

/// The revisions before this one, all if none is named, as many as fit into an answer.
fn revisions(all: Vec<Revision>, list: &str, before: Option<i64>) -> History {
    let total = all.len();
    let left: Vec<_> = all.into_iter().filter(|one| before.is_none_or(|before| one.revision < before)).collect();
    let more = left.len();
    let revisions = budget::fitting(left.into_iter().map(ListedRevision::from).collect());
    let last = revisions.last().filter(|_| revisions.len() < more);
    let next_cursor = last.map(|last| cursor::encode(list, &last.revision.to_string()));
    History { revisions, total, changes: None, next_cursor }
}

impl From<Revision> for ListedRevision {
    fn from(revision: Revision) -> Self {
        let Revision { revision, slug, title, folder: _, size, saved_at, present: _, deleted } = revision;
        let title = budget::clip(&title, MAX_TITLE_CHARS);
        Self { revision, slug, title, size, saved_at: saved_at.to_string(), deleted }
    }
}

//! Reading an article, whole or in parts, and listing what there is.

use rmcp::{
    RoleServer,
    handler::server::wrapper::{Json, Parameters},
    schemars::{self, JsonSchema},
    service::RequestContext,
    tool, tool_router,
};
use serde::{Deserialize, Serialize};

use super::{answers::ListedArticle, filter, folder};
use crate::{
    api::Backlink,
    articles::{Article, Page as ArticlesPage, folder::Folder},
    auth::Permission,
    mcp::{
        budget, cursor,
        excerpt::{self, Part, Past},
        problem::Problem,
        schema,
        server::McpServer,
    },
    offload,
    time::{self, Timestamp},
};

/// Articles on a page, unless the call names a number.
const DEFAULT_PAGE_SIZE: u32 = 20;
/// Most articles that are named because they link to a read one; article_context names more.
const NAMED_BACKLINKS: usize = 8;
/// Most of them that are counted.
const COUNTED_BACKLINKS: u32 = 50;
/// Most articles on a page.
const LARGEST_PAGE: u32 = 100;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadArticle {
    slug: String,
    /// only the part below this heading
    section: Option<String>,
    /// begin after this many characters
    offset: Option<u32>,
    /// most characters, of 1 MB at most; without it as many as fit into 8 KB
    #[schemars(range(min = 1))]
    limit: Option<u32>,
    /// a past one
    revision: Option<i64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListArticles {
    /// only this folder and below
    folder: Option<String>,
    /// e.g. tag:rust -status:draft updated:<7d created:2026-01..2026-03
    filter: Option<String>,
    /// 1 to 100; default 20
    #[schemars(range(min = 1))]
    limit: Option<u32>,
    /// next_cursor of the last page
    cursor: Option<String>,
    /// only saved (or deleted) since: 7d, 2026-11-01, or RFC 3339
    since: Option<String>,
    /// deleted articles instead
    deleted: Option<bool>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ArticlePage {
    articles: Vec<ListedArticle>,
    /// absent: more than 1,000 match
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// How many of these fit into one answer.
fn fitting<T: Clone>(articles: &[T]) -> usize
where
    ListedArticle: From<T>,
{
    budget::fitting(articles.iter().cloned().map(ListedArticle::from).collect()).len()
}

impl McpServer {
    async fn deleted(
        &self,
        folder: &Folder,
        since: Option<Timestamp>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<ArticlePage, Problem> {
        let page = self.host.articles.deleted_after(folder, since, (cursor, limit), fitting).await?;
        let articles = page.articles.into_iter().map(ListedArticle::from).collect();
        Ok(ArticlePage { articles, total: Some(page.total), next_cursor: page.next_cursor })
    }

    /// A revision of an article, and which one is the present, unless this is it; of a deleted one, for those who may restore it.
    async fn past(
        &self,
        context: &RequestContext<RoleServer>,
        slug: &str,
        revision: i64,
    ) -> Result<(Article, Option<Past>), Problem> {
        let articles = &self.host.articles;
        if !self.may(context, Permission::Write) {
            articles.must_exist(slug).await?;
        }
        let _room = self.room_for(context, self.found(context, articles.weight_of_past(slug).await)?).await;
        let article = self.found(context, articles.read_revision(slug, revision).await)?;
        let present = articles.revision(slug).await?;
        let past = if present == Some(revision) { None } else { Some(present.map_or(Past::Deleted, Past::Since)) };
        Ok((article, past))
    }

    /// A point in time as an agent names it, by the database's clock.
    async fn since(&self, named: Option<&str>) -> Result<Option<Timestamp>, Problem> {
        let Some(named) = named else { return Ok(None) };
        let now = self.host.queue.now().await?;
        time::since(named, now).map(Some).map_err(|error| Problem::new(format!("since: {error}")))
    }
}

#[tool_router(router = articles_reading, vis = "pub(in crate::mcp)")]
impl McpServer {
    #[tool(
        description = "Read an article as markdown, below its revision and embedding status. A long one comes in parts.",
        input_schema = schema::input::<ReadArticle>(),
        annotations(title = "Read article", read_only_hint = true, open_world_hint = false)
    )]
    async fn read_article(
        &self,
        Parameters(arguments): Parameters<ReadArticle>,
        context: RequestContext<RoleServer>,
    ) -> Result<String, Problem> {
        let (article, past) = match arguments.revision {
            Some(revision) => self.past(&context, &arguments.slug, revision).await?,
            None => {
                let _room = self.room(&context, &arguments.slug).await?;
                (self.found(&context, self.host.articles.read(&arguments.slug).await)?, None)
            }
        };
        let _room = self.room_for(&context, article.body.len() as u64).await;
        let is_beginning = arguments.section.is_none() && arguments.offset.unwrap_or_default() == 0;
        let linked_from = match is_beginning && past.is_none() {
            true => linked_from(&self.host.articles.backlinks(&(&article).into(), COUNTED_BACKLINKS).await?),
            false => String::new(),
        };
        let part = Part {
            linked_from,
            past,
            room: if arguments.limit.is_some() { budget::MAX_ASKED_TEXT_BYTES } else { budget::MAX_TEXT_BYTES },
            section: arguments.section,
            offset: arguments.offset.unwrap_or_default() as usize,
            limit: arguments.limit.map(|limit| limit as usize),
        };
        match article.body.len() {
            0..=offload::SMALL_TEXT_BYTES => excerpt::of(&article, &part),
            _ => offload::run(move || excerpt::of(&article, &part)).await,
        }
    }

    #[tool(
        description = "List articles, the last saved first.",
        input_schema = schema::input::<ListArticles>(),
        output_schema = schema::output::<ArticlePage>(),
        annotations(title = "List articles", read_only_hint = true, open_world_hint = false)
    )]
    async fn list_articles(
        &self,
        Parameters(arguments): Parameters<ListArticles>,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<ArticlePage>, Problem> {
        let folder = folder(arguments.folder.as_deref())?;
        let limit = arguments.limit.unwrap_or(DEFAULT_PAGE_SIZE);
        if !(1..=LARGEST_PAGE).contains(&limit) {
            return Err(Problem::new(format!("limit: must be from 1 to {LARGEST_PAGE}")));
        }
        let articles = &self.host.articles;
        let since = self.since(arguments.since.as_deref()).await?;
        let list = list_of(&arguments);
        let cursor = arguments.cursor.as_deref().map(|cursor| cursor::decode(&list, cursor)).transpose()?;
        let of_this = |page: ArticlePage| ArticlePage {
            next_cursor: page.next_cursor.map(|place| cursor::encode(&list, &place)),
            ..page
        };
        if arguments.deleted == Some(true) {
            // As at the other doors: for those who may restore.
            if !self.may(&context, Permission::Write) {
                return Err(Problem::not_allowed(Permission::Write));
            }
            if arguments.filter.is_some() {
                return Err(Problem::new(
                    "filter: deleted articles are not filtered; leave it out, and use folder or since",
                ));
            }
            return self.deleted(&folder, since, limit, cursor.as_deref()).await.map(of_this).map(Json);
        }
        let filter = filter(arguments.filter.as_deref())?.saved_since(since);
        let page = articles.list_fitting(&folder, &filter, cursor.as_deref(), limit, fitting).await?;
        if page.articles.is_empty() && cursor.is_none() {
            articles.must_be_known(&folder, &filter).await?;
        }
        let ArticlesPage { articles, total, next_cursor } = page;
        let articles = articles.into_iter().map(ListedArticle::from).collect();
        Ok(Json(of_this(ArticlePage { articles, total, next_cursor })))
    }
}

/// The first of the articles that link to one, and how many more there are.
fn linked_from(backlinks: &[Backlink]) -> String {
    let named: Vec<_> = backlinks.iter().take(NAMED_BACKLINKS).map(|link| link.slug.as_str()).collect();
    let more = backlinks.len() - named.len();
    let least = if backlinks.len() < COUNTED_BACKLINKS as usize { "" } else { "at least " };
    let more = if more > 0 {
        format!(" and {least}{more} more; list_folders of linked_from:SLUG has all")
    } else {
        String::new()
    };
    named.join(", ") + &more
}

/// The name of a list of articles: a place in it is none in that of another folder or filter.
fn list_of(arguments: &ListArticles) -> String {
    let ListArticles { folder, filter, since, deleted, .. } = arguments;
    cursor::name(&(folder, filter, since, deleted.unwrap_or(false)))
}

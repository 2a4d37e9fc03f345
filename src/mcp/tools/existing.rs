//! Listing what there is besides articles: folders, tags, properties and their values, links that lead nowhere.

use rmcp::{
    RoleServer,
    handler::server::wrapper::{Json, Parameters},
    schemars::{self, JsonSchema},
    service::RequestContext,
    tool, tool_router,
};
use serde::{Deserialize, Serialize};

use super::answers::MAX_TITLE_CHARS;
use crate::{
    api::{Backlink, BrokenLink, CountedRows, PropertyCount, TagCount, ValueCount},
    articles::FolderCount,
    mcp::{budget, cursor, problem::Problem, schema, server::McpServer},
};

/// Rows that are read for a page, of which some fit into an answer.
const ROWS_PER_READ: u32 = 200;
/// The last row of a list that has a page: those before it are read for each page. The total tells that there are more.
const MAX_OFFSET: u32 = 100_000;
/// The names of lists, in arguments and cursors.
const FOLDERS: &str = "folders";
const TAGS: &str = "tags";
const PROPERTIES: &str = "properties";
const BROKEN_LINKS: &str = "broken_links";
/// Followed by a slug.
const LINKED_FROM: &str = "linked_from:";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListFolders {
    /// instead: tags, properties, broken_links, linked_from:SLUG, or a property: its values
    of: Option<String>,
    /// next_cursor of the last page
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ListedFolder {
    folder: String,
    /// directly in it
    articles: i64,
}

/// A tag, a property, a value, a broken link, or an article that links to another.
#[derive(Debug, Serialize, JsonSchema)]
struct Listed {
    name: String,
    /// that have it
    #[serde(skip_serializing_if = "Option::is_none")]
    articles: Option<i64>,
    /// text, number, switch or time
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// the article that has the link
    #[serde(skip_serializing_if = "Option::is_none")]
    slug: Option<String>,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct FolderPage {
    #[serde(skip_serializing_if = "Option::is_none")]
    folders: Option<Vec<ListedFolder>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    listed: Option<Vec<Listed>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[tool_router(router = existing_reading, vis = "pub(in crate::mcp)")]
impl McpServer {
    #[tool(
        description = "List folders, or tags, properties, broken links.",
        input_schema = schema::input::<ListFolders>(),
        output_schema = schema::output::<FolderPage>(),
        annotations(title = "List folders", read_only_hint = true, open_world_hint = false)
    )]
    async fn list_folders(
        &self,
        Parameters(ListFolders { of, cursor }): Parameters<ListFolders>,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<FolderPage>, Problem> {
        let articles = &self.host.articles;
        let of = of.as_deref().map(str::trim).unwrap_or(FOLDERS);
        if of == FOLDERS {
            return self.folders(cursor.as_deref()).await.map(Json);
        }
        let (list, begin) = place(of, cursor.as_deref())?;
        let end = begin + ROWS_PER_READ;
        let page = match (of, of.strip_prefix(LINKED_FROM)) {
            (TAGS, _) => page(&list, begin, articles.tags("", end).await?),
            (PROPERTIES, _) => page(&list, begin, articles.property_keys(end).await?),
            (BROKEN_LINKS, _) => page(&list, begin, articles.broken_links(end).await?),
            (_, Some(slug)) => {
                let linked = self.found(&context, articles.linked(slug).await)?;
                let rows = articles.backlinks(&linked, end).await?;
                let total = i64::try_from(rows.len()).ok().filter(|found| *found < i64::from(end));
                page(&list, begin, CountedRows { rows, total })
            }
            (key, None) => {
                let values = articles.property_values(key, end).await?;
                if values.is_empty() {
                    let key = budget::clip(key, MAX_TITLE_CHARS);
                    return Err(Problem::new(format!(
                        "of: no article has the property \"{key}\"; of: \"properties\" lists those that there are"
                    )));
                }
                page(&list, begin, values)
            }
        };
        Ok(Json(page))
    }

    async fn folders(&self, cursor: Option<&str>) -> Result<FolderPage, Problem> {
        let all = self.host.articles.folders().await?;
        let total = i64::try_from(all.len()).ok();
        let after = cursor.map(|cursor| cursor::decode(FOLDERS, cursor)).transpose()?;
        let left: Vec<_> = all
            .into_iter()
            .filter(|row| after.as_ref().is_none_or(|after| row.folder > *after))
            .map(|FolderCount { folder, articles }| ListedFolder { folder, articles })
            .collect();
        let more = left.len();
        let folders = budget::fitting(left);
        let last = folders.last().filter(|_| folders.len() < more);
        let next_cursor = last.map(|last| cursor::encode(FOLDERS, &last.folder));
        Ok(FolderPage { folders: Some(folders), total, next_cursor, ..FolderPage::default() })
    }
}

/// The name of a list in cursors, and the row that its page begins with.
fn place(of: &str, cursor: Option<&str>) -> Result<(String, u32), Problem> {
    let list = match of {
        TAGS | PROPERTIES | BROKEN_LINKS => of.to_owned(),
        // Not that of a list of another kind: a key is anything.
        other => format!("values:{}", other.replace(' ', "_")),
    };
    let begin = cursor.map(|cursor| cursor::decode_number::<u32>(&list, cursor)).transpose()?.unwrap_or(0);
    if begin > MAX_OFFSET { Err(cursor::invalid()) } else { Ok((list, begin)) }
}

/// The rows from `begin` that fit into one answer; `found` has more than those, if there are more.
fn page<T>(list: &str, begin: u32, found: CountedRows<T>) -> FolderPage
where
    Listed: From<T>,
{
    let (read, total, begin) = (found.len(), found.total, begin as usize);
    let listed = budget::fitting(found.rows.into_iter().skip(begin).map(Listed::from).collect());
    let end = begin + listed.len();
    let is_more = total.map_or(end < read, |total| usize::try_from(total).is_ok_and(|total| end < total));
    let has_more = is_more && !listed.is_empty() && end <= MAX_OFFSET as usize;
    let next_cursor = has_more.then(|| cursor::encode(list, &end.to_string()));
    FolderPage { listed: Some(listed), total, next_cursor, ..FolderPage::default() }
}

impl Listed {
    fn counted(name: &str, articles: i64) -> Self {
        Self { name: budget::clip(name, MAX_TITLE_CHARS), articles: Some(articles), kind: None, slug: None }
    }
}

impl From<TagCount> for Listed {
    fn from(TagCount { tag, articles }: TagCount) -> Self {
        Self::counted(&tag, articles)
    }
}

impl From<PropertyCount> for Listed {
    fn from(PropertyCount { key, kind, articles, values: _ }: PropertyCount) -> Self {
        Self { kind: Some(kind), ..Self::counted(&key, articles) }
    }
}

impl From<ValueCount> for Listed {
    fn from(ValueCount { value, articles }: ValueCount) -> Self {
        Self::counted(&value, articles)
    }
}

impl From<BrokenLink> for Listed {
    fn from(BrokenLink { slug, title: _, target, form: _ }: BrokenLink) -> Self {
        Self { name: budget::clip(&target, MAX_TITLE_CHARS), articles: None, kind: None, slug: Some(slug) }
    }
}

impl From<Backlink> for Listed {
    fn from(Backlink { slug, title, target: _, links: _ }: Backlink) -> Self {
        Self { name: budget::clip(&title, MAX_TITLE_CHARS), articles: None, kind: None, slug: Some(slug) }
    }
}

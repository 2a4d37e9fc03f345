//! Listing what there is besides articles: folders, tags, properties and their values, links that lead nowhere.

use rmcp::{
    handler::server::wrapper::{Json, Parameters},
    schemars::{self, JsonSchema},
    tool, tool_router,
};
use serde::{Deserialize, Serialize};

use super::answers::TITLE;
use crate::{
    api::{BrokenLink, CountedRows, PropertyCount, TagCount, ValueCount},
    articles::FolderCount,
    mcp::{budget, cursor, problem::Problem, schema, server::McpServer},
};

/// Rows that are read; further ones are only counted.
const MOST: u32 = 1_000;
/// The names of lists, in arguments and cursors.
const FOLDERS: &str = "folders";
const TAGS: &str = "tags";
const PROPERTIES: &str = "properties";
const BROKEN_LINKS: &str = "broken_links";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListFolders {
    /// instead: tags, properties, broken_links, or a property: its values
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

/// A tag, a property, a value, or a broken link.
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
    ) -> Result<Json<FolderPage>, Problem> {
        let articles = &self.host.articles;
        let of = of.as_deref().map(str::trim).unwrap_or(FOLDERS);
        let page = match of {
            FOLDERS => self.folders(cursor.as_deref()).await?,
            TAGS => page(of, cursor, articles.tags("", MOST).await?)?,
            PROPERTIES => page(of, cursor, articles.property_keys(MOST).await?)?,
            BROKEN_LINKS => page(of, cursor, articles.broken_links(MOST).await?)?,
            key => {
                let values = articles.property_values(key, MOST).await?;
                if values.is_empty() {
                    let key = budget::clipped(key, TITLE);
                    return Err(Problem::new(format!(
                        "of: no article has the property \"{key}\"; of: \"properties\" lists those that there are"
                    )));
                }
                // Not that of a list of another kind: a key is anything.
                page(&format!("values:{}", key.replace(' ', "_")), cursor, values)?
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

/// The rows behind the cursor that fit into one answer.
fn page<T>(list: &str, cursor: Option<String>, found: CountedRows<T>) -> Result<FolderPage, Problem>
where
    Listed: From<T>,
{
    let begin = cursor.map(|cursor| cursor::decode_number::<usize>(list, &cursor)).transpose()?.unwrap_or(0);
    let (read, total) = (found.len(), found.total);
    let listed = budget::fitting(found.rows.into_iter().skip(begin).map(Listed::from).collect());
    let end = begin.saturating_add(listed.len());
    let next_cursor = (end < read && !listed.is_empty()).then(|| cursor::encode(list, &end.to_string()));
    Ok(FolderPage { listed: Some(listed), total, next_cursor, ..FolderPage::default() })
}

impl Listed {
    fn counted(name: &str, articles: i64) -> Self {
        Self { name: budget::clipped(name, TITLE), articles: Some(articles), kind: None, slug: None }
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
        Self { name: budget::clipped(&target, TITLE), articles: None, kind: None, slug: Some(slug) }
    }
}

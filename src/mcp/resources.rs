//! Articles as resources: `article://{slug}`.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use rmcp::{
    ErrorData,
    model::{
        CompleteRequestParams, CompleteResult, CompletionInfo, ListResourceTemplatesResult, ListResourcesResult,
        ReadResourceResult, Reference, Resource, ResourceContents, ResourceTemplate,
    },
};

use super::{problem::Problem, server::McpServer};
use crate::{
    articles::{ArticleError, ArticleSummary, folder::Folder, properties::Filter},
    printable,
};

const SCHEME: &str = "article://";
const TEMPLATE: &str = "article://{slug}";
/// Lists of articles.
pub(super) const LISTS: &str = "articles://";
const TAGGED: &str = "articles://tag/{+tag}";
const FOLDER: &str = "articles://folder/{+folder}";
/// The same, for clients that do not know the sign for slashes in a name.
const TAGGED_PLAINLY: &str = "articles://tag/{tag}";
const FOLDER_PLAINLY: &str = "articles://folder/{folder}";
const MARKDOWN: &str = "text/markdown";
/// A longer name names no article. *Units:* bytes.
const LONGEST_SLUG: usize = 200;
/// A longer article is read in parts. *Units:* bytes.
const MAX_WHOLE_ARTICLE_BYTES: u64 = 1 << 20;
/// Longest address that a refusal shows. *Units:* characters.
const MAX_SHOWN_ADDRESS_CHARS: usize = 200;
/// Resources on a page.
const PAGE_SIZE: u32 = 50;

pub(super) fn uri(slug: &str) -> String {
    format!("{SCHEME}{slug}")
}

/// The slug in an address of this scheme, however it is escaped.
pub(super) fn slug(uri: &str) -> Option<Cow<'_, str>> {
    let slug = percent_decode_str(uri.strip_prefix(SCHEME)?).decode_utf8().ok()?;
    (1..=LONGEST_SLUG).contains(&slug.len()).then_some(slug)
}

impl McpServer {
    pub(super) async fn resources(&self, cursor: Option<String>) -> Result<ListResourcesResult, ErrorData> {
        let page = self.host.articles.list(&Folder::default(), cursor.as_deref(), PAGE_SIZE).await.map_err(failed)?;
        let mut list = ListResourcesResult::with_all_items(page.articles.into_iter().map(resource).collect());
        list.next_cursor = page.next_cursor;
        Ok(list)
    }

    pub(super) fn resource_templates() -> ListResourceTemplatesResult {
        let template = ResourceTemplate::new(TEMPLATE, "article")
            .with_title("Article")
            .with_description("An article by its slug")
            .with_mime_type(MARKDOWN);
        let list = |uri: &str, name: &str, title: &str, description: &str| {
            let template = ResourceTemplate::new(uri, name).with_title(title).with_description(description);
            template.with_mime_type(MARKDOWN)
        };
        ListResourceTemplatesResult::with_all_items(vec![
            template,
            list(
                TAGGED,
                "articles-by-tag",
                "Articles with a tag",
                "The articles that have a tag, the last saved first",
            ),
            list(FOLDER, "articles-by-folder", "Articles of a folder", "The articles of a folder and below"),
        ])
    }

    pub(super) async fn resource(&self, uri: &str) -> Result<ReadResourceResult, ErrorData> {
        if let Some(list) = uri.strip_prefix(LISTS) {
            return self.list(uri, list).await;
        }
        let slug = &*slug(uri).ok_or_else(|| not_found(uri))?;
        let size = self.host.articles.weight(slug).await.map_err(failed)?;
        if size > MAX_WHOLE_ARTICLE_BYTES {
            let reason =
                format!("\"{slug}\" has {size} bytes, too many for a resource; read it in parts with read_article");
            return Err(ErrorData::invalid_params(reason, None));
        }
        let article = self.host.articles.read(slug).await.map_err(|error| match error {
            ArticleError::NotFound { .. } => not_found(uri),
            other => failed(other),
        })?;
        Ok(ReadResourceResult::new(vec![ResourceContents::text(article.body, uri).with_mime_type(MARKDOWN)]))
    }

    /// Returns the articles of a tag or a folder, as links. Nothing is in a list of what no article has: its name may
    /// be mistyped.
    async fn list(&self, uri: &str, list: &str) -> Result<ReadResourceResult, ErrorData> {
        let (kind, name) = list.split_once('/').ok_or_else(|| not_found(uri))?;
        let name = percent_decode_str(name).decode_utf8().map_err(|_| not_found(uri))?;
        let (folder, filter) = match kind {
            "tag" => (Ok(Folder::default()), Filter::parse(&format!("tag:\"{name}\"")).ok()),
            "folder" => (Folder::parse(&name), Some(Filter::default())),
            _ => return Err(not_found(uri)),
        };
        // A quotation mark in a name would make several words of it.
        let filter = filter.filter(|filter| filter.len() <= 1);
        let (Ok(folder), Some(filter)) = (folder, filter) else { return Err(not_found(uri)) };
        let page = self.host.articles.list_where(&folder, &filter, None, PAGE_SIZE).await.map_err(failed)?;
        if page.articles.is_empty() && !(kind == "folder" && folder.as_ref().is_empty()) {
            return Err(not_found(uri));
        }
        let line = |article: &ArticleSummary| format!("- [{}]({})\n", article.title, self::uri(&article.slug));
        let mut text: String = page.articles.iter().map(line).collect();
        if page.next_cursor.is_some() {
            let more =
                page.total.map_or_else(|| "many".to_owned(), |all| (all - page.articles.len() as i64).to_string());
            text.push_str(&format!("- and {more} more; list_articles shows them\n"));
        }
        Ok(ReadResourceResult::new(vec![ResourceContents::text(text, uri).with_mime_type(MARKDOWN)]))
    }

    pub(super) async fn completion(&self, request: CompleteRequestParams) -> Result<CompleteResult, ErrorData> {
        let Reference::Resource(reference) = &request.r#ref else { return Ok(CompleteResult::default()) };
        let (articles, start) = (&self.host.articles, request.argument.value.as_str());
        let most = CompletionInfo::MAX_VALUES;
        if start.len() > LONGEST_SLUG {
            return Ok(CompleteResult::default());
        }
        let found: Vec<String> = match (reference.uri.as_str(), request.argument.name.as_str()) {
            (TEMPLATE, "slug") => articles.slugs(start, most + 1).await.map_err(failed)?,
            (TAGGED | TAGGED_PLAINLY, "tag") => {
                let tags = articles.tags(start, most as u32 + 1).await.map_err(failed)?;
                tags.rows.into_iter().map(|tag| tag.tag).collect()
            }
            (FOLDER | FOLDER_PLAINLY, "folder") => {
                let folders = articles.folders().await.map_err(failed)?.into_iter().map(|folder| folder.folder);
                folders.filter(|folder| !folder.is_empty() && folder.starts_with(start)).take(most + 1).collect()
            }
            _ => return Ok(CompleteResult::default()),
        };
        let has_more = found.len() > most;
        let values = found.into_iter().take(most).collect();
        let completion = CompletionInfo::with_pagination(values, None, has_more);
        completion.map(CompleteResult::new).map_err(|error| ErrorData::internal_error(error, None))
    }
}

fn resource(article: ArticleSummary) -> Resource {
    Resource::new(uri(&article.slug), article.slug)
        .with_title(article.title)
        .with_mime_type(MARKDOWN)
        .with_size(u64::try_from(article.size).unwrap_or_default())
}

pub(super) fn not_found(uri: &str) -> ErrorData {
    let uri = printable::line(uri, MAX_SHOWN_ADDRESS_CHARS);
    let data = serde_json::json!({ "uri": uri });
    ErrorData::resource_not_found(
        format!("there is no resource \"{uri}\"; there are {TEMPLATE}, {TAGGED} and {FOLDER}"),
        Some(data),
    )
}

fn failed(error: ArticleError) -> ErrorData {
    match error {
        ArticleError::Store(_) => ErrorData::internal_error(Problem::from(error).into_text(), None),
        other => ErrorData::invalid_params(Problem::from(other).into_text(), None),
    }
}

//! What a file says of its article: from its front matter, else from its text, else from its place. An export asks the
//! same of what it is about to write, and adds what would otherwise be read differently.

use crate::{
    articles::{
        folder::Folder,
        front_matter::{Document, parse_time},
        request::{Limits, plain_title},
        slug::Slug,
    },
    markdown::first_title,
};

use super::place;

/// The article that a file is.
#[derive(Debug, Clone)]
pub(super) struct Content {
    pub(super) title: String,
    pub(super) head: String,
    pub(super) body: String,
    pub(super) folder: Folder,
    /// The slug it would have if no other file or article had it.
    pub(super) slug: Slug,
    /// Whether its front matter names the slug.
    pub(super) names_slug: bool,
    pub(super) created: Option<i64>,
    pub(super) updated: Option<i64>,
    pub(super) skip_embedding: bool,
    pub(super) former_slugs: Vec<Slug>,
    pub(super) warnings: Vec<String>,
}

/// Reads `text`, the file at `file` below a source whose articles stand below `above`.
pub(super) fn read(text: &str, file: &str, above: &Folder, limits: Limits) -> Content {
    let mut warnings = Vec::new();
    let mut text = std::borrow::Cow::Borrowed(text);
    if text.contains('\0') {
        warnings.push("NUL characters are left out: no database stores them".to_owned());
        text = text.replace('\0', "").into();
    }
    let document = Document::split(&text);
    let (fields, unread) = document.fields();
    warnings.extend(unread.iter().map(ToString::to_string));
    let title = fields.title.as_deref().map(plain_title).filter(|title| !title.is_empty());
    let title = title.or_else(|| property(&document.body, "title")).or_else(|| heading(&document.body, file));
    let mut title = title.unwrap_or_else(|| plain_title(place::stem(file)));
    if title.is_empty() {
        title = "Untitled".to_owned();
    }
    let length = title.chars().count();
    if length > limits.max_title {
        title = cut(&title, limits.max_title);
        warnings.push(format!("the title of {length} characters is cut to {}", limits.max_title));
    }
    let folder = fields.folder.as_deref().map(|folder| place_of(folder.split('/'), above));
    let named = fields.slug.as_deref().map(str::trim).filter(|slug| slug.chars().any(char::is_alphanumeric));
    let (former_slugs, odd): (Vec<_>, Vec<_>) =
        fields.former_slugs.iter().map(|slug| Slug::parse(slug)).partition(Result::is_ok);
    warnings.extend(odd.into_iter().filter_map(Result::err).map(|error| format!("former_slugs: {error}")));
    Content {
        title,
        folder: folder.unwrap_or_else(|| place_of(place::parents(file), above)),
        slug: named.map_or_else(|| Slug::from_title(place::stem(file)), Slug::from_title),
        names_slug: named.is_some(),
        created: fields.created,
        updated: fields.updated,
        skip_embedding: fields.skip_embedding.unwrap_or_default(),
        former_slugs: former_slugs.into_iter().filter_map(Result::ok).collect(),
        warnings,
        head: document.head,
        body: document.body,
    }
}

fn place_of<'p>(parts: impl Iterator<Item = &'p str>, above: &'p Folder) -> Folder {
    Folder::of_place(above.parts().chain(parts))
}

/// The first heading; but a note that is called by its day is not called "Tasks".
fn heading(body: &str, file: &str) -> Option<String> {
    let heading = first_title(body)?;
    let is_part = heading.level > 1 && parse_time(place::stem(file)).is_some();
    Some(plain_title(&heading.text)).filter(|title| !is_part && !title.is_empty())
}

/// A property that stands at the beginning of the text: `title:: …`
fn property(body: &str, key: &str) -> Option<String> {
    let lines = body.trim_start_matches('\u{feff}').lines();
    let properties = lines.map_while(|line| line.trim_start_matches("- ").trim().split_once(":: "));
    let value = properties.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value);
    value.map(plain_title).filter(|value| !value.is_empty())
}

/// So much of a title, to the end of a word.
pub(super) fn cut(title: &str, most: usize) -> String {
    let begin: String = title.chars().take(most.saturating_sub(1)).collect();
    let end = begin.rfind(' ').filter(|end| *end > begin.len() / 2).unwrap_or(begin.len());
    format!("{}…", begin[..end].trim_end())
}

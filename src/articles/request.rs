//! What callers ask of the article service, and the checks that need no database.

use afterword_actors::task::Priority;
use sha2::{Digest, Sha256};

use super::{
    ArticleError,
    folder::Folder,
    front_matter::{self, Setting, with_settings},
    slug::Slug,
};

/// An article to be created.
#[derive(Debug, Clone, Default)]
pub struct NewArticle {
    /// Plain text; never blank.
    pub title: String,
    /// Markdown; may be empty.
    pub body: String,
    /// `None`: made from the title.
    pub slug: Option<Slug>,
    /// Empty for the root.
    pub folder: Folder,
    /// The front matter of its file as it is written, fences included.
    pub front_matter: String,
    /// Values of the front matter to set.
    pub properties: Vec<(String, Option<Setting>)>,
    /// Exclude it from embedding.
    pub skip_embedding: bool,
    /// How urgent its embedding is; `None`: normal.
    pub priority: Option<Priority>,
    /// A repeated create with the same key returns the first article.
    pub idempotency_key: Option<String>,
    /// When it was created, for an import. *Units:* milliseconds since 1970.
    pub created_at: Option<i64>,
    /// When it was last saved, for an import. *Units:* milliseconds since 1970.
    pub updated_at: Option<i64>,
}

/// What to change in an article; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ArticlePatch {
    /// Plain text; never blank.
    pub title: Option<String>,
    /// Markdown.
    pub body: Option<String>,
    /// Its folder.
    pub folder: Option<Folder>,
    /// The front matter of its file as it is written, fences included.
    pub front_matter: Option<String>,
    /// Values of the front matter to set, or to remove. Unless the text's own block names them, a change of these alone
    /// embeds nothing.
    pub properties: Vec<(String, Option<Setting>)>,
    /// Whether to exclude it from embedding.
    pub skip_embedding: Option<bool>,
    /// How urgent its embedding is; `None`: normal.
    pub priority: Option<Priority>,
    /// Refuse if the article is at another revision.
    pub expected_revision: Option<i64>,
    /// When it was created, for an import. *Units:* milliseconds since 1970.
    pub created_at: Option<i64>,
    /// When it was last saved, for an import; `None`: now. *Units:* milliseconds since 1970.
    pub updated_at: Option<i64>,
}

impl ArticlePatch {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        let Self {
            title,
            body,
            folder,
            front_matter,
            properties,
            skip_embedding,
            priority,
            expected_revision: _,
            created_at,
            updated_at,
        } = self;
        title.is_none()
            && body.is_none()
            && folder.is_none()
            && front_matter.is_none()
            && properties.is_empty()
            && skip_embedding.is_none()
            && priority.is_none()
            && created_at.is_none()
            && updated_at.is_none()
    }
}

/// How large an article may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest body. *Units:* bytes.
    pub max_size: u64,
    /// Longest title. *Units:* characters.
    pub max_title: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_size: 64 << 20, max_title: 300 }
    }
}

/// Longest idempotency key. *Units:* bytes.
const MAX_KEY: usize = 255;

impl NewArticle {
    /// Checks the article and prepares it for storing.
    pub(crate) fn checked(mut self, limits: Limits) -> Result<Self, ArticleError> {
        self.title = checked_title(&self.title, limits)?;
        (self.front_matter, self.body) = set(self.front_matter, self.body, &self.properties)?;
        self.body = checked_body(self.body, limits)?;
        self.properties.clear();
        if let Some(key) = &self.idempotency_key
            && (key.is_empty() || key.len() > MAX_KEY)
        {
            return Err(ArticleError::invalid("idempotency_key", format!("must have 1 to {MAX_KEY} bytes")));
        }
        Ok(self)
    }

    /// Hash of everything that a repeated create must have in common with the first.
    pub(super) fn request_hash(&self) -> String {
        let slug = self.slug.as_ref().map_or("", AsRef::as_ref);
        // As it was before this was part of it, so that keys of an earlier version still hold.
        let excluded = if self.skip_embedding { " skip_embedding" } else { "" };
        let front_matter = format!("{}{excluded}", self.front_matter);
        hash(&[&self.title, &self.body, slug, self.folder.as_ref(), &front_matter])
    }
}

/// The longest front matter that settings may change or make. *Units:* bytes.
const LONGEST_HEAD: usize = 256 << 10;
/// Most properties that one change sets: the front matter is read again for each.
const MAX_SETTINGS: usize = 200;

/// An article's front matter and its text with these values. A key that the block at the beginning of the text names is
/// set there, because what stands there counts first; any other beside the text, which stays as it is.
pub(super) fn set(
    front_matter: String,
    body: String,
    properties: &[(String, Option<Setting>)],
) -> Result<(String, String), ArticleError> {
    if properties.is_empty() {
        return Ok((front_matter, body));
    }
    let body = set_in_text(body, properties)?;
    let named = front_matter::keys(&body);
    let beside = properties.iter().map(|(key, setting)| {
        // What an earlier version has copied beside the text does not count any more.
        (key.clone(), setting.clone().filter(|_| !named.contains(&front_matter::named(key))))
    });
    Ok((with(front_matter, &body, &beside.collect::<Vec<_>>())?, body))
}

/// A text with those values that the block at its beginning names.
pub(super) fn set_in_text(body: String, properties: &[(String, Option<Setting>)]) -> Result<String, ArticleError> {
    checked_properties(properties)?;
    if properties.is_empty() {
        return Ok(body);
    }
    let head = front_matter::head(&body);
    let named = front_matter::keys(head);
    let own: Vec<_> = properties.iter().filter(|(key, _)| named.contains(&front_matter::named(key))).cloned().collect();
    if own.is_empty() {
        return Ok(body);
    }
    let set = with(head.to_owned(), &body, &own)?;
    Ok(set + &body[head.len()..])
}

/// Checks names and number of properties.
fn checked_properties(properties: &[(String, Option<Setting>)]) -> Result<(), ArticleError> {
    if properties.len() > MAX_SETTINGS {
        let given = properties.len();
        let message = format!("are {given}, and at most {MAX_SETTINGS} can be set at once; set the others afterwards");
        return Err(ArticleError::invalid("properties", message));
    }
    let is_key = |key: &str| !key.trim().is_empty() && !key.contains(char::is_control) && key.len() <= 200;
    if let Some((key, _)) = properties.iter().find(|(key, _)| !is_key(key)) {
        let message = format!("\"{}\" is not the name of a property", key.escape_debug());
        return Err(ArticleError::invalid("properties", message));
    }
    // To remove one is harmless: files of other programs have them.
    let mut set = properties.iter().filter(|(_, setting)| setting.is_some());
    match set.find_map(|(key, _)| Some((key, front_matter::own(key)?))) {
        None => Ok(()),
        Some((key, said)) => {
            let message = format!("\"{}\" is no property, but {said}", key.trim());
            Err(ArticleError::invalid("properties", message))
        }
    }
}

/// Front matter with these values.
fn with(head: String, body: &str, properties: &[(String, Option<Setting>)]) -> Result<String, ArticleError> {
    let mut set = head;
    for property in properties {
        within_bounds(&set)?;
        set = with_settings(&set, body, std::slice::from_ref(property));
    }
    within_bounds(&set)?;
    Ok(set)
}

fn within_bounds(head: &str) -> Result<(), ArticleError> {
    if head.len() <= LONGEST_HEAD {
        return Ok(());
    }
    let message = format!("front matter of {} bytes; at most {LONGEST_HEAD} can be changed", head.len());
    Err(ArticleError::invalid("properties", message))
}

impl ArticlePatch {
    /// Whether they may change what searches look at, even if the body stays.
    pub(super) fn are_of_words(&self) -> bool {
        self.title.is_some() || self.front_matter.is_some() || !self.properties.is_empty()
    }

    /// Checks the change and prepares it for storing.
    pub(crate) fn checked(mut self, limits: Limits) -> Result<Self, ArticleError> {
        self.title = self.title.map(|title| checked_title(&title, limits)).transpose()?;
        let body = self.body.map(|body| set_in_text(body, &self.properties)).transpose()?;
        self.body = body.map(|body| checked_body(body, limits)).transpose()?;
        Ok(self)
    }
}

/// A title as it is stored: in one line.
pub(crate) fn plain_title(title: &str) -> String {
    let title: String = title.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    title.trim().to_owned()
}

fn checked_title(title: &str, limits: Limits) -> Result<String, ArticleError> {
    let title = plain_title(title);
    if title.is_empty() {
        return Err(ArticleError::invalid("title", "must not be blank"));
    }
    let length = title.chars().count();
    if length > limits.max_title {
        return Err(ArticleError::invalid(
            "title",
            format!("has {length} characters, and at most {} are allowed", limits.max_title),
        ));
    }
    Ok(title)
}

/// Checks a body and drops NUL characters, which no database can store in text.
pub(super) fn checked_body(body: String, limits: Limits) -> Result<String, ArticleError> {
    let size = body.len() as u64;
    if size > limits.max_size {
        return Err(ArticleError::TooLarge { size, limit: limits.max_size });
    }
    Ok(if body.contains('\0') { body.replace('\0', "") } else { body })
}

/// Hash of what is embedded. Equal hashes mean that the stored vectors are still valid.
pub(crate) fn content_hash(title: &str, body: &str) -> String {
    hash(&[title, body])
}

fn hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

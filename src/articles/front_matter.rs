//! Markdown files with YAML front matter, read and written without loss.

use serde_norway::{Mapping, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{markdown::first_title, time::Timestamp};

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// From the front matter.
    pub title: Option<String>,
    /// From the front matter.
    pub slug: Option<String>,
    /// From the front matter.
    pub folder: Option<String>,
    /// From the front matter. *Units:* milliseconds since 1970.
    pub created: Option<i64>,
    /// From the front matter. *Units:* milliseconds since 1970.
    pub updated: Option<i64>,
    /// Never embed it.
    pub skip_embedding: bool,
    /// Keys that Afterword does not know, YAML; empty if there are none.
    pub extra: String,
    /// What follows the front matter, byte for byte.
    pub body: String,
}

/// Front matter that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrontMatterError {
    /// No YAML.
    #[error("the front matter is no valid YAML: {0}; put values with colons or quotes into quotes")]
    Yaml(String),
    /// A known key with a value that cannot be.
    #[error("the front matter's \"{key}\" must be {expected}")]
    Value {
        /// The key.
        key: &'static str,
        /// What is allowed.
        expected: &'static str,
    },
}

const FENCE: &str = "---";

impl Document {
    /// The title, or the first heading of the body.
    pub fn title_or_heading(&self) -> Option<String> {
        self.title.clone().or_else(|| first_title(&self.body))
    }
}

/// Reads a file's text. Without front matter, all of it is body.
///
/// # Errors
/// [`FrontMatterError`] if there is front matter that cannot be read.
pub fn parse(text: &str) -> Result<Document, FrontMatterError> {
    let Some((yaml, body)) = split(text) else {
        return Ok(Document { body: text.to_owned(), ..Document::default() });
    };
    let value: Value = serde_norway::from_str(yaml).map_err(|error| FrontMatterError::Yaml(error.to_string()))?;
    let mut keys = match value {
        Value::Mapping(keys) => keys,
        Value::Null => Mapping::new(),
        // A rule at the top of a text, and another one further down: no front matter.
        _ => return Ok(Document { body: text.to_owned(), ..Document::default() }),
    };
    let document = Document {
        title: text_of(&mut keys, "title")?,
        slug: text_of(&mut keys, "slug")?,
        folder: text_of(&mut keys, "folder")?,
        created: time_of(&mut keys, "created")?,
        updated: time_of(&mut keys, "updated")?,
        skip_embedding: switch_of(&mut keys, "skip_embedding")?,
        extra: String::new(),
        body: body.to_owned(),
    };
    Ok(Document { extra: as_yaml(&keys)?, ..document })
}

/// Writes a file's text, such that [`parse`] reads the same document.
///
/// # Errors
/// [`FrontMatterError`] if `extra` is no YAML.
pub fn write(document: &Document) -> Result<String, FrontMatterError> {
    let mut keys = Mapping::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            keys.insert(Value::from(key), value);
        }
    };
    let time = |at: Option<i64>| at.map(|at| Value::from(Timestamp(at).to_string()));
    put("title", document.title.clone().map(Value::from));
    put("slug", document.slug.clone().map(Value::from));
    put("folder", document.folder.clone().map(Value::from));
    put("created", time(document.created));
    put("updated", time(document.updated));
    put("skip_embedding", document.skip_embedding.then_some(Value::Bool(true)));
    let yaml = as_yaml(&keys)?;
    Ok(format!("{FENCE}\n{yaml}{}{FENCE}\n{}", document.extra, document.body))
}

/// The YAML between the fences, and what follows; `None` if there are no fences.
fn split(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let rest = text.strip_prefix(FENCE)?;
    let start = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n'))?;
    let mut offset = 0;
    for line in start.split_inclusive('\n') {
        if line.trim_end_matches(['\r', '\n']) == FENCE {
            return Some((&start[..offset], &start[offset + line.len()..]));
        }
        offset += line.len();
    }
    None
}

fn text_of(keys: &mut Mapping, key: &'static str) -> Result<Option<String>, FrontMatterError> {
    match keys.shift_remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        // `title: 1984` is a number to YAML and a title to people.
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(Value::Bool(switch)) => Ok(Some(switch.to_string())),
        Some(_) => Err(FrontMatterError::Value { key, expected: "text" }),
    }
}

fn time_of(keys: &mut Mapping, key: &'static str) -> Result<Option<i64>, FrontMatterError> {
    let wrong = || FrontMatterError::Value { key, expected: "a time such as 2024-05-31T12:00:00Z, or a date" };
    let Some(text) = text_of(keys, key).map_err(|_| wrong())? else { return Ok(None) };
    let time = OffsetDateTime::parse(&text, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(&format!("{text}T00:00:00Z"), &Rfc3339))
        .map_err(|_| wrong())?;
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).map(Some).map_err(|_| wrong())
}

fn switch_of(keys: &mut Mapping, key: &'static str) -> Result<bool, FrontMatterError> {
    match keys.shift_remove(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(switch)) => Ok(switch),
        Some(_) => Err(FrontMatterError::Value { key, expected: "true or false" }),
    }
}

fn as_yaml(keys: &Mapping) -> Result<String, FrontMatterError> {
    if keys.is_empty() {
        return Ok(String::new());
    }
    serde_norway::to_string(keys).map_err(|error| FrontMatterError::Yaml(error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn unknown_keys_stay_and_known_ones_are_read() {
        let text = "---\ntitle: \"A: b\"\ntags:\n- x\n- y\nslug: a-b\ncreated: 2024-05-31\n---\n# Body\n";
        let document = parse(text).expect("a document");
        assert_eq!(document.title.as_deref(), Some("A: b"));
        assert_eq!(document.slug.as_deref(), Some("a-b"));
        assert_eq!(document.created, Some(1_717_113_600_000));
        assert_eq!(document.extra, "tags:\n- x\n- y\n");
        assert_eq!(document.body, "# Body\n");
    }

    #[test]
    fn a_text_without_front_matter_is_all_body() {
        for text in ["", "# Title\n", "---\nno end", "---\n\njust a rule\n\n---\nmore", "--- \nx\n---\n"] {
            assert_eq!(parse(text).expect("a document").body, text);
        }
        assert_eq!(parse("# Title\n").expect("a document").title_or_heading().as_deref(), Some("Title"));
    }

    #[test]
    fn faults_say_what_and_where() {
        let error = parse("---\ntitle: a: b\n---\n").expect_err("no YAML").to_string();
        assert!(error.contains("line"), "{error}");
        let error = parse("---\nskip_embedding: maybe\n---\n").expect_err("no switch").to_string();
        assert!(error.contains("skip_embedding") && error.contains("true or false"), "{error}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            title in proptest::option::of(any::<String>()),
            slug in proptest::option::of("[a-z-]{1,10}"),
            folder in proptest::option::of(any::<String>()),
            created in proptest::option::of(0i64..4_000_000_000_000),
            skip_embedding in any::<bool>(),
            extra in prop_oneof![Just(String::new()), Just("tags:\n- x\n".to_owned())],
            body in any::<String>(),
        ) {
            let document = Document { title, slug, folder, created, updated: created, skip_embedding, extra, body };
            let text = write(&document).expect("a text");
            prop_assert_eq!(parse(&text), Ok(document));
        }
    }
}

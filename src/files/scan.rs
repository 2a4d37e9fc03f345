//! The first reading of a file: what has to be known of it before anything is planned, and not its text.

use super::{
    content::{self, Content},
    decode, hash,
    layouts::Reading,
    place,
    report::FileProblem,
    root::Root,
    slugs::Wish,
};
use crate::articles::{
    folder::Folder,
    request::{self, Limits},
    slug::Slug,
};

/// What is known of a file that was read.
#[derive(Debug, Clone)]
pub(super) struct ScannedFile {
    pub(super) file: String,
    /// Of its bytes.
    pub(super) hash: String,
    /// Of what would be embedded: equal to that of an article that says the same.
    pub(super) content_hash: String,
    pub(super) front_matter: String,
    pub(super) wish: Wish,
    pub(super) former_slugs: Vec<Slug>,
    pub(super) warnings: Vec<String>,
    /// There is nothing in it but blanks, and the mark that some programs put before every text.
    pub(super) is_blank: bool,
    /// Its article cannot say all that it says.
    pub(super) holds_nul: bool,
    /// *Units:* bytes.
    pub(super) size: u64,
}

/// Reads a file of a folder that lies at `prefix` in its source, as `reading` says.
pub(super) fn scan(
    root: &Root,
    file: &str,
    prefix: &str,
    above: &Folder,
    limits: Limits,
    reading: &Reading,
) -> Result<ScannedFile, FileProblem> {
    let problem = |error: &dyn std::fmt::Display| FileProblem::new(file, error);
    let bytes = root.read(file, limits.max_size).map_err(|error| problem(&error))?;
    let text = decode::text(bytes).map_err(|error| problem(&error))?;
    let placed = place::join(prefix, file);
    let content = reading.content(&text, &placed, above, limits).map_err(|error| problem(&error))?;
    Ok(of_content(&text, file, placed, content))
}

/// What is known of a file that holds `text`.
pub(super) fn of_text(text: &str, file: &str, prefix: &str, above: &Folder, limits: Limits) -> ScannedFile {
    let placed = place::join(prefix, file);
    let content = content::read(text, &placed, above, limits);
    of_content(text, file, placed, content)
}

/// What is known of a file that holds `text`, and says `content`.
fn of_content(text: &str, file: &str, placed: String, content: Content) -> ScannedFile {
    ScannedFile {
        file: file.to_owned(),
        hash: hash(text.as_bytes()),
        content_hash: request::content_hash(&content.title, &content.body),
        front_matter: content.head,
        wish: Wish { file: placed, slug: content.slug, is_named: content.names_slug, folder: content.folder },
        former_slugs: content.former_slugs,
        warnings: content.warnings,
        is_blank: text.chars().all(|c| c.is_whitespace() || c == '\u{feff}'),
        holds_nul: text.contains('\0'),
        size: text.len() as u64,
    }
}

//! An article becomes a file, which an import reads back without loss.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::OnConflict;
use crate::articles::{
    Article,
    front_matter::{self, Document},
};

/// What became of an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Exported {
    /// A new file.
    Created,
    /// A file changed.
    Updated,
    /// A file holds the same already.
    Unchanged,
    /// A file of this name exists and was left as it is.
    Skipped,
    /// A file of this name exists with another content, and that is an error.
    Exists,
}

/// Where `article` goes below `directory`. Slugs and folders hold nothing that leads out of it.
pub fn exported_path(article: &Article, directory: &Path) -> PathBuf {
    directory.join(&article.folder).join(format!("{}.md", article.slug))
}

/// Writes `article` to its file; a half-written file never bears its name. With `dry_run` it only says what would be
/// done.
///
/// # Errors
/// [`io::Error`]
pub fn export_file(
    article: &Article,
    directory: &Path,
    on_conflict: OnConflict,
    dry_run: bool,
) -> io::Result<Exported> {
    let path = exported_path(article, directory);
    let text = front_matter::write(&as_document(article)).map_err(io::Error::other)?;
    let outcome = match (fs::read(&path), on_conflict) {
        (Ok(present), _) if present == text.as_bytes() => return Ok(Exported::Unchanged),
        (Ok(_), OnConflict::Skip) => return Ok(Exported::Skipped),
        (Ok(_), OnConflict::Fail) => return Ok(Exported::Exists),
        (Ok(_), OnConflict::Update) => Exported::Updated,
        (Err(error), _) if error.kind() == io::ErrorKind::NotFound => Exported::Created,
        (Err(error), _) => return Err(error),
    };
    if !dry_run {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let part = path.with_extension("md.part");
        fs::write(&part, text)?;
        fs::rename(&part, &path)?;
    }
    Ok(outcome)
}

fn as_document(article: &Article) -> Document {
    Document {
        title: Some(article.title.clone()),
        slug: Some(article.slug.clone()),
        folder: Some(article.folder.clone()),
        created: Some(article.created_at.0),
        updated: Some(article.updated_at.0),
        skip_embedding: article.skip_embedding,
        extra: article.extra.clone(),
        body: article.body.clone(),
    }
}

//! A file becomes an article. Slug, title and folder come from its front matter, else from its name and place.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;
use walkdir::WalkDir;

use crate::articles::{
    ArticleError, Articles, Changes, NewArticle,
    folder::{Folder, FolderError},
    front_matter::{self, Document, FrontMatterError},
    slug::Slug,
};

/// What to do about an article that exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// Leave it as it is.
    Skip,
    /// Change it.
    Update,
    /// Leave it, and call it an error.
    Fail,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "lowercase")]
pub enum Imported {
    /// A new article.
    Created {
        /// Its slug.
        slug: String,
    },
    /// An article changed.
    Updated {
        /// Its slug.
        slug: String,
    },
    /// An article holds the same already.
    Unchanged {
        /// Its slug.
        slug: String,
    },
    /// An article of this slug exists and was left as it is.
    Skipped {
        /// Its slug.
        slug: String,
    },
}

/// Why a file did not become an article.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is no text.
    #[error("is not UTF-8 text; convert it first")]
    NotText,
    /// Its front matter.
    #[error(transparent)]
    FrontMatter(#[from] FrontMatterError),
    /// Its folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The service refused it.
    #[error(transparent)]
    Article(#[from] ArticleError),
}

/// All markdown files in `directory` and below, in order. Links are not followed: they may lead anywhere.
///
/// # Errors
/// [`io::Error`] if the directory cannot be read.
pub fn markdown_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in WalkDir::new(directory).sort_by_file_name() {
        let entry = entry.map_err(io::Error::from)?;
        let extension = entry.path().extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if entry.file_type().is_file() && matches!(extension, "md" | "markdown") {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

/// Imports `file`, which lies in `directory`, below the folder `above`. With `dry_run` it only says what would be done.
///
/// # Errors
/// [`ImportError`]; nothing was saved.
pub async fn import_file(
    articles: &Articles,
    file: &Path,
    directory: &Path,
    above: &Folder,
    on_conflict: OnConflict,
    dry_run: bool,
) -> Result<Imported, ImportError> {
    let text = String::from_utf8(fs::read(file)?).map_err(|_| ImportError::NotText)?;
    let document = front_matter::parse(&text)?;
    let new = as_article(document, file, directory, above)?;
    let slug = new.slug.clone().unwrap_or_else(|| Slug::from_title(&new.title));
    let existing = match articles.read(slug.as_ref()).await {
        Ok(existing) => Some(existing),
        Err(ArticleError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    match (existing, on_conflict) {
        (None, _) if dry_run => Ok(Imported::Created { slug: slug.to_string() }),
        (None, _) => Ok(Imported::Created { slug: articles.create(new).await?.article.slug }),
        (Some(existing), OnConflict::Skip) => Ok(Imported::Skipped { slug: existing.slug }),
        (Some(existing), OnConflict::Fail) => {
            Err(ArticleError::Exists { slug: existing.slug, title: existing.title }.into())
        }
        (Some(existing), OnConflict::Update) => {
            let same = existing.title == new.title
                && existing.body == new.body
                && existing.folder == new.folder.as_ref()
                && existing.extra == new.extra
                && existing.skip_embedding == new.skip_embedding;
            if same {
                return Ok(Imported::Unchanged { slug: existing.slug });
            }
            if !dry_run {
                articles.update(&existing.slug, as_changes(new)).await?;
            }
            Ok(Imported::Updated { slug: existing.slug })
        }
    }
}

fn as_article(document: Document, file: &Path, directory: &Path, above: &Folder) -> Result<NewArticle, ImportError> {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or("article").to_owned();
    let slug = match &document.slug {
        Some(slug) => Slug::parse(slug).map_err(ArticleError::from)?,
        None => Slug::from_title(&stem),
    };
    let folder = match &document.folder {
        Some(folder) => Folder::parse(folder)?,
        None => place(file, directory)?,
    };
    Ok(NewArticle {
        title: document.title_or_heading().unwrap_or(stem),
        body: document.body,
        slug: Some(slug),
        folder: folder.below(above)?,
        extra: document.extra,
        skip_embedding: document.skip_embedding,
        created_at: document.created,
        ..NewArticle::default()
    })
}

fn as_changes(new: NewArticle) -> Changes {
    Changes {
        title: Some(new.title),
        body: Some(new.body),
        folder: Some(new.folder),
        extra: Some(new.extra),
        skip_embedding: Some(new.skip_embedding),
        ..Changes::default()
    }
}

/// The sub-folder a file lies in.
fn place(file: &Path, directory: &Path) -> Result<Folder, FolderError> {
    let below = file.parent().and_then(|parent| parent.strip_prefix(directory).ok());
    let parts = below.into_iter().flat_map(Path::components).map(|part| part.as_os_str().to_string_lossy());
    Folder::parse(&parts.collect::<Vec<_>>().join("/"))
}

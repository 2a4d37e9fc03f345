//! Which links name a renamed article by what it was called: by a former slug, or by a file that is about to get
//! another name.
//!
//! The next export or run of `sync` calls the file of a renamed article by its new slug, unless its front matter names
//! the slug.

use std::collections::BTreeSet;

use afterword_actors::store::{StoreError, sql::Sql};

use super::incoming::Incoming;
use crate::{
    articles::{
        Article,
        front_matter::joined,
        links::{name, name_at},
        slug::Slug,
    },
    markdown::Form,
};

/// What a renamed article was called.
#[derive(Debug)]
pub(super) struct FormerNames {
    former: BTreeSet<String>,
    files: Vec<File>,
    /// The folder of the article.
    folder: String,
}

/// A file of the article.
#[derive(Debug)]
struct File {
    place: (i64, String),
    /// Whether it is about to be called by the new slug.
    is_renamed: bool,
}

impl FormerNames {
    pub(super) async fn of(connection: &impl Sql, article: &Article) -> Result<Self, StoreError> {
        let former = "SELECT slug FROM slug_aliases WHERE article_id = $1";
        let former: Vec<String> = connection.rows(former, [article.id.into()]).await?;
        let files = "SELECT source_id, path, slug FROM article_sources WHERE article_id = $1 ORDER BY source_id, path";
        let rows: Vec<(i64, String, String)> = connection.rows(files, [article.id.into()]).await?;
        let names_slug = joined(&article.front_matter, &article.body).fields().0.slug.is_some();
        let mut files = Vec::with_capacity(rows.len());
        for (source, path, slug) in rows {
            let new = slug != article.slug && !names_slug;
            let new = new.then(|| place_of(&path, &article.slug)).flatten();
            let is_renamed = match new {
                Some(new) => is_free(connection, source, &new).await?,
                None => false,
            };
            files.push(File { place: (source, path), is_renamed });
        }
        Ok(Self { former: former.into_iter().collect(), files, folder: article.folder.clone() })
    }

    /// The slugs that its former names make.
    pub(super) fn keys(&self) -> BTreeSet<String> {
        let files = self.files.iter().filter(|file| file.is_renamed);
        let files = files.map(|file| Slug::from_title(&file.name()).to_string());
        self.former.iter().cloned().chain(files).collect()
    }

    /// Whether a link that leads to the article is to name it otherwise.
    pub(super) fn names(&self, link: &Incoming) -> bool {
        if let Some(place) = &link.file {
            return self.files.iter().any(|file| file.place == *place && file.is_renamed);
        }
        if link.form == Form::Wiki && !self.is_in(&link.target) {
            return false;
        }
        let written = name(&link.target, link.form);
        let is_called = |file: &&File| file.name().eq_ignore_ascii_case(&written) && link.form != Form::Address;
        match self.files.iter().find(is_called) {
            Some(file) => file.is_renamed,
            None => {
                let is_former = |former: &String| former.eq_ignore_ascii_case(&written);
                let is_of_file = link.form == Form::Path && name_at(&link.target).end < link.target.len();
                let by_former = self.former.contains(Slug::from_title(&written).as_ref());
                self.former.iter().any(is_former) || by_former && is_of_file
            }
        }
    }
}

impl FormerNames {
    /// Whether the path of a target, if it has one, leads to where the article is. Another path means another article,
    /// which is not there.
    fn is_in(&self, target: &str) -> bool {
        let path = target[..name_at(target).start].trim().trim_matches('/');
        let path: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
        let folder: Vec<&str> = self.folder.split('/').filter(|part| !part.is_empty()).collect();
        let at = folder.len().checked_sub(path.len());
        at.is_some_and(|at| folder[at..].iter().zip(&path).all(|(there, here)| there.eq_ignore_ascii_case(here)))
    }
}

impl File {
    /// Its name, as links write it.
    fn name(&self) -> String {
        name(&self.place.1, Form::Wiki)
    }
}

/// Where the file at `path` goes when it is called by `slug`; `None` for one that is no markdown and stays where it is.
fn place_of(path: &str, slug: &str) -> Option<String> {
    let at = name_at(path);
    (at.end < path.len()).then(|| [&path[..at.start], slug, &path[at.end..]].concat())
}

/// Whether no other file of the folder has this place: then the file gets it, else it gets a suffix that is not known
/// yet.
async fn is_free(connection: &impl Sql, source: i64, path: &str) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) AS n FROM article_sources WHERE source_id = $1 AND path = $2";
    let held: Option<i64> = connection.row(sql, [source.into(), path.into()]).await?;
    Ok(held.unwrap_or_default() == 0)
}

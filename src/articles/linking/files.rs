//! Resolves links to files: to the articles that came from these files.

use std::collections::{HashMap, HashSet};

use afterword_actors::store::{
    StoreError,
    sql::{self, Sql},
};

use crate::{
    articles::{links::decoded, slug::Slug},
    markdown::Form,
};

/// The files that some links lead to.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Sources and paths of the articles that contain the links.
    places: HashMap<i64, FilePlace>,
    articles: HashMap<FilePlace, Target>,
}

type FilePlace = (i64, String);

/// A file, and the article that came from it.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) place: FilePlace,
    pub(super) slug: String,
    pub(super) title: String,
}

impl Files {
    /// Finds the files that `links` lead to: each is the number of the article that contains it, its form and its
    /// target.
    pub(super) async fn of<'a>(
        connection: &impl Sql,
        links: impl Iterator<Item = (i64, &'a str, &'a str)>,
    ) -> Result<Self, StoreError> {
        let links: Vec<_> = links.filter(|(_, form, target)| may_mean_a_file(form, target)).collect();
        if links.is_empty() {
            return Ok(Self::default());
        }
        let ids: HashSet<i64> = links.iter().map(|(id, ..)| *id).collect();
        let places = places(connection, &ids).await?;
        let wanted = links.iter().filter_map(|(id, form, target)| {
            let place = places.get(id)?;
            Some(candidates(place, form, target))
        });
        let wanted: HashSet<FilePlace> = wanted.flatten().collect();
        if wanted.is_empty() {
            return Ok(Self::default());
        }
        let sql = "SELECT s.source_id, s.path, a.slug, a.title FROM {rows $1: source_id BIGINT, path TEXT} j
                   JOIN article_sources s ON s.source_id = j.source_id AND s.path = j.path
                   JOIN articles a ON a.id = s.article_id";
        let wanted = sql::json(&wanted)?;
        let found: Vec<(i64, String, String, String)> = connection.rows(sql, [wanted]).await?;
        let target = |(source, path, slug, title): (i64, String, String, String)| {
            let place = (source, path);
            (place.clone(), Target { place, slug, title })
        };
        let articles = found.into_iter().map(target).collect();
        Ok(Self { places, articles })
    }

    /// Returns the file that a link of the article `id` leads to.
    pub(super) fn at(&self, id: i64, form: &str, target: &str) -> Option<&Target> {
        if !may_mean_a_file(form, target) {
            return None;
        }
        candidates(self.places.get(&id)?, form, target).into_iter().find_map(|place| self.articles.get(&place))
    }
}

/// Where the files of these articles are; of several files of one article, the first.
async fn places(connection: &impl Sql, ids: &HashSet<i64>) -> Result<HashMap<i64, FilePlace>, StoreError> {
    let sql = "SELECT s.article_id, s.source_id, s.path FROM {ids $1} j
               JOIN article_sources s ON s.article_id = j.id ORDER BY s.source_id DESC, s.path DESC";
    let ids = sql::json(ids)?;
    let rows: Vec<(i64, i64, String)> = connection.rows(sql, [ids]).await?;
    Ok(rows.into_iter().map(|(article, source, path)| (article, (source, path))).collect())
}

/// A wiki link that is written as a slug leads to the slug; with a path, or another name, it may mean a file.
fn may_mean_a_file(form: &str, target: &str) -> bool {
    form == Form::Path.as_str() || form == Form::Wiki.as_str() && Slug::parse(target).is_err()
}

/// The files that `target` may mean in a file at `place`, the likeliest first. Paths of wiki links begin at the top of
/// the folder, other paths beside the file; each is looked for at the other place too, as Obsidian does.
fn candidates((source, path): &FilePlace, form: &str, target: &str) -> Vec<FilePlace> {
    let is_wiki = form == Form::Wiki.as_str();
    let target = if is_wiki { target.into() } else { decoded(target) };
    let (at_top, beside) = (beside("", &target), beside(path, &target));
    let places = if is_wiki && target.contains('/') { [at_top, beside] } else { [beside, at_top] };
    places.into_iter().flatten().flat_map(|path| [(*source, path.clone()), (*source, path + ".md")]).collect()
}

/// The path that `target` leads to from the file `from`; `None` if that is outside the source.
fn beside(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    if target.starts_with('/') {
        parts.clear();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::{beside, candidates};

    #[test]
    fn a_relative_link_leads_from_its_file() {
        for (from, target, to) in [
            ("a/b.md", "c.md", Some("a/c.md")),
            ("a/b.md", "../c.md", Some("c.md")),
            ("a/b.md", "./d/./c.md", Some("a/d/c.md")),
            ("a/b.md", "/c.md", Some("c.md")),
            ("b.md", "../c.md", None),
        ] {
            assert_eq!(beside(from, target).as_deref(), to, "{from} {target}");
        }
    }

    #[test]
    fn paths_of_wiki_links_begin_at_the_top() {
        let places = |form, target| {
            let places = candidates(&(1, "a/b.md".to_owned()), form, target);
            places.into_iter().map(|(_, path)| path).collect::<Vec<_>>()
        };
        assert_eq!(places("wiki", "c/d"), ["c/d", "c/d.md", "a/c/d", "a/c/d.md"]);
        assert_eq!(places("wiki", "../C++"), ["C++", "C++.md"]);
        assert_eq!(places("wiki", "C++"), ["a/C++", "a/C++.md", "C++", "C++.md"]);
        assert_eq!(places("path", "c%20d.md"), ["a/c d.md", "a/c d.md.md", "c d.md", "c d.md.md"]);
    }
}

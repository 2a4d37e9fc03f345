//! Mends links after an article was renamed.

use std::collections::{BTreeMap, HashSet};

use afterword_actors::store::sql::Sql;

use super::{incoming, linked::Linked};
use crate::{
    api::{Mended, Unmended},
    articles::{Article, ArticleError, Articles, Changes, Saved, front_matter::Document, links::name, slug::Slug},
    markdown::{Link, Mentions},
};

/// How often an article is mended again after a save in between.
const TRIES: usize = 5;

/// What became of the links to an article that was renamed.
#[derive(Debug, Default)]
pub struct Relinked {
    /// Articles whose links were changed.
    pub mended: Vec<Mended>,
    /// Articles whose links could not be changed.
    pub unmended: Vec<Unmended>,
}

impl Articles {
    /// Renames an article, and mends the links that name it by a former slug: one revision for each linking article. Done
    /// again with the same slug, it mends what was not mended.
    ///
    /// # Errors
    /// Those of [`Articles::rename`], and [`ArticleError::Store`]; what was done before stays done.
    pub async fn rename_with_links(
        &self,
        slug: &str,
        to: Slug,
        expected_revision: Option<i64>,
    ) -> Result<(Saved, Relinked), ArticleError> {
        let saved = self.rename(slug, to, expected_revision).await?;
        let relinked = self.mend_links(&saved.article).await?;
        if relinked.mended.iter().any(|mended| mended.slug == saved.article.slug) {
            return Ok((Saved { article: self.read(&saved.article.slug).await?, ..saved }, relinked));
        }
        Ok((saved, relinked))
    }

    /// Changes links that name an article by a former slug to its present one: one revision for each linking article.
    /// Links by title or alias stay, because they are still right, and so do links to its file.
    ///
    /// # Errors
    /// [`ArticleError::Store`]; what was mended before stays mended.
    pub async fn mend_links(&self, article: &Article) -> Result<Relinked, ArticleError> {
        let former = "SELECT slug FROM slug_aliases WHERE article_id = $1 ORDER BY slug";
        let former: Vec<String> = self.database.reader().rows(former, [article.id.into()]).await?;
        let mut relinked = Relinked::default();
        for former in former {
            self.mend_links_by(&former, article, &mut relinked).await?;
        }
        Ok(relinked)
    }

    async fn mend_links_by(
        &self,
        former: &str,
        article: &Article,
        relinked: &mut Relinked,
    ) -> Result<(), ArticleError> {
        let (linked, mut after) = (Linked::from(article), 0);
        loop {
            let links = incoming::named(self.database.reader(), &linked, former, after).await?;
            let Some(last) = links.last() else { return Ok(()) };
            after = last.article_id;
            let mut targets: BTreeMap<String, HashSet<String>> = BTreeMap::new();
            for link in links.into_iter().filter(|link| !link.is_by_file) {
                targets.entry(link.slug).or_default().insert(link.target);
            }
            for (slug, targets) in targets {
                let renaming = Renaming { former, present: &article.slug, targets };
                match self.mend(&slug, &renaming).await {
                    Ok(mended) => relinked.mended.extend(mended),
                    // It was deleted meanwhile.
                    Err(ArticleError::NotFound { .. }) => {}
                    Err(ArticleError::Store(error)) => return Err(error.into()),
                    Err(error) => relinked.unmended.push(Unmended { slug, reason: error.to_string() }),
                }
            }
        }
    }

    async fn mend(&self, slug: &str, renaming: &Renaming<'_>) -> Result<Option<Mended>, ArticleError> {
        for last in (0..TRIES).map(|attempt| attempt + 1 == TRIES) {
            let article = self.read(slug).await?;
            let (body, links) = renaming.mended(&article.body);
            if links == 0 {
                return Ok(None);
            }
            let expected_revision = Some(article.revision);
            let changes = Changes { body: Some(body), expected_revision, ..Changes::default() };
            match self.update(&article.slug, changes).await {
                Err(ArticleError::Conflict { .. }) if !last => {}
                saved => {
                    let article = saved?.article;
                    return Ok(Some(Mended { slug: article.slug, revision: article.revision, links }));
                }
            }
        }
        Ok(None)
    }
}

/// What is changed in a linking text.
struct Renaming<'a> {
    former: &'a str,
    present: &'a str,
    /// Links that lead to the article, as they are written.
    targets: HashSet<String>,
}

impl Renaming<'_> {
    /// Returns the text with its links by the former slug changed to the present one, and their number.
    fn mended(&self, body: &str) -> (String, usize) {
        let head = Document::split(body).head.len();
        let (mut text, mut count, mut rest) = (String::with_capacity(body.len()), 0, 0);
        let mut links = Mentions::read(&body[head..]).links;
        // The address of several links may stand once, anywhere in the text.
        links.sort_by_key(|link| link.place.as_ref().map(|place| place.start));
        for Link { target, form, place, .. } in links {
            let written = name(&target, form);
            let is_meant = written.eq_ignore_ascii_case(self.former) && self.targets.contains(&target);
            let Some(place) = place.filter(|_| is_meant) else { continue };
            let Some(at) = target.rfind(&written) else { continue };
            let start = head + place.start + at;
            if start < rest {
                continue;
            }
            text.push_str(&body[rest..start]);
            text.push_str(self.present);
            rest = start + written.len();
            count += 1;
        }
        text.push_str(&body[rest..]);
        (text, count)
    }
}

#[cfg(test)]
mod tests {
    use super::Renaming;

    #[test]
    fn links_by_the_former_slug_name_the_present_one_and_others_stay() {
        let body = "---\ntags: [old-name]\n---\n[[old-name]] [[Old-Name#Part|shown]] [[Old name]] [a](../x/old-name.md#p)\n\
                    [b](article://old-name) [old-name](old-name) old-name `[[old-name]]` [[older-name]]\n\
                    [c][r], [d][R] and [r] lead to one place, [e](old-name) to another\n\n[r]: <../x/old-name.md#p>\n";
        let targets = ["old-name", "Old-Name", "../x/old-name.md", "older-name"].map(str::to_owned).into();
        let (text, count) = Renaming { former: "old-name", present: "new", targets }.mended(body);
        assert_eq!(
            text,
            "---\ntags: [old-name]\n---\n[[new]] [[new#Part|shown]] [[Old name]] [a](../x/new.md#p)\n\
             [b](article://new) [old-name](new) old-name `[[old-name]]` [[older-name]]\n\
             [c][r], [d][R] and [r] lead to one place, [e](new) to another\n\n[r]: <../x/new.md#p>\n"
        );
        assert_eq!(count, 7);
    }
}

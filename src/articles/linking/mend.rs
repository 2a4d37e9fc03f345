//! Mends links after an article was renamed.

use std::collections::{BTreeMap, HashSet};

use super::{former_names::FormerNames, incoming, link_target::LinkTarget};
use crate::{
    api::{Mended, Unmended},
    articles::{Article, ArticleError, ArticlePatch, Articles, SaveResult, front_matter, links::name_at, slug::Slug},
    markdown::{Form, Link, Mentions},
};

/// How often an article is mended again after a save in between.
const MAX_TRIES: usize = 5;

/// What became of the links to an article that was renamed.
#[derive(Debug, Default)]
pub struct RelinkReport {
    /// Articles whose links were changed.
    pub mended: Vec<Mended>,
    /// Articles whose links could not be changed.
    pub unmended: Vec<Unmended>,
}

impl Articles {
    /// Renames an article, and mends the links that name it by a former slug: one revision for each linking article.
    /// Done again with the same slug, it mends what was not mended.
    ///
    /// # Errors
    /// Those of [`Articles::rename`], and [`ArticleError::Store`]; what was done before stays done.
    pub async fn rename_with_links(
        &self,
        slug: &str,
        to: Slug,
        expected_revision: Option<i64>,
    ) -> Result<(SaveResult, RelinkReport), ArticleError> {
        let saved = self.rename(slug, to, expected_revision).await?;
        let relinked = self.mend_links(&saved.article).await?;
        if relinked.mended.iter().any(|mended| mended.slug == saved.article.slug) {
            return Ok((SaveResult { article: self.read(&saved.article.slug).await?, ..saved }, relinked));
        }
        Ok((saved, relinked))
    }

    /// Changes links that name an article by a former slug, or by a file that is about to be called by its present
    /// slug: one revision for each linking article. Links by title or alias stay, because they are still right.
    ///
    /// # Errors
    /// [`ArticleError::Store`]; what was mended before stays mended.
    pub async fn mend_links(&self, article: &Article) -> Result<RelinkReport, ArticleError> {
        let outdated = FormerNames::of(self.database.reader(), article).await?;
        let (linked, keys) = (LinkTarget::from(article), outdated.keys());
        let (mut relinked, mut after) = (RelinkReport::default(), 0);
        while let Some((links, last)) = incoming::named(self.database.reader(), &linked, &keys, after).await? {
            after = last;
            let mut targets: BTreeMap<String, HashSet<(Form, String)>> = BTreeMap::new();
            for link in links.into_iter().filter(|link| outdated.names(link)) {
                targets.entry(link.slug).or_default().insert((link.form, link.target));
            }
            for (slug, targets) in targets {
                let renaming = Renaming { present: &article.slug, targets };
                match self.mend(&slug, &renaming).await {
                    Ok(mended) => relinked.mended.extend(mended),
                    // It was deleted meanwhile.
                    Err(ArticleError::NotFound { .. }) => {}
                    Err(ArticleError::Store(error)) => return Err(error.into()),
                    Err(error) => relinked.unmended.push(Unmended { slug, reason: error.to_string() }),
                }
            }
        }
        Ok(relinked)
    }

    async fn mend(&self, slug: &str, renaming: &Renaming<'_>) -> Result<Option<Mended>, ArticleError> {
        for last in (0..MAX_TRIES).map(|attempt| attempt + 1 == MAX_TRIES) {
            let article = self.read(slug).await?;
            let (body, links) = renaming.in_text(&article.body);
            let (head, above) = renaming.in_front_matter(&article.front_matter);
            let links = links + above;
            if links == 0 {
                return Ok(None);
            }
            let (body, front_matter, expected_revision) = (Some(body), Some(head), Some(article.revision));
            let changes = ArticlePatch { body, front_matter, expected_revision, ..ArticlePatch::default() };
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
    present: &'a str,
    /// Links that name the article otherwise, as they are written.
    targets: HashSet<(Form, String)>,
}

impl Renaming<'_> {
    /// Returns the text with these links changed to the present slug, and their number.
    fn in_text(&self, body: &str) -> (String, usize) {
        let head = front_matter::head(body);
        let mut links = Mentions::read(&body[head.len()..]).links;
        for place in links.iter_mut().filter_map(|link| link.place.as_mut()) {
            *place = head.len() + place.start..head.len() + place.end;
        }
        links.extend(front_matter::links(head, |_| false));
        self.mended(body, links)
    }

    fn in_front_matter(&self, head: &str) -> (String, usize) {
        self.mended(head, front_matter::links(head, |_| false))
    }

    fn mended(&self, body: &str, mut links: Vec<Link>) -> (String, usize) {
        let (mut text, mut count, mut rest) = (String::with_capacity(body.len()), 0, 0);
        // The address of several links may stand once, anywhere in the text.
        links.sort_by_key(|link| link.place.as_ref().map(|place| place.start));
        for Link { target, form, place, .. } in links {
            let at = name_at(&target);
            let Some(place) = place.filter(|_| self.targets.contains(&(form, target))) else { continue };
            let (start, end) = (place.start + at.start, place.start + at.end);
            if start < rest {
                continue;
            }
            text.push_str(&body[rest..start]);
            text.push_str(self.present);
            rest = end;
            count += 1;
        }
        text.push_str(&body[rest..]);
        (text, count)
    }
}

#[cfg(test)]
mod tests {
    use super::Renaming;
    use crate::markdown::Form;

    #[test]
    fn links_that_are_meant_name_the_present_slug_and_others_stay() {
        let body = "---\ntags: [old-name]\nup: \"[[old-name|x]]\"\n---\n\
                    [[old-name]] [[Old-Name#Part|shown]] [[Old name]] [a](../x/old-name.md#p)\n\
                    [b](article://old-name) [old-name](old-name) old-name `[[old-name]]` [[older-name]] [f](Old%20Name.md)\n\
                    [c][r], [d][R] and [r] lead to one place, [e](old-name) to another\n\n[r]: <../x/old-name.md#p>\n\
                    | [[old-name\\|x]] |\n|---|\n";
        let targets = [
            (Form::Wiki, "old-name"),
            (Form::Wiki, "Old-Name"),
            (Form::Path, "../x/old-name.md"),
            (Form::Path, "Old%20Name.md"),
            (Form::Path, "old-name"),
            (Form::Address, "old-name"),
        ];
        let targets = targets.map(|(form, target)| (form, target.to_owned())).into();
        let (text, count) = Renaming { present: "new", targets }.in_text(body);
        assert_eq!(
            text,
            "---\ntags: [old-name]\nup: \"[[new|x]]\"\n---\n\
             [[new]] [[new#Part|shown]] [[Old name]] [a](../x/new.md#p)\n\
             [b](article://new) [old-name](new) old-name `[[old-name]]` [[older-name]] [f](new.md)\n\
             [c][r], [d][R] and [r] lead to one place, [e](new) to another\n\n[r]: <../x/new.md#p>\n\
             | [[new\\|x]] |\n|---|\n"
        );
        assert_eq!(count, 10);
    }

    #[test]
    fn a_link_of_another_form_with_the_same_text_stays() {
        let targets = [(Form::Wiki, "a.md".to_owned())].into();
        let (text, count) = Renaming { present: "new", targets }.in_text("[m](a.md) [[a.md]]");
        assert_eq!((text.as_str(), count), ("[m](a.md) [[new.md]]", 1));
    }

    #[test]
    fn a_comment_beside_a_link_of_front_matter_stays() {
        let head = "---\nup:\n  - plain # see [[old]]\n  - \"[[old]]\"\n---\n";
        let targets = [(Form::Wiki, "old".to_owned())].into();
        let (text, count) = Renaming { present: "new", targets }.in_front_matter(head);
        assert_eq!((text, count), (head.replace("\"[[old]]\"", "\"[[new]]\""), 1));
    }
}

//! What is compared when a file and its article were both changed.

use std::collections::VecDeque;

use super::super::{
    content::{self, Content},
    hash,
    render::{Rendered, keeps_both_blocks, render},
    source::FileRecord,
};
use crate::articles::{Article, ArticlePatch, editing, folder::Folder, request::Limits};

/// What becomes of a file.
pub(super) enum MergeOutcome {
    /// It holds what the article says.
    Same,
    /// It has the article's former text, and was not changed.
    Behind,
    /// This text joins both.
    Joined(String),
    /// Both stay.
    Apart,
}

/// What is compared.
pub(super) struct Sides {
    /// The file.
    pub(super) text: String,
    pub(super) article: Article,
    /// The revision on which both agreed, and those that came after, the oldest first.
    pub(super) past: VecDeque<Article>,
    pub(super) record: FileRecord,
    pub(super) place: String,
    pub(super) came_from_file: bool,
    pub(super) former_slugs: Vec<String>,
    pub(super) above: Folder,
    pub(super) limits: Limits,
}

impl Sides {
    /// A revision as this file says it: where the file is, under the name that it had.
    pub(super) fn as_file(&self, article: &Article) -> String {
        let keeps_both_blocks = keeps_both_blocks(article, None, || Some(self.text.clone()));
        self.in_blocks(article, keeps_both_blocks)
    }

    fn in_blocks(&self, article: &Article, keeps_both_blocks: bool) -> String {
        let article = Article { slug: self.record.slug.clone(), folder: self.folder(), ..article.clone() };
        let before = FileRecord { path: self.place.clone(), ..self.record.clone() };
        let rendered = Rendered {
            article: &article,
            place: &self.place,
            before: Some(&before),
            came_from_file: self.came_from_file,
            keeps_both_blocks,
            former_slugs: &self.former_slugs,
            above: &self.above,
        };
        render(&rendered, self.limits)
    }

    /// Where the file says that its article stands.
    pub(super) fn folder(&self) -> String {
        content::read(&self.text, &self.place, &self.above, self.limits).folder.to_string()
    }

    pub(super) fn compare(&self, theirs: &str) -> MergeOutcome {
        if self.text == theirs {
            return MergeOutcome::Same;
        }
        let forms = |article: &Article| {
            let as_it_is = format!("{}{}", article.front_matter, article.body);
            [as_it_is, self.in_blocks(article, true), self.in_blocks(article, false)]
        };
        // It was written from a revision that was not recorded, and was not changed since.
        if self.past.iter().any(|article| forms(article).contains(&self.text)) && self.record.path == self.place {
            return MergeOutcome::Behind;
        }
        let Some(base) = self.past.front().filter(|base| base.revision == self.record.revision) else {
            return MergeOutcome::Apart;
        };
        let agreed = forms(base).into_iter().find(|text| hash(text.as_bytes()) == self.record.file_hash);
        let Some(agreed) = agreed else { return MergeOutcome::Apart };
        editing::merge(&agreed, &self.text, theirs).map_or(MergeOutcome::Apart, MergeOutcome::Joined)
    }
}

/// What the joined text changes of the article. It stands where it was moved to, on whichever side that was.
pub(super) fn changes(content: Content, sides: &Sides) -> ArticlePatch {
    let has_moved = content.folder.as_ref() != sides.record.folder;
    ArticlePatch {
        title: Some(content.title),
        body: Some(content.body),
        folder: Some(content.folder).filter(|_| has_moved),
        front_matter: Some(content.head),
        skip_embedding: Some(content.skip_embedding),
        expected_revision: Some(sides.article.revision),
        ..ArticlePatch::default()
    }
}

/// The article when they are saved.
pub(super) fn with_changes(article: &Article, changes: &ArticlePatch) -> Article {
    let kept = |new: &Option<String>, old: &str| new.clone().unwrap_or_else(|| old.to_owned());
    Article {
        title: kept(&changes.title, &article.title),
        body: kept(&changes.body, &article.body),
        front_matter: kept(&changes.front_matter, &article.front_matter),
        folder: changes.folder.as_ref().map_or_else(|| article.folder.clone(), ToString::to_string),
        skip_embedding: changes.skip_embedding.unwrap_or(article.skip_embedding),
        revision: article.revision + 1,
        ..article.clone()
    }
}

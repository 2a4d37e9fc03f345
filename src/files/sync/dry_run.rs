//! What a dry run has come to: files, articles and what is known of them as they would be after a plan was carried out.
//! The next round is planned from there, so that a dry run tells every round.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use super::super::{export_plan::ExportedArticle, plan::Action, scan::ScannedFile, source::FileRecord};
use crate::articles::Article;

/// What would be otherwise.
#[derive(Debug, Default)]
pub(super) struct DryRun(Mutex<DryRunChanges>);

/// The same, by places and by numbers. What would be gone is `None`.
#[derive(Debug, Default)]
pub(super) struct DryRunChanges {
    pub(super) files: BTreeMap<String, Option<ScannedFile>>,
    pub(super) rows: BTreeMap<String, Option<FileRecord>>,
    pub(super) articles: HashMap<i64, Option<At>>,
    pub(super) texts: HashMap<i64, Text>,
}

/// Where an article would stand, and at which revision.
#[derive(Debug)]
pub(super) struct At {
    pub(super) listed: ExportedArticle,
    pub(super) revision: i64,
}

/// What an article would say.
#[derive(Debug, Clone)]
pub(super) enum Text {
    Whole(Box<Article>),
    /// Front matter before what it says already.
    Head(String),
}

impl DryRun {
    /// What there was to foresee.
    pub(super) fn into_changes(self) -> DryRunChanges {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file would hold this.
    pub(super) fn file(&self, file: ScannedFile) {
        self.note(|changed| drop(changed.files.insert(file.file.clone(), Some(file))));
    }

    /// Nothing would be at this place.
    pub(super) fn no_file(&self, place: &str) {
        self.note(|changed| drop(changed.files.insert(place.to_owned(), None)));
    }

    pub(super) fn rows(&self, rows: Vec<FileRecord>) {
        self.note(|changed| changed.rows.extend(rows.into_iter().map(|row| (row.path.clone(), Some(row)))));
    }

    pub(super) fn no_row(&self, place: &str) {
        self.note(|changed| drop(changed.rows.insert(place.to_owned(), None)));
    }

    /// What was known of this place would be known of another, unless another file would be here.
    pub(super) fn moved_from(&self, place: &str) {
        self.note(|changed| {
            changed.rows.entry(place.to_owned()).or_insert(None);
        });
    }

    pub(super) fn no_article(&self, id: i64) {
        self.note(|changed| drop(changed.articles.insert(id, None)));
    }

    /// An article would say what files and articles say together.
    pub(super) fn add_joined(&self, article: Article) {
        self.note(|changed| {
            let listed = ExportedArticle { id: article.id, slug: article.slug.clone(), folder: article.folder.clone() };
            changed.articles.insert(article.id, Some(At { listed, revision: article.revision }));
            changed.texts.insert(article.id, Text::Whole(Box::new(article)));
        });
    }

    /// A file would be brought in. An article that has no number gets one below `first`.
    pub(super) fn incoming(&self, file: &ScannedFile, action: &Action, source: i64, first: i64) {
        let (folder, path) = (file.wish.folder.to_string(), file.file.clone());
        let row = |article_id: i64, slug: String, revision: i64| FileRecord {
            article_id,
            revision,
            slug: slug.clone(),
            folder: folder.clone(),
            present: Some(revision),
            present_slug: Some(slug),
            ..FileRecord::without_article(source, path.clone(), file.hash.clone())
        };
        let at = |row: &FileRecord| At {
            listed: ExportedArticle { id: row.article_id, slug: row.slug.clone(), folder: folder.clone() },
            revision: row.revision,
        };
        self.note(|changed| match action {
            Action::Create { slug, .. } => {
                let new = changed.articles.keys().copied().min().unwrap_or_default().min(first).min(0) - 1;
                let row = row(new, slug.to_string(), 1);
                changed.articles.insert(new, Some(at(&row)));
                changed.rows.insert(path.clone(), Some(row));
            }
            Action::Update { record, has_moved } => {
                let slug = record.present_slug.clone().unwrap_or_else(|| record.slug.clone());
                let row = row(record.article_id, slug, record.present.unwrap_or(record.revision) + 1);
                if *has_moved {
                    changed.rows.entry(record.path.clone()).or_insert(None);
                }
                changed.articles.insert(record.article_id, Some(at(&row)));
                changed.rows.insert(path.clone(), Some(row));
            }
            Action::Restore { record, slug } => {
                let row = row(record.article_id, slug.to_string(), record.revision + 1);
                changed.articles.insert(record.article_id, Some(at(&row)));
                changed.rows.insert(path.clone(), Some(row));
            }
            Action::Adopt { occupant } => {
                let row = row(occupant.id, occupant.slug.clone(), occupant.revision);
                changed.texts.insert(occupant.id, Text::Head(file.front_matter.clone()));
                changed.rows.insert(path.clone(), Some(row));
            }
            Action::Replace { .. }
            | Action::Follow { .. }
            | Action::Merge { .. }
            | Action::Unchanged { .. }
            | Action::Skip { .. }
            | Action::Deleted { .. }
            | Action::Refuse(_) => {}
        });
    }

    fn note(&self, change: impl FnOnce(&mut DryRunChanges)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

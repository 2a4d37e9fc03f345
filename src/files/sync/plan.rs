//! What is to be done on both sides. Nothing is read and nothing is written here, so that a dry run and a real one
//! cannot come to different answers.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    super::{
        export_plan::{self, ExportedArticle, PlannedFile},
        plan::{self as import_plan, Action, Policy},
        report::FileProblem,
        root::Before,
        scan::ScannedFile,
        source::FileRecord,
    },
    snapshot::SyncSnapshot,
    turns::in_turn,
};
use crate::articles::folder::Folder;

/// What is to be done.
#[derive(Default)]
pub(super) struct Plan {
    /// Files whose articles follow them.
    pub(super) incoming: Vec<(ScannedFile, Action)>,
    /// Files that were changed as well as their articles.
    pub(super) merges: Vec<(ScannedFile, FileRecord)>,
    /// Files that are gone, and whose articles go with them.
    pub(super) deletions: Vec<FileRecord>,
    /// Files that are there still, and whose articles are not.
    pub(super) removals: Vec<FileRecord>,
    /// Neither the file nor the article is there.
    pub(super) ended: Vec<FileRecord>,
    /// Nothing is at this place, and nothing will be.
    pub(super) forgotten: Vec<FileRecord>,
    /// Articles whose files follow them.
    pub(super) outgoing: Vec<Outgoing>,
    /// Files of which nothing can be made.
    pub(super) refused: Vec<FileProblem>,
}

/// An article that goes to its file.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) planned: PlannedFile,
    /// What is known of the file at that place.
    pub(super) here: Option<FileRecord>,
    /// What the file must be when it is written; `None` if it holds the article already.
    pub(super) before: Option<Before>,
    /// Where the article's file was until now.
    pub(super) leaves: Vec<FileRecord>,
}

impl Outgoing {
    /// The article's file, if it is one of the `gone`.
    fn lost_file(&self, gone: &HashSet<String>) -> Option<&FileRecord> {
        let mut rows = self.here.iter().chain(&self.leaves);
        rows.find(|row| !row.file_hash.is_empty() && gone.contains(&row.path))
    }
}

impl Plan {
    pub(super) fn is_empty(&self) -> bool {
        let Self { incoming, merges, deletions, removals, ended, forgotten, outgoing, refused: _ } = self;
        let rows = [deletions, removals, ended, forgotten];
        incoming.is_empty() && merges.is_empty() && outgoing.is_empty() && rows.iter().all(|rows| rows.is_empty())
    }

    /// Those of the `gone` files that would be written again, because their articles have changed since.
    pub(super) fn written_again<'a>(&'a self, gone: &'a HashSet<String>) -> impl Iterator<Item = &'a FileRecord> {
        self.outgoing.iter().filter_map(|outgoing| outgoing.lost_file(gone))
    }

    /// Leaves for later what follows from files and articles that are gone.
    pub(super) fn hold_back(&mut self, gone: &HashSet<String>) {
        self.deletions.clear();
        self.removals.clear();
        self.outgoing.retain(|outgoing| outgoing.lost_file(gone).is_none());
    }
}

/// Both sides as they are when the files have been brought in, and what becomes of them then.
struct After<'a> {
    looked: &'a SyncSnapshot,
    plan: Plan,
    /// Known files, by their places.
    rows: BTreeMap<String, FileRecord>,
    listed: BTreeMap<i64, ExportedArticle>,
    /// Articles that follow their files now; what becomes of their files, the next look decides.
    busy: HashSet<i64>,
}

/// What is to be done about what was seen.
pub(super) fn plan(looked: &SyncSnapshot) -> Plan {
    let mut after = After {
        looked,
        plan: Plan::default(),
        rows: looked.facts.records.clone().into_iter().collect(),
        listed: looked.listed.clone(),
        busy: HashSet::new(),
    };
    let actions = import_plan::plan(&looked.files, &looked.facts, Policy::Together);
    for (file, action) in looked.files.iter().zip(actions) {
        after.plan_incoming(file, action);
    }
    after.plan_missing();
    after.plan_strayed();
    after.plan_outgoing();
    after.plan
}

impl After<'_> {
    /// A file, and what its article is then.
    fn plan_incoming(&mut self, file: &ScannedFile, action: Action) {
        match &action {
            Action::Unchanged { .. } | Action::Skip { .. } | Action::Follow { .. } | Action::Replace { .. } => return,
            Action::Refuse(refusal) => {
                self.plan.refused.push(FileProblem::new(&file.file, refusal));
                return;
            }
            Action::Deleted { .. } => {
                self.plan.removals.extend(self.rows.remove(&file.file));
                return;
            }
            Action::Merge { record } => {
                self.becomes(record, file, None);
                self.plan.merges.push((file.clone(), record.as_ref().clone()));
                return;
            }
            Action::Update { record, has_moved: _ } => self.becomes(record, file, Some(&file.wish.folder)),
            Action::Adopt { occupant } => {
                let record = self.paired_record(file, occupant.id, occupant.slug.clone());
                self.becomes(&record, file, None);
                self.rows.insert(file.file.clone(), record);
            }
            Action::Create { slug, .. } => {
                // It has no number yet; what has none is never written out.
                let id = self.listed.keys().next().copied().unwrap_or_default().min(0) - 1;
                self.begins(file, id, slug.to_string());
            }
            Action::Restore { record, slug } => self.begins(file, record.article_id, slug.to_string()),
        }
        self.plan.incoming.push((file.clone(), action));
    }

    /// The article of a file that comes in: it stands where the file says, and its file stays where it is.
    fn becomes(&mut self, record: &FileRecord, file: &ScannedFile, folder: Option<&Folder>) {
        // Another file may be there by now.
        if self.rows.get(&record.path).is_some_and(|row| row.article_id == record.article_id) {
            self.rows.remove(&record.path);
        }
        let article = self.listed.get_mut(&record.article_id).map(|article| {
            if let Some(folder) = folder {
                article.folder = folder.to_string();
            }
            article.clone()
        });
        let (slug, folder) = article
            .map_or_else(|| (record.slug.clone(), record.folder.clone()), |article| (article.slug, article.folder));
        self.rows.insert(file.file.clone(), FileRecord { path: file.file.clone(), slug, folder, ..record.clone() });
        self.busy.insert(record.article_id);
    }

    /// An article that is there only when its file has come in.
    fn begins(&mut self, file: &ScannedFile, id: i64, slug: String) {
        let folder = file.wish.folder.to_string();
        self.listed.insert(id, ExportedArticle { id, slug: slug.clone(), folder });
        let record = self.paired_record(file, id, slug);
        self.busy.insert(id);
        self.rows.insert(file.file.clone(), record);
    }

    fn paired_record(&self, file: &ScannedFile, article_id: i64, slug: String) -> FileRecord {
        let record = FileRecord::without_article(self.looked.source, file.file.clone(), file.hash.clone());
        FileRecord { article_id, slug, folder: file.wish.folder.to_string(), ..record }
    }

    /// Files that are gone. An article that was changed since gets its file back, another one goes with it.
    fn plan_missing(&mut self) {
        let gone: Vec<FileRecord> =
            self.rows.values().filter(|row| self.looked.gone.contains(&row.path)).cloned().collect();
        let mut files: HashMap<i64, usize> = HashMap::new();
        self.rows.values().for_each(|row| *files.entry(row.article_id).or_default() += 1);
        for record in gone {
            let is_listed = self.looked.listed.contains_key(&record.article_id);
            // It was about to be written, or is remembered for the case that its article comes back.
            let is_awaited = record.file_hash.is_empty();
            let has_others = files.get(&record.article_id).is_some_and(|count| *count > 1);
            let list = match record.present {
                None if is_awaited => None,
                None => Some(&mut self.plan.ended),
                Some(_) if !is_listed || has_others => Some(&mut self.plan.forgotten),
                Some(_) if is_awaited || self.looked.is_edited(&record) => continue,
                Some(_) => Some(&mut self.plan.deletions),
            };
            self.rows.remove(&record.path);
            files.entry(record.article_id).and_modify(|count| *count -= 1);
            if let Some(list) = list {
                list.push(record);
            }
        }
        for record in &self.plan.deletions {
            self.listed.remove(&record.article_id);
        }
    }

    /// Files that hold what their articles say, and whose articles have left the folder that is kept in step.
    fn plan_strayed(&mut self) {
        let has_left = |row: &FileRecord| {
            let is_listed = self.looked.listed.contains_key(&row.article_id);
            let is_there = !self.looked.aside.contains(&row.path) && !self.looked.gone.contains(&row.path);
            row.present.is_some() && !is_listed && is_there && !self.busy.contains(&row.article_id)
        };
        let strayed: Vec<String> = self.rows.values().filter(|row| has_left(row)).map(|row| row.path.clone()).collect();
        for path in strayed {
            self.plan.removals.extend(self.rows.remove(&path));
        }
    }

    /// Articles that are not as their files say.
    fn plan_outgoing(&mut self) {
        let mut files: HashMap<i64, Vec<FileRecord>> = HashMap::new();
        for row in self.rows.values() {
            files.entry(row.article_id).or_default().push(row.clone());
        }
        if self.looked.above.as_ref().is_empty() {
            for (article, elsewhere) in &self.looked.elsewhere {
                files.entry(*article).or_default().extend(elsewhere.iter().cloned());
            }
        }
        let facts = export_plan::ExportFacts {
            target: Some(self.looked.source),
            sources: &self.looked.sources,
            files: &files,
            naming: &self.looked.naming,
            above: &self.looked.above,
            occupied: &self.looked.aside,
            resting: &self.looked.rest.held,
        };
        let mut listed: Vec<ExportedArticle> = self.listed.values().cloned().collect();
        listed.sort_by(|a, b| a.slug.cmp(&b.slug));
        for planned in in_turn(export_plan::plan(&listed, &facts), &self.rows) {
            if !self.busy.contains(&planned.id) {
                let own = files.get(&planned.id).into_iter().flatten();
                let own = own.filter(|row| row.source_id == self.looked.source).cloned().collect();
                self.plan.outgoing.extend(self.outgoing(planned, own));
            }
        }
    }

    fn outgoing(&self, planned: PlannedFile, own: Vec<FileRecord>) -> Option<Outgoing> {
        let (here, leaves): (Vec<FileRecord>, Vec<FileRecord>) =
            own.into_iter().partition(|row| row.path == planned.place);
        let here = here.into_iter().next();
        let is_aside = |row: &FileRecord| self.looked.aside.contains(&row.path);
        let before = match &here {
            None => Some(Before::Nothing),
            Some(row) if is_aside(row) => None,
            Some(row) if self.looked.gone.contains(&row.path) => Some(Before::Nothing),
            Some(row) => {
                let is_renamed = self.listed.get(&planned.id).is_some_and(|article| article.slug != row.slug);
                (is_renamed || self.looked.is_edited(row)).then(|| Before::Hash(row.file_hash.clone()))
            }
        };
        let leaves: Vec<FileRecord> = leaves.into_iter().filter(|row| !is_aside(row)).collect();
        (before.is_some() || !leaves.is_empty()).then_some(Outgoing { planned, here, before, leaves })
    }
}

//! Both sides as they would be after a round: where a dry run goes on.

use std::collections::{BTreeMap, HashSet};

use afterword_actors::store::StoreError;

use super::{
    super::{
        export_plan::ExportedArticle,
        scan::ScannedFile,
        source::{self, Occupant},
    },
    dry_run::{At, DryRunChanges},
    snapshot::{self, SyncSnapshot},
};
use crate::articles::Articles;

impl SyncSnapshot {
    /// What a look would find. Of the articles nothing is asked but who has the slugs of new files.
    pub(super) async fn after(mut self, articles: &Articles, changed: DryRunChanges) -> Result<Self, StoreError> {
        self.changes_files(changed.files);
        for (place, row) in changed.rows {
            match row {
                Some(row) => drop(self.facts.records.insert(place, row)),
                None => drop(self.facts.records.remove(&place)),
            }
        }
        for row in self.facts.records.values_mut() {
            if let Some(at) = changed.articles.get(&row.article_id) {
                row.present = at.as_ref().map(|at| at.revision);
                row.present_slug = at.as_ref().map(|at| at.listed.slug.clone());
            }
        }
        for (id, at) in changed.articles {
            self.facts.unedited.remove(&id);
            self.listed.remove(&id);
            if let Some(At { listed, .. }) = at
                && self.above.contains(&listed.folder)
            {
                self.listed.insert(id, listed);
            }
        }
        let is_gone = |place: &&String| !self.facts.present.contains(*place);
        self.gone = self.facts.records.keys().filter(is_gone).cloned().collect();
        self.texts.extend(changed.texts);
        self.meets_occupants(articles).await?;
        Ok(self)
    }

    fn changes_files(&mut self, changes: BTreeMap<String, Option<ScannedFile>>) {
        let files = std::mem::take(&mut self.files);
        let mut files: BTreeMap<String, ScannedFile> =
            files.into_iter().map(|file| (file.file.clone(), file)).collect();
        for (place, file) in changes {
            match file {
                Some(file) => drop(files.insert(place, file)),
                None => drop(files.remove(&place)),
            }
        }
        self.files = files.into_values().collect();
        self.facts.present =
            self.files.iter().map(|file| file.file.clone()).chain(self.aside.iter().cloned()).collect();
    }

    async fn meets_occupants(&mut self, articles: &Articles) -> Result<(), StoreError> {
        let slugs = self.facts.slugs_to_look_up(&self.files);
        let occupants =
            if slugs.is_empty() { Vec::new() } else { source::occupants(articles.database.reader(), &slugs).await? };
        let rows = self.facts.records.values();
        let ended: HashSet<i64> = rows.filter(|row| row.present.is_none()).map(|row| row.article_id).collect();
        let there = occupants.into_iter().filter(|occupant| !ended.contains(&occupant.id));
        // Also one that was deleted and would come back.
        let slugs: HashSet<String> = slugs.into_iter().collect();
        let new = self.listed.values().filter(|listed| listed.id < 0 || slugs.contains(&listed.slug)).map(new_occupant);
        self.facts.occupants = new.chain(there).map(|occupant| (occupant.name.clone(), occupant)).collect();
        snapshot::mark_owned(&mut self.facts, &self.listed, &self.rest);
        Ok(())
    }
}

/// An article that would be new.
fn new_occupant(listed: &ExportedArticle) -> Occupant {
    Occupant {
        name: listed.slug.clone(),
        id: listed.id,
        slug: listed.slug.clone(),
        title: String::new(),
        folder: listed.folder.clone(),
        content_hash: String::new(),
        revision: 1,
        front_matter: String::new(),
        from_file: true,
    }
}

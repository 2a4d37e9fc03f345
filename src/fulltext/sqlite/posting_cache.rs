//! Lists of terms that questions asked for before, in one state of the index.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::doclist::Posting;

/// Postings that are kept together: 16 MiB.
const MAX_KEPT: usize = 1 << 20;
/// A list costs as much as so many postings, even if it is empty.
const LIST_COSTS: usize = 8;

/// Where terms occur, by what they are called.
#[derive(Debug, Default)]
pub(super) struct PostingCache {
    lists: Mutex<Lists>,
}

#[derive(Debug, Default)]
struct Lists {
    by_term: HashMap<String, Arc<[Posting]>>,
    /// Of them all. *Units:* postings.
    size: usize,
}

impl PostingCache {
    /// Returns the lists of these names, if all of them are kept.
    pub(super) fn of<'n>(
        &self,
        mut names: impl Iterator<Item = &'n String>,
    ) -> Option<HashMap<String, Arc<[Posting]>>> {
        let lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        names.try_fold(HashMap::new(), |mut all, name| {
            all.insert(name.clone(), Arc::clone(lists.by_term.get(name)?));
            Some(all)
        })
    }

    /// Keeps `postings`. When there are too many, all that were kept before go: what is asked often soon comes again.
    pub(super) fn keep(&self, postings: &HashMap<String, Arc<[Posting]>>) {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        for (word, list) in postings {
            // A phrase may be long.
            let size = list.len() + LIST_COSTS + word.len() / size_of::<Posting>();
            if size > MAX_KEPT || lists.by_term.contains_key(word) {
                continue;
            }
            if lists.size + size > MAX_KEPT {
                *lists = Lists::default();
            }
            lists.size += size;
            lists.by_term.insert(word.clone(), Arc::clone(list));
        }
    }
}

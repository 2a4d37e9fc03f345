//! Slugs for files that are new. Each has one of its own, and which one depends on the files and not on their order.

use std::collections::HashSet;

use super::place;
use crate::articles::{folder::Folder, names, slug::Slug};

/// What a file would like to be called.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) file: String,
    pub(super) slug: Slug,
    /// Whether its front matter names the slug.
    pub(super) is_named: bool,
    pub(super) folder: Folder,
}

impl Wish {
    /// Who goes first: what is named, then names that are their own slug (`c` before `C++`), then the outermost.
    pub(super) fn rank(&self) -> (bool, bool, usize, &str) {
        let is_its_own = place::stem(&self.file).to_lowercase() == self.slug.as_ref();
        (!self.is_named, !is_its_own, place::parents(&self.file).count(), &self.file)
    }

    /// Its own slug, the same behind its folder, the same with a suffix from its place.
    pub(super) fn candidates(&self) -> impl Iterator<Item = Slug> {
        let behind = if self.is_named { None } else { self.slug.within(self.folder.as_ref()) };
        std::iter::once(self.slug.clone()).chain(behind).chain(names::distinguished(&self.slug, &self.file))
    }
}

/// A slug for each wish, in their order; none of them is `taken`.
pub(super) fn assign(wishes: &[Wish], mut taken: HashSet<String>) -> Vec<Option<Slug>> {
    let mut order: Vec<usize> = (0..wishes.len()).collect();
    order.sort_by(|a, b| wishes[*a].rank().cmp(&wishes[*b].rank()));
    let mut slugs = vec![None; wishes.len()];
    for position in order {
        slugs[position] = wishes[position].candidates().find(|slug| taken.insert(slug.to_string()));
    }
    slugs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wish(file: &str) -> Wish {
        Wish {
            file: file.to_owned(),
            slug: Slug::from_title(place::stem(file)),
            is_named: false,
            folder: Folder::of_place(place::parents(file)),
        }
    }

    fn assigned(files: &[&str]) -> Vec<String> {
        let wishes: Vec<_> = files.iter().map(|file| wish(file)).collect();
        assign(&wishes, HashSet::new()).into_iter().map(|slug| slug.expect("a slug").to_string()).collect()
    }

    #[test]
    fn files_of_one_name_are_called_by_their_folder_and_others_by_a_suffix() {
        assert_eq!(assigned(&["a/README.md", "README.md", "b/c/README.md"]), ["a-readme", "readme", "b-c-readme"]);
        let c = assigned(&["C#.md", "C++.md", "C.md"]);
        assert_eq!(c[2], "c");
        assert!(c[0].starts_with("c-") && c[1].starts_with("c-") && c[0] != c[1], "{c:?}");
    }

    proptest! {
        #[test]
        fn every_file_has_a_slug_of_its_own_whatever_the_order(
            files in proptest::collection::hash_set("([aA]/){0,2}[abA_+ -]{1,4}\\.md", 1..20),
            taken in proptest::collection::hash_set("[ab-]{1,3}", 0..5),
        ) {
            let mut wishes: Vec<_> = files.iter().map(|file| wish(file)).collect();
            let slugs = assign(&wishes, taken.clone());
            let distinct: HashSet<_> = slugs.iter().flatten().map(ToString::to_string).collect();
            prop_assert_eq!(distinct.len(), files.len());
            prop_assert!(distinct.is_disjoint(&taken));
            wishes.reverse();
            let mut again = assign(&wishes, taken);
            again.reverse();
            prop_assert_eq!(again, slugs);
        }
    }
}

//! Files that were moved and changed between two runs: most of their lines are those of a file that is gone.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use afterword_actors::store::StoreError;

use super::{
    super::{plan::ImportFacts, root::Root, scan::ScannedFile, source::FileRecord},
    disk::blocking,
};
use crate::articles::{ArticleError, Articles, history, names::NUMBERED};

/// Files that are compared, on either side. Of more, as after a checkout, each is new or gone.
const MAX_COMPARED_FILES: usize = 100;
/// So many lines must be the same: notes made from one template have some in common.
const MIN_SAME_LINES: usize = 5;
/// Of the lines of the longer one. *Units:* hundredths.
const MIN_SAME_PERCENT: usize = 66;

/// Places of files that are gone, by the new files that took over most of their lines.
pub(super) async fn similar(
    articles: &Articles,
    root: &Arc<Root>,
    files: &[ScannedFile],
    gone: &HashSet<String>,
    facts: &ImportFacts,
) -> Result<HashMap<String, String>, StoreError> {
    let records = gone.iter().filter_map(|place| facts.records.get(place));
    let gone: Vec<&FileRecord> =
        records.filter(|record| record.present.is_some() && !record.file_hash.is_empty()).collect();
    let held: HashSet<&str> = gone.iter().map(|record| record.file_hash.as_str()).collect();
    let is_new = |file: &&ScannedFile| !facts.records.contains_key(&file.file) && !held.contains(file.hash.as_str());
    let new: Vec<String> = files.iter().filter(is_new).map(|file| file.file.clone()).collect();
    if gone.is_empty() || new.is_empty() || gone.len() > MAX_COMPARED_FILES || new.len() > MAX_COMPARED_FILES {
        return Ok(HashMap::new());
    }
    let mut texts = Vec::with_capacity(gone.len());
    for record in gone {
        match history::revision(
            articles.database.reader(),
            &format!("{NUMBERED}{}", record.article_id),
            record.revision,
        )
        .await
        {
            Ok(article) => texts.push((record.path.clone(), article.front_matter + &article.body)),
            Err(ArticleError::Store(error)) => return Err(error),
            // Retention has removed it.
            Err(_) => {}
        }
    }
    let (root, limit) = (Arc::clone(root), articles.limits.max_size);
    blocking(move || {
        let read = |file: String| {
            let text = root.text(&file, limit)?;
            Some((file, text))
        };
        matched(&texts, &new.into_iter().filter_map(read).collect::<Vec<_>>())
    })
    .await
}

/// The best pairs first; each file is in one.
fn matched(gone: &[(String, String)], new: &[(String, String)]) -> HashMap<String, String> {
    let lines: Vec<_> = gone.iter().map(|(_, text)| lines(text)).collect();
    let mut pairs: Vec<(usize, &str, &str)> = Vec::new();
    for (file, text) in new {
        let here = self::lines(text);
        for ((place, _), there) in gone.iter().zip(&lines) {
            let shared = here.iter().map(|(line, count)| there.get(line).map_or(0, |other| *count.min(other)));
            let (same, longer) = (shared.sum::<usize>(), total(&here).max(total(there)));
            if same >= MIN_SAME_LINES && same * 100 >= longer * MIN_SAME_PERCENT {
                pairs.push((same * 100 / longer, file, place));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.cmp(&a.0).then(a.cmp(b)));
    let (mut found, mut used) = (HashMap::new(), HashSet::new());
    for (_, file, place) in pairs {
        if !found.contains_key(file) && used.insert(place) {
            found.insert(file.to_owned(), place.to_owned());
        }
    }
    found
}

/// How often each line is there; blank ones say nothing.
fn lines(text: &str) -> HashMap<&str, usize> {
    let mut lines = HashMap::new();
    text.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(|line| *lines.entry(line).or_default() += 1);
    lines
}

fn total(lines: &HashMap<&str, usize>) -> usize {
    lines.values().sum()
}

#[cfg(test)]
mod tests {
    use super::matched;

    #[test]
    fn each_file_is_taken_for_the_one_that_it_agrees_with_most() {
        let text = |name: &str, more: &str| {
            let lines: Vec<String> = (0..8).map(|n| format!("{name} {n}\n")).collect();
            lines.concat() + more
        };
        let gone =
            [("a".to_owned(), text("a", "")), ("b".to_owned(), text("b", "")), ("c".to_owned(), "# C\n".to_owned())];
        let new = [
            ("x".to_owned(), text("b", "and more\n")),
            ("y".to_owned(), text("b", "")),
            ("z".to_owned(), "# C\n\n".into()),
        ];
        let found = matched(&gone, &new);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [("y".to_owned(), "b".to_owned())]);
    }
}

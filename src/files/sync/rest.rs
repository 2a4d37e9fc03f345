//! Pairs of a file and an article that have not changed since the last run: of each, only the ids are kept in memory
//! while the others are compared.

use std::collections::{HashMap, HashSet};

use afterword_actors::store::{StoreError, sql::Sql};

use super::{
    super::{
        export_plan::PlaceSet,
        root::Stamp,
        scan::ScannedFile,
        source::{FileRecord, resting},
    },
    memory::Memory,
};
use crate::articles::{Articles, folder::Folder};

/// Rows that are read or written at a time.
const ROWS_PER_STATEMENT: u16 = 2000;

/// What rests.
#[derive(Debug, Default)]
pub(super) struct RestingPairs {
    articles: HashSet<i64>,
    /// Where the files are.
    pub(super) held: PlaceSet,
}

impl RestingPairs {
    /// How many files.
    pub(super) fn len(&self) -> usize {
        self.articles.len()
    }

    /// Whether it is the article of one.
    pub(super) fn has(&self, article: i64) -> bool {
        self.articles.contains(&article)
    }
}

/// The files of a folder, known or there, by whether they rest.
#[derive(Default)]
pub(super) struct RestPartition {
    pub(super) rest: RestingPairs,
    /// Known files that do not rest, by their places.
    pub(super) records: HashMap<String, FileRecord>,
    /// Places of those among them that are as they were when they were noted; their articles are not.
    pub(super) unchanged: HashSet<String>,
    /// Files that are there and do not rest.
    pub(super) files: Vec<(String, Option<Stamp>)>,
}

/// Parts the files that are there (in order) and the known ones of `source`; without one, all are new.
pub(super) async fn part(
    reader: &impl Sql,
    source: Option<i64>,
    above: &Folder,
    there: Vec<(String, Option<Stamp>)>,
) -> Result<RestPartition, StoreError> {
    let mut parted = RestPartition::default();
    let Some(source) = source else { return Ok(RestPartition { files: there, ..parted }) };
    let several: HashSet<i64> = resting::of_several_files(reader, source).await?.into_iter().collect();
    let (mut last, mut rests) = (String::new(), vec![false; there.len()]);
    loop {
        let page = resting::briefly(reader, source, above.as_ref(), &last, i64::from(ROWS_PER_STATEMENT)).await?;
        let Some(end) = page.last() else { break };
        last.clone_from(&end.path);
        let mut restless = Vec::new();
        for row in page {
            let place = there.binary_search_by(|(file, _)| file.as_str().cmp(&row.path)).ok();
            let stamp = place.and_then(|place| there[place].1);
            let is_unchanged = !row.stamp.is_empty() && stamp.is_some_and(|stamp| stamp.text() == row.stamp);
            match place {
                Some(place) if is_unchanged && row.is_same && !several.contains(&row.article_id) => {
                    rests[place] = true;
                    parted.rest.articles.insert(row.article_id);
                    parted.rest.held.hold(&row.path);
                }
                Some(_) | None => {
                    if is_unchanged {
                        parted.unchanged.insert(row.path.clone());
                    }
                    restless.push(row.path);
                }
            }
        }
        if !restless.is_empty() {
            let records = resting::at(reader, source, &restless).await?;
            parted.records.extend(records.into_iter().map(|record| (record.path.clone(), record)));
        }
    }
    parted.files = there.into_iter().zip(rests).filter(|(_, rests)| !rests).map(|(file, _)| file).collect();
    Ok(parted)
}

/// Notes which files were read and hold what is known of them, so that they need not be read again.
pub(super) async fn note(
    articles: &Articles,
    source: i64,
    files: &[ScannedFile],
    records: &HashMap<String, FileRecord>,
    unchanged: &HashSet<String>,
    memory: &Memory,
) -> Result<(), StoreError> {
    // What is told of a file is told at each look: those are read each time.
    let holds = |file: &&ScannedFile| {
        let is_known =
            |record: &FileRecord| record.file_hash == file.hash && record.folder == file.wish.folder.as_ref();
        file.warnings.is_empty() && !unchanged.contains(&file.file) && records.get(&file.file).is_some_and(is_known)
    };
    let stamped = files.iter().filter(holds).filter_map(|file| {
        let stamp = memory.stamp(&file.file)?;
        Some((file.file.clone(), file.hash.clone(), stamp.text()))
    });
    let stamped: Vec<_> = stamped.collect();
    for page in stamped.chunks(usize::from(ROWS_PER_STATEMENT)) {
        let page = page.to_vec();
        articles.database.write(async move |transaction| resting::stamp(transaction, source, &page).await).await?;
    }
    Ok(())
}

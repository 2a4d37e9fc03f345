//! What was read of files that have not changed since.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::super::{
    report::FileProblem,
    root::{Root, Stamp},
    scan::{self, Scanned},
};
use crate::articles::{folder::Folder, request::Limits};

/// A file that was changed so short a time before it was read may have been changed again without that being seen: some file
/// systems keep times to two seconds.
const SETTLED: Duration = Duration::from_secs(3);

/// Both sides would not be the same, and the file would lose them at the first change of its article.
const NUL: &str = "holds NUL characters, which no database keeps: save it without them; its article stays as it is";

/// Files as they were when they were read.
#[derive(Debug, Default)]
pub(super) struct Memory(HashMap<String, (Stamp, Scanned)>);

impl Memory {
    /// Reads `files`, except those that have not changed since they were read.
    pub(super) fn scan(
        &mut self,
        root: &Root,
        files: &[String],
        above: &Folder,
        limits: Limits,
    ) -> (Vec<Scanned>, Vec<FileProblem>) {
        let (mut before, mut failed) = (std::mem::take(&mut self.0), Vec::new());
        let mut scanned = Vec::with_capacity(files.len());
        for file in files {
            let stamp = root.stamp(file);
            if let (Some(stamp), Some((then, known))) = (stamp, before.remove(file))
                && stamp == then
            {
                scanned.push(known.clone());
                self.0.insert(file.clone(), (stamp, known));
                continue;
            }
            match scan::scan(root, file, "", above, limits) {
                Ok(found) if found.holds_nul => failed.push(FileProblem::new(file, NUL)),
                Ok(found) => {
                    if let Some(stamp) = stamp.filter(is_settled) {
                        self.0.insert(file.clone(), (stamp, found.clone()));
                    }
                    scanned.push(found);
                }
                Err(problem) => failed.push(problem),
            }
        }
        (scanned, failed)
    }
}

fn is_settled(stamp: &Stamp) -> bool {
    let before = SystemTime::now().checked_sub(SETTLED).and_then(|then| then.duration_since(UNIX_EPOCH).ok());
    before.and_then(|then| i128::try_from(then.as_nanos()).ok()).is_some_and(|then| stamp.modified < then)
}

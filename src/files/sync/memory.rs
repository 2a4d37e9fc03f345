//! What was read of files that have not changed since.

use std::collections::HashMap;

use super::super::{
    layouts::Reading,
    report::FileProblem,
    root::{Root, Stamp},
    scan::{self, ScannedFile},
};
use crate::articles::{folder::Folder, request::Limits};

/// Both sides would not be the same, and the file would lose them at the first change of its article.
const NUL_REFUSED: &str =
    "holds NUL characters, which no database keeps: save it without them; its article stays as it is";

/// Files as they were when they were read.
#[derive(Debug, Default)]
pub(super) struct Memory(HashMap<String, (Stamp, ScannedFile)>);

impl Memory {
    /// Reads `files`, except those that are still as they were when they were read.
    pub(super) fn scan(
        &mut self,
        root: &Root,
        files: &[(String, Option<Stamp>)],
        above: &Folder,
        limits: Limits,
    ) -> (Vec<ScannedFile>, Vec<FileProblem>) {
        let plain = Reading::default();
        let (mut before, mut failed) = (std::mem::take(&mut self.0), Vec::new());
        let mut scanned = Vec::with_capacity(files.len());
        for (file, stamp) in files {
            if let (Some(stamp), Some((then, known))) = (stamp, before.remove(file))
                && *stamp == then
            {
                scanned.push(known.clone());
                self.0.insert(file.clone(), (then, known));
                continue;
            }
            match scan::scan(root, file, "", above, limits, &plain) {
                Ok(found) if found.holds_nul => failed.push(FileProblem::new(file, NUL_REFUSED)),
                Ok(found) => {
                    if let Some(stamp) = stamp.filter(Stamp::is_settled) {
                        self.0.insert(file.clone(), (stamp, found.clone()));
                    }
                    scanned.push(found);
                }
                // It went away just now.
                Err(_) if root.is_free(file) => {}
                Err(FileProblem { file, error }) => {
                    failed.push(FileProblem::new(file, format!("{error}; its article, if it has one, stays as it is")));
                }
            }
        }
        (scanned, failed)
    }

    /// What a file is like that was read, if a later change would show.
    pub(super) fn stamp(&self, file: &str) -> Option<Stamp> {
        self.0.get(file).map(|(stamp, _)| *stamp)
    }
}

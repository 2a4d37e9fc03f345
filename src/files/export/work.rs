//! One file of an export: made, compared with what is there, written.

use std::{
    io,
    time::{SystemTime, UNIX_EPOCH},
};

use super::super::{
    OnConflict,
    export_plan::PlannedFile,
    hash,
    render::{Rendered, keeps_both_blocks, render},
    root::{Before, ReadError, Root},
    source::FileRecord,
};
use crate::articles::{Article, folder::Folder, request::Limits};

/// Largest file that is compared with what would be written. *Units:* bytes.
pub(super) const MAX_COMPARED_BYTES: u64 = 1 << 30;

/// How often a file is looked at that is saved whenever it is about to be replaced.
const MAX_LOOKS: usize = 4;

/// What became of an article.
pub(super) enum WriteOutcome {
    Created,
    Updated,
    Unchanged,
    Skipped,
    Exists,
}

/// What is to become of a file.
enum FileDecision {
    /// It stays; with the hash of what it holds, if that is not the article.
    Stays(WriteOutcome, Option<String>),
    /// The article takes its place, if it is still this.
    Goes(WriteOutcome, Before),
}

/// One file to be written.
pub(super) struct Work {
    pub(super) article: Article,
    pub(super) planned: PlannedFile,
    pub(super) came_from_file: bool,
    /// Where the file is that the article was last read from or written to, which may be called otherwise from now on.
    pub(super) held_at: Option<String>,
    pub(super) former_slugs: Vec<String>,
    /// What was noted of the file when it was last read or written.
    pub(super) record: Option<FileRecord>,
    pub(super) limits: Limits,
    pub(super) on_conflict: OnConflict,
    pub(super) dry_run: bool,
}

impl Work {
    /// Whether the article is as it was when the file was last read or written.
    fn is_as_noted(&self) -> bool {
        let (article, record) = (&self.article, self.record.as_ref());
        record.is_some_and(|record| (record.article_id, record.revision) == (article.id, article.revision))
    }

    pub(super) fn done(self, root: Option<&Root>) -> (Self, Result<(WriteOutcome, String), io::Error>) {
        let done = self.write(root);
        (self, done)
    }

    fn write(&self, root: Option<&Root>) -> Result<(WriteOutcome, String), io::Error> {
        let text_before = || root?.text(self.held_at.as_deref()?, MAX_COMPARED_BYTES);
        let rendered = Rendered {
            article: &self.article,
            place: &self.planned.place,
            before: self.planned.before.as_ref(),
            came_from_file: self.came_from_file,
            keeps_both_blocks: keeps_both_blocks(&self.article, self.planned.before.as_ref(), text_before),
            former_slugs: &self.former_slugs,
            above: &Folder::default(),
        };
        let text = render(&rendered, self.limits);
        let file_hash = hash(text.as_bytes());
        let Some(root) = root else { return Ok((WriteOutcome::Created, file_hash)) };
        for _ in 0..MAX_LOOKS {
            match self.decide(root, text.as_bytes())? {
                FileDecision::Stays(outcome, other_hash) => return Ok((outcome, other_hash.unwrap_or(file_hash))),
                FileDecision::Goes(outcome, before) => {
                    if self.dry_run || root.put(&self.planned.place, text.as_bytes(), &before, now())? {
                        return Ok((outcome, file_hash));
                    }
                }
            }
        }
        Err(io::Error::other("it was saved again each time it was about to be replaced; export it again"))
    }

    /// What is to become of the file as it is now.
    fn decide(&self, root: &Root, text: &[u8]) -> Result<FileDecision, io::Error> {
        let present = match root.read(&self.planned.place, MAX_COMPARED_BYTES) {
            Ok(present) => present,
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(FileDecision::Goes(WriteOutcome::Created, Before::Nothing));
            }
            Err(error) => return Err(io::Error::other(error.to_string())),
        };
        let present_hash = hash(&present);
        let is_known = self.record.as_ref().is_some_and(|record| record.file_hash == present_hash);
        Ok(match self.on_conflict {
            _ if present == text => FileDecision::Stays(WriteOutcome::Unchanged, None),
            // Neither has changed: what could not be kept of the file (a NUL, say) stays in it.
            _ if is_known && self.is_as_noted() => FileDecision::Stays(WriteOutcome::Unchanged, Some(present_hash)),
            OnConflict::Skip if !is_known => FileDecision::Stays(WriteOutcome::Skipped, None),
            OnConflict::Fail if !is_known => FileDecision::Stays(WriteOutcome::Exists, None),
            OnConflict::Skip | OnConflict::Fail | OnConflict::Update => {
                FileDecision::Goes(WriteOutcome::Updated, Before::Hash(present_hash))
            }
        })
    }
}

/// *Units:* milliseconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

//! One file of an export: made, compared with what is there, written.

use std::io;

use super::super::{
    OnConflict,
    export_plan::Planned,
    hash,
    render::{Rendered, render},
    root::{ReadError, Root},
    source::Known,
};
use crate::articles::{Article, folder::Folder, request::Limits};

/// Largest file that is compared with what would be written. *Units:* bytes.
pub(super) const COMPARED: u64 = 1 << 30;

/// What became of an article.
pub(super) enum Outcome {
    Created,
    Updated,
    Unchanged,
    Skipped,
    Exists,
}

/// One file to be written.
pub(super) struct Work {
    pub(super) article: Article,
    pub(super) planned: Planned,
    pub(super) came_from_file: bool,
    pub(super) former_slugs: Vec<String>,
    /// What was noted of the file when it was last read or written.
    pub(super) known: Option<Known>,
    pub(super) limits: Limits,
    pub(super) on_conflict: OnConflict,
    pub(super) dry_run: bool,
}

impl Work {
    /// Whether the article is as it was when the file was last read or written.
    fn is_as_noted(&self) -> bool {
        let (article, known) = (&self.article, self.known.as_ref());
        known.is_some_and(|known| (known.article_id, known.revision) == (article.id, article.revision))
    }

    pub(super) fn done(self, root: Option<&Root>) -> (Self, Result<(Outcome, String), io::Error>) {
        let done = self.write(root);
        (self, done)
    }

    fn write(&self, root: Option<&Root>) -> Result<(Outcome, String), io::Error> {
        let rendered = Rendered {
            article: &self.article,
            place: &self.planned.place,
            before: self.planned.before.as_ref(),
            came_from_file: self.came_from_file,
            former_slugs: &self.former_slugs,
            above: &Folder::default(),
        };
        let text = render(&rendered, self.limits);
        let file_hash = hash(text.as_bytes());
        let Some(root) = root else { return Ok((Outcome::Created, file_hash)) };
        let outcome = match root.read(&self.planned.place, COMPARED) {
            Ok(present) if present == text.as_bytes() => return Ok((Outcome::Unchanged, file_hash)),
            Ok(present) => {
                let present_hash = hash(&present);
                let is_known = self.known.as_ref().is_some_and(|known| known.file_hash == present_hash);
                if is_known && self.is_as_noted() {
                    // Neither has changed: what could not be kept of the file (a NUL, say) stays in it.
                    return Ok((Outcome::Unchanged, present_hash));
                }
                match self.on_conflict {
                    _ if is_known => Outcome::Updated,
                    OnConflict::Skip => return Ok((Outcome::Skipped, file_hash)),
                    OnConflict::Fail => return Ok((Outcome::Exists, file_hash)),
                    OnConflict::Update => Outcome::Updated,
                }
            }
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Outcome::Created,
            Err(error) => return Err(io::Error::other(error.to_string())),
        };
        if !self.dry_run {
            root.write(&self.planned.place, text.as_bytes())?;
        }
        Ok((outcome, file_hash))
    }
}

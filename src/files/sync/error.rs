//! Why a run stopped.

use std::{io, path::PathBuf};

use afterword_actors::store::StoreError;
use serde::Serialize;

use super::report::{SyncReport, SyncRequest};

/// Why a run stopped.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The folder.
    #[error("{} cannot be read: {source}", path.display())]
    Folder {
        /// Where it is.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Much would be deleted.
    #[error(
        "of {known} files, {gone} are gone (their articles would be deleted, or written anew if they have changed since), \
         {emptied} hold nothing any more, and {deleted} would be removed, whose articles were deleted or moved away: {}; {}. If \
         that is meant, `{}` does it; if a disk is not mounted, mount it",
        files.first(kept), done(before), kept.confirming()
    )]
    ManyDeletions {
        /// The folder.
        kept: KeptFolder,
        /// Files that are gone, and whose articles are there: they would be deleted, or written anew if they have
        /// changed since.
        gone: usize,
        /// Files that are there and empty, and whose articles are not.
        emptied: usize,
        /// Files that are there, and whose articles are not.
        deleted: usize,
        /// Files that were known.
        known: usize,
        /// Which they are.
        files: Box<PendingDeletions>,
        /// What was done before it came to that.
        before: Box<SyncReport>,
    },
    /// Another folder is in the way.
    #[error(
        "{} {}, which is kept in step{} already: each would take the files of the other for new ones. Keep one of the two; \
         `{}` ends that of the other, and leaves files and articles as they are",
        wanted.directory.display(), lies(wanted, other), with(other), other.forgetting()
    )]
    Overlap {
        /// What is asked for.
        wanted: KeptFolder,
        /// What is kept in step.
        other: KeptFolder,
    },
    /// It was forgotten while it was kept in step.
    #[error(
        "{} was forgotten{} (`--forget`), and is not kept in step any more; files and articles are as they are",
        _0.directory.display(), with(_0)
    )]
    Forgotten(KeptFolder),
    /// There is nothing to forget.
    #[error("{} is not kept in step{}; {}", wanted.directory.display(), with(wanted), those(kept))]
    NotKept {
        /// What is asked for.
        wanted: KeptFolder,
        /// Folders that are.
        kept: Vec<KeptFolder>,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The files of a question about deletions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PendingDeletions {
    /// They are gone: their articles would be deleted, or written anew if they have changed since.
    pub gone: Vec<String>,
    /// They hold nothing any more.
    pub emptied: Vec<String>,
    /// They would be removed.
    pub removed: Vec<String>,
    /// Whether a watch asks, of which nobody can ask for all names.
    #[serde(skip)]
    is_of_a_watch: bool,
}

impl SyncError {
    /// The same, as a watch says it.
    pub(super) fn of_a_watch(mut self) -> Self {
        if let Self::ManyDeletions { files, .. } = &mut self {
            files.is_of_a_watch = true;
        }
        self
    }
}

impl PendingDeletions {
    /// Those, and no others.
    pub(super) fn new(gone: Vec<String>, emptied: Vec<String>, removed: Vec<String>) -> Self {
        Self { gone, emptied, removed, is_of_a_watch: false }
    }

    /// All of them, in that order.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.gone.iter().chain(&self.emptied).chain(&self.removed)
    }

    /// The first ones, how many there are besides, and how those are named.
    fn first(&self, kept: &KeptFolder) -> String {
        const MAX_NAMED_FILES: usize = 10;
        let first: Vec<&str> = self.all().take(MAX_NAMED_FILES).map(String::as_str).collect();
        let others = self.all().count() - first.len();
        let naming = if self.is_of_a_watch { kept.naming() } else { "-v".to_owned() };
        let more = if others == 0 { String::new() } else { format!(" and {others} more ({naming} names them all)") };
        first.join(", ") + &more
    }
}

fn done(before: &SyncReport) -> String {
    match before.did_something() {
        true => format!("what came before it was done ({}), and nothing of this", before.summary()),
        false => "nothing was done".to_owned(),
    }
}

fn lies(wanted: &KeptFolder, other: &KeptFolder) -> String {
    let there = other.directory.display();
    if wanted.directory == other.directory {
        "is the folder itself".to_owned()
    } else if wanted.directory.starts_with(&other.directory) {
        format!("lies within {there}")
    } else {
        format!("holds {there}")
    }
}

/// The folder of articles, if it is not all of them.
fn with(kept: &KeptFolder) -> String {
    match kept.folder.as_str() {
        "" => String::new(),
        folder => format!(" with the folder \"{folder}\" of articles"),
    }
}

fn those(kept: &[KeptFolder]) -> String {
    let named = |kept: &KeptFolder| format!("{}{}", kept.directory.display(), with(kept));
    match kept {
        [] => "no folder is".to_owned(),
        kept => format!("these are: {}", kept.iter().map(named).collect::<Vec<_>>().join(", ")),
    }
}

/// A folder that is kept in step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptFolder {
    /// Where it is.
    pub directory: PathBuf,
    /// The folder of articles.
    pub folder: String,
}

impl KeptFolder {
    /// The one that is asked for.
    pub(super) fn of(request: &SyncRequest) -> Self {
        Self { directory: request.directory.clone(), folder: request.folder.to_string() }
    }

    /// The command that forgets it.
    fn forgetting(&self) -> String {
        format!("{} --forget", self.command())
    }

    /// The command that deletes however much it is.
    fn confirming(&self) -> String {
        format!("{} --yes", self.command())
    }

    /// The command that names everything it would delete, and does nothing.
    fn naming(&self) -> String {
        format!("`{} --dry-run -v`", self.command())
    }

    fn command(&self) -> String {
        let directory = quoted(&self.directory.to_string_lossy());
        match self.folder.as_str() {
            "" => format!("afterword sync {directory}"),
            folder => format!("afterword sync {directory} --folder {}", quoted(folder)),
        }
    }
}

/// As a shell reads it.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-~".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_says_how_all_files_are_named_where_it_is_asked() {
        let gone: Vec<String> = (0..12).map(|n| format!("note-{n}.md")).collect();
        let kept = KeptFolder { directory: "my notes".into(), folder: String::new() };
        let files = Box::new(PendingDeletions::new(gone, Vec::new(), Vec::new()));
        let before = Box::new(SyncReport::default());
        let question = SyncError::ManyDeletions { kept, gone: 12, emptied: 0, deleted: 0, known: 30, files, before };
        let told = question.to_string();
        assert!(told.contains("note-9.md and 2 more (-v names them all)"), "{told}");
        let told = question.of_a_watch().to_string();
        assert!(told.contains(" and 2 more (`afterword sync 'my notes' --dry-run -v` names them all)"), "{told}");
    }
}

//! Markdown files in and out.
//!
//! A file is known by its place in its folder of files (a *source*), never by the slug its name would make: two files
//! never meet in one article. What a file holds is kept byte for byte; an export changes what has changed.
//!
//! ```text
//! import   walk ── layout (whose files they are) ── scan ── resolve (which source) ── plan ── carry out, or say what would be done
//! export   plan (one place for each article) ── render ── write, or say what would be done
//! sync     look at both ── plan ── carry out, or say what would be done
//! ```
//! Each plans once, whether anything is then done or not: a dry run cannot promise something else.

mod content;
mod decode;
mod export;
mod export_plan;
mod import;
mod layouts;
mod manager;
mod naming;
mod place;
mod plan;
mod render;
mod report;
mod resolve;
mod root;
mod scan;
mod slugs;
mod source;
mod sync;
mod walk;

pub use export::{Export, ExportReport, export};
pub use import::{Count, Import, Step, import};
pub use layouts::Layout;
pub use manager::{ManagerError, ManagerReport, NotBroughtIn, import_manager};
pub use report::{FileProblem, ImportReport, ImportedFile, LeftOut, Reason};
pub use sync::{
    ArticleChanges, Conflict, FileChanges, FolderSync, KeptFolder, LeftCopy, PendingDeletions, SyncError, SyncReport,
    SyncRequest, WatchEvent, forget, left_copies, sync, told_of, watch,
};

use crate::articles::{Limits, folder::Folder};

/// What to do about an article, or a file, that exists already and is not known to be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// Leave it as it is.
    Skip,
    /// Change it.
    Update,
    /// Leave it, and call it an error.
    Fail,
}

/// The title that an import gives the article of the file `text`, which is named `file`.
pub(crate) fn title(text: &str, file: &str, limits: Limits) -> String {
    content::read(text, file, &Folder::default(), limits).title
}

/// SHA-256 of a file, in hexadecimal digits.
fn hash(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(bytes))
}

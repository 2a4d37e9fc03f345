//! Markdown files in and out.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArguments {
    /// Folder with *.md files; sub-folders become folders
    pub(in crate::cli) directory: PathBuf,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// What to do about an article that exists already
    #[arg(long, value_enum, default_value_t = OnConflict::Fail)]
    pub(in crate::cli) on_conflict: OnConflict,
    /// Wait until all are embedded
    #[arg(long)]
    pub(in crate::cli) wait: bool,
    /// Put all articles below this folder
    #[arg(long, default_value = "")]
    pub(in crate::cli) folder: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArguments {
    /// Where to write; folders become sub-folders
    pub(in crate::cli) directory: PathBuf,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// What to do about a file that exists already with another content
    #[arg(long, value_enum, default_value_t = OnConflict::Fail)]
    pub(in crate::cli) on_conflict: OnConflict,
    /// Only this folder and below
    #[arg(long, default_value = "")]
    pub(in crate::cli) folder: String,
}

/// What to do about something that exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum OnConflict {
    /// Leave it as it is
    Skip,
    /// Change it
    Update,
    /// Leave it, and report an error
    Fail,
}

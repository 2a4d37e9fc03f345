//! Markdown files in and out.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArguments {
    /// Folder with markdown files; sub-folders become folders
    ///
    /// A file is recognised by its path: one that was imported before changes its article, and no other. Hidden files,
    /// node_modules, and what .gitignore or .afterwordignore name are left out; -v lists them.
    #[arg(required_unless_present = "from_manager")]
    pub(in crate::cli) directory: Option<PathBuf>,
    /// Import the articles of mcp-markdown-manager instead, with their history, from its database (postgres://…)
    #[arg(long, value_name = "URL", conflicts_with_all = ["directory", "on_conflict", "wait", "folder", "source", "layout"])]
    pub(in crate::cli) from_manager: Option<String>,
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// What to do about an article that exists and did not come from the file, or was changed as well as the file
    #[arg(long, value_enum, default_value_t = OnConflict::Fail)]
    pub(in crate::cli) on_conflict: OnConflict,
    /// Whose files these are: names, properties and tables are read as that program means them
    #[arg(long = "as", value_enum, default_value_t = Layout::Auto)]
    pub(in crate::cli) layout: Layout,
    /// Wait until all are embedded
    #[arg(long)]
    pub(in crate::cli) wait: bool,
    /// Put all articles below this folder
    #[arg(long, default_value = "")]
    pub(in crate::cli) folder: String,
    /// A name for this folder of files, by which it is recognised after it was moved [default: its path]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) source: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArguments {
    /// Where to write; folders become sub-folders
    pub(in crate::cli) directory: PathBuf,
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// What to do about a file with another text that was changed since it was imported or exported
    #[arg(long, value_enum, default_value_t = OnConflict::Fail)]
    pub(in crate::cli) on_conflict: OnConflict,
    /// Only this folder and below
    #[arg(long, default_value = "")]
    pub(in crate::cli) folder: String,
    /// Remove files that an earlier export wrote and whose articles are gone or are written elsewhere now
    #[arg(long)]
    pub(in crate::cli) prune: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SyncArguments {
    /// Folder with markdown files
    ///
    /// Changes, moves, new texts and deletions of one side since the last time are made on the other. Changes of both
    /// are merged by lines; where that is impossible, the file gets the article's text, and a copy beside it the
    /// file's. The same files are left out as by an import.
    pub(in crate::cli) directory: PathBuf,
    /// Keep this folder of articles in step, and no other
    #[arg(long, default_value = "")]
    pub(in crate::cli) folder: String,
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Delete on one side what is gone on the other, even if that is more than a tenth
    #[arg(long)]
    pub(in crate::cli) yes: bool,
    /// Go on until interrupted: changes of either side appear on the other within about a second
    #[arg(long, conflicts_with = "dry_run")]
    pub(in crate::cli) watch: bool,
    /// Stop keeping the folder in step; files and articles stay as they are
    ///
    /// The folder may be gone already. Synced again, it counts as a new one.
    #[arg(long, conflicts_with_all = ["dry_run", "watch", "yes"])]
    pub(in crate::cli) forget: bool,
}

/// How a folder of files is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Layout {
    /// As the names in the folder say
    Auto,
    /// Files that say what they mean; also those of Obsidian, Hugo and Docusaurus
    Plain,
    /// An export of Notion as markdown and CSV
    Notion,
    /// A graph of Logseq
    Logseq,
    /// A site of Jekyll
    Jekyll,
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

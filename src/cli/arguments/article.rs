//! Articles: writing, reading, finding.

use std::path::PathBuf;

use afterword_actors::task::Priority;
use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};

use crate::{cli::offers::slugs, search::Mode};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ArticleCommand {
    /// Create an article; never overwrites
    Create {
        /// Its title
        title: String,
        #[command(flatten)]
        text: TextArguments,
        /// Its name in addresses [default: from the title]
        #[arg(long)]
        slug: Option<String>,
        /// Where it stands, e.g. guides/rust
        #[arg(long, default_value = "")]
        folder: String,
        /// Do not embed it, now or later
        #[arg(long)]
        skip_embedding: bool,
        /// How urgent its embedding is
        #[arg(long, value_parser = priorities())]
        priority: Option<Priority>,
        /// Repeating the command with the same key creates nothing twice
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
    },
    /// Show an article
    Show {
        /// Its slug, or a former one
        #[arg(add = slugs())]
        slug: String,
        /// A past revision
        #[arg(long)]
        revision: Option<i64>,
        /// The text alone, byte for byte, for other programs
        #[arg(long)]
        body: bool,
    },
    /// List articles, the last saved first
    List {
        /// Only this folder and below
        #[arg(long, default_value = "")]
        folder: String,
        /// Most rows
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Where the list before ended
        #[arg(long)]
        cursor: Option<String>,
        /// Only those that were deleted and can be restored, the last deleted first
        #[arg(long, conflicts_with = "cursor")]
        deleted: bool,
        /// Only those saved since then: a time ago, e.g. 7d, or a date, e.g. 2026-11-01
        #[arg(long, value_name = "WHEN")]
        since: Option<String>,
    },
    /// Change the text of an article in your editor (VISUAL, else EDITOR)
    ///
    /// Refused if the article was changed meanwhile. What could not be saved stays in a file, whose name is told.
    Edit {
        /// Its slug, or a former one
        #[arg(add = slugs())]
        slug: String,
    },
    /// Show what changed between two revisions
    Diff {
        /// Its slug, a former one, or id:NUMBER as `article list --deleted` shows it
        #[arg(add = slugs())]
        slug: String,
        /// The older one [default: the one before]
        #[arg(long, value_name = "N")]
        from: Option<i64>,
        /// The newer one [default: the present one]
        #[arg(long, value_name = "N")]
        to: Option<i64>,
        /// Compare the text with this file instead of a newer revision; - for standard input
        #[arg(long, value_name = "FILE", conflicts_with = "to")]
        file: Option<PathBuf>,
    },
    /// Change an article; what is not named stays
    Update {
        /// Its slug, or a former one
        #[arg(add = slugs())]
        slug: String,
        /// A new title
        #[arg(long, allow_hyphen_values = true)]
        title: Option<String>,
        #[command(flatten)]
        text: TextArguments,
        /// Another folder
        #[arg(long)]
        folder: Option<String>,
        /// Whether never to embed it
        #[arg(long, value_name = "true|false")]
        skip_embedding: Option<bool>,
        /// How urgent its embedding is
        #[arg(long, value_parser = priorities())]
        priority: Option<Priority>,
        /// Refuse if the article is at another revision
        #[arg(long, value_name = "N")]
        expected_revision: Option<i64>,
    },
    /// Delete an article; `article restore` brings it back
    Delete {
        /// Its slug, or a former one
        #[arg(add = slugs())]
        slug: String,
        /// Refuse if the article is at another revision
        #[arg(long, value_name = "N")]
        expected_revision: Option<i64>,
    },
    /// Give an article another slug; the old one keeps working
    Rename {
        /// Its slug, or a former one
        #[arg(add = slugs())]
        slug: String,
        /// The new slug
        to: String,
        /// Refuse if the article is at another revision
        #[arg(long, value_name = "N")]
        expected_revision: Option<i64>,
    },
    /// List the revisions of an article, also of a deleted one
    History {
        /// Its slug, a former one, or id:NUMBER as `article list --deleted` shows it
        #[arg(add = slugs())]
        slug: String,
    },
    /// Make a past revision the present one; without a number, undo the last change or the deletion
    Restore {
        /// Its slug, a former one, or id:NUMBER as `article list --deleted` shows it
        #[arg(add = slugs())]
        slug: String,
        /// The revision
        #[arg(long)]
        revision: Option<i64>,
    },
}

#[derive(Debug, Args)]
#[group(required = false, multiple = false)]
pub(in crate::cli) struct TextArguments {
    /// The text, markdown
    #[arg(long, allow_hyphen_values = true)]
    pub(in crate::cli) body: Option<String>,
    /// A file with the text; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SearchArguments {
    /// What you look for, in your words
    pub(in crate::cli) query: String,
    /// By words and meaning, by meaning, or by words
    #[arg(long, default_value_t = Mode::Hybrid, value_parser = modes())]
    pub(in crate::cli) mode: Mode,
    /// Most hits [default: search.default_limit]
    #[arg(long)]
    pub(in crate::cli) limit: Option<usize>,
    /// Only this folder and below
    #[arg(long, default_value = "")]
    pub(in crate::cli) folder: String,
    /// Most passages of one article, up to 10
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(in crate::cli) passages: usize,
    /// Say how each hit came to its place
    #[arg(long)]
    pub(in crate::cli) explain: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RelatedArguments {
    /// Its slug, or a former one
    pub(in crate::cli) slug: String,
    /// Most hits [default: search.default_limit]
    #[arg(long)]
    pub(in crate::cli) limit: Option<usize>,
}

/// The names are listed in the help, and offered by the shell.
fn priorities() -> impl TypedValueParser<Value = Priority> {
    PossibleValuesParser::new(["high", "normal", "low"])
        .try_map(|name| name.parse::<Priority>().map_err(|error| error.to_string()))
}

fn modes() -> impl TypedValueParser<Value = Mode> {
    PossibleValuesParser::new(["hybrid", "semantic", "keyword"]).try_map(|name| name.parse::<Mode>())
}

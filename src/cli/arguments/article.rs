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
        /// Its folder, e.g. guides/rust
        #[arg(long, default_value = "")]
        folder: String,
        /// Do not embed it, now or later
        #[arg(long)]
        skip_embedding: bool,
        /// A value of its front matter, e.g. --property status=draft --property tags=[rust,web]; may be repeated
        #[arg(long, value_name = "KEY=VALUE")]
        property: Vec<String>,
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
        /// At most this many rows
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Only those that match all of these words, e.g. "tag:rust -status:draft created:2026-01..2026-03"
        #[arg(
            long,
            default_value = "",
            hide_default_value = true,
            allow_hyphen_values = true,
            conflicts_with = "deleted"
        )]
        filter: String,
        /// Only those with this tag or one below it; may be repeated
        #[arg(long, conflicts_with = "deleted")]
        tag: Vec<String>,
        /// The cursor that the page before printed
        #[arg(long)]
        cursor: Option<String>,
        /// Only those that were deleted and can be restored, the last deleted first
        #[arg(long)]
        deleted: bool,
        /// Only those saved since then: a time ago, e.g. 7d, or a date, e.g. 2026-11-01
        #[arg(long, value_name = "WHEN")]
        since: Option<String>,
    },
    /// Change a part of an article's text, or all of it in your editor (VISUAL, else EDITOR)
    ///
    /// Without a part, the editor opens; a text that cannot be saved stays in a file, whose name is printed. With a
    /// part, the text outside it stays byte for byte. Both are refused if the article was changed meanwhile.
    Edit(EditArguments),
    /// Show what changed between two revisions
    Diff {
        /// Its slug, a former one, or id:NUMBER as `article list --deleted` shows it
        #[arg(add = slugs())]
        slug: String,
        /// The older revision [default: the one before]
        #[arg(long, value_name = "N")]
        from: Option<i64>,
        /// The newer revision [default: the present one]
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
        /// Never embed it (true), or embed it (false)
        #[arg(long, value_name = "true|false")]
        skip_embedding: Option<bool>,
        /// A value of its front matter, e.g. --property status=done; KEY= removes one; may be repeated
        #[arg(long, value_name = "KEY=VALUE")]
        property: Vec<String>,
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
        /// Change links from the old slug to the new one: each article that has some gets a new revision
        #[arg(long)]
        update_links: bool,
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

/// Which tags to list.
#[derive(Debug, Args)]
pub(in crate::cli) struct TagsArguments {
    /// Only tags that begin with this
    pub(in crate::cli) start: Option<String>,
    /// At most this many rows
    #[arg(long, default_value_t = 200)]
    pub(in crate::cli) limit: u32,
}

/// Which properties to list.
#[derive(Debug, Args)]
pub(in crate::cli) struct PropertiesArguments {
    /// List the values of this property instead of all properties
    pub(in crate::cli) key: Option<String>,
    /// At most this many rows
    #[arg(long, default_value_t = 200)]
    pub(in crate::cli) limit: u32,
}

/// Which links to list.
#[derive(Debug, Args)]
pub(in crate::cli) struct LinksArguments {
    /// The article whose links are listed, in both directions
    #[arg(add = slugs())]
    pub(in crate::cli) slug: Option<String>,
    /// List links that lead to no article
    #[arg(long, conflicts_with = "slug")]
    pub(in crate::cli) broken: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct EditArguments {
    /// Its slug, or a former one
    #[arg(add = slugs())]
    pub(in crate::cli) slug: String,
    /// Add this text at the end
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, group = "action")]
    pub(in crate::cli) append: Option<String>,
    /// Add this text at the beginning, after the front matter
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, group = "action")]
    pub(in crate::cli) prepend: Option<String>,
    /// Replace the text below this heading with --text or --file
    #[arg(long, value_name = "SECTION", group = "action")]
    pub(in crate::cli) replace_section: Option<String>,
    /// Add --text or --file before this heading
    #[arg(long, value_name = "SECTION", group = "action")]
    pub(in crate::cli) insert_before: Option<String>,
    /// Add --text or --file after this section
    #[arg(long, value_name = "SECTION", group = "action")]
    pub(in crate::cli) insert_after: Option<String>,
    /// Remove this section
    #[arg(long, value_name = "SECTION", group = "action")]
    pub(in crate::cli) delete_section: Option<String>,
    /// Replace this text with --replace
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, group = "action", requires = "replace")]
    pub(in crate::cli) find: Option<String>,
    /// The text that replaces --find
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, requires = "find")]
    pub(in crate::cli) replace: Option<String>,
    /// How often the text must occur
    #[arg(long, value_name = "N", default_value_t = 1, requires = "find")]
    pub(in crate::cli) count: usize,
    /// Several edits from a JSON file; - for standard input
    #[arg(long, value_name = "FILE", group = "action")]
    pub(in crate::cli) edits: Option<PathBuf>,
    /// The text for a section
    #[arg(long, allow_hyphen_values = true, conflicts_with = "file")]
    pub(in crate::cli) text: Option<String>,
    /// A file with the text for a section; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) file: Option<PathBuf>,
    /// The revision you edited: refuse if the article has a newer one
    #[arg(long, value_name = "N")]
    pub(in crate::cli) expected_revision: Option<i64>,
    /// If the article has a newer revision, merge with what has changed since
    #[arg(long, requires = "expected_revision")]
    pub(in crate::cli) merge: bool,
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
    #[arg(allow_hyphen_values = true, value_parser = question)]
    pub(in crate::cli) query: String,
    /// Another question beside it, answered together; may be repeated, up to five in all
    #[arg(long = "query", value_name = "QUERY", allow_hyphen_values = true)]
    pub(in crate::cli) queries: Vec<String>,
    /// By words and meaning, by meaning, or by words
    #[arg(long, default_value_t = Mode::Hybrid, value_parser = modes())]
    pub(in crate::cli) mode: Mode,
    /// At most this many hits [default: search.default_limit]
    #[arg(long)]
    pub(in crate::cli) limit: Option<usize>,
    /// Only this folder and below
    #[arg(long, default_value = "")]
    pub(in crate::cli) folder: String,
    /// Only articles that match all of these words, e.g. "tag:rust -status:draft rating:>3"
    #[arg(long, default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    pub(in crate::cli) filter: String,
    /// Only those with this tag or one below it; may be repeated
    #[arg(long)]
    pub(in crate::cli) tag: Vec<String>,
    /// At most this many passages of one article, up to 10
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(in crate::cli) passages: usize,
    /// Explain the rank of each hit
    #[arg(long)]
    pub(in crate::cli) explain: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RelatedArguments {
    /// Its slug, or a former one
    pub(in crate::cli) slug: String,
    /// At most this many hits [default: search.default_limit]
    #[arg(long)]
    pub(in crate::cli) limit: Option<usize>,
}

/// A question may begin with a hyphen. What looks like an option is rather a misspelt one, unless it stands behind `--`.
fn question(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("--").filter(|name| !name.contains(char::is_whitespace));
    let is_option = name.is_some_and(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()));
    if is_option && !std::env::args_os().any(|argument| argument == "--") {
        return Err("there is no such option; to look for it, write it behind `--`".to_owned());
    }
    Ok(text.to_owned())
}

/// Lists the names in the help, and offers them to the shell.
fn priorities() -> impl TypedValueParser<Value = Priority> {
    PossibleValuesParser::new(["high", "normal", "low"])
        .try_map(|name| name.parse::<Priority>().map_err(|error| error.to_string()))
}

fn modes() -> impl TypedValueParser<Value = Mode> {
    PossibleValuesParser::new(["hybrid", "semantic", "keyword"]).try_map(|name| name.parse::<Mode>())
}

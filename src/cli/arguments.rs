//! What can be typed.

use std::path::PathBuf;

use afterword_actors::task::{Priority, TaskStatus};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::{auth::Scope, search::Mode};

/// An article server for AI agents and people: saves return at once, embeddings are made in the background.
#[derive(Debug, Parser)]
#[command(name = "afterword", version, arg_required_else_help = true, max_term_width = 110)]
pub(crate) struct Arguments {
    /// Answer as JSON.
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(super) struct Global {
    /// Settings file [default: ./config.toml if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Database address, e.g. sqlite:///home/me/notes.db; same as --set database.url=…
    #[arg(long, global = true, value_name = "URL")]
    pub(super) database: Option<String>,
    /// Any setting, e.g. --set queue.slots=4; may be repeated
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub(super) settings: Vec<String>,
    /// Log more to standard error; twice for all
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

impl Global {
    /// The same, with the address to listen on.
    pub(super) fn listening_on(&self, bind: Option<String>) -> Self {
        let mut global = self.clone();
        global.settings.extend(bind.map(|address| format!("server.bind={address}")));
        global
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the whole thing at work: save articles, embed them in the background, search them by meaning
    Demo {
        /// Markdown files to use instead of the bundled sample articles
        directory: Option<PathBuf>,
    },
    /// Run the host server: REST, MCP, health and metrics, with workers beside them
    Serve {
        /// Address and port to listen on; same as --set server.bind=…
        #[arg(long, value_name = "ADDRESS:PORT")]
        bind: Option<String>,
    },
    /// Serve an AI agent over standard input and output, by the Model Context Protocol
    Mcp,
    /// Bring markdown files in
    Import(ImportArguments),
    /// Write articles out as markdown files
    Export(ExportArguments),
    /// Create, read and change articles
    Article {
        #[command(subcommand)]
        command: ArticleCommand,
    },
    /// Find articles by words and by meaning
    Search(SearchArguments),
    /// Embed many articles
    Bulk {
        #[command(subcommand)]
        command: BulkCommand,
    },
    /// Inspect and manage the queue of embedding tasks
    Queue {
        #[command(subcommand)]
        command: QueueCommand,
    },
    /// Show the actor tree of every running host
    Status,
    /// Schema, backup, restore
    Db {
        #[command(subcommand)]
        command: DbCommand,
    },
    /// What searches look at
    Index {
        #[command(subcommand)]
        command: IndexCommand,
    },
    /// Show and check the settings
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Who may come in through the server
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Local embedding models
    Model {
        #[command(subcommand)]
        command: ModelCommand,
    },
    /// Check this deployment, and say what to do
    Doctor,
    /// Measure search quality on a collection with known answers (corpus.jsonl, queries.jsonl, qrels.tsv)
    Eval {
        /// The collection
        directory: PathBuf,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, or write all pages to a directory
    Man {
        /// Where to write afterword.1, afterword-article.1, …
        directory: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(super) struct ImportArguments {
    /// Folder with *.md files; sub-folders become folders
    pub(super) directory: PathBuf,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// What to do about an article that exists already
    #[arg(long, value_enum, default_value_t = OnConflict::Fail)]
    pub(super) on_conflict: OnConflict,
    /// Wait until all are embedded
    #[arg(long)]
    pub(super) wait: bool,
    /// Put all articles below this folder
    #[arg(long, default_value = "")]
    pub(super) folder: String,
}

#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// Where to write; folders become sub-folders
    pub(super) directory: PathBuf,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// What to do about a file that exists already with another content
    #[arg(long, value_enum, default_value_t = OnConflict::Fail)]
    pub(super) on_conflict: OnConflict,
    /// Only this folder and below
    #[arg(long, default_value = "")]
    pub(super) folder: String,
}

/// What to do about something that exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OnConflict {
    /// Leave it as it is
    Skip,
    /// Change it
    Update,
    /// Leave it, and report an error
    Fail,
}

#[derive(Debug, Subcommand)]
pub(super) enum ArticleCommand {
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
        #[arg(long, value_parser = parse_priority)]
        priority: Option<Priority>,
        /// Repeating the command with the same key creates nothing twice
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
    },
    /// Show an article
    Show {
        /// Its slug, or a former one
        slug: String,
        /// A past revision
        #[arg(long)]
        revision: Option<i64>,
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
    },
    /// Change an article; what is not named stays
    Update {
        /// Its slug, or a former one
        slug: String,
        /// A new title
        #[arg(long)]
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
        #[arg(long, value_parser = parse_priority)]
        priority: Option<Priority>,
        /// Refuse if the article is at another revision
        #[arg(long, value_name = "N")]
        expected_revision: Option<i64>,
    },
    /// Delete an article; `article restore` brings it back
    Delete {
        /// Its slug, or a former one
        slug: String,
        /// Refuse if the article is at another revision
        #[arg(long, value_name = "N")]
        expected_revision: Option<i64>,
    },
    /// Give an article another slug; the old one keeps working
    Rename {
        /// Its slug, or a former one
        slug: String,
        /// The new slug
        to: String,
        /// Refuse if the article is at another revision
        #[arg(long, value_name = "N")]
        expected_revision: Option<i64>,
    },
    /// List the revisions of an article, also of a deleted one
    History {
        /// Its slug, or a former one
        slug: String,
    },
    /// Make a past revision the present one; without a number, undo the last change or the deletion
    Restore {
        /// Its slug, or a former one
        slug: String,
        /// The revision
        #[arg(long)]
        revision: Option<i64>,
    },
}

#[derive(Debug, Args)]
#[group(required = false, multiple = false)]
pub(super) struct TextArguments {
    /// The text, markdown
    #[arg(long)]
    pub(super) body: Option<String>,
    /// A file with the text; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct SearchArguments {
    /// What you look for, in your words
    pub(super) query: String,
    /// By words and meaning, by meaning, or by words
    #[arg(long, default_value_t = Mode::Hybrid)]
    pub(super) mode: Mode,
    /// Most hits [default: search.default_limit]
    #[arg(long)]
    pub(super) limit: Option<usize>,
    /// Only this folder and below
    #[arg(long, default_value = "")]
    pub(super) folder: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum BulkCommand {
    /// Embed all articles that need it: missing, stale and failed ones
    Start {
        #[command(flatten)]
        scope: ScopeArguments,
        /// Only this folder and below
        #[arg(long, default_value = "")]
        folder: String,
        /// Say how many articles it would be, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Return at once; a running host does the work
        #[arg(long)]
        detach: bool,
    },
    /// Show how a run stands [default: the last one]
    Status {
        /// Its number
        id: Option<i64>,
    },
    /// List runs
    List,
    /// Stop a run: what nobody has begun is taken back
    Cancel {
        /// Its number
        id: i64,
    },
}

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct ScopeArguments {
    /// Only articles without vectors
    #[arg(long)]
    pub(super) missing: bool,
    /// Only articles whose last task failed
    #[arg(long)]
    pub(super) failed: bool,
    /// Only articles whose vectors are of an older content
    #[arg(long)]
    pub(super) stale: bool,
    /// Every article; unchanged ones are confirmed, not embedded again
    #[arg(long)]
    pub(super) all: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum QueueCommand {
    /// Exact numbers, throughput and times
    Stats,
    /// List tasks, the newest first
    List {
        /// Only tasks of this status
        #[arg(long, value_parser = parse_status)]
        status: Option<TaskStatus>,
        /// Only tasks of this article
        #[arg(long, value_name = "SLUG")]
        article: Option<String>,
        /// Only tasks older than this one
        #[arg(long, value_name = "ID")]
        before: Option<i64>,
        /// Most rows
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show a task with its audit trail, and why it waits
    Show {
        /// The task
        id: i64,
    },
    /// Put a failed or cancelled task back, with fresh attempts
    Retry {
        /// The task
        id: i64,
    },
    /// Put all failed tasks back
    RetryFailed,
    /// Cancel a waiting task
    Cancel {
        /// The task
        id: i64,
    },
    /// Stop all hosts from beginning tasks
    Pause,
    /// Let all hosts go on
    Resume,
    /// Remove finished tasks
    Cleanup {
        /// That finished longer ago than this, e.g. 12h or 7d [default: retention.tasks]
        #[arg(long, value_name = "AGE")]
        older_than: Option<String>,
    },
    /// Put tasks back that dead hosts held
    Rescue,
    /// Show the audit trail
    Events {
        /// Only of this task
        #[arg(long, value_name = "ID")]
        task: Option<i64>,
        /// Most rows
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Follow the audit trail as it grows
    Watch,
}

#[derive(Debug, Subcommand)]
pub(super) enum DbCommand {
    /// Bring the schema up to date
    Migrate,
    /// Show which steps of the schema are applied
    Status,
    /// Take the last steps of the schema back; what only they hold is lost
    Rollback {
        /// How many
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        steps: u32,
        /// Do it; without this, only say what would be lost
        #[arg(long)]
        yes: bool,
    },
    /// Write a copy of the database, also while it is in use
    Backup {
        /// A file that does not exist yet
        file: PathBuf,
    },
    /// Put a backup in the database's place; what was there is kept beside it
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Look through the whole database for damage
    Verify,
    /// Copy everything from a file to a server, and compare; run again, it goes on where it stopped
    Copy {
        /// The file, e.g. sqlite:///home/me/notes.db
        #[arg(long)]
        from: String,
        /// The server, e.g. postgres://me@localhost/afterword
        #[arg(long)]
        to: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum IndexCommand {
    /// Index all words again, and on a server all vectors; saves and searches go on meanwhile
    Rebuild,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Show every setting and where it comes from; secrets hidden
    Show,
    /// Check the settings, and report every fault
    Check,
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token and show it, this once
    Create {
        /// What it is for
        name: String,
        /// What it may do: read, write (and read), or admin (everything)
        #[arg(long, default_value_t = Scope::Write)]
        scope: Scope,
        /// How long it holds, e.g. 12h or 90d [default: for ever]
        #[arg(long, value_name = "DURATION")]
        expires_in: Option<String>,
    },
    /// List all tokens
    List,
    /// Make a token invalid, at once
    Revoke {
        /// Its number or its name
        token: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ModelCommand {
    /// Fetch a local model, or see that it is whole
    Fetch {
        /// Its name
        #[arg(default_value = "all-MiniLM-L6-v2")]
        name: String,
    },
    /// List local models
    List,
}

fn parse_priority(name: &str) -> Result<Priority, String> {
    name.parse().map_err(|error| format!("{error}"))
}

fn parse_status(name: &str) -> Result<TaskStatus, String> {
    name.parse().map_err(|error| format!("{error}"))
}

//! What can be typed.

mod article;
mod files;
mod operator;
mod queue;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub(super) use article::{ArticleCommand, RelatedArguments, SearchArguments, TextArguments};
pub(super) use files::{ExportArguments, ImportArguments, OnConflict};
pub(super) use operator::{ConfigCommand, DbCommand, IndexCommand, ModelCommand, TokenCommand};
pub(super) use queue::{BulkCommand, QueueCommand, ScopeArguments};

const EXAMPLES: &str = "\
Examples:
  afterword demo                                   see it at work, in a database of its own
  afterword import notes/ --wait                   bring in markdown files and embed them
  afterword search \"why does the water rise\"       find them by words and by meaning
  afterword article create \"Tides\" --file tides.md
  afterword serve                                  REST, MCP and workers at http://127.0.0.1:8080
  afterword doctor                                 is all well, and what to do if not

Exit codes: 0 done, 1 failed, 2 asked wrongly, 130 interrupted.
Settings: `afterword config path` says where the file is; `afterword config show` lists all.";

/// What every command takes stands apart from what it takes itself.
const GLOBAL: &str = "Global options";

/// An article server for AI agents and people: saves return at once, embeddings are made in the background.
#[derive(Debug, Parser)]
#[command(name = "afterword", version, arg_required_else_help = true, max_term_width = 110, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Answer as JSON
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(super) struct Global {
    /// Settings file [default: AFTERWORD_CONFIG, else config.toml in your configuration folder]
    #[arg(long, global = true, value_name = "FILE", help_heading = GLOBAL)]
    pub(super) config: Option<PathBuf>,
    /// Database address, e.g. sqlite:///home/me/notes.db; same as --set database.url=…
    #[arg(long, global = true, value_name = "URL", help_heading = GLOBAL)]
    pub(super) database: Option<String>,
    /// Any setting, e.g. --set queue.slots=4; may be repeated
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", help_heading = GLOBAL)]
    pub(super) settings: Vec<String>,
    /// Log more to standard error; twice for all
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL)]
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
        /// Keep the demonstration's database, and print where it is
        #[arg(long)]
        keep: bool,
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
    /// Find articles like one
    Related(RelatedArguments),
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

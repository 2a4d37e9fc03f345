//! The arguments of the program, as clap reads them: a file for each group of commands. They are checked here, and
//! carried out by the modules beside this one.

mod article;
pub(super) mod examples;
mod files;
mod operator;
mod queue;

use std::path::PathBuf;

use clap::{Args, ColorChoice, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

pub(super) use article::{
    ArticleCommand, EditArguments, LinksArguments, PropertiesArguments, RelatedArguments, SearchArguments,
    TagsArguments, TextArguments,
};
pub(super) use files::{ExportArguments, ImportArguments, Layout, OnConflict, SyncArguments};
pub(super) use operator::{ConfigCommand, DbCommand, IndexCommand, ModelCommand, TokenCommand};
pub(super) use queue::{BulkCommand, QueueCommand, ScopeArguments};

/// Shown below the help of the whole program.
const AT_THE_END: &str = "Exit codes: 0 done, 1 failed, 2 wrong arguments or settings, 130 interrupted.
Settings: `afterword config path` says where the file is; `afterword config show` lists all.";

/// The heading of options that every command takes.
const GLOBAL: &str = "Global options";

/// An article server for AI agents and people: saves return at once, embeddings are made in the background.
#[derive(Debug, Parser)]
#[command(name = "afterword", version, arg_required_else_help = true, max_term_width = 110)]
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
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = GLOBAL)]
    pub(super) color: ColorChoice,
}

impl Global {
    /// The same, with the address to listen on.
    pub(super) fn listening_on(&self, bind: Option<String>) -> Self {
        let mut global = self.clone();
        global.settings.extend(bind.map(|address| format!("server.bind={address}")));
        global
    }
}

/// Returns all commands, with examples.
pub(super) fn command() -> clap::Command {
    let examples = examples::OF_ALL.replace('\n', "\n  ");
    let command = Arguments::command().after_help(format!("Examples:\n  {examples}\n\n{AT_THE_END}"));
    examples::add_examples(command, "")
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show everything at work: save articles, embed them in the background, search them by meaning
    Demo {
        /// Markdown files to use instead of the bundled sample articles
        directory: Option<PathBuf>,
        /// Keep the demonstration's database, and print where it is
        #[arg(long)]
        keep: bool,
    },
    /// Run the host server: a page for people, REST, MCP, health and metrics, with workers beside them
    Serve {
        /// Address and port to listen on; same as --set server.bind=…
        #[arg(long, value_name = "ADDRESS:PORT")]
        bind: Option<String>,
    },
    /// Serve an AI agent over standard input and output, by the Model Context Protocol
    Mcp,
    /// Import markdown files
    Import(ImportArguments),
    /// Export articles as markdown files
    Export(ExportArguments),
    /// Keep a folder of markdown files and the articles the same, in both directions
    Sync(SyncArguments),
    /// Create, read and change articles
    Article {
        #[command(subcommand)]
        command: ArticleCommand,
    },
    /// Find articles by words and by meaning
    Search(SearchArguments),
    /// Find articles similar to one
    Related(RelatedArguments),
    /// List tags of front matter and texts, with their articles counted
    Tags(TagsArguments),
    /// List the properties of front matter, or the values of one, with their articles counted
    Properties(PropertiesArguments),
    /// List what an article links to and what links to it, or the links that lead nowhere
    Links(LinksArguments),
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
    /// The search index
    Index {
        #[command(subcommand)]
        command: IndexCommand,
    },
    /// Show and check the settings
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Tokens of those who may use the server
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
    /// Measure search quality on a collection with known answers (corpus.jsonl, queries.jsonl and qrels.tsv, or markdown files and questions.json)
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

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::{
        command,
        examples::{EXAMPLES, of},
    };

    /// Names of commands that are not only groups.
    fn all(command: &Command, above: &str) -> Vec<String> {
        let below: Vec<_> = command
            .get_subcommands()
            .flat_map(|below| all(below, format!("{above} {}", below.get_name()).trim_start()))
            .collect();
        if below.is_empty() { vec![above.to_owned()] } else { below }
    }

    #[test]
    fn every_command_has_examples_that_are_understood() {
        let program = command();
        let commands = all(&program, "");
        for command in &commands {
            assert!(of(command).is_some(), "{command} has no example; EXAMPLES wants a line for it");
        }
        for (command, examples) in EXAMPLES {
            assert!(commands.iter().any(|known| known == command), "there is no command {command}");
            for example in examples.lines().filter(|line| line.starts_with("afterword ")) {
                let typed = example.split(['|', '>']).next().unwrap_or_default();
                let words = shlex(typed);
                let understood = program.clone().try_get_matches_from(&words);
                assert!(understood.is_ok(), "{example}: {}", understood.expect_err("an error"));
            }
        }
    }

    /// Splits a line into words as a shell does; quotes keep spaces.
    fn shlex(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for c in line.trim().chars() {
            match (c, quote) {
                ('"' | '\'', None) => quote = Some(c),
                (c, Some(open)) if c == open => quote = None,
                (' ', None) => words.push(String::new()),
                (c, _) => words.last_mut().expect("a word").push(c),
            }
        }
        words
    }
}

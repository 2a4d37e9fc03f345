//! Commands of the operator.

use std::path::PathBuf;

use clap::{
    Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use crate::{auth::Permission, model};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DbCommand {
    /// Bring the schema up to date
    Migrate,
    /// Show which steps of the schema are applied
    Status,
    /// Undo the last steps of the schema; data that only they have is lost
    Rollback {
        /// How many steps
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        steps: u32,
        /// Do it; without this, the command says what would be lost, and fails
        #[arg(long)]
        yes: bool,
    },
    /// Write a copy of the database, also while it is in use
    Backup {
        /// A file that does not exist yet
        file: PathBuf,
    },
    /// Replace the database with a backup; the old one is kept beside it
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Check the whole database for damage
    Verify,
    /// Copy everything from SQLite to PostgreSQL, and compare; run again, it goes on where it stopped
    Copy {
        /// The SQLite database, e.g. sqlite:///home/me/notes.db
        #[arg(long)]
        from: String,
        /// The PostgreSQL database, e.g. postgres://me@localhost/afterword
        #[arg(long)]
        to: String,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum IndexCommand {
    /// Index all words again, and on PostgreSQL all vectors; saves and searches go on meanwhile
    Rebuild,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ConfigCommand {
    /// Show every setting and where it comes from; secrets hidden
    Show,
    /// Check the settings, and report every fault
    Check,
    /// Print where the settings file is, or would be
    Path,
    /// Print a settings file with every setting, its default and its meaning
    Template,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TokenCommand {
    /// Make a token, and show it only this once
    Create {
        /// What it is for
        name: String,
        /// What it may do: read, write (and read), or admin (everything)
        #[arg(long, default_value_t = Permission::Write, value_parser = scopes())]
        scope: Permission,
        /// How long it is valid, e.g. 12h or 90d [default: no limit]
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
    /// Let this machine in without a token again, if no valid one is left
    Open,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ModelCommand {
    /// Fetch a local model, or check that it is complete
    Fetch {
        /// Its name; `afterword model list` lists those that can be fetched
        #[arg(default_value = "all-MiniLM-L6-v2", add = ArgValueCandidates::new(models))]
        name: String,
    },
    /// List local models
    List,
    /// Change to the model that the settings name: its vectors are made beside those in use, which serve until all are made
    Switch {
        /// Return at once; a running server with these settings does the work
        #[arg(long)]
        detach: bool,
        /// Change even if the new model could not embed some articles: they are found by their words only
        #[arg(long)]
        without_failed: bool,
    },
    /// Show which model is in use, and the progress of a change
    Status,
    /// Cancel a change; the model in use stays
    Cancel,
}

fn scopes() -> impl TypedValueParser<Value = Permission> {
    PossibleValuesParser::new(["read", "write", "admin"])
        .try_map(|name| name.parse::<Permission>().map_err(|error| error.to_string()))
}

fn models() -> Vec<CompletionCandidate> {
    model::CATALOGUE.iter().map(|known| CompletionCandidate::new(known.name)).collect()
}

//! Completions for arguments with values from the database.

use std::{ffi::OsStr, time::Duration};

use afterword_actors::store::Database;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use crate::{
    articles::{AfterSave, Articles, Limits},
    config::{LoadedSettings, Sources},
    host::open_options,
};

/// Most slugs that are offered.
const MAX_OFFERS: usize = 50;
/// The longest wait for the database: a person is typing.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(1);

/// Offers the slugs of articles.
pub(super) fn slugs() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let typed = typed.to_string_lossy();
        // An error must not appear in the middle of a command that is being typed.
        offers_for(&typed).unwrap_or_default().into_iter().map(CompletionCandidate::new).collect()
    })
}

fn offers_for(typed: &str) -> anyhow::Result<Vec<String>> {
    let loaded = LoadedSettings::load(&Sources::of_process(None, Vec::new()))?;
    let options = open_options(&loaded.settings);
    // Opening the database would create it.
    if options.sqlite_file()?.is_some_and(|file| !file.exists()) {
        return Ok(Vec::new());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let looked = async {
            let database = Database::open(&options).await?;
            let articles = Articles::new(database.clone(), Limits::default(), 1, AfterSave::Poll);
            let slugs = articles.slugs(typed, MAX_OFFERS).await;
            database.close().await;
            anyhow::Ok(slugs?)
        };
        tokio::time::timeout(DATABASE_TIMEOUT, looked).await?
    })
}

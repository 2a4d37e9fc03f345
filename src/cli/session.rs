//! One run of the program: its settings, its output, and the host that it opens when a command needs one.

use std::{
    mem,
    path::Path,
    sync::{Mutex, PoisonError},
};

use afterword_actors::store::{Database, is_there};
use anyhow::{Context, anyhow};

use super::{arguments::Global, failure::Usage, log, output::Output, progress};
use crate::{
    articles::{folder::Folder, slug::Slug},
    config::{LoadedSettings, Origin, Sources},
    host::{Host, RunningHost, open_options},
    model::Progress,
    time::{self, Timestamp},
};

pub(super) struct Session {
    pub(super) loaded: LoadedSettings,
    pub(super) output: Output,
    /// How often `-v` was given.
    pub(super) verbose: u8,
    /// The databases that the command has opened.
    opened: Mutex<Vec<Database>>,
    /// The lines of a server's log that are not written yet.
    _log: Option<log::FlushGuard>,
}

impl Session {
    /// Starts a command: quiet unless this call asks for the log. The level of the settings file is for the server.
    pub(super) fn of_command(global: &Global, output: &Output) -> anyhow::Result<Self> {
        let loaded = load(&sources(global)?)?;
        let is_set = matches!(loaded.origin("log.level"), Origin::Variable(_) | Origin::Flag);
        let level = if is_set { loaded.settings.log.level.clone() } else { "error".to_owned() };
        log::start(&loaded.settings.log, global.verbose, level, *output)?;
        Ok(Self { loaded, output: *output, verbose: global.verbose, opened: Mutex::default(), _log: None })
    }

    /// Starts a server: its log is what it says, and blocks no request.
    pub(super) fn of_server(global: &Global, output: &Output) -> anyhow::Result<Self> {
        let sources = sources(global)?;
        let loaded = load(&sources)?;
        let log = &loaded.settings.log;
        let rest = log::start_aside(log, global.verbose, log.level.clone(), *output)?;
        Ok(Self { loaded, output: *output, verbose: global.verbose, opened: Mutex::default(), _log: Some(rest) })
    }

    /// Warns once that settings in the working directory are not read: earlier versions did, and some users rely on it.
    pub(super) fn mention_passed_over(&self, global: &Global) {
        let found = sources(global).ok().and_then(|sources| sources.passed_over(Path::new(".")));
        if found.is_some() {
            self.output.note("./config.toml is not read; use --config ./config.toml if it is yours");
        }
    }

    /// Opens the database and the services, without embedding anything. A database that this call names must be there:
    /// the name may be mistyped, and nothing in a new one could be found or changed.
    pub(super) async fn host(&self) -> anyhow::Result<Host> {
        if self.loaded.origin("database.url") == Origin::Flag {
            self.must_be_there()?;
        }
        self.making_host().await
    }

    /// The same for a command that puts something into the database, which is made if it is missing.
    pub(super) async fn making_host(&self) -> anyhow::Result<Host> {
        let host = Host::open(&self.loaded.settings).await?;
        self.close_at_the_end(&host.database);
        Ok(host)
    }

    /// Closes what was opened. Of SQLite, a file that a command has closed is whole without its log, and may be moved or
    /// copied.
    pub(super) async fn close(&self) {
        let opened = mem::take(&mut *self.opened.lock().unwrap_or_else(PoisonError::into_inner));
        for database in opened {
            database.close().await;
        }
    }

    /// Has a database closed when the command ends.
    pub(super) fn close_at_the_end(&self, database: &Database) {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).push(database.clone());
    }

    /// Fails if the database is of SQLite and there is none: opening it would make it.
    pub(super) fn must_be_there(&self) -> anyhow::Result<()> {
        // An address that cannot be read is reported when it is opened.
        match open_options(&self.loaded.settings).sqlite_file() {
            Ok(Some(path)) if !is_there(&path) => Err(anyhow!(
                "there is no database at {}; if the path is right, `afterword db migrate` makes it, else correct \
                 database.url",
                path.display()
            )),
            _ => Ok(()),
        }
    }

    /// Opens a host that knows the tags and links of all articles, also of those that an earlier version saved. A
    /// running server reads them by itself, and so reads what fails here.
    pub(super) async fn reading_host(&self) -> anyhow::Result<Host> {
        let host = self.host().await?;
        while let Ok(true) = host.articles.read_some_again().await {}
        Ok(host)
    }

    /// Opens a host for a command that saves. With the queue switched off, a save embeds by itself and needs its model;
    /// if that cannot be loaded, the save continues without.
    pub(super) async fn saving_host(&self) -> anyhow::Result<Host> {
        let host = self.making_host().await?;
        if !self.loaded.settings.queue.enabled
            && let Err(error) = self.provision(&host).await
        {
            self.output.note(&format!("not embedded yet: {error:#}"));
        }
        Ok(host)
    }

    /// Opens only the database, with its schema as it is.
    pub(super) async fn database(&self) -> anyhow::Result<Database> {
        let database = Database::open(&open_options(&self.loaded.settings)).await?;
        self.close_at_the_end(&database);
        Ok(database)
    }

    /// The same, if it is there.
    pub(super) async fn present_database(&self) -> anyhow::Result<Database> {
        self.must_be_there()?;
        self.database().await
    }

    /// Opens a host that embeds in this process, with its local model fetched and loaded.
    pub(super) async fn worker(&self, host: Host) -> anyhow::Result<RunningHost> {
        let worker = host.join().await?;
        if let Some(reason) = worker.runtime.handle().idle_because().await? {
            worker.stop().await;
            return Err(anyhow!(reason));
        }
        if let Err(error) = self.provision(&worker.host).await {
            worker.stop().await;
            return Err(error);
        }
        Ok(worker)
    }

    /// Fetches and loads the local model, if the back end is one.
    pub(super) async fn provision(&self, host: &Host) -> anyhow::Result<()> {
        let Some(preparation) = host.backends.preparation() else { return Ok(()) };
        let bar = progress::fetch(self.output);
        let tell = |progress: Progress| progress::show_fetch(&bar, &progress);
        let done = preparation.run(&tell).await;
        bar.finish_and_clear();
        done.map_err(|error| anyhow!(error)).context("the local model is not usable")
    }
}

/// Returns the sources of this run's settings.
pub(super) fn sources(global: &Global) -> anyhow::Result<Sources> {
    let mut flags = Vec::new();
    for setting in &global.settings {
        let Some((key, value)) = setting.split_once('=') else {
            // Only the part that looks like a key is repeated: the rest may be a secret.
            let key: String = setting.chars().take_while(|c| c.is_ascii_alphabetic() || "._".contains(*c)).collect();
            let message = format!("--set needs KEY=VALUE, e.g. --set queue.slots=4; there is no = after \"{key}\"");
            return Err(Usage(message).into());
        };
        if key.trim().is_empty() {
            let message = "--set needs KEY=VALUE, e.g. --set queue.slots=4; there is no key before the =";
            return Err(Usage(message.to_owned()).into());
        }
        flags.push((key.trim().to_owned(), value.to_owned()));
    }
    if let Some(url) = &global.database {
        flags.push(("database.url".to_owned(), url.clone()));
    }
    Ok(Sources::of_process(global.config.clone(), flags))
}

/// Reads the settings.
pub(super) fn load(sources: &Sources) -> anyhow::Result<LoadedSettings> {
    Ok(LoadedSettings::load(sources)?)
}

/// Parses a typed folder.
pub(super) fn folder(typed: &str) -> anyhow::Result<Folder> {
    Folder::parse(typed).map_err(|error| Usage(error.to_string()).into())
}

/// Parses a typed time: how long ago, by the database's clock, or when.
pub(super) async fn since(host: &Host, typed: Option<&str>) -> anyhow::Result<Option<Timestamp>> {
    let Some(typed) = typed else { return Ok(None) };
    let now = host.queue.now().await?;
    Ok(Some(time::since(typed, now).map_err(|error| Usage(format!("--since {error}")))?))
}

/// Parses a typed slug.
pub(super) fn slug(typed: &str) -> anyhow::Result<Slug> {
    Slug::parse(typed).map_err(|error| Usage(error.to_string()).into())
}

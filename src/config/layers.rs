//! The sources of settings, the weakest first.

use std::{
    collections::BTreeMap,
    fs::Metadata,
    path::{Path, PathBuf},
};

use figment::value::{Dict, Value};
use serde::Serialize;

use super::{
    cluster,
    entry::{Entry, Fault, Origin},
    flat::flatten,
    hidden,
    keys::known_keys,
    kinds, legacy, paths,
};
use crate::{secrets, user_folders};

/// The prefix of our variables; sections are separated from keys by two underscores.
const PREFIX: &str = "AFTERWORD_";
/// Names the settings file; not itself a setting.
const CONFIG_VARIABLE: &str = "AFTERWORD_CONFIG";
/// The token that clients of the server are given by this variable, as the README has it; not a setting.
const TOKEN_VARIABLE: &str = "AFTERWORD_TOKEN";
/// The name of a settings file.
const FILE_NAME: &str = "config.toml";

/// The variable that sets `key`.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"))
}

/// Where settings are read from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// A settings file that was asked for; it must exist.
    pub file: Option<PathBuf>,
    /// The environment.
    pub variables: BTreeMap<String, String>,
    /// `key=value`, dotted.
    pub flags: Vec<(String, String)>,
    /// The user's configuration folder, where `config.toml` is looked for if no file was asked for. Never the working
    /// directory: what stands there may belong to others, and settings decide where keys and articles are sent.
    pub folder: Option<PathBuf>,
}

/// The settings file of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingsFile {
    /// Where it is, or would be.
    pub path: PathBuf,
    /// Who named it.
    pub chosen_by: ChosenBy,
    /// Whether it is there.
    pub exists: bool,
}

/// Who named the settings file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ChosenBy {
    /// `--config`
    #[serde(rename = "--config")]
    Flag,
    /// The environment.
    #[serde(rename = "AFTERWORD_CONFIG")]
    Variable,
    /// By default: it is the one in the user's configuration folder.
    #[serde(rename = "user")]
    User,
}

impl Sources {
    /// The environment of this process, and the usual folders.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<(String, String)>) -> Self {
        // A name that is no Unicode is not one of ours. A value that is none cannot be what it should be, and is refused.
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
        Self { file, variables: variables.collect(), flags, folder: user_folders::settings() }
    }

    /// All values in the order they override each other, and what could not be read.
    pub(super) fn entries(&self) -> (Vec<Entry>, Vec<Fault>) {
        let (mut entries, mut faults) = (Vec::new(), Vec::new());
        // A file that was asked for must be there; the user's own need not.
        if let Some(file) = self.settings_file().filter(|file| file.exists || file.chosen_by != ChosenBy::User) {
            match read_file(&file.path) {
                Ok(found) => entries.extend(found),
                Err(fault) => faults.push(fault),
            }
        }
        entries.extend(self.legacy_variables());
        entries.extend(self.own_variables());
        entries.extend(self.flags.iter().map(|(key, text)| Entry {
            key: key.clone(),
            value: Value::from(text.as_str()),
            origin: Origin::Flag,
        }));
        for entry in &mut entries {
            kinds::read_text(entry);
            paths::make_absolute(entry);
            keep_secrets(entry);
        }
        (entries, faults)
    }

    /// The file that was asked for, or else the user's own. `None` for a user without a home folder.
    pub fn settings_file(&self) -> Option<SettingsFile> {
        let file = |path: PathBuf, chosen_by| {
            let path = std::path::absolute(&path).unwrap_or(path);
            SettingsFile { exists: path.exists(), path, chosen_by }
        };
        if let Some(path) = &self.file {
            return Some(file(path.clone(), ChosenBy::Flag));
        }
        if let Some(path) = self.variables.get(CONFIG_VARIABLE).filter(|path| !path.is_empty()) {
            return Some(file(PathBuf::from(path), ChosenBy::Variable));
        }
        self.folder.as_ref().map(|folder| file(folder.join(FILE_NAME), ChosenBy::User))
    }

    /// A `config.toml` in `folder` with settings of ours, which this run does not read: earlier versions did.
    pub fn passed_over(&self, folder: &Path) -> Option<PathBuf> {
        /// A settings file is far shorter. *Units:* bytes.
        const MAX_FILE: u64 = 1 << 20;
        let path = folder.join(FILE_NAME);
        let metadata = path.metadata().ok().filter(|metadata| metadata.is_file() && metadata.len() <= MAX_FILE);
        let text = metadata.and_then(|_| std::fs::read_to_string(&path).ok())?;
        let known = known_keys();
        let is_ours = keys_and_values(&text).is_ok_and(|values| values.keys().any(|key| known.contains_key(key)));
        let same = |file: SettingsFile| file.path.canonicalize().ok() == path.canonicalize().ok();
        (is_ours && !self.settings_file().is_some_and(same)).then_some(path)
    }

    fn legacy_variables(&self) -> impl Iterator<Item = Entry> {
        let translated = self.variables.iter().filter_map(|(name, text)| {
            let (key, value) = legacy::translate(name, text)?;
            Some(Entry { key: key.to_owned(), value, origin: Origin::Variable(name.clone()) })
        });
        // The names that every client of that provider, and every program with traces, knows.
        let key = self.variables.get("OPENAI_API_KEY").map(|secret| Entry {
            key: "embedding.openai.api_key".to_owned(),
            value: Value::from(secret.clone()),
            origin: Origin::Variable("OPENAI_API_KEY".to_owned()),
        });
        let collector = self.variables.get("OTEL_EXPORTER_OTLP_ENDPOINT").map(|address| Entry {
            key: "telemetry.otlp_endpoint".to_owned(),
            value: Value::from(address.clone()),
            origin: Origin::Variable("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned()),
        });
        translated.chain(key).chain(collector)
    }

    fn own_variables(&self) -> impl Iterator<Item = Entry> {
        let is_setting = |name: &str, text: &str| {
            name != CONFIG_VARIABLE && name != TOKEN_VARIABLE && !cluster::is_of_a_service(name, text)
        };
        self.variables.iter().filter(move |(name, text)| is_setting(name, text)).filter_map(|(name, text)| {
            let key = name.strip_prefix(PREFIX)?.to_lowercase().replace("__", ".");
            Some(Entry { key, value: Value::from(text.as_str()), origin: Origin::Variable(name.clone()) })
        })
    }
}

/// Registers the secrets of `entry`, so that no later output shows them, even if the settings are refused.
fn keep_secrets(entry: &Entry) {
    keep_within(&entry.key, &entry.value);
}

/// The same for each value of a list or a table.
fn keep_within(key: &str, value: &Value) {
    match value {
        Value::String(_, text) if hidden::is_secret(key) => secrets::keep(text),
        Value::Num(_, number) if hidden::is_secret(key) => {
            secrets::keep(&number.to_u128().map(|n| n.to_string()).unwrap_or_default());
        }
        Value::String(_, text) => secrets::keep_those_of(text),
        Value::Array(_, values) => values.iter().for_each(|value| keep_within(key, value)),
        Value::Dict(_, values) => values.iter().for_each(|(name, value)| keep_within(&format!("{key}.{name}"), value)),
        _ => {}
    }
}

fn read_file(path: &Path) -> Result<Vec<Entry>, Fault> {
    let origin = Origin::File(path.to_path_buf());
    let fault = |message| Fault { key: String::new(), value: None, origin: origin.clone(), message };
    let unreadable =
        |error| fault(format!("cannot be read: {error}; `afterword config path` says which file is meant"));
    // Opening a pipe waits for a writer, who may never come. A shell's `<(…)` has one.
    let is_waited_for =
        path.metadata().is_ok_and(|found| is_pipe(&found)) && !path.starts_with("/dev") && !path.starts_with("/proc");
    if is_waited_for {
        return Err(fault("is a pipe, and might never end; name a file".to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let values = keys_and_values(&text).map_err(fault)?;
    Ok(values.into_iter().map(|(key, value)| Entry { key, value, origin: origin.clone() }).collect())
}

#[cfg(unix)]
fn is_pipe(found: &Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&found.file_type())
}

#[cfg(not(unix))]
fn is_pipe(_: &Metadata) -> bool {
    false
}

/// What is wrong is said without the line it stands in, which may hold a secret.
fn keys_and_values(text: &str) -> Result<BTreeMap<String, Value>, String> {
    let dict = toml::from_str::<Dict>(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let line = 1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        format!("line {line} is not TOML: {message}; write for example [queue] on a line, and slots = 2 below it")
    })?;
    let mut values = BTreeMap::new();
    flatten("", dict, &mut values);
    Ok(values)
}

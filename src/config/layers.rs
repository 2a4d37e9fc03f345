//! The sources of settings, the weakest first.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use figment::{
    Provider as _,
    providers::{Format, Toml},
    value::Value,
};

use super::{Entry, Fault, Origin, flatten, legacy};

/// The prefix of our variables; sections are separated from keys by two underscores.
const PREFIX: &str = "AFTERWORD_";
/// Names the settings file; not itself a setting.
const CONFIG_VARIABLE: &str = "AFTERWORD_CONFIG";

/// Where settings are read from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// A settings file that was asked for; it must exist.
    pub file: Option<PathBuf>,
    /// The environment.
    pub variables: BTreeMap<String, String>,
    /// `key=value`, dotted.
    pub flags: Vec<(String, String)>,
    /// Where `config.toml` is looked for if no file was asked for.
    pub folders: Vec<PathBuf>,
}

impl Sources {
    /// The environment of this process, and the usual folders.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<(String, String)>) -> Self {
        let user = directories::ProjectDirs::from("", "", "afterword").map(|dirs| dirs.config_dir().to_path_buf());
        let folders = std::iter::once(PathBuf::from(".")).chain(user).collect();
        // A variable that is no Unicode is not one of ours.
        let variables = std::env::vars_os();
        let variables =
            variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self { file, variables: variables.collect(), flags, folders }
    }

    /// All values in the order they override each other, and what could not be read.
    pub(super) fn entries(&self) -> (Vec<Entry>, Vec<Fault>) {
        let (mut entries, mut faults) = (Vec::new(), Vec::new());
        if let Some(path) = self.settings_file() {
            match read_file(&path) {
                Ok(found) => entries.extend(found),
                Err(fault) => faults.push(fault),
            }
        }
        entries.extend(self.legacy_variables());
        entries.extend(self.own_variables());
        entries.extend(self.flags.iter().map(|(key, text)| Entry {
            key: key.clone(),
            value: parse(text),
            origin: Origin::Flag,
        }));
        (entries, faults)
    }

    /// The file that was asked for, or the first that is there.
    pub fn settings_file(&self) -> Option<PathBuf> {
        let asked = self.file.clone().or_else(|| self.variables.get(CONFIG_VARIABLE).map(PathBuf::from));
        asked.or_else(|| self.folders.iter().map(|folder| folder.join("config.toml")).find(|path| path.is_file()))
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
        self.variables.iter().filter(|(name, _)| *name != CONFIG_VARIABLE).filter_map(|(name, text)| {
            let key = name.strip_prefix(PREFIX)?.to_lowercase().replace("__", ".");
            Some(Entry { key, value: parse(text), origin: Origin::Variable(name.clone()) })
        })
    }
}

/// A number or a switch where it reads as one; everything else is text.
fn parse(text: &str) -> Value {
    match text.parse::<Value>() {
        Ok(value @ (Value::Num(..) | Value::Bool(..))) => value,
        Ok(_) | Err(_) => Value::from(text),
    }
}

fn read_file(path: &Path) -> Result<Vec<Entry>, Fault> {
    let origin = Origin::File(path.to_path_buf());
    let fault = |message| Fault { key: String::new(), origin: origin.clone(), message };
    let text = std::fs::read_to_string(path).map_err(|error| fault(format!("cannot be read: {error}")))?;
    let data = Toml::string(&text).data().map_err(|error| fault(error.to_string()))?;
    let mut values = BTreeMap::new();
    data.into_values().for_each(|dict| flatten("", dict, &mut values));
    Ok(values.into_iter().map(|(key, value)| Entry { key, value, origin: origin.clone() }).collect())
}

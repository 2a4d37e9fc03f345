//! Settings: defaults, then the settings file, then the environment, then flags; every fault reported at once, with where
//! its value came from. The working directory is never looked at.

mod kinds;
mod layers;
mod legacy;
mod paths;
mod sections;
mod show;
mod validate;

use std::{collections::BTreeMap, fmt, path::PathBuf};

use figment::{
    Figment,
    providers::Serialized,
    value::{Dict, Value},
};

pub use layers::{ChosenBy, SettingsFile, Sources};
pub use sections::{
    Articles, Auth, Database, Embedding, Encoding, Health, Local, Log, LogFormat, Names, OpenAi, Provider, Queue,
    Retention, Scripted, Search, Secret, Server, Settings, Telemetry,
};
pub use show::Row;

/// Settings that hold together, and where each came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// Where values came from that are not defaults, by dotted key.
    pub origins: BTreeMap<String, Origin>,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The program.
    Default,
    /// A settings file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// The command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag => f.write_str("command line"),
        }
    }
}

/// Something wrong with one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Dotted, e.g. `queue.slots`.
    pub key: String,
    /// The value as it may be shown, if it is about one.
    pub value: Option<String>,
    /// Where the value came from.
    pub origin: Origin,
    /// What is wrong and what to do.
    pub message: String,
}

/// Every fault of the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", list(.0))]
pub struct ConfigErrors(pub Vec<Fault>);

fn list(faults: &[Fault]) -> String {
    let line = |fault: &Fault| match (fault.key.as_str(), &fault.value) {
        ("", _) => format!("{}: {}", fault.origin, fault.message),
        (key, Some(value)) => format!("{key} = \"{value}\" (from {}): {}", fault.origin, fault.message),
        (key, None) => format!("{key} (from {}): {}", fault.origin, fault.message),
    };
    let lines: Vec<_> = faults.iter().map(line).collect();
    match lines.as_slice() {
        [one] => format!("the settings are not valid: {one}"),
        many => format!("the settings are not valid, {} faults:\n  {}", many.len(), many.join("\n  ")),
    }
}

/// A value somebody has set.
#[derive(Debug, Clone)]
struct Entry {
    key: String,
    value: Value,
    origin: Origin,
}

impl Loaded {
    /// Reads all sources.
    ///
    /// # Errors
    /// [`ConfigErrors`] with every fault there is.
    pub fn load(sources: &Sources) -> Result<Self, ConfigErrors> {
        let (entries, mut faults) = sources.entries();
        let known = known_keys();
        let mut good = Vec::new();
        for entry in entries {
            match check(&entry, &known) {
                Ok(()) => good.push(entry),
                Err(fault) => faults.push(fault),
            }
        }
        let origins: BTreeMap<_, _> = good.iter().map(|entry| (entry.key.clone(), entry.origin.clone())).collect();
        match merged(&good).extract::<Settings>() {
            Ok(settings) => {
                let rows = Self { settings: settings.clone(), origins: origins.clone() }.rows();
                faults.extend(validate::faults(&settings).into_iter().map(|(key, message)| {
                    let origin = origins.get(key).cloned().unwrap_or(Origin::Default);
                    let value = rows.iter().find(|row| row.key == key).map(|row| row.value.clone());
                    Fault { key: key.to_owned(), value, origin, message }
                }));
                if faults.is_empty() { Ok(Self { settings, origins }) } else { Err(ConfigErrors(faults)) }
            }
            // Each value was good by itself, so this is no fault of theirs.
            Err(error) => {
                let message = format!("they do not fit together: {}", error.kind);
                faults.push(Fault { key: String::new(), value: None, origin: Origin::Default, message });
                Err(ConfigErrors(faults))
            }
        }
    }

    /// Where the value of `key` came from.
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }
}

/// Looks at one value alone, so that each fault is found and has its own origin.
fn check(entry: &Entry, known: &BTreeMap<String, Value>) -> Result<(), Fault> {
    let fault = |value, message| Fault { key: entry.key.clone(), value, origin: entry.origin.clone(), message };
    let Some(default) = known.get(&entry.key) else {
        return Err(fault(None, unknown(entry, known)));
    };
    match merged(std::slice::from_ref(entry)).extract::<Settings>() {
        Ok(_) => Ok(()),
        Err(_) => Err(fault(Some(show::shown(&entry.key, &entry.value)), kinds::wanted(&entry.key, default))),
    }
}

fn unknown(entry: &Entry, known: &BTreeMap<String, Value>) -> String {
    let nearest = known.keys().map(|candidate| (likeness(&entry.key, candidate), candidate));
    let near = nearest.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score > 0.8).map(|(_, key)| key);
    match (near, &entry.origin) {
        (Some(key), Origin::Variable(_)) => format!("unknown setting; did you mean {}?", layers::variable(key)),
        (Some(key), _) => format!("unknown setting; did you mean {key}?"),
        (None, _) => "unknown setting; `afterword config show` lists all".to_owned(),
    }
}

/// How like a key is to one that was perhaps meant; its section may be forgotten, or joined by another sign.
fn likeness(key: &str, candidate: &str) -> f64 {
    let plain = |text: &str| text.to_lowercase().replace(['_', '-'], ".");
    let (key, candidate) = (plain(key), plain(candidate));
    let whole = strsim::jaro_winkler(&key, &candidate);
    let last = candidate.split_once('.').map_or(candidate.as_str(), |(_, rest)| rest);
    // Of two that are as like, the one with its section wins.
    whole.max(strsim::jaro_winkler(&key, last) - 0.01)
}

fn merged(entries: &[Entry]) -> Figment {
    entries.iter().fold(Figment::from(Serialized::defaults(Settings::default())), |figment, entry| {
        figment.merge(Serialized::default(&entry.key, &entry.value))
    })
}

/// Every setting there is, with its default.
fn known_keys() -> BTreeMap<String, Value> {
    let mut known = BTreeMap::new();
    if let Ok(Value::Dict(_, dict)) = Value::serialize(Settings::default()) {
        flatten("", dict, &mut known);
    }
    known
}

fn flatten(prefix: &str, dict: Dict, into: &mut BTreeMap<String, Value>) {
    for (name, value) in dict {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Dict(_, inner) => flatten(&key, inner, into),
            other => drop(into.insert(key, other)),
        }
    }
}

#[cfg(test)]
mod tests;

//! Settings: defaults, then the settings file, then the environment, then flags; every fault reported at once, with where
//! its value came from. The working directory is never looked at.

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
    let line = |fault: &Fault| match fault.key.as_str() {
        "" => format!("{}: {}", fault.origin, fault.message),
        key => format!("{key} (from {}): {}", fault.origin, fault.message),
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
                faults.extend(validate::faults(&settings).into_iter().map(|(key, message)| {
                    let origin = origins.get(key).cloned().unwrap_or(Origin::Default);
                    Fault { key: key.to_owned(), origin, message }
                }));
                if faults.is_empty() { Ok(Self { settings, origins }) } else { Err(ConfigErrors(faults)) }
            }
            Err(error) => {
                let message = error.to_string();
                faults.push(Fault { key: String::new(), origin: Origin::Default, message });
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
    let fault = |message| Fault { key: entry.key.clone(), origin: entry.origin.clone(), message };
    if !known.contains_key(&entry.key) {
        return Err(fault(unknown(&entry.key, known)));
    }
    match merged(std::slice::from_ref(entry)).extract::<Settings>() {
        Ok(_) => Ok(()),
        Err(error) => {
            let messages: Vec<_> = error.into_iter().map(|error| error.kind.to_string()).collect();
            Err(fault(messages.join("; ")))
        }
    }
}

fn unknown(key: &str, known: &BTreeMap<String, Value>) -> String {
    let nearest = known.keys().map(|candidate| (strsim::jaro_winkler(candidate, key), candidate));
    match nearest.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((score, candidate)) if score > 0.8 => format!("unknown setting; did you mean {candidate}?"),
        Some(_) | None => "unknown setting; `afterword config show` lists all".to_owned(),
    }
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

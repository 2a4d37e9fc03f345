//! Settings: defaults, then the settings file, then the environment, then flags; every fault reported at once, with where
//! its value came from. The working directory is never looked at.

mod cluster;
mod entry;
mod flat;
mod hidden;
mod keys;
mod kinds;
mod layers;
mod legacy;
mod names;
mod paths;
mod rules;
mod secret;
mod section;
mod sections;
mod show;
mod slot_count;
mod slots;
mod template;
mod validate;

use std::collections::BTreeMap;

use figment::{Figment, providers::Serialized, value::Value};

use self::{entry::Entry, keys::known_keys};

pub use entry::{Fault, Origin};
pub use layers::{ChosenBy, SettingsFile, Sources};
pub use names::Names;
pub use secret::Secret;
pub use sections::{
    Articles, Auth, Database, Embedding, Encoding, Health, Local, Log, LogFormat, OpenAi, Provider, Queue, Rerank,
    Retention, Scripted, Search, Server, Settings, SyncedFolder, Telemetry,
};
pub use show::ShownSetting;
pub use slots::Slots;
pub use template::template;

/// Settings that hold together, and where each came from.
#[derive(Debug, Clone)]
pub struct LoadedSettings {
    /// The settings.
    pub settings: Settings,
    /// Where values came from that are not defaults, by dotted key.
    pub origins: BTreeMap<String, Origin>,
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

impl LoadedSettings {
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
        Err(_) => {
            let of_earlier_deployments = match &entry.origin {
                Origin::Variable(name) => legacy::wanted(name).map(str::to_owned),
                _ => None,
            };
            let wanted = of_earlier_deployments.unwrap_or_else(|| kinds::wanted(&entry.key, default));
            Err(fault(Some(hidden::shown(&entry.key, &entry.value)), wanted))
        }
    }
}

fn unknown(entry: &Entry, known: &BTreeMap<String, Value>) -> String {
    if let Some(message) = unknown_section(&entry.key, known) {
        return message;
    }
    let nearest = known.keys().map(|candidate| (likeness(&entry.key, candidate), candidate));
    let near = nearest.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score > 0.8).map(|(_, key)| key);
    match (near, &entry.origin) {
        (Some(key), Origin::Variable(_)) => format!("unknown setting; did you mean {}?", layers::variable(key)),
        (Some(key), _) => format!("unknown setting; did you mean {key}?"),
        (None, _) => "unknown setting; `afterword config show` lists all".to_owned(),
    }
}

/// What is wrong with a key that is a section, or in one that there is not.
fn unknown_section(key: &str, known: &BTreeMap<String, Value>) -> Option<String> {
    let sections = || known.keys().filter_map(|key| Some((key.split_once('.')?.0, key)));
    if let Some((_, first)) = sections().find(|(section, _)| *section == key) {
        return Some(format!("is a section of settings and has no value; name one of them, for example {first}"));
    }
    let (section, name) = key.split_once('.')?;
    if sections().any(|(known, _)| known == section) {
        return None;
    }
    let (score, near) = sections()
        .map(|(known, _)| (strsim::jaro_winkler(section, known), known))
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    let has_name =
        known.keys().any(|key| key.strip_prefix(near).is_some_and(|rest| rest.strip_prefix('.') == Some(name)));
    (score > 0.8 && !has_name).then(|| format!("there is no section {section}; did you mean {near}?"))
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

#[cfg(test)]
mod tests;

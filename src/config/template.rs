//! The settings file that shows every setting with its default and its meaning.

use std::{collections::BTreeMap, fmt::Write};

use figment::value::Value;

use super::{
    Articles, Auth, Database, Embedding, Health, Local, Log, OpenAi, Queue, Rerank, Retention, Scripted, Search,
    Server, Telemetry,
    keys::known_keys,
    section::{Field, Section},
};

const HEAD: &str = r#"# Settings of Afterword. Every setting is here with its default; change what you need, delete the rest.
# This file is documentation until it is named: --config FILE, or AFTERWORD_CONFIG=FILE, or a copy in your configuration
# folder (`afterword config path` says where). A config.toml in the working directory is never read.
# Relative paths in a settings file begin at that file; ~ is your home.
# The environment overrides this file (AFTERWORD_<SECTION>__<KEY>, e.g. AFTERWORD_QUEUE__SLOTS=4), and
# --set section.key=value overrides both. `afterword config show` shows the values in effect and where they come from.
# Durations: "500ms", "30s", "5m", "2h", "7days". Sizes: "64KiB", "64MiB".

sync = []                   # folders of files that `serve` keeps in step with the articles (docs/notes.md); instead of this line,
                            # at the end of this file, for each: [[sync]], path = "~/notes", and for one folder of articles
                            # folder = "work"
"#;
/// Where comments begin, and where lines end, in characters.
const COMMENT: usize = 28;
const WIDTH: usize = 132;

const SECTIONS: [(&str, &str, &[Field]); 15] = [
    ("database", Database::ABOUT, Database::FIELDS),
    ("queue", Queue::ABOUT, Queue::FIELDS),
    ("retention", Retention::ABOUT, Retention::FIELDS),
    ("embedding", Embedding::ABOUT, Embedding::FIELDS),
    ("embedding.local", Local::ABOUT, Local::FIELDS),
    ("embedding.openai", OpenAi::ABOUT, OpenAi::FIELDS),
    ("embedding.scripted", Scripted::ABOUT, Scripted::FIELDS),
    ("search", Search::ABOUT, Search::FIELDS),
    ("search.rerank", Rerank::ABOUT, Rerank::FIELDS),
    ("articles", Articles::ABOUT, Articles::FIELDS),
    ("server", Server::ABOUT, Server::FIELDS),
    ("auth", Auth::ABOUT, Auth::FIELDS),
    ("health", Health::ABOUT, Health::FIELDS),
    ("telemetry", Telemetry::ABOUT, Telemetry::FIELDS),
    ("log", Log::ABOUT, Log::FIELDS),
];

/// A settings file with every setting, its default and its meaning: what `config.toml` of the repository holds.
pub fn template() -> String {
    let defaults = known_keys();
    let mut text = HEAD.to_owned();
    for (name, about, fields) in SECTIONS {
        text.push('\n');
        commented(&mut text, &format!("[{name}]"), about);
        for field in fields {
            if let Some(assignment) = assignment(name, field, &defaults) {
                commented(&mut text, &assignment, field.about);
            }
        }
    }
    text
}

/// `key = default`; an example that is commented out, if there is no default; nothing for a section within a section.
fn assignment(section: &str, field: &Field, defaults: &BTreeMap<String, Value>) -> Option<String> {
    let name = field.name;
    match (defaults.get(&format!("{section}.{name}"))?, field.example) {
        (_, Some(example)) => Some(format!("# {name} = {example}")),
        (value, None) => Some(format!("{name} = {}", in_toml(value))),
    }
}

fn in_toml(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("{text:?}"),
        Value::Num(_, number) if number.to_u128().is_none() => format!("{:?}", decimal(number.to_f64())),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

/// A number as it was written: one of 32 bits has more digits in 64.
fn decimal(number: Option<f64>) -> f64 {
    let number = number.unwrap_or_default();
    (number as f32).to_string().parse().unwrap_or(number)
}

/// Writes `what` with its comment beside it, and the rest of the comment below that.
fn commented(text: &mut String, what: &str, about: &str) {
    let mut line = format!("{what:COMMENT$}");
    let mut begun = false;
    if !line.ends_with(' ') {
        line.push(' ');
    }
    line.push('#');
    for word in about.trim().trim_end_matches('.').split_whitespace() {
        if begun && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = format!("{:COMMENT$}#", "");
        }
        begun = true;
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(text, "{line}");
}

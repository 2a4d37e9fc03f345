//! What is logged, and how.

use serde::{Deserialize, Serialize};

use crate::config::{rules::Rules, section::section};

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Pretty,
    /// For programs: an object a line.
    Json,
}

section! {
    /// The log.
    Log {
        /// error, warn, info, debug, trace, or directives such as "warn,afterword=debug".
        level: String = "info,rmcp=warn".to_owned(),
        /// pretty, or json: an object a line.
        format: LogFormat = LogFormat::Pretty,
    }
}

impl Log {
    pub(in crate::config) fn check(&self, rules: &mut Rules) {
        if let Err(message) = check_level(&self.level) {
            rules.check(false, "log.level", &message);
        }
    }
}

/// A name that is no level would be taken for a part of the program, and silence everything else.
fn check_level(directives: &str) -> Result<(), String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |text: &str| LEVELS.iter().any(|level| text.trim().eq_ignore_ascii_case(level));
    let wanted = "must be error, warn, info, debug, trace or off, or a list such as \"warn,afterword=debug\"";
    // Fields of spans, in brackets, may hold commas.
    let plain = !directives.contains(['[', '{']);
    for directive in directives.split(',').filter(|directive| plain && !directive.trim().is_empty()) {
        let level = directive.rsplit_once('=').map_or(directive, |(_, level)| level);
        if !is_level(level) {
            return Err(format!("\"{}\" is no level; it {wanted}", level.trim()));
        }
    }
    match tracing_subscriber::EnvFilter::try_new(directives) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{wanted} ({error})")),
    }
}

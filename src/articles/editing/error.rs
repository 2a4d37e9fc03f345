//! Why an edit cannot be applied, in words that say what to do.

/// Longest quotation of a text. *Units:* characters.
const SHOWN: usize = 60;
/// Sections or places that are named.
pub(super) const NAMED: usize = 30;

/// An edit that cannot be applied. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{fault}", if *of > 1 { format!("edit {number} of {of}: ") } else { String::new() })]
pub struct EditError {
    /// Which edit, from 1.
    pub number: usize,
    /// Of how many.
    pub of: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with an edit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No edit at all.
    #[error("says nothing to change; name at least one edit")]
    NoEdit,
    /// More than are applied in one call.
    #[error("there are too many edits; send at most {most} in one call")]
    ManyEdits {
        /// So many are.
        most: usize,
    },
    /// The text would be larger than an article may be.
    #[error("the text would have {size} bytes; at most {limit} are allowed")]
    TooLarge {
        /// What it would have. *Units:* bytes.
        size: u64,
        /// What is allowed. *Units:* bytes.
        limit: u64,
    },
    /// No text.
    #[error("has no text to insert")]
    NoText,
    /// Nothing to look for.
    #[error("has no text to find")]
    NothingToFind,
    /// No such section.
    #[error("there is no section \"{}\"; {}", shown(.wanted), known(.names))]
    NoSection {
        /// The name asked for.
        wanted: String,
        /// Those there are.
        names: Vec<String>,
    },
    /// Several sections are called so.
    #[error("{count} sections are called \"{}\"; say which: {}", shown(.wanted), listed_of(.names, .count))]
    SeveralSections {
        /// So many.
        count: usize,
        /// The name asked for.
        wanted: String,
        /// By what name each of the first is found, with its line.
        names: Vec<String>,
    },
    /// Not there.
    #[error("the text to find is not there{}", .near.as_ref().map(|near| format!("; near to it is {near}")).unwrap_or_default())]
    NotFound {
        /// What is like it but for white space or case.
        near: Option<String>,
    },
    /// Not as often as expected.
    #[error(
        "the text to find is there {found} times, not {expected}: {}; find more of the text around the one you mean, or \
         expect {found}",
        listed(.places)
    )]
    Count {
        /// So often it is there.
        found: usize,
        /// So often it was expected.
        expected: usize,
        /// Where.
        places: Vec<String>,
    },
    /// A fence or a comment that is left open.
    #[error("the text would swallow the heading \"{}\" behind it; close its code fence or comment", shown(.heading))]
    Swallows {
        /// That is none any more.
        heading: String,
    },
}

impl Fault {
    /// A name that stays.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoEdit | Self::ManyEdits { .. } | Self::NoText | Self::NothingToFind => "invalid",
            Self::TooLarge { .. } => "too_large",
            Self::NoSection { .. } => "no_section",
            Self::SeveralSections { .. } => "several_sections",
            Self::NotFound { .. } | Self::Count { .. } => "text_not_found",
            Self::Swallows { .. } => "swallows_heading",
        }
    }
}

/// The beginning of a text in one line.
pub(super) fn shown(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

fn known(names: &[String]) -> String {
    if names.is_empty() { "it has no headings".to_owned() } else { format!("there are: {}", listed(names)) }
}

fn listed(names: &[String]) -> String {
    listed_of(names, &names.len())
}

/// Those of `count` that are named.
fn listed_of(names: &[String], count: &usize) -> String {
    let mut text = names.iter().take(NAMED).map(|name| shown(name)).collect::<Vec<_>>().join(" | ");
    if *count > NAMED {
        text.push_str(&format!(" | … ({count} in all)"));
    }
    text
}

//! Why an edit cannot be applied, in words that say what to do.

/// Longest quotation of a text. *Units:* characters.
const MAX_QUOTED_CHARS: usize = 60;
/// Most sections or places that are named.
pub(super) const MAX_LISTED: usize = 30;

/// An edit that cannot be applied. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{fault}", if *of > 1 { format!("edit {number} of {of}: ") } else { String::new() })]
pub struct EditError {
    /// Which edit, from 1.
    pub number: usize,
    /// How many edits there are.
    pub of: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with an edit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no edit.
    #[error("there is no edit; name at least one")]
    NoEdit,
    /// There are more than are applied in one call.
    #[error("there are too many edits; send at most {most} in one call")]
    ManyEdits {
        /// How many are.
        most: usize,
    },
    /// The text would be larger than an article may be.
    #[error("the text would have {size} bytes; at most {limit} are allowed")]
    TooLarge {
        /// The size it would have. *Units:* bytes.
        size: u64,
        /// The largest allowed size. *Units:* bytes.
        limit: u64,
    },
    /// The edit has no text to insert.
    #[error("the edit has no text to insert")]
    NoText,
    /// The edit has no text to find.
    #[error("the edit has no text to find")]
    NothingToFind,
    /// There is no such section.
    #[error("there is no section \"{}\"; {}", quote(.wanted), known(.names))]
    NoSection {
        /// The requested name.
        wanted: String,
        /// The existing names.
        names: Vec<String>,
    },
    /// Several sections have this name.
    #[error("{count} sections are called \"{}\"; say which: {}", quote(.wanted), listed_of(.names, .count))]
    SeveralSections {
        /// How many.
        count: usize,
        /// The requested name.
        wanted: String,
        /// A name that finds each of the first ones, with its line.
        names: Vec<String>,
    },
    /// The text is not there.
    #[error("the text to find is not there{}", .near.as_ref().map(|near| format!("; near to it is {near}")).unwrap_or_default())]
    NotFound {
        /// A text that differs only in white space or case.
        near: Option<String>,
    },
    /// The text is not there as often as expected.
    #[error(
        "the text to find is there {}, not {}: {}; find more of the text around the one you mean, or \
         expect {found}",
        times(.found), times(.expected), listed(.places)
    )]
    Count {
        /// How often it is there.
        found: usize,
        /// How often it was expected.
        expected: usize,
        /// Where it is.
        places: Vec<String>,
    },
    /// The new text leaves a fence or a comment open.
    #[error("the text would swallow the heading \"{}\" behind it; close its code fence or comment", quote(.heading))]
    Swallows {
        /// The heading that would be lost.
        heading: String,
    },
}

impl Fault {
    /// A stable name for programs.
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

fn times(number: &usize) -> String {
    if *number == 1 { "once".to_owned() } else { format!("{number} times") }
}

/// The beginning of a text, in one line.
pub(super) fn quote(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(MAX_QUOTED_CHARS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

fn known(names: &[String]) -> String {
    if names.is_empty() { "the text has no headings".to_owned() } else { format!("there are: {}", listed(names)) }
}

fn listed(names: &[String]) -> String {
    listed_of(names, &names.len())
}

/// Lists the names; `count` is how many there are in all.
fn listed_of(names: &[String], count: &usize) -> String {
    let mut text = names.iter().take(MAX_LISTED).map(|name| quote(name)).collect::<Vec<_>>().join(" | ");
    if *count > MAX_LISTED {
        text.push_str(&format!(" | … ({count} in all)"));
    }
    text
}

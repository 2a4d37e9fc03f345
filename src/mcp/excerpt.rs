//! An article as text for an agent: its head, which part of it this is and how to continue, then markdown.

use std::ops::Range;

use super::{budget, problem::Problem};
use crate::{
    articles::{Article, editing::sections_of},
    markdown::sections::{Section, SectionMatch, meant},
};

/// Most headings that are named of an article.
const NAMED_HEADINGS: usize = 40;
/// Longest list of tags, or of properties, above a text. *Units:* characters.
const LONGEST_PROPERTIES: usize = 300;
/// Longest heading that is named whole. *Units:* characters.
const LONGEST_HEADING: usize = 60;

/// Which part of an article.
pub(super) struct Part {
    /// Below this heading.
    pub(super) section: Option<String>,
    /// After this many characters of that.
    pub(super) offset: usize,
    /// This many characters; as many as fit into an answer if not given.
    pub(super) limit: Option<usize>,
    /// Slugs of some articles that link to it.
    pub(super) linked_from: Vec<String>,
}

/// Returns the requested part of `article`.
pub(super) fn of(article: &Article, part: &Part) -> Result<String, Problem> {
    let section = part.section.as_ref().map(|wanted| section(&article.body, wanted)).transpose()?;
    let whole = section.as_ref().map_or(article.body.as_str(), |section| &article.body[section.range.clone()]);
    let total = whole.chars().count();
    if part.offset > 0 && part.offset >= total {
        return Err(Problem::new(format!("offset: is past the end; there are {total} characters")));
    }
    let start = whole.char_indices().nth(part.offset).map_or(whole.len(), |(at, _)| at);
    let text = match part.limit {
        Some(limit) => first(budget::longest(&whole[start..]), limit.max(1)),
        None => budget::beginning(&whole[start..]),
    };
    let end = part.offset + text.chars().count();
    Ok(format!("{}{text}", head(article, part, section.map(|section| section.told), (end, total))))
}

fn head(article: &Article, part: &Part, section: Option<String>, (end, total): (usize, usize)) -> String {
    let mut lines = vec![
        "---".to_owned(),
        format!("slug: {}", article.slug),
        format!("title: {}", article.title),
        format!("folder: {}", article.folder),
        format!("revision: {}", article.revision),
        format!("updated: {}", article.updated_at),
        format!("embedding: {}", embedding(article)),
    ];
    if !article.tags.is_empty() {
        lines.push(format!("tags: {}", budget::clipped(&article.tags.join(", "), LONGEST_PROPERTIES)));
    }
    if !article.properties.is_empty() {
        let properties = serde_json::to_string(&article.properties).unwrap_or_default();
        lines.push(format!("properties: {}", budget::clipped(&properties, LONGEST_PROPERTIES)));
    }
    if !part.linked_from.is_empty() {
        lines.push(format!("linked from: {}", part.linked_from.join(", ")));
    }
    lines.extend(section.map(|section| format!("section: {section}")));
    if part.offset > 0 || end < total {
        let go_on = if end < total { format!("; go on with offset {end}") } else { String::new() };
        lines.push(format!("characters: {} to {end} of {total}{go_on}", part.offset));
    }
    if part.section.is_none() && part.offset == 0 && end < total {
        lines.push(format!("sections: {}", named(&sections_of(&article.body))));
    }
    lines.push("---\n".to_owned());
    lines.join("\n")
}

fn embedding(article: &Article) -> String {
    let embedding = &article.embedding;
    let mut text = embedding.status.as_str().to_owned();
    if embedding.stale {
        text.push_str(" (found by the meaning of an older text)");
    }
    if let Some(error) = &embedding.error {
        text.push_str(&format!(" ({})", budget::clipped(&error.replace('\n', " "), LONGEST_HEADING)));
    }
    text
}

/// The first `characters` of `text`.
pub(super) fn first(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(at, _)| &text[..at])
}

/// A section that was asked for.
struct FoundSection {
    range: Range<usize>,
    /// Its name, and which of several with this name it is.
    told: String,
}

/// From a heading to the next one that is not below it. Of several with this name, the first if no number says which.
fn section(body: &str, wanted: &str) -> Result<FoundSection, Problem> {
    let all = sections_of(body);
    let SectionMatch { found, name, number } = meant(&all, wanted);
    let place = number.unwrap_or(1);
    let name = budget::clipped(name, LONGEST_HEADING);
    if let Some(&one) = place.checked_sub(1).and_then(|place| found.get(place)) {
        let range = all[one].range.clone();
        let told = match found.len() {
            1 => name,
            count => format!("{name} [{place}] ({place} of {count} with this name; {name} [n] is another)"),
        };
        return Ok(FoundSection { range, told });
    }
    if !found.is_empty() {
        let count = found.len();
        return Err(Problem::new(format!(
            "section: there are {count} with this name, \"{name} [1]\" to \"{name} [{count}]\""
        )));
    }
    let wanted = budget::clipped(wanted, LONGEST_HEADING);
    let known = named(&all);
    let known = if known.is_empty() { "the text has no headings".to_owned() } else { format!("there are: {known}") };
    Err(Problem::new(format!("section: there is no heading \"{wanted}\"; {known}")))
}

fn named(sections: &[Section]) -> String {
    let named = sections.iter().map(Section::title).filter(|title| !title.is_empty()).take(NAMED_HEADINGS);
    let mut text = named.map(|title| budget::clipped(title, LONGEST_HEADING)).collect::<Vec<_>>().join(" | ");
    if sections.len() > NAMED_HEADINGS {
        text.push_str(" | …");
    }
    text
}

//! An article as text for an agent: what it is, which part of it this is and how to go on, then markdown.

use std::ops::Range;

use super::{budget, problem::Problem};
use crate::{
    articles::Article,
    markdown::{Heading, Outline, Piece},
};

/// Headings that are named, of an article that has many.
const NAMED_HEADINGS: usize = 40;
/// Longest heading that is named whole. *Units:* characters.
const LONGEST_HEADING: usize = 60;

/// Which part of an article.
pub(super) struct Part {
    /// Below this heading.
    pub(super) section: Option<String>,
    /// After so many characters of that.
    pub(super) offset: usize,
    /// So many characters; as many as fit into an answer if not given.
    pub(super) limit: Option<usize>,
}

/// The part of `article` that was asked for.
pub(super) fn of(article: &Article, part: &Part) -> Result<String, Problem> {
    let whole = match &part.section {
        Some(wanted) => &article.body[section(&article.body, wanted)?],
        None => &article.body,
    };
    let total = whole.chars().count();
    if part.offset > 0 && part.offset >= total {
        return Err(Problem::new(format!("offset: is past the end; there are {total} characters")));
    }
    let start = whole.char_indices().nth(part.offset).map_or(whole.len(), |(at, _)| at);
    let text = match part.limit {
        Some(limit) => first(&whole[start..], limit.max(1)),
        None => budget::beginning(&whole[start..]),
    };
    let end = part.offset + text.chars().count();
    Ok(format!("{}{text}", head(article, part, end, total)))
}

fn head(article: &Article, part: &Part, end: usize, total: usize) -> String {
    let mut lines = vec![
        "---".to_owned(),
        format!("slug: {}", article.slug),
        format!("title: {}", article.title),
        format!("folder: {}", article.folder),
        format!("revision: {}", article.revision),
        format!("updated: {}", article.updated_at),
        format!("embedding: {}", embedding(article)),
    ];
    if let Some(section) = &part.section {
        lines.push(format!("section: {}", budget::clipped(section, LONGEST_HEADING)));
    }
    if part.offset > 0 || end < total {
        let go_on = if end < total { format!("; go on with offset {end}") } else { String::new() };
        lines.push(format!("characters: {} to {end} of {total}{go_on}", part.offset));
    }
    if part.section.is_none() && part.offset == 0 && end < total {
        lines.push(format!("sections: {}", named(&headings(&article.body))));
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

fn first(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(at, _)| &text[..at])
}

fn headings(body: &str) -> Vec<Heading> {
    Outline::new(body)
        .filter_map(|piece| match piece {
            Piece::Heading(heading) => Some(heading),
            Piece::Block(_) => None,
        })
        .collect()
}

/// From a heading to the next one that is not below it.
fn section(body: &str, wanted: &str) -> Result<Range<usize>, Problem> {
    let headings = headings(body);
    let name = wanted.trim_start_matches('#').trim().to_lowercase();
    let exact = headings.iter().position(|heading| heading.text.to_lowercase() == name);
    let Some(at) = exact.or_else(|| below_each_other(&headings, &name)) else {
        let wanted = budget::clipped(wanted, LONGEST_HEADING);
        let known = if headings.is_empty() { "it has no headings".to_owned() } else { named(&headings) };
        return Err(Problem::new(format!("section: there is no heading \"{wanted}\"; there are: {known}")));
    };
    let heading = &headings[at];
    let next = headings[at + 1..].iter().find(|next| next.level <= heading.level);
    Ok(heading.range.start..next.map_or(body.len(), |next| next.range.start))
}

/// The heading at the end of a chain of headings, as searches show it: `Guide > Tides`, whole or its last part, perhaps cut.
fn below_each_other(headings: &[Heading], wanted: &str) -> Option<usize> {
    const BETWEEN: &str = " > ";
    let parts: Vec<_> = wanted.split('>').map(str::trim).collect();
    let wanted = parts.join(BETWEEN);
    let (wanted, is_cut) = wanted.strip_suffix('…').map_or((wanted.as_str(), false), |wanted| (wanted, true));
    let mut path: Vec<(u8, String)> = Vec::new();
    headings.iter().position(|heading| {
        path.retain(|(level, _)| *level < heading.level);
        path.push((heading.level, heading.text.to_lowercase()));
        let names: Vec<_> = path.iter().map(|(_, name)| name.as_str()).filter(|name| !name.is_empty()).collect();
        let chain = names.join(BETWEEN);
        let is_end = chain.strip_suffix(wanted).is_some_and(|before| before.is_empty() || before.ends_with(BETWEEN));
        if is_cut { chain.starts_with(wanted) } else { parts.len() > 1 && is_end }
    })
}

fn named(headings: &[Heading]) -> String {
    let named = headings.iter().filter(|heading| !heading.text.is_empty()).take(NAMED_HEADINGS);
    let mut text = named.map(|heading| budget::clipped(&heading.text, LONGEST_HEADING)).collect::<Vec<_>>().join(" | ");
    if headings.len() > NAMED_HEADINGS {
        text.push_str(" | …");
    }
    text
}

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

/// The longest head, however much room there is. *Units:* bytes.
const LONGEST_HEAD: usize = 3_400;

/// Which part of an article.
pub(super) struct Part {
    /// Below this heading.
    pub(super) section: Option<String>,
    /// After this many characters of that.
    pub(super) offset: usize,
    /// At most this many characters.
    pub(super) limit: Option<usize>,
    /// At most this much with its head. *Units:* bytes within JSON.
    pub(super) room: usize,
    /// Which articles link to it; empty if that is not said.
    pub(super) linked_from: String,
    /// What became of a past revision.
    pub(super) past: Option<Past>,
}

/// What became of a past revision.
#[derive(Debug, Clone, Copy)]
pub(super) enum Past {
    /// The article is at this revision now.
    Since(i64),
    /// The article was deleted.
    Deleted,
}

/// Returns the requested part of `article`, as much as there is room for. The head says which part that is, unless it
/// is all.
pub(super) fn of(article: &Article, part: &Part) -> Result<String, Problem> {
    let section = part.section.as_ref().map(|wanted| section(&article.body, wanted)).transpose()?;
    let whole = section.as_ref().map_or(article.body.as_str(), |section| &article.body[section.range.clone()]);
    let total = whole.chars().count();
    if part.offset > 0 && part.offset >= total {
        return Err(Problem::new(format!("offset: is past the end; there are {total} characters")));
    }
    let start = whole.char_indices().nth(part.offset).map_or(whole.len(), |(at, _)| at);
    let rest = part.limit.map_or(&whole[start..], |limit| first(&whole[start..], limit.max(1)));
    let place = Place { begin: part.offset, end: part.offset + rest.chars().count(), total };
    let told = section.map(|section| section.told);
    let head = Head::of(article, part, told.as_deref(), place.is_cut()).with(place);
    if budget::length(&head) + budget::length(rest) <= part.room {
        return Ok(head + rest);
    }
    let head = Head::of(article, part, told.as_deref(), true);
    let text = budget::beginning_within(rest, part.room.saturating_sub(head.length(total)));
    Ok(head.with(Place { end: part.offset + text.chars().count(), ..place }) + text)
}

/// Which characters of how many.
#[derive(Clone, Copy)]
struct Place {
    begin: usize,
    end: usize,
    total: usize,
}

impl Place {
    fn is_cut(self) -> bool {
        self.end < self.total
    }

    /// Says so, unless it is all.
    fn line(self) -> Option<String> {
        let Self { begin, end, total } = self;
        let go_on = if self.is_cut() { format!("; go on with offset {end}") } else { String::new() };
        (begin > 0 || self.is_cut()).then(|| format!("characters: {begin} to {end} of {total}{go_on}\n"))
    }
}

/// The lines above a text, before and after the one that says which part this is.
struct Head {
    before: String,
    after: String,
}

impl Head {
    /// Half of the room at most: what is most needed first, then the rest as far as it fits.
    fn of(article: &Article, part: &Part, section: Option<&str>, is_cut: bool) -> Self {
        let past = match part.past {
            None => String::new(),
            Some(Past::Since(present)) => format!(" (a past one; the present one is {present})"),
            Some(Past::Deleted) => " (the article was deleted)".to_owned(),
        };
        let needed = [format!("slug: {}", article.slug), format!("revision: {}{past}", article.revision)];
        let section = section.map(|section| format!("section: {section}\n")).unwrap_or_default();
        let most = (part.room / 2).min(LONGEST_HEAD);
        let mut room = most.saturating_sub(needed.iter().map(|line| budget::length(line)).sum::<usize>());
        room = room.saturating_sub(budget::length(&section) + "---\n---\n".len() + 2);
        let mut fitting = |line: Option<String>| {
            let line = budget::line_within(&line?, room.saturating_sub(2))?;
            room -= budget::length(&line) + 2;
            Some(line + "\n")
        };
        let [slug, revision] = needed;
        let described = [
            fitting(Some(format!("title: {}", article.title))),
            fitting(Some(format!("folder: {}", article.folder))),
            Some(revision + "\n"),
            fitting(Some(format!("updated: {}", article.updated_at))),
            fitting(part.past.is_none().then(|| format!("embedding: {}", embedding(article)))),
            fitting(tags(article)),
            fitting(properties(article)),
            fitting((!part.linked_from.is_empty()).then(|| format!("linked from: {}", part.linked_from))),
        ];
        let is_beginning = part.section.is_none() && part.offset == 0;
        let sections =
            (is_cut && is_beginning).then(|| format!("sections: {}", name_sections(&sections_of(&article.body))));
        let after = format!("{}---\n", fitting(sections).unwrap_or_default());
        let described: String = described.into_iter().flatten().collect();
        Self { before: format!("---\n{slug}\n{described}{section}"), after }
    }

    fn with(&self, place: Place) -> String {
        [self.before.as_str(), &place.line().unwrap_or_default(), &self.after].concat()
    }

    /// Its length with any place in a text of `total` characters.
    fn length(&self, total: usize) -> usize {
        let longest = Place { begin: total, end: total, total: total + 1 };
        budget::length(&self.with(longest))
    }
}

fn tags(article: &Article) -> Option<String> {
    let tags = || budget::clip(&article.tags.join(", "), LONGEST_PROPERTIES);
    (!article.tags.is_empty()).then(|| format!("tags: {}", tags()))
}

fn properties(article: &Article) -> Option<String> {
    let properties = serde_json::to_string(&article.properties).unwrap_or_default();
    let properties = || budget::clip(&properties, LONGEST_PROPERTIES);
    (!article.properties.is_empty()).then(|| format!("properties: {}", properties()))
}

fn embedding(article: &Article) -> String {
    let embedding = &article.embedding;
    let mut text = embedding.status.as_str().to_owned();
    if embedding.stale {
        text.push_str(" (found by the meaning of an older text)");
    }
    if let Some(error) = &embedding.error {
        text.push_str(&format!(" ({})", budget::clip(&error.replace('\n', " "), LONGEST_HEADING)));
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
    let name = budget::clip(name, LONGEST_HEADING);
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
    let wanted = budget::clip(wanted, LONGEST_HEADING);
    let known = name_sections(&all);
    let known = if known.is_empty() { "the text has no headings".to_owned() } else { format!("there are: {known}") };
    Err(Problem::new(format!("section: there is no heading \"{wanted}\"; {known}")))
}

fn name_sections(sections: &[Section]) -> String {
    let named = sections.iter().map(Section::title).filter(|title| !title.is_empty()).take(NAMED_HEADINGS);
    let mut text = named.map(|title| budget::clip(title, LONGEST_HEADING)).collect::<Vec<_>>().join(" | ");
    if sections.len() > NAMED_HEADINGS {
        text.push_str(" | …");
    }
    text
}

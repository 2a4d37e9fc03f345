//! Properties: shown below a title, and written as front matter in the form.

use maud::{Markup, html};
use serde_json::Value;

use crate::{
    api::Article,
    articles::{
        ArticleError,
        front_matter::{self, Document},
        properties::Filter,
    },
    page::pieces::{moment, query},
};

/// The field of the form, as errors name it.
pub(super) const FIELD: &str = "properties";
/// Properties that are shown.
const MAX_PROPERTIES: usize = 60;
/// Values of one property that are shown.
const MAX_VALUES: usize = 30;
/// A longer value is cut. *Units:* characters.
const MAX_VALUE_CHARS: usize = 600;
/// A longer value leads to no list. *Units:* characters.
const LONGEST_ASKED: usize = 80;
/// The longest front matter that is saved here. *Units:* bytes.
const LONGEST_WRITTEN: usize = 256 << 10;

/// The properties of an article; each value leads to the articles that have it.
pub(super) fn list_properties(article: &Article) -> Markup {
    html! {
        @if !article.properties.is_empty() {
            dl.properties aria-label="Properties" {
                @for (key, value) in article.properties.iter().take(MAX_PROPERTIES) {
                    div { dt dir="auto" { (key) } dd { (values(key, value)) } }
                }
                div { dt { "created" } dd { (moment(article.created_at)) } }
            }
            @if article.properties.len() > MAX_PROPERTIES { p.quiet { "There are more properties, which are not shown." } }
        }
    }
}

fn values(key: &str, value: &Value) -> Markup {
    let all = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    html! {
        @for (at, value) in all.iter().take(MAX_VALUES).enumerate() {
            @if at > 0 { ", " }
            (one(key, &plain(value)))
        }
        @if all.len() > MAX_VALUES { ", …" }
    }
}

fn one(key: &str, value: &str) -> Markup {
    match condition(key, value) {
        Some(condition) => html! { a dir="auto" href={ "/?" (query(&[("filter", &condition)])) } { (value) } },
        None => {
            let cut: String = value.chars().take(MAX_VALUE_CHARS).collect();
            html! { bdi { (cut) @if cut.len() < value.len() { "…" } } }
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The filter that finds the articles with this value; `None` if no filter can be written for it.
pub(super) fn condition(key: &str, value: &str) -> Option<String> {
    let is_long = value.chars().nth(LONGEST_ASKED).is_some();
    let is_range = value.contains("..") || value.starts_with(['<', '>']) || value == "*";
    // A filter takes these for the article's own.
    let is_of_article = ["created", "updated", "folder"].iter().any(|own| key.trim().eq_ignore_ascii_case(own));
    if is_long || is_range || is_of_article || value.trim().is_empty() {
        return None;
    }
    let condition = format!("{}:{}", quote_word(key)?, quote_word(value)?);
    Filter::parse(&condition).ok().filter(|filter| filter.len() == 1).map(|_| condition)
}

/// A word of a filter, quoted if it has to be; `None` if it cannot be.
fn quote_word(word: &str) -> Option<String> {
    let is_plain = word.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.'));
    match word {
        plain if is_plain && !plain.starts_with('-') => Some(plain.to_owned()),
        other if other.contains('"') || other.contains(char::is_control) => None,
        other => Some(format!("\"{other}\"")),
    }
}

/// Front matter as it is edited: without its fences if it is YAML, else as it stands in its file.
pub(super) fn front_matter_source(front_matter: &str) -> String {
    let plain = front_matter.replace("\r\n", "\n").replace('\r', "\n");
    let inner = plain.strip_prefix("---\n").and_then(|rest| {
        let rest = rest.strip_suffix("---\n").or_else(|| rest.strip_suffix("---"))?;
        (rest.is_empty() || rest.ends_with('\n')).then_some(rest)
    });
    inner.unwrap_or(&plain).trim_end().to_owned()
}

/// The field for front matter, with what is wrong with it.
pub(super) fn field(typed: &str, why: Option<&str>) -> Markup {
    html! {
        label for="properties" { "Properties " span.quiet { "(one a line: status: draft, aliases: [one, two])" } }
        textarea #properties.short name="properties" dir="auto" rows="4" spellcheck="false" aria-invalid=[why.map(|_| "true")]
            aria-describedby=[why.map(|_| "properties-problem")] { "\n" (typed) }
        @if let Some(why) = why { p #properties-problem.problem dir="auto" { (why) } }
    }
}

/// The front matter to save for what was typed; `None` if that is what `present` says already.
///
/// # Errors
/// [`ArticleError::Invalid`] if it is no front matter.
pub(super) fn read(typed: &str, present: &str) -> Result<Option<String>, ArticleError> {
    let typed = typed.replace("\r\n", "\n").replace('\0', "");
    let typed = typed.trim_end();
    if typed == front_matter_source(present) {
        return Ok(None);
    }
    if typed.trim().is_empty() {
        return Ok(Some(String::new()));
    }
    if typed.len() > LONGEST_WRITTEN {
        let message = format!("are {} bytes long; at most {LONGEST_WRITTEN} can be saved here", typed.len());
        return Err(ArticleError::invalid(FIELD, message));
    }
    let typed = typed.trim_start_matches('\n');
    let block = [format!("{typed}\n"), format!("---\n{typed}\n---\n")].into_iter().find(|text| is_block(text));
    let block = block.ok_or_else(|| ArticleError::invalid(FIELD, why_not(typed)))?;
    let known = front_matter::keys(present);
    let own = |key: &String| front_matter::own(key).filter(|_| !known.contains(key));
    if let Some((key, said)) = front_matter::keys(&block).iter().find_map(|key| Some((key.clone(), own(key)?))) {
        return Err(ArticleError::invalid(FIELD, format!("\"{key}\" is no property, but {said}")));
    }
    let is_of_windows = present.matches("\r\n").count() * 2 > present.matches('\n').count();
    Ok(Some(if is_of_windows { block.replace('\n', "\r\n") } else { block }))
}

/// Refuses a property that the text names at its beginning, too: what stands there counts, and this would be lost.
///
/// # Errors
/// [`ArticleError::Invalid`] that names it.
pub(super) fn must_be_in_one_place(beside: &str, text: &str) -> Result<(), ArticleError> {
    let in_text = front_matter::keys(front_matter::head(text));
    let twice =
        front_matter::given(beside).into_iter().find(|given| in_text.contains(&front_matter::named(&given.key)));
    match twice {
        None => Ok(()),
        Some(given) => {
            let message = format!(
                "and the beginning of the text both say \"{}\"; write it in one of them, as it is to be",
                given.key
            );
            Err(ArticleError::invalid(FIELD, message))
        }
    }
}

fn is_block(text: &str) -> bool {
    let document = Document::split(text);
    !document.head.is_empty() && document.body.is_empty()
}

/// Names the first line that is no front matter, if it is one line.
fn why_not(typed: &str) -> String {
    let is_stray = |line: &&str| !line.trim().is_empty() && !is_block(&format!("---\n{line}\n---\n"));
    let stray = typed.lines().find(|line| !line.starts_with([' ', '\t', '-']) && is_stray(line));
    let line = stray.map(|line| format!(": \"{}\"", line.chars().take(80).collect::<String>())).unwrap_or_default();
    format!("have a line that is none{line}; write one a line, such as status: draft, or aliases: [one, two]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_is_edited_without_its_fences_and_saved_with_them() {
        assert_eq!(front_matter_source("---\nstatus: draft\ntags: [a]\n---\n"), "status: draft\ntags: [a]");
        assert_eq!(front_matter_source("---\r\nstatus: draft\r\n---\r\n"), "status: draft");
        assert_eq!(front_matter_source("+++\nstatus = \"draft\"\n+++\n"), "+++\nstatus = \"draft\"\n+++");
        assert_eq!(front_matter_source(""), "");
        for (typed, present, saved) in [
            ("status: draft", "", Some("---\nstatus: draft\n---\n")),
            ("---\nstatus: draft\n---", "", Some("---\nstatus: draft\n---\n")),
            ("+++\na = 1\n+++", "", Some("+++\na = 1\n+++\n")),
            ("status: final\r\n", "---\r\nstatus: draft\r\n---\r\n", Some("---\r\nstatus: final\r\n---\r\n")),
            ("status: draft\r\n", "---\nstatus: draft\n---\n", None),
            ("aliases:\n  - One\n  - Two", "", Some("---\naliases:\n  - One\n  - Two\n---\n")),
            (" \n", "---\nstatus: draft\n---\n", Some("")),
            ("", "", None),
        ] {
            assert_eq!(read(typed, present).expect("front matter").as_deref(), saved, "{typed:?}");
        }
        for typed in ["just a sentence", "---\nstatus: draft", "status: a\n---\nb: c"] {
            let error = read(typed, "").expect_err("none").to_string();
            assert!(error.starts_with("properties: "), "{error}");
        }
        for typed in ["title: Other", "a: 1\nSlug: x"] {
            let error = read(typed, "").expect_err("the article's own").to_string();
            assert!(error.contains("is no property"), "{error}");
            assert!(read(&format!("{typed}\nb: 2"), &format!("---\n{typed}\n---\n")).is_ok(), "a file brought it");
        }
        assert!(read("Just a sentence", "").expect_err("none").to_string().contains("Just a sentence"));
    }

    #[test]
    fn what_the_text_says_at_its_beginning_is_not_said_beside_it() {
        let beside = "---\nstatus: final\nTag: x\n---\n";
        for text in ["---\nstatus: draft\n---\nText", "+++\ntags = ['a']\n+++\n", "---\nStatus: final\n---\n"] {
            let error = must_be_in_one_place(beside, text).expect_err("twice").to_string();
            assert!(error.starts_with("properties: and the beginning of the text both say"), "{error}");
        }
        for text in ["", "status: draft", "---\nother: 1\n---\nstatus: x"] {
            assert!(must_be_in_one_place(beside, text).is_ok(), "{text}");
        }
    }

    #[test]
    fn every_value_leads_to_a_filter_that_can_be_read_or_to_none() {
        for (key, value, filter) in [
            ("status", "draft", Some("status:draft")),
            ("status", "in work", Some("status:\"in work\"")),
            ("date created", "2026", Some("\"date created\":2026")),
            ("status", "a\"b", None),
            ("status", ">5", None),
            ("status", "<script>", None),
            ("tag", "rust/async", Some("tag:rust/async")),
            ("status", "", None),
            ("Created", "2026-01-01", None),
        ] {
            assert_eq!(condition(key, value).as_deref(), filter, "{key} {value}");
        }
    }
}

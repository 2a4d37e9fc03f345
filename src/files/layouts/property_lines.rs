//! Properties that stand in a text, moved to its front matter.

use std::borrow::Cow;

use crate::articles::front_matter::{Document, Setting, given, with_settings};

/// Keys that decide more of an article than a property of another program means by them.
const OWN: [&str; 3] = ["folder", "former_slugs", "skip_embedding"];

/// One line of properties.
#[derive(Debug)]
pub(super) struct PropertyLine<'t> {
    /// As it stands in the text.
    pub(super) text: &'t str,
    /// What it says, if that goes to the front matter; else the line stays.
    pub(super) moves: Option<(String, Setting)>,
}

/// Returns the text with the properties that `lines` move; its other lines are between `before` and `after`. If the
/// front matter could not hold what they say, the text stays as it is.
pub(super) fn moved<'t>(
    text: &'t str,
    head: &str,
    before: &str,
    lines: Vec<PropertyLine<'_>>,
    after: &str,
) -> Cow<'t, str> {
    let (mut settings, mut stay): (Vec<(String, Option<Setting>)>, _) = (Vec::new(), String::new());
    for PropertyLine { text, moves } in lines {
        let is_new = |(key, _): &(String, Setting)| !settings.iter().any(|(set, _)| set.eq_ignore_ascii_case(key));
        match moves.filter(is_new) {
            Some((key, setting)) => settings.push((key, Some(setting))),
            None => stay.push_str(text),
        }
    }
    if settings.is_empty() {
        return Cow::Borrowed(text);
    }
    // Without its lines, the properties leave two blank lines in a row, or one at the beginning.
    let is_gap = stay.is_empty() && (before.is_empty() || before.ends_with("\n\n") || before.ends_with("\n\r\n"));
    let after = match is_gap {
        true => after.strip_prefix("\r\n").or_else(|| after.strip_prefix('\n')).unwrap_or(after),
        false => after,
    };
    let body = format!("{before}{stay}{after}");
    let with = with_settings(head, &body, &settings);
    let read = given(&with);
    let is_read = settings.iter().all(|(key, _)| read.iter().any(|given| given.key.eq_ignore_ascii_case(key)));
    let whole = format!("{with}{body}");
    if is_read && Document::split(&whole).head == with { Cow::Owned(whole) } else { Cow::Borrowed(text) }
}

/// Whether a property may go to the front matter `head`: it has none of this name, and the name decides nothing else.
pub(super) fn may_move(head: &str, key: &str) -> bool {
    let is_given = || given(head).iter().any(|given| given.key.eq_ignore_ascii_case(key));
    !OWN.iter().any(|own| key.eq_ignore_ascii_case(own)) && !is_given()
}

/// A value as it would be written in front matter.
pub(super) fn setting(value: &str) -> Setting {
    match value {
        "true" => Setting::Switch(true),
        "false" => Setting::Switch(false),
        number if is_number(number) => Setting::Number(number.to_owned()),
        text => Setting::Text(text.to_owned()),
    }
}

/// Several values, separated by commas; what programs write around a tag is left out.
pub(super) fn list(values: &str) -> Setting {
    let values = values.split(',').map(|value| {
        value.trim().trim_start_matches('#').trim_start_matches("[[").trim_end_matches("]]").trim().to_owned()
    });
    Setting::List(values.filter(|value| !value.is_empty()).map(Setting::Text).collect())
}

fn is_number(text: &str) -> bool {
    let digits = |part: &str| (1..=15).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let whole = text.strip_prefix('-').unwrap_or(text);
    let (whole, parts) = whole.split_once('.').unwrap_or((whole, "0"));
    digits(whole) && digits(parts) && (whole == "0" || !whole.starts_with('0'))
}

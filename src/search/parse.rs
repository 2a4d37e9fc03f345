//! What people write into a search, as they know it from elsewhere: `"a phrase"`, `-without`, `begin*`,
//! `folder:guides`.
//!
//! What makes no sense as an operator is text: there is no wrong question.

use std::collections::HashSet;

use super::field::{Field, ParseContext, is_quote, says_something};

/// Phrases and fields of one question that are demanded; what is beyond is text. A pasted file has very many.
const MAX_DEMANDS: usize = 20;
/// Beginnings of one question; further ones are words. Each is looked up by all endings that may follow it.
const MAX_BEGINNINGS: usize = 20;

/// A question as it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ParsedQuestion {
    /// Words that may occur.
    pub(super) words: Vec<String>,
    /// Beginnings of words that may occur, without the `*`.
    pub(super) beginnings: Vec<String>,
    /// Phrases that must occur.
    pub(super) phrases: Vec<String>,
    /// Words and phrases that must not.
    pub(super) without: Vec<String>,
    /// What must hold of the article, or must not.
    pub(super) fields: Vec<(Field, Sense)>,
    /// All that is looked for, in its order, without operators: for the meaning.
    pub(super) text: String,
}

/// Whether something must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    Must,
    MustNot,
}

impl ParsedQuestion {
    /// Reads a question.
    pub(super) fn read(question: &str, known: &ParseContext) -> Self {
        let mut parsed = Self::default();
        let mut rest = question.trim_start();
        while !rest.is_empty() {
            rest = parsed.take_part(rest, known).trim_start();
        }
        if parsed.words.is_empty()
            && parsed.beginnings.is_empty()
            && parsed.phrases.is_empty()
            && parsed.fields.is_empty()
        {
            // Only what is not wanted: that says nothing about what is.
            for part in std::mem::take(&mut parsed.without) {
                parsed.add_word(&part);
            }
        }
        parsed
    }

    /// Takes one part from the beginning; what is left.
    fn take_part<'q>(&mut self, rest: &'q str, known: &ParseContext) -> &'q str {
        let (sense, behind) = match rest.strip_prefix('-') {
            Some(behind) if behind.starts_with(|c: char| is_quote(c) || says_something(c.encode_utf8(&mut [0; 4]))) => {
                (Sense::MustNot, behind)
            }
            _ => (Sense::Must, rest),
        };
        if self.phrases.len() + self.fields.len() >= MAX_DEMANDS && sense == Sense::Must {
            return self.take_word(rest, sense);
        }
        if let Some((phrase, after)) = quoted(behind) {
            match sense {
                Sense::Must => {
                    self.phrases.push(phrase.to_owned());
                    self.add_text(phrase);
                }
                Sense::MustNot => self.without.push(phrase.to_owned()),
            }
            return after;
        }
        if let Some((field, after)) = field(behind, known) {
            self.fields.push((field, sense));
            return after;
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let sense = if known.options.contains(&rest[..end]) { Sense::Must } else { sense };
        self.take_word(rest, sense)
    }

    /// The same of a part that is no phrase and no field.
    fn take_word<'q>(&mut self, rest: &'q str, sense: Sense) -> &'q str {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        match (sense, word.strip_prefix('-')) {
            (Sense::MustNot, Some(word)) if !is_flag(word) && !is_number(word) && says_something(word) => {
                self.without.push(word.to_owned());
            }
            _ => self.add_word(word),
        }
        after
    }

    fn add_word(&mut self, word: &str) {
        let beginning = word.strip_suffix('*').filter(|beginning| {
            beginning.chars().count() > 1 && beginning.chars().all(|c| c.is_alphanumeric() || is_mark(c))
        });
        match beginning.filter(|_| self.beginnings.len() < MAX_BEGINNINGS) {
            Some(beginning) => {
                self.beginnings.push(beginning.to_owned());
                self.add_text(beginning);
            }
            None => {
                self.words.push(word.to_owned());
                self.add_text(word);
            }
        }
    }

    fn add_text(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }
}

/// A single letter is rather a flag of a command than a word that is not wanted.
fn is_flag(word: &str) -> bool {
    word.len() == 1
}

/// `-18`, `-2.5`, `-18°C`, `-5kg`: what is below zero is meant, whatever its unit. In quotation marks it is a word as
/// any other.
fn is_number(word: &str) -> bool {
    word.starts_with(char::is_numeric)
}

fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// What stands in quotation marks at the beginning, and what follows them. A mark that is never closed is no mark.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let first = text.chars().next().filter(|first| is_quote(*first))?;
    let inner = &text[first.len_utf8()..];
    let end = inner.find(is_quote)?;
    let mark = inner[end..].chars().next()?;
    let phrase = &inner[..end];
    says_something(phrase).then(|| (phrase, &inner[end + mark.len_utf8()..]))
}

/// The names before a colon, which may be keys of properties.
pub(super) fn names(question: &str) -> HashSet<&str> {
    /// Further ones are words.
    const MAX_OPERATORS: usize = 30;
    let names = question.split_whitespace().filter_map(|part| part.split_once(':'));
    names.map(|(name, _)| name.trim_start_matches('-')).filter(|name| is_name(name)).take(MAX_OPERATORS).collect()
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || is_mark(c) || matches!(c, '_' | '-'))
}

/// `name:value` or `name:"a value"` at the beginning, and what follows it.
fn field<'q>(text: &'q str, known: &ParseContext) -> Option<(Field, &'q str)> {
    let (name, behind) = text.split_once(':')?;
    if !is_name(name) {
        return None;
    }
    let (value, after) =
        quoted(behind).unwrap_or_else(|| behind.split_at(behind.find(char::is_whitespace).unwrap_or(behind.len())));
    Some((Field::read(name, value, known)?, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(question: &str) -> ParsedQuestion {
        let keys = ["status", "größe", "aliases"].map(str::to_owned).into();
        ParsedQuestion::read(
            question,
            &ParseContext { now: 1_795_000_000_000, keys, options: ["-xzf".to_owned()].into() },
        )
    }

    #[test]
    fn operators_are_read_as_people_know_them() {
        let read = parsed(r#"share "shared state" -mutex -"dead lock" begin* folder:guides/rust title:"two words""#);
        assert_eq!(read.words, ["share"]);
        assert_eq!(read.phrases, ["shared state"]);
        assert_eq!(read.without, ["mutex", "dead lock"]);
        assert_eq!(read.beginnings, ["begin"]);
        assert_eq!(read.text, "share shared state begin");
        assert_eq!(read.fields.len(), 2);
    }

    #[test]
    fn what_makes_no_sense_is_text() {
        for text in [
            "\"never closed",
            "std::vec",
            "a - b",
            "--release -v",
            "freezer at -18 °C",
            "-2.5",
            "below -18°C",
            "minus -5kg or -5 kg",
            "at -40dBm, -3db and -0.5mm",
            "see -2026-11-27 and -1password",
            "-½ -²",
            "created:soon",
            "http://x",
            "nonsense:1",
            "*",
            "-",
        ] {
            let read = parsed(text);
            assert!(read.fields.is_empty() && read.phrases.is_empty() && read.without.is_empty(), "{text}: {read:?}");
            assert_eq!(read.text, text);
        }
        for text in [
            "title:???",
            "title:\"\"",
            "title:*",
            "folder:\"\"",
            "folder:/",
            "folder:“”",
            "tag:#",
            "tag:///",
            "tag:\"#\"",
            "slug:*",
            "slug:\"\"",
            "slug:-",
            "created:\"\"",
            "\"???\"",
            "-title:\"",
            "-!!!",
        ] {
            let read = parsed(&format!("rust {text}"));
            assert!(read.fields.is_empty() && read.phrases.is_empty() && !read.text.is_empty(), "{text}: {read:?}");
            assert!(read.without.iter().all(|part| says_something(part)), "{text}: {read:?}");
        }
        let command = parsed("tar -xzf -v archive -old");
        assert_eq!(
            (command.words.join(" ").as_str(), command.without),
            ("tar -xzf -v archive", vec!["old".to_owned()])
        );
        assert_eq!(parsed("-only").words, ["only"], "only what is not wanted says nothing about what is");
    }

    #[test]
    fn what_is_demanded_beyond_some_is_text() {
        let pasted: String = (0..60).map(|n| format!("\"k{n}\": \"v{n}\", title:t{n} ")).collect();
        let read = parsed(&pasted);
        assert_eq!(read.phrases.len() + read.fields.len(), MAX_DEMANDS);
        assert!(read.words.iter().any(|word| word.contains("v59")) && read.text.contains("v59"));
        assert_eq!(parsed(&format!("{pasted} -mutex")).without, ["mutex"]);
    }

    #[test]
    fn beginnings_beyond_some_are_words() {
        let pasted: String = (0..60).map(|n| format!("w{n}x* ")).collect();
        let read = parsed(&pasted);
        assert_eq!((read.beginnings.len(), read.words.len()), (MAX_BEGINNINGS, 60 - MAX_BEGINNINGS));
        assert_eq!(parsed("secrets -\"1password\" -\"5kg\"").without, ["1password", "5kg"]);
    }

    #[test]
    fn a_property_that_articles_have_is_a_condition() {
        let read = parsed(r#"plan Status:draft -status:"in work" größe:>3 alias:x other:draft status:"#);
        assert_eq!((read.fields.len(), read.text.as_str()), (4, "plan other:draft status:"), "{read:?}");
        assert_eq!(read.fields[1].1, Sense::MustNot);
        assert_eq!(names("a b:c -d:\"e f\" http://x :y"), ["b", "d", "http"].into());
    }

    #[test]
    fn a_symbol_is_demanded_or_not_wanted_as_a_word_is() {
        assert_eq!(parsed("rust -🚀").without, ["🚀"]);
        assert_eq!(parsed("rust \"🚀\"").phrases, ["🚀"]);
        assert_eq!(parsed("rust -猫").without, ["猫"]);
        assert_eq!(parsed("rust title:\"🚀 🎉\"").fields, [(Field::Title("🚀 🎉".to_owned()), Sense::Must)]);
    }

    #[test]
    fn a_slug_is_read_as_it_is_stored() {
        for text in ["slug:Ch10-02", "slug:ch10-02", "slug:\" Ch10-02 \""] {
            assert_eq!(
                parsed(text).fields,
                [(Field::Slug { slug: "ch10-02".to_owned(), is_beginning: false }, Sense::Must)]
            );
        }
        let beginning = Field::Slug { slug: "ch10-".to_owned(), is_beginning: true };
        assert_eq!(parsed("slug:CH10-*").fields, [(beginning, Sense::Must)]);
    }

    proptest! {
        #[test]
        fn any_text_is_a_question(text in any::<String>()) {
            let read = parsed(&text);
            prop_assert!(read.text.len() <= text.len() + 1);
        }
    }
}

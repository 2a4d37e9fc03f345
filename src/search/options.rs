//! Options of commands in what is pasted: in `tar -xzf` the hyphen excludes nothing, if an article has the option
//! behind the same word.

use std::collections::HashSet;

use afterword_actors::store::{
    StoreError,
    sql::{Sql, Value},
};

use super::field::says_something;
use crate::fulltext::{self, Languages, Part, SearchScope};

/// Words with a hyphen of one question that may be options; further ones exclude.
const MAX_OPTIONS: usize = 8;
/// Articles that are looked through for an option, the last saved first, and how much of each. *Units:* characters.
const LOOKED_THROUGH: (i64, i64) = (20, 50_000);

/// A part of a question that begins with a hyphen, and the word before it, other options left out.
#[derive(Debug, PartialEq, Eq)]
struct Hyphenated<'q> {
    before: &'q str,
    /// With its hyphen, as it is written in the question.
    part: &'q str,
}

/// Returns those parts of `question` that begin with a hyphen, `-xzf`, and that articles have on one line behind the same
/// word, `tar -xzf`. An option stands behind its command.
///
/// # Errors
/// [`StoreError`]
pub(super) async fn options(
    connection: &impl Sql,
    languages: &Languages,
    with_earlier: bool,
    question: &str,
) -> Result<HashSet<String>, StoreError> {
    let mut options = HashSet::new();
    for found in hyphenated(question) {
        if !options.contains(found.part) && is_written(connection, languages, with_earlier, &found).await? {
            options.insert(found.part.to_owned());
        }
    }
    Ok(options)
}

fn hyphenated(question: &str) -> Vec<Hyphenated<'_>> {
    let may_be_one = |part: &str| {
        part.strip_prefix('-').is_some_and(|option| option.starts_with(char::is_alphabetic) && option.len() > 1)
    };
    let mut before = None;
    let mut found = Vec::new();
    for part in question.split_whitespace() {
        if let Some(before) = before
            && may_be_one(part)
        {
            found.push(Hyphenated { before, part });
        } else if !part.starts_with('-') && says_something(part) {
            before = Some(part);
        }
    }
    found.truncate(MAX_OPTIONS);
    found
}

/// Whether one of the articles that have both words has the option behind the other word, on the same line.
async fn is_written(
    connection: &impl Sql,
    languages: &Languages,
    with_earlier: bool,
    Hyphenated { before, part }: &Hyphenated<'_>,
) -> Result<bool, StoreError> {
    let words = [before, part].map(|text| languages.phrases(text)).to_vec();
    let mut among = SearchScope::default();
    for (condition, values) in fulltext::having_all(connection.engine(), words, Part::Anywhere, with_earlier) {
        among = among.and(&condition, values);
    }
    let Some(condition) = among.condition(3) else { return Ok(false) };
    let sql = format!(
        "SELECT a.title, substr(a.body, 1, CAST($2 AS INTEGER)) AS body FROM articles a
         WHERE {condition} ORDER BY a.id DESC LIMIT $1 + 0"
    );
    let (articles, characters) = LOOKED_THROUGH;
    let values = [Value::from(articles), characters.into()].into_iter().chain(among.values);
    let texts = connection.rows::<(String, String)>(&sql, values).await?;
    let mut lines = texts.iter().flat_map(|(title, body)| body.lines().chain([title.as_str()]));
    Ok(lines.any(|line| is_behind(line, before, part)))
}

/// Whether `line` has the word `option` somewhere behind the word `before`.
fn is_behind(line: &str, before: &str, option: &str) -> bool {
    let (before, option) = (bare(before), bare(option));
    let mut words = line.split_whitespace().map(bare);
    words.any(|word| word == before) && words.any(|word| word == option)
}

/// A word in small letters, without code marks and punctuation around it; an option keeps its hyphen.
fn bare(word: &str) -> String {
    let is_around = |c: char| c.is_ascii_punctuation() && c != '-';
    word.trim_start_matches(is_around).trim_end_matches(|c: char| c.is_ascii_punctuation()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_stands_behind_a_word() {
        let read = |question| -> Vec<(&str, &str)> {
            hyphenated(question).into_iter().map(|found| (found.before, found.part)).collect()
        };
        assert_eq!(read("tar -xzf"), [("tar", "-xzf")]);
        assert_eq!(read("grep -rn foo . -name"), [("grep", "-rn"), ("foo", "-name")]);
        assert_eq!(read("docker run --rm -it"), [("run", "-it")]);
        assert_eq!(read("-mutex rust"), []);
        assert_eq!(read("freezer -18 --release chmod -R a - b -\"two words\""), []);
    }

    #[test]
    fn it_is_behind_its_command_on_a_line_of_an_article() {
        for (line, before, part) in [
            ("Unpack with `tar -xzf`.", "Tar", "-xzf?"),
            ("docker run --rm -it image", "run", "-it"),
            ("find . -name foo -exec rm", "foo", "-exec"),
            ("`tar -xzf archive.tar.gz`", "`tar", "-xzf`"),
        ] {
            assert!(is_behind(line, before, part), "{line}");
        }
        for (line, before, part) in
            [("-old tar archives", "tar", "-old"), ("tar -xzfv", "tar", "-xzf"), ("start -old", "tar", "-old")]
        {
            assert!(!is_behind(line, before, part), "{line}");
        }
    }
}

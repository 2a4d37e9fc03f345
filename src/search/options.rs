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

/// A part of a question that begins with a hyphen, and the one before it.
#[derive(Debug, PartialEq, Eq)]
struct Hyphenated<'q> {
    before: &'q str,
    /// With its hyphen.
    part: &'q str,
}

/// Returns those parts of `question` that begin with a hyphen, `-xzf`, and that articles have behind the same word,
/// `tar -xzf`. An option stands behind its command.
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
    let parts: Vec<_> = question.split_whitespace().collect();
    let may_be_one = |part: &str| {
        part.strip_prefix('-').is_some_and(|option| option.starts_with(char::is_alphabetic) && option.len() > 1)
    };
    let pairs = parts.windows(2).map(|pair| Hyphenated { before: pair[0], part: pair[1] });
    pairs.filter(|pair| may_be_one(pair.part) && says_something(pair.before)).take(MAX_OPTIONS).collect()
}

/// Whether one of the articles that have both words has them as they are written in the question.
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
        "SELECT substr(a.body, 1, CAST($2 AS INTEGER)) AS body FROM articles a
         WHERE {condition} ORDER BY a.id DESC LIMIT $1 + 0"
    );
    let (articles, characters) = LOOKED_THROUGH;
    let values = [Value::from(articles), characters.into()].into_iter().chain(among.values);
    let bodies = connection.rows::<String>(&sql, values).await?;
    let written = format!("{before} {part}");
    Ok(bodies.iter().any(|body| body.contains(&written)))
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
        assert_eq!(read("grep -rn foo . -name"), [("grep", "-rn")]);
        assert_eq!(read("-mutex rust"), []);
        assert_eq!(read("freezer -18 --release chmod -R a - b -\"two words\""), []);
    }
}

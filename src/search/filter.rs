//! Which articles may answer: the folder that was given, and what the question itself says of them.

use afterword_actors::store::{Engine, sql::Sql};

use super::{
    SearchError,
    field::{Field, Moment},
    parse::{ParsedQuestion, Sense},
};
use crate::{
    articles::{
        folder::within,
        properties::{Filter, Shape},
        unknown_property,
    },
    fulltext::{self, Condition, Languages, Part, Phrase, SearchScope},
};

/// What conditions are written for.
pub(super) struct Index<'a> {
    pub(super) engine: Engine,
    pub(super) languages: &'a Languages,
    /// Whether words of an earlier version are left.
    pub(super) with_earlier: bool,
}

impl Index<'_> {
    /// The articles in `folder` that `filter` lets pass and that meet what `parsed` demands.
    pub(super) fn among(&self, folder: &str, filter: &Filter, parsed: &ParsedQuestion) -> SearchScope {
        let mut among = SearchScope::default();
        if !folder.is_empty() {
            among = among.and(&within("a.folder", "$?1"), [folder.into()]);
        }
        if !filter.is_empty() {
            let (condition, values) = passing(filter);
            among = among.and(&condition, values);
        }
        for (field, sense) in &parsed.fields {
            let Some((condition, values)) = condition(field) else { continue };
            among = match sense {
                Sense::Must => among.and(&condition, values),
                Sense::MustNot => among.and(&format!("NOT ({condition})"), values),
            };
        }
        let titles = |wanted: Sense| {
            parsed.fields.iter().filter_map(move |(field, sense)| match field {
                Field::Title(title) if *sense == wanted => Some(title),
                _ => None,
            })
        };
        for (part, demanded, unwanted) in [
            (Part::Title, self.phrases(titles(Sense::Must)), self.phrases(titles(Sense::MustNot))),
            (Part::Anywhere, self.phrases(parsed.phrases.iter()), self.phrases(parsed.without.iter())),
        ] {
            for (condition, values) in fulltext::having_all(self.engine, demanded, part, self.with_earlier) {
                among = among.and(&condition, values);
            }
            for (condition, values) in fulltext::having_any(self.engine, unwanted, part, self.with_earlier) {
                among = among.and(&format!("NOT ({condition})"), values);
            }
        }
        among
    }

    /// What each text may be; one that holds no word demands nothing.
    fn phrases<'t>(&self, texts: impl Iterator<Item = &'t String>) -> Vec<Vec<Phrase>> {
        texts.map(|text| self.languages.demanded(text)).filter(|phrases| !phrases.is_empty()).collect()
    }
}

/// Refuses a filter by a property that no article has: that is rather a mistake in its name than a question without an
/// answer.
///
/// # Errors
/// [`SearchError::NoProperty`], [`SearchError::Store`]
pub(super) async fn check(connection: &impl Sql, filter: &Filter) -> Result<(), SearchError> {
    match unknown_property(connection, filter).await? {
        Some(unknown) => Err(SearchError::NoProperty(unknown)),
        None => Ok(()),
    }
}

/// A condition that no text has a part in; `None` for others.
fn condition(field: &Field) -> Option<Condition> {
    Some(match field {
        Field::Folder(folder) => (within("a.folder", "$?1"), vec![folder.as_str().into()]),
        Field::Tag(term) | Field::Property(term) => passing(&Filter::default().and(term.clone())),
        Field::Title(_) => return None,
        // As an article is opened by it: by its slug, or by one that it had.
        Field::Slug { slug, is_beginning: false } => (
            "a.id = coalesce((SELECT s.id FROM articles s WHERE s.slug = $?1),
                             (SELECT s.article_id FROM slug_aliases s WHERE s.slug = $?1), 0)"
                .to_owned(),
            vec![slug.as_str().into()],
        ),
        Field::Slug { slug, is_beginning: true } => {
            ("substr(a.slug, 1, length($?1)) = $?1".to_owned(), vec![slug.as_str().into()])
        }
        Field::Time(moment, span) => {
            let column = match moment {
                Moment::Created => "a.created_at",
                Moment::Updated => "a.updated_at",
            };
            (format!("{column} >= $?1 AND {column} < $?2"), vec![span.from.into(), span.until.into()])
        }
    })
}

/// A filter as a condition on `articles a`.
fn passing(filter: &Filter) -> Condition {
    let mut values = Vec::new();
    let condition = filter.condition(Shape::Gathering, &mut values);
    (condition.replace('$', "$?"), values)
}
